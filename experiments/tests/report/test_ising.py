"""Tables and figures of Ising ground states, from synthetic records."""

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest

from sympe_experiments.ising.config import METHODS
from sympe_experiments.ising.facts import PHASES, SOLVERS, panels, sizes
from sympe_experiments.ising.figures import configurations, exact_order, explorer, phase_colors, phase_diagrams
from sympe_experiments.ising.figures import pictures as pictures_of
from sympe_experiments.ising.hamiltonian import J1J2
from sympe_experiments.ising.reference import ground_waves
from sympe_experiments.ising.tables import ising_table, solver_table, tables, verdict_table
from sympe_experiments.page import write_report
from sympe_experiments.records import Record, read_record
from sympe_experiments.report.statistics import group_records

Make = Callable[..., Record]


def arrays_of(model: str = "nearest", vector: bool = True) -> dict[str, Any]:
    """What a run keeps for its figures, made up."""
    rng = np.random.default_rng(0)
    found: dict[str, Any] = {
        "order": exact_order(4).astype(np.float16) if model == "nearest" else rng.random((9, 4, 4)).astype(np.float16),
        "gap": np.where(rng.random((4, 4)) < 0.5, 0, 0.1).astype(np.float32),
        "examples": rng.integers(-127, 128, size=(5, 3, 8, 8)).astype(np.int8),
        "example_couplings": rng.random((5, 2 if model == "nearest" else 4)).astype(np.float32),
    }
    return found | ({"vector": rng.normal(size=(2, 6, 6)).astype(np.float32)} if vector else {})


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a synthetic record that lies in a file, with arrays beside it."""
    count = iter(range(1000))

    def synthetic(method: str = "sympe-template", exact: float | None = 99.5, seed: int = 0, **changes: Any) -> Record:
        metrics = {"exact_percent_in": exact, "exact_percent_out": exact, "gap_in": 1e-4, "gap_out": 3e-4}
        metrics |= {"exact_percent_L10": exact, "exact_percent_L20": exact, "n_parameters": 100}
        metrics |= {"seconds_per_instance": 0.002, "train_processor_seconds": 30.0, **changes.pop("metrics", {})}
        values: dict[str, Any] = {
            "experiment": "ising",
            "method": method,
            "recipe": "fast",
            "data": "nearest",
            "seed": seed,
            "config": {"method": method, "seed": seed, "size": 10},
            "metrics": metrics,
            "seconds": 60.0,
            "environment": {},
        }
        arrays = changes.pop("arrays", arrays_of(changes.get("data", "nearest"), "vector" in str(METHODS.get(method))))
        folder = tmp_path / "runs" / str(next(count))
        return read_record(Record(**values | changes).write(folder, arrays))

    return synthetic


def test_a_row_per_method(make: Make) -> None:
    records = [make("sympe-template", exact, seed) for seed, exact in enumerate((99.0, 100.0))]
    records += [make("mlp", 70.0, metrics={"exact_percent_L20": None, "exact_percent_out": 14.0})]
    table = ising_table(records)
    (block,) = table.blocks
    assert [row["method"] for row in block.rows] == ["mlp", "sympe-template"]
    mlp, sympe = (table.cells(row) for row in block.rows)
    headers = [column.header for column in table.columns]
    assert sympe[headers.index("exact, %")] == "99.50 ± 0.71"
    assert sympe[headers.index("gap")] == "0.00020"
    assert mlp[headers.index("other half, %")] == "14.00"
    assert mlp[headers.index("L = 20, %")] == "-"
    assert sympe[headers.index("ms per instance")] == "2.00"
    assert sizes(records) == [10, 20]


def test_verdicts_need_seeds_and_say_ties(make: Make) -> None:
    few = verdict_table([make(), make("haar", 98.0)])
    assert few is not None
    assert few.blocks[0].rows == ()
    records = [make("sympe-template", 99.0 + seed / 10, seed) for seed in range(3)]
    records += [make("haar", 98.9 + seed / 10, seed) for seed in range(3)]
    records += [make("gcnn", 25.0 + seed / 10, seed) for seed in range(3)]
    table = verdict_table(records)
    assert table is not None
    verdicts = {row["control"]: row["verdict"] for row in table.blocks[0].rows}
    assert verdicts == {"gcnn": "beats", "haar": "ties with"}
    assert verdict_table([make("mlp")]) is None


def test_solvers_stand_beside_networks(make: Make) -> None:
    assert solver_table([make()]) is None
    annealed = {"exact_percent_L10": 100.0, "seconds_per_instance_L10": 0.02, "gap_L10": 0.0}
    table = solver_table([make(data="j1j2"), make("annealing", 100.0, data="j1j2", metrics=annealed, arrays={})])
    assert table is not None
    rows = [(row["size"], row["method"], row["milliseconds"]) for row in table.blocks[0].rows]
    assert rows[:2] == [(10, "sympe-template", 2.0), (10, "annealing", 2.0)]
    assert "annealing" in table.markdown()


def test_names_are_those_of_the_experiment() -> None:
    assert {*(c for method in METHODS.values() for c in method.controls), *SOLVERS} <= METHODS.keys()
    assert all(method.label for method in METHODS.values())


def test_colors_of_phases() -> None:
    colors = phase_colors(exact_order(2))
    phases = list(PHASES.values())
    np.testing.assert_allclose(colors[1, 1], phases[0])  # both couplings positive: upper right
    np.testing.assert_allclose(colors[0, 0], phases[1])
    assert (phase_colors(np.zeros((4, 2, 2))) == 0).all(), "no order is black"


@pytest.mark.parametrize("data", ["nearest", "j1j2"])
def test_figures(data: str, make: Make) -> None:
    records = [make(method, data=data) for method in METHODS]
    pictures = pictures_of(records)
    assert pictures[1].svg() == pictures_of(records)[1].svg()
    assert [picture.name for picture in pictures] == [
        f"ising-1-{kind}" for kind in ("triangle", "phases", "gap", "configurations", "vectors")
    ]
    assert all(picture.png().startswith(b"\x89PNG") for picture in pictures)
    if data == "nearest":
        assert "All four phases with every seed: 12 of 12 methods" in pictures[1].alt
    else:
        assert pictures[1].figure.axes[0].get_title() == "exact, mean over all ground states"


def test_a_panel_names_its_seed_and_seeds_that_differ_have_one_each(make: Make) -> None:
    records = [make("haar", exact, seed) for seed, exact in enumerate((99.9, 99.4, 64.9))]
    records += [make("sympe-template", 99.0 + seed / 10, seed) for seed in range(3)]
    (group,) = group_records(records)
    assert [(run.method, run.seed) for run in panels(group)] == [("haar", 0), ("haar", 2), ("sympe-template", 1)]
    picture = phase_diagrams(group, "phases")
    assert picture is not None
    titles = [axes.get_title().splitlines()[-1] for axes in picture.figure.axes[1:4]]
    assert titles[1] == "seed 2: 64.9 % exact, other half 64.9 %"


def test_shown_draws_differ_or_it_is_said(make: Make) -> None:
    """Of three draws the second is like the first, and for the last couplings all are."""
    arrays = arrays_of()
    arrays["examples"][:, 1] = arrays["examples"][:, 0]
    arrays["examples"][4, 2] = arrays["examples"][4, 0]
    (group,) = group_records([make(arrays=arrays)])
    picture = configurations(group, "sympe-template", "draws")
    assert picture is not None
    shown = [[image.get_array() for image in axes.get_images()] for axes in picture.figure.axes[:10]]
    assert all((np.sign(shown[k][0]) != np.sign(shown[5 + k][0])).any() for k in range(4))
    assert shown[9] == []
    assert picture.figure.axes[9].texts[0].get_text() == "all 3 draws\nare alike"


def test_the_exact_waves_are_those_of_the_least_energy() -> None:
    """With a strong negative J2 alone rows or columns alternate; with a strong negative J3 both have period 4."""
    waves = ground_waves(J1J2, (0.0, 0.0), 2)  # J2 and J3 are -0.5 and 0.5
    np.testing.assert_allclose(waves.sum(0), 1)
    stripes, period_4 = [0 * 3 + 2, 2 * 3 + 0], [1 * 3 + 1]
    assert waves[stripes, 1, 0].sum() == pytest.approx(1), "J2 < 0 < J3"
    assert waves[[0, 8, *stripes], 1, 1].sum() == pytest.approx(1), "no period 4 where J3 > 0"
    assert waves[[0, 8], 1, 1].sum() == pytest.approx(1), "J2, J3 > 0"
    assert waves[period_4, 0, 0] > 0.2, "J3 < 0"


def test_pointing_shows_the_lattices_of_both_draws(make: Make) -> None:
    spins = np.zeros((2, 4, 4, 8, 8), np.int8)
    spins[0, 3, 1] = 1  # the largest Jy, the second Jx
    (diagram,) = explorer([make(arrays=arrays_of() | {"spins": spins})]).diagrams
    assert (diagram.points, diagram.size, len(diagram.draws)) == (4, 8, 2)
    assert diagram.phases[:4] == ("stripes in columns",) * 2 + ("ferromagnet",) * 2
    image = matplotlib.image.imread(io.BytesIO(base64.b64decode(diagram.draws[0].partition(",")[2])))
    assert image.shape[:2] == (32, 32)
    assert (image[:8, 8:16, :3] == 1).all()
    assert image[:8, 16:24, 0] == pytest.approx(0.5, abs=0.01)
    assert explorer([make()]) is None


def test_a_report_survives_what_it_is_given(make: Make, tmp_path: Path) -> None:
    collections = [
        [make(arrays={})],
        [make(exact=None)],
        [make(metrics={"gap_in": None, "gap_out": None})],
        [make("a-new-method")],
        [make(arrays={"order": exact_order(4), "gap": np.zeros((4, 4))} | arrays_of(vector=False))],
        [make(), make(data="j1j2"), make(recipe="smoke")],
    ]
    for k, records in enumerate(collections):
        assert tables(records)
        assert write_report(records, tmp_path / str(k)).exists()


def test_damaged_arrays_are_named(make: Make) -> None:
    record = make()
    assert record.folder is not None
    (record.folder / "arrays.npz").write_bytes(b"junk")
    with pytest.raises(ValueError, match=r"arrays\.npz does not hold the arrays of a run"):
        record.arrays()
    (record.folder / "arrays.npz").unlink()
    assert record.arrays() == {}

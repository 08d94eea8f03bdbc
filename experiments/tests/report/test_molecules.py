"""Tables and figures of graph diffusion, from synthetic records: no network was trained for them."""

import json
from typing import Any

import pytest

from sympe_experiments.catalog import tables_of
from sympe_experiments.molecules.config import METHODS
from sympe_experiments.molecules.figures import pictures as pictures_of
from sympe_experiments.molecules.tables import (
    likelihood_table,
    samples_table,
    tables,
    trajectories_table,
    verdict_table,
)
from sympe_experiments.page import write_report
from sympe_experiments.records import Record

METRICS = {
    "digress_nll": 71.9,
    "digress_nll_se": 0.5,
    "labeled_nll": 26.5,
    "labeled_nll_se": 0.2,
    "excess_nats": 12.1,
    "excess_nats_se": 0.01,
    "class_nll": 14.4,
    "class_nll_se": 0.11,
    "valid_percent_at_10": 66.9,
    "valid_percent_at_100": 89.0,
    "unique_percent_at_100": 99.0,
    "atoms_stable_percent_at_100": 98.5,
    "samples_per_second_at_100": 12.5,
    "num_samples": 1000,
    "steps_of_training": 3052,
}


def make(method: str = "none", class_nll: float = 14.4, seed: int = 0, **changes: Any) -> Record:
    values: dict[str, Any] = {
        "experiment": "molecules",
        "method": method,
        "recipe": "fast",
        "data": "qm9",
        "seed": seed,
        "config": {"method": method, "seed": seed, "steps": 100},
        "metrics": METRICS | {"class_nll": class_nll},
        "seconds": 240.0,
        "history": {"diffusion_time": [0.1, 0.5, 1.0], "nats_per_step": [0.5, 0.3, 0.001]},
        "environment": {},
        "examples": {
            "samples_at_100": ["CCO", "", "c1ccncc1", "C1CC1"],
            "trajectory": ["C N O | 0-1 1=2 0#2"] * 8,
            "trajectory_times": [str(t) for t in range(7, -1, -1)],
        },
    }
    return Record(**values | changes)


def floor(data: str = "qm9") -> Record:
    metrics = {"log_classes": 11.78, "log_orders": 12.13, "log_automorphisms": 0.21}
    history = {"diffusion_time": [0.0, 0.5, 1.0], "log_automorphisms": [0.21, 0.02, 0.01]}
    return Record("molecules", "floor", "exact", data, 0, {}, metrics, 1.0, history, {})


def test_three_ways_to_count_stand_side_by_side() -> None:
    table = likelihood_table([make(), floor()])
    (block,) = table.blocks
    cells = table.cells(block.rows[0])
    assert cells[:6] == ["no symmetry breaking", "-", "71.90 ± 0.50", "26.50 ± 0.20", "12.10 ± 0.01", "14.40 ± 0.11"]
    assert [note for note in block.notes if "11.78" in note or "12.13" in note] == list(block.notes)
    assert any("rows may be compared" in " ".join(sentence.split()) for sentence in table.caption)


def test_the_poster_is_for_hydrogens_only() -> None:
    with_hydrogens = likelihood_table([make(data="qm9-hydrogens"), make("sympe-sort-fresh", data="qm9-hydrogens")])
    assert [row["poster_nats"] for row in with_hydrogens.blocks[0].rows] == [129.7, 30.3]
    assert any("poster does not say" in sentence for sentence in with_hydrogens.caption)
    assert likelihood_table([make()]).blocks[0].rows[0]["poster_nats"] is None


def test_over_seeds_the_spread_replaces_the_error_over_graphs() -> None:
    table = likelihood_table([make(class_nll=value, seed=seed) for seed, value in enumerate((14.0, 14.2, 14.4))])
    assert table.cells(table.blocks[0].rows[0])[5:7] == ["14.20 ± 0.20", "3"]


def test_samples_by_steps() -> None:
    table = samples_table([make(), floor()])
    assert table is not None
    rows = table.blocks[0].rows
    assert [row["sample_steps"] for row in rows] == [10, 100]
    assert [row["valid_percent"] for row in rows] == [66.9, 89.0]
    assert table.cells(rows[1])[:4] == ["no symmetry breaking", "100", "89.0", "99.0"]
    assert table.blocks[0].notes == ()
    assert samples_table([floor()]) is None
    measured = samples_table([make(metrics=METRICS | {"fcd_at_100": 0.25, "fcd_of_training_graphs": 0.0766})])
    assert measured is not None
    assert [row["fcd"] for row in measured.blocks[0].rows] == [None, 0.25]
    assert measured.blocks[0].notes == ("As many molecules of the training set have an FCD of 0.077.",)
    plain = samples_table([make(metrics={"degree_mmd_at_4": 0.1, "valid_percent_at_4": 50.0}, data="tree")])
    assert plain is not None
    assert [column.header for column in plain.columns][2:4] == ["valid %", "unique %"]


def test_tighter_bounds_stand_apart_from_the_runs() -> None:
    assert trajectories_table([make(), floor()]) is None
    bounds = {"trajectories": 8, "test_graphs": 100, "class_nll": 13.0}
    for k, value in ((1, 14.0), (2, 13.8), (4, 13.7), (8, 13.65)):
        bounds |= {f"class_nll_of_{k}": value, f"class_nll_of_{k}_se": 0.2}
    tested = make(metrics=bounds, config={"method": "none", "seed": 0, "steps": 100, "num_test": 100})
    run = make(config={"method": "none", "seed": 0, "steps": 100, "num_test": 2000})
    table = trajectories_table([run, tested])
    assert table is not None
    assert [column.header for column in table.columns][1:6] == ["steps", "K = 1", "K = 2", "K = 4", "K = 8"]
    (block,) = table.blocks
    assert block.title == "qm9, recipe fast, num_test 100"
    assert table.cells(block.rows[0]) == [
        "no symmetry breaking",
        "100",
        "14.00 ± 0.20",
        "13.80 ± 0.20",
        "13.70 ± 0.20",
        "13.65 ± 0.20",
        "100",
        "1",
    ]
    # The likelihood of few graphs is not averaged into that of the run, nor lost.
    rows = {block.title: block.rows[0]["class_nll"] for block in likelihood_table([run, tested]).blocks}
    assert rows == {"qm9, recipe fast, num_test 2000": 14.4, "qm9, recipe fast, num_test 100": 13.0}


def test_tighter_bounds_by_the_steps_of_the_sampler() -> None:
    def tested(method: str, seed: int, value: float) -> Record:
        bounds = {"test_graphs": 50, "class_nll": 13.0, "class_nll_of_1_at_5": value + 1, "class_nll_of_4_at_5": value}
        bounds |= {f"class_nll_of_{k}_at_5_se": 0.2 for k in (1, 4)}
        return make(method, seed=seed, metrics=bounds | {"class_nll_of_1": 13.1 + 0.1 * seed})

    records = [tested("none", seed, 15.0 + 0.1 * seed) for seed in range(3)]
    records += [tested("haar-carried", seed, 14.0 + 0.1 * seed) for seed in range(3)]
    table = trajectories_table(records)
    assert table is not None
    assert [table.cells(row) for row in table.blocks[0].rows] == [
        ["no symmetry breaking", "5", "16.10 ± 0.10", "15.10 ± 0.10", "50", "3"],
        ["Haar measure, carried (control)", "5", "15.10 ± 0.10", "14.10 ± 0.10", "50", "3"],
        ["no symmetry breaking", "100", "13.20 ± 0.10", "-", "50", "3"],
        ["Haar measure, carried (control)", "100", "13.20 ± 0.10", "-", "50", "3"],
    ]
    verdicts = verdict_table(records)
    assert verdicts is not None
    decided = {block.title: block.rows[0]["verdict"] for block in verdicts.blocks}
    assert decided["qm9, recipe fast: class NLL of 5 steps (K = 4)"] == "beats"
    assert decided["qm9, recipe fast: class NLL of 100 steps (K = 1)"] == "ties with"


def test_verdicts_need_seeds_on_both_sides_and_know_what_is_better() -> None:
    def seeds(method: str, nll: float, valid: float) -> list[Record]:
        return [
            make(
                method,
                nll + 0.01 * k,
                k,
                metrics=METRICS | {"class_nll": nll + 0.01 * k, "valid_percent_at_10": valid + 0.1 * k},
            )
            for k in range(3)
        ]

    records = seeds("none", 14.4, 67) + seeds("haar-carried", 14.4, 67) + seeds("sympe-depth-first-carried", 15.0, 85)
    table = verdict_table(records)
    assert table is not None
    found = {(row["metric"], row["method"], row["control"]): row["verdict"] for b in table.blocks for row in b.rows}
    assert found["class_nll", "sympe-depth-first-carried", "none"] == "loses to"
    assert found["valid_percent_at_10", "sympe-depth-first-carried", "haar-carried"] == "beats"
    assert found["class_nll", "haar-carried", "none"] == "ties with"
    undecided = verdict_table([make(), make("sympe-depth-first-carried")])
    assert undecided is not None
    assert "Nothing is decided" in undecided.blocks[0].notes[0]


def test_every_control_is_a_method() -> None:
    assert {c for method in METHODS.values() for c in method.controls} <= METHODS.keys()
    assert all(method.label for method in METHODS.values())


def test_pictures() -> None:
    pytest.importorskip("rdkit", reason="needs RDKit")
    pictures = {picture.name: picture for picture in pictures_of([make(), make("sympe-depth-first-carried"), floor()])}
    assert set(pictures) == {
        "molecules-symmetry",
        "molecules-1-nll",
        "molecules-1-time",
        "molecules-1-samples",
        "molecules-1-denoising",
    }
    for picture in pictures.values():
        assert picture.png().startswith(b"\x89PNG")
    assert "SymPE carried" in "".join(t.get_text() for t in pictures["molecules-1-denoising"].figure.texts)


def test_a_picture_of_few_steps() -> None:
    """It names the method with the fewest failures at the fewest steps, whoever leads at many."""
    some = {"valid_percent_at_5": 60.0, "valid_percent_at_10": 82.0}
    other = {"valid_percent_at_5": 71.0, "valid_percent_at_10": 86.0, "valid_percent_at_100": 80.0}
    records = [make(metrics=METRICS | some), make("sympe-depth-first-carried", metrics=METRICS | other)]
    (picture,) = (picture for picture in pictures_of(records) if picture.name == "molecules-1-steps")
    assert "fewest at 5: SymPE carried: random depth-first" in picture.alt
    lines = {str(line.get_label()): list(line.get_ydata()) for line in picture.figure.axes[0].lines}
    assert lines == {
        "no symmetry breaking": pytest.approx([40, 18, 11]),
        "SymPE carried: random depth-first": pytest.approx([29, 14, 20]),
    }


def test_a_picture_of_bounds_by_the_steps_of_the_sampler() -> None:
    """Differences are taken seed by seed, from the most trajectories that there are."""

    def tested(method: str, seed: int, *values: float) -> Record:
        bounds = dict(zip(("class_nll_of_4_at_2", "class_nll_of_4_at_5", "class_nll_of_4"), values, strict=False))
        return make(method, seed=seed, metrics=bounds | {"class_nll_of_1_at_2": 99.0})

    records = [tested("none", 1, 17.0, 15.0, 13.0), tested("none", 2, 17.5, 15.5, 13.5)]
    records += [
        tested("haar-carried", 1, 17.0, 15.25),
        tested("haar-carried", 2, 17.5, 15.25),
        tested("haar-carried", 3, 1.0, 1.0),
    ]
    records += [tested("sympe-depth-first-carried", 2, 16.5, 15.0, 14.0)]
    (picture,) = (picture for picture in pictures_of(records) if picture.name == "molecules-1-bounds")
    axes = picture.figure.axes[0]
    shown = {str(line.get_label()): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines}
    assert shown["Haar measure, carried (control)"] == ([2, 5], [0.0, 0.0])
    assert shown["SymPE carried: random depth-first"] == ([2, 5, 100], [-1.0, -0.5, 0.5])
    points = {tuple(line.get_ydata()) for line in axes.lines if line.get_marker() == "o"}
    assert points == {(0.0, 0.0, 0.25, -0.25), (-1.0, -0.5, 0.5)}
    assert all(not picture.name.endswith("bounds") for picture in pictures_of([tested("none", 1, 17.0, 15.0)]))


def test_a_picture_of_properties() -> None:
    def with_histograms(method: str, shares: list[float], sampled: tuple[int, ...] = (10, 100)) -> Record:
        told: dict[str, list[float]] = {}
        for key in ("logp", "qed", "rings"):
            told |= {f"{key}_edges": [0.0, 1.0, 2.0], f"{key}_of_test_graphs": [0.25, 0.75]}
            told |= {f"{key}_at_{steps}": shares for steps in sampled}
        return make(method, history=told)

    records = [with_histograms("none", [0.5, 0.5]), with_histograms("haar-carried", [1.0, 0.0]), make("noise")]
    (picture,) = (picture for picture in pictures_of(records) if picture.name == "molecules-1-properties")
    assert "after 10 and 100 steps" in picture.alt
    assert len(picture.figure.axes) == 6
    for axes in picture.figure.axes:
        drawn = {str(patch.get_label()): list(patch.get_data().values) for patch in axes.patches}
        assert drawn == {
            "test molecules": [0.25, 0.75],
            "no symmetry breaking": [0.5, 0.5],
            "Haar measure, carried (control)": [1.0, 0.0],
        }
    # All that is drawn anywhere is named; what has no valid sample is not drawn.
    records = [
        with_histograms("none", [0.5, 0.5]),
        with_histograms("haar-carried", [1.0, 0.0], (100,)),
        with_histograms("noise", [0.0, 0.0]),
    ]
    (picture,) = (picture for picture in pictures_of(records) if picture.name == "molecules-1-properties")
    named = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert named == ["test molecules", "no symmetry breaking", "Haar measure, carried (control)"]


def test_samples_in_order_are_told_of_molecules_and_graphs() -> None:
    for data, metric in (("qm9", "valid_percent_at_4"), ("tree", "degree_mmd_at_4")):
        for value in (None, 93.0):
            table = samples_table([make(metrics={metric: 1.0, "in_order_percent_at_4": value}, data=data)])
            assert table is not None
            assert table.blocks[0].rows[0]["in_order_percent"] == value
            assert any(sentence.startswith("In order") for sentence in table.caption) == (value is not None)


@pytest.mark.parametrize(
    "records",
    [
        [floor()],
        [make(history={"rings_edges": [0.0, 1.0], "rings_of_test_graphs": [1.0], "rings_at_100": [0.5, 0.5]})],
        [make(metrics={})],
        [make(history={}, examples={})],
        [make(history=None, examples=None, seconds=None)],
        [make(examples={"samples_at_100": [""], "trajectory": []})],
        [make(), make(data="tree", metrics={"degree_mmd_at_4": 0.1})],
    ],
)
def test_awkward_records_make_a_report(records: list[Record], tmp_path: Any) -> None:
    assert [table.title for table in tables_of(records)] == [table.title for table in tables(records)]
    write_report(records, tmp_path)
    json.loads((tmp_path / "table.json").read_text())

"""What counts as exact, and which phase is which: both sides of every threshold, and orders that are known by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sympe_experiments.ising import facts, figures, reference
from sympe_experiments.ising.config import make_config
from sympe_experiments.ising.evaluation import (
    EXAMPLES,
    ORDERS,
    SLICE,
    fourier_weights,
    gaps,
    order_parameters,
    phase_grid,
    pictures,
    score,
    to_spins,
)
from sympe_experiments.ising.hamiltonian import J1J2, NEAREST, mirror, nearest_ground_energy
from sympe_experiments.ising.model import SpinNetwork
from sympe_experiments.ising.reference import ground_energy
from sympe_experiments.ising.solvers import test_couplings as couplings_to_test
from sympe_experiments.ising.training import test as measure
from sympe_experiments.records import Record, read_record
from sympe_experiments.report.statistics import Group, group_records

#: The four phases as one sees them, a row of the lattice per line, and the signs of (Jx, Jy) that favor them: Jx joins
#: neighbors within a row, Jy neighbors within a column. Their order is that in which runs keep the order parameters.
PHASES = {
    "ferromagnet": ((1, 1), ("++++", "++++", "++++", "++++")),
    "antiferromagnet": ((-1, -1), ("+-+-", "-+-+", "+-+-", "-+-+")),
    "stripes in columns": ((-1, 1), ("+-+-", "+-+-", "+-+-", "+-+-")),
    "stripes in rows": ((1, -1), ("++++", "----", "++++", "----")),
}
NAMES = list(PHASES)


def spins_of(lines: tuple[str, ...]) -> Tensor:
    """Spins from plain letters."""
    return torch.tensor([[1.0 if letter == "+" else -1.0 for letter in line] for line in lines])


def plain_energy(jx: float, jy: float, lines: tuple[str, ...]) -> float:
    """Per spin: each bond to the right and each bond down, written out."""
    size = len(lines)
    total = 0.0
    for i in range(size):
        for j in range(size):
            total -= jx * (1 if lines[i][j] == lines[i][(j + 1) % size] else -1)
            total -= jy * (1 if lines[i][j] == lines[(i + 1) % size][j] else -1)
    return total / size**2


# ------------------------------------------------------------------------------------------------- what is exact


def test_a_gap_is_exact_below_a_millionth() -> None:
    below, above = 0.99e-6, 1.01e-6
    for gap, exact in ((0.0, 100.0), (-1e-15, 100.0), (below, 100.0), (above, 0.0), (1e-5, 0.0), (5e-3, 0.0)):
        assert score(torch.tensor([gap], dtype=torch.float64)).exact_percent == exact
    found = score(torch.tensor([0.0, below, above, 0.5], dtype=torch.float64))
    assert found.exact_percent == 50
    assert found.gap == pytest.approx((below + above + 0.5) / 4, rel=1e-12)


@pytest.mark.parametrize("axis", ["x", "y"])
def test_a_domain_wall_that_costs_more_than_the_tolerance_is_no_ground_state(axis: str) -> None:
    """Half the lattice turned over breaks two lines of bonds: of 4 x 4 sites the gap is the weaker coupling itself."""
    walls = ("++--",) * 4 if axis == "x" else ("++++", "++++", "----", "----")
    for weak, exact in ((0.99e-6, 100.0), (1.01e-6, 0.0), (1e-4, 0.0)):
        pair = [weak, 0.75] if axis == "x" else [0.75, weak]
        couplings = torch.tensor([pair], dtype=torch.float64)
        gap = gaps(NEAREST, couplings, spins_of(walls)[None], nearest_ground_energy(couplings, 4))
        assert float(gap) == pytest.approx(weak, rel=1e-6)
        assert score(gap).exact_percent == exact
        whole = gaps(NEAREST, couplings, torch.ones(1, 4, 4), nearest_ground_energy(couplings, 4))
        assert score(whole).exact_percent == 100


def test_gaps_too_small_for_single_precision_are_seen() -> None:
    """Networks and couplings are in single precision; energies are not. Two of the eight lines are broken."""
    weak = 2.0**-30
    couplings = torch.tensor([[0.75, weak]])
    walls = spins_of(("++++++++",) * 4 + ("--------",) * 4)[None]
    assert gaps(NEAREST, couplings, walls, ground_energy(NEAREST, couplings, 8)).tolist() == [weak / 2]


def test_bounds_of_a_ground_energy_must_meet_within_a_tenth_of_a_millionth(monkeypatch: pytest.MonkeyPatch) -> None:
    couplings = torch.tensor([[0.5, 0.3, 0.1, 0.1]])

    def bounds_apart(by: float) -> None:
        upper = torch.tensor([-1.0], dtype=torch.float64)
        monkeypatch.setattr(reference, "bounds", lambda *_: (upper - by, upper))

    bounds_apart(0.9e-7)
    assert ground_energy(J1J2, couplings, 8).tolist() == [-1.0]
    bounds_apart(1.1e-7)
    with pytest.raises(ValueError, match="lies between the two bounds and is not proven"):
        ground_energy(J1J2, couplings, 8)


def test_a_mean_of_zero_is_a_spin_up() -> None:
    assert to_spins(torch.tensor([-1e-30, -0.0, 0.0, 1e-30])).tolist() == [-1, 1, 1, 1]


# ------------------------------------------------------------------------------------------------ which phase is which


def test_phases_have_one_order_everywhere() -> None:
    assert list(ORDERS) == NAMES
    assert list(facts.PHASES) == NAMES
    assert {name: signs for name, (signs, _) in PHASES.items()} == ORDERS


@pytest.mark.parametrize("name", NAMES)
def test_each_phase_is_the_ground_state_for_its_signs_of_the_couplings(name: str) -> None:
    (x, y), _ = PHASES[name]
    jx, jy = 0.7 * x, 0.2 * y
    energies = {other: plain_energy(jx, jy, other_lines) for other, (_, other_lines) in PHASES.items()}
    assert energies[name] == pytest.approx(-0.9)
    assert min(energies, key=lambda other: energies[other]) == name
    couplings = torch.tensor([[jx, jy]], dtype=torch.float64)
    assert float(nearest_ground_energy(couplings, 4)) == pytest.approx(-0.9)
    for other, (_, other_lines) in PHASES.items():
        spins = spins_of(other_lines)[None].double()
        assert float(NEAREST.energy(couplings, spins)) == pytest.approx(energies[other])
        gap = gaps(NEAREST, couplings, spins, nearest_ground_energy(couplings, 4))
        assert score(gap).exact_percent == (100 if other == name else 0)


@pytest.mark.parametrize("name", NAMES)
def test_order_parameters_name_the_phase(name: str) -> None:
    spins = spins_of(PHASES[name][1])
    one_hot = [float(other == name) for other in NAMES]
    for flipped in (spins, -spins, spins.roll((1, 2), (0, 1))):
        assert order_parameters(flipped[None])[0].tolist() == one_hot
    # Means, not spins: half the means, half the order.
    assert order_parameters(0.5 * spins[None])[0].tolist() == [0.5 * value for value in one_hot]
    # A quarter of the columns turned over takes away half of the order.
    turned = spins.clone()
    turned[:, 0] *= -1
    assert order_parameters(turned[None])[0, NAMES.index(name)] == 0.5


def test_no_order_has_no_amplitude() -> None:
    assert order_parameters(torch.zeros(1, 4, 4)).tolist() == [[0.0, 0.0, 0.0, 0.0]]


def test_the_grid_of_couplings_runs_over_jx_within_each_row() -> None:
    assert phase_grid(2).tolist() == [[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]]
    grid = phase_grid(4).view(4, 4, 2)
    assert grid[0, :, 0].tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert grid[:, 0, 1].tolist() == [-0.75, -0.25, 0.25, 0.75]


def test_the_exact_phase_diagram_has_jx_to_the_right_and_jy_upwards() -> None:
    exact = figures.exact_order(4)
    assert exact.shape == (4, 4, 4)
    assert (exact.sum(0) == 1).all()
    below = ["antiferromagnet", "antiferromagnet", "stripes in rows", "stripes in rows"]
    above = ["stripes in columns", "stripes in columns", "ferromagnet", "ferromagnet"]
    assert [[NAMES[k] for k in row] for row in exact.argmax(0)] == [below, below, above, above]
    colors = figures.phase_colors(figures.exact_order(2))
    for (row, column), name in {(1, 0): "stripes in columns", (0, 1): "stripes in rows"}.items():
        np.testing.assert_allclose(colors[row, column], facts.PHASES[name])


def test_the_exact_phase_diagram_is_that_of_the_ground_states_on_the_grid() -> None:
    """Of the four configurations the one of least energy, point by point."""
    exact = figures.exact_order(6).argmax(0).flatten().tolist()
    for (jx, jy), k in zip(phase_grid(6).tolist(), exact, strict=True):
        assert min(NAMES, key=lambda name: plain_energy(jx, jy, PHASES[name][1])) == NAMES[k]


@pytest.mark.parametrize(
    ("down", "right", "entry"),
    [
        ("++++", "++++", 0),
        ("++++", "++--", 1),  # period 4 along a row
        ("++++", "+-+-", 2),  # period 2 along a row: stripes in columns
        ("++--", "++++", 3),
        ("++--", "+--+", 4),
        ("++--", "+-+-", 5),
        ("+-+-", "++++", 6),
        ("+-+-", "++--", 7),
        ("+-+-", "+-+-", 8),
    ],
)
def test_fourier_weights_count_the_direction_down_first(down: str, right: str, entry: int) -> None:
    """Products of a wave down and a wave to the right have all their weight in one entry."""
    rows, columns = (spins_of((wave * 2,))[0] for wave in (down, right))
    weights = fourier_weights((rows[:, None] * columns)[None])
    torch.testing.assert_close(weights, torch.eye(9)[entry][None], rtol=0, atol=1e-6)


# --------------------------------------------------------------------------------------- networks that know the answer


class Knowing(SpinNetwork):
    """In place of a network: the ground state by the signs of the couplings, wrong in a way that can be chosen.

    Args:
        flaw: "none"; "mirrored", which takes Jx for Jy; "half", which takes the greater coupling for Jx; or "columns",
            which answers with stripes in columns to whatever it is asked.
    """

    def __init__(self, flaw: str = "none", **changes: Any) -> None:
        super().__init__(make_config("gcnn", "smoke", **changes))
        self.flaw = flaw

    def forward(self, couplings: Tensor, size: Any, generator: torch.Generator | None = None) -> Tensor:
        x, y = couplings[:, :1].sign(), couplings[:, 1:2].sign()
        if self.flaw == "mirrored":
            x, y = y, x
        elif self.flaw == "half":
            pair = couplings.sort(dim=1, descending=True).values.sign()
            x, y = pair[:, :1], pair[:, 1:]
        elif self.flaw == "columns":
            x, y = -torch.ones_like(x), torch.ones_like(y)
        places = torch.arange(size)
        known = ((x != 0) & (y != 0))[..., None]
        return 20.0 * known * (y**places)[:, :, None] * (x**places)[:, None]


def test_pictures_of_the_ground_states_are_the_exact_phase_diagram() -> None:
    arrays = pictures(Knowing(), 0)
    np.testing.assert_array_equal(arrays["order"], figures.exact_order(10))
    assert np.abs(arrays["gap"]).max() < 1e-6
    assert "vector" not in arrays


def test_pictures_keep_the_axes_apart() -> None:
    """Rows are values of Jy, columns values of Jx; stripes in columns break all bonds of a negative Jy, and so on."""
    values = (2 * np.arange(10) + 1 - 10) / 10
    jx, jy = values[None, :], values[:, None]

    mirrored = pictures(Knowing("mirrored"), 0)
    np.testing.assert_array_equal(mirrored["order"], figures.exact_order(10)[[0, 1, 3, 2]])
    expected = np.where(jx * jy < 0, 2 * (np.abs(jx) + np.abs(jy)), 0)
    np.testing.assert_allclose(mirrored["gap"], expected, atol=1e-6)

    columns = pictures(Knowing("columns"), 0)
    np.testing.assert_array_equal(columns["order"].argmax(0), 2)
    expected = 2 * np.maximum(jx, 0) + 2 * np.maximum(-jy, 0)
    np.testing.assert_allclose(columns["gap"], expected, atol=1e-6)


def test_examples_are_one_of_each_phase_and_one_of_none() -> None:
    arrays = pictures(Knowing(), 0)
    assert [tuple(pair) for pair in arrays["example_couplings"].tolist()] == [
        pytest.approx(pair) for pair in EXAMPLES["nearest"]
    ]
    orders = order_parameters(torch.from_numpy(arrays["examples"][:, 0] / 127))
    expected = torch.cat([torch.eye(4), torch.zeros(1, 4)]).double()
    torch.testing.assert_close(orders, expected)
    assert set(np.unique(arrays["examples"]).tolist()) == {-127, 0, 127}


def test_pictures_of_second_and_third_neighbors_lie_over_j2_and_j3() -> None:
    """Rows are values of J3, columns values of J2, for the Jx and Jy of the slice."""

    class BySigns(Knowing):
        def forward(self, couplings: Tensor, size: Any, generator: torch.Generator | None = None) -> Tensor:
            """Waves of period 2 for a negative coupling: of J2 along the rows, of J3 down the columns."""
            on_slice = torch.isclose(couplings[:, :2], torch.tensor(SLICE)).all(1)
            places = torch.arange(size)
            j2, j3 = couplings[:, 2:3].sign(), couplings[:, 3:].sign()
            return 20.0 * on_slice[:, None, None] * (j3**places)[:, :, None] * (j2**places)[:, None]

    arrays = pictures(BySigns(model="j1j2", grid=2), 0)
    assert arrays["order"].shape == (9, 2, 2)
    np.testing.assert_array_equal(arrays["order"].argmax(0), [[8, 6], [2, 0]])
    assert (arrays["order"].max(0) == 1).all()


def test_both_halves_of_the_plane_are_measured_each_on_its_own() -> None:
    """Who takes the greater coupling for Jx is right in the half of training, and in the other where signs agree."""
    assert (found := measure(Knowing()))["exact_percent_in"] == found["exact_percent_out"] == 100
    assert found["exact_percent_L8"] == 100

    half = Knowing("half")
    couplings = couplings_to_test(half.config)
    opposite = couplings.prod(1) < 0
    assert 0 < int(opposite.sum()) < len(couplings)
    found = measure(half)
    assert found["exact_percent_in"] == found["exact_percent_L4"] == found["exact_percent_L8"] == 100
    assert found["exact_percent_out"] == 100 * (1 - float(opposite.double().mean()))
    assert found["gap_in"] == pytest.approx(0, abs=1e-12)
    expected = float((2 * mirror(couplings).double().abs().sum(1) * opposite).mean())
    assert found["gap_out"] == pytest.approx(expected, rel=1e-9)


# --------------------------------------------------------------------------------------- what figures say of a network


def group_with(folder: Path, **arrays: Any) -> Group:
    """One run of one method, with these arrays for its figures."""
    exact = {"order": figures.exact_order(10), "gap": np.zeros((10, 10))}
    record = Record(
        experiment="ising",
        method="gcnn",
        recipe="fast",
        data="nearest",
        seed=0,
        config={"method": "gcnn", "seed": 0},
        metrics={"exact_percent_in": 100.0},
        seconds=1.0,
    )
    (group,) = group_records([read_record(record.write(folder, exact | arrays))])
    return group


@pytest.mark.parametrize(("wrong", "whole"), [(0, 1), (2, 1), (4, 0)])
def test_a_phase_diagram_is_whole_if_97_percent_of_it_are_right(wrong: int, whole: int, tmp_path: Path) -> None:
    order = figures.exact_order(10)
    order[:, 9, :wrong] = order[:, 9, :wrong][[0, 1, 3, 2]]  # stripes in rows, where there should be columns
    picture = figures.phase_diagrams(group_with(tmp_path, order=order), "phases")
    assert picture is not None
    assert f"All four phases with every seed: {whole} of 1 methods" in picture.alt


def test_a_phase_diagram_with_its_stripes_exchanged_is_not_whole(tmp_path: Path) -> None:
    picture = figures.phase_diagrams(group_with(tmp_path, order=figures.exact_order(10)[[0, 1, 3, 2]]), "phases")
    assert picture is not None
    assert "All four phases with every seed: 0 of 1 methods" in picture.alt


@pytest.mark.parametrize(("amplitude", "whole"), [(0.51, 1), (0.49, 0)])
def test_a_phase_counts_from_half_of_its_amplitude_on(amplitude: float, whole: int, tmp_path: Path) -> None:
    picture = figures.phase_diagrams(group_with(tmp_path, order=amplitude * figures.exact_order(10)), "phases")
    assert picture is not None
    assert f"All four phases with every seed: {whole} of 1 methods" in picture.alt


def test_phase_diagrams_are_drawn_with_jx_to_the_right_and_jy_upwards(tmp_path: Path) -> None:
    order = np.random.default_rng(0).random((4, 10, 10))
    picture = figures.phase_diagrams(group_with(tmp_path, order=order), "phases")
    assert picture is not None
    exact, drawn = picture.figure.axes[:2]
    for axes, shown in ((exact, figures.exact_order(10)), (drawn, order)):
        (image,) = axes.images
        assert image.origin == "lower"
        np.testing.assert_allclose(image.get_array(), figures.phase_colors(shown))
    assert drawn.get_xlabel() == "$J_x$"
    assert exact.get_ylabel() == "$J_y$"


@pytest.mark.parametrize(("greatest", "exact"), [(0.9e-4, 1), (1.1e-4, 0)])
def test_a_map_of_gaps_is_exact_below_a_tenth_of_a_thousandth(greatest: float, exact: int, tmp_path: Path) -> None:
    gap = np.zeros((10, 10))
    gap[3, 7] = greatest
    picture = figures.gap_maps(group_with(tmp_path, gap=gap), "gap")
    assert picture is not None
    assert f"Exact all over the plane: {exact} of 1 methods" in picture.alt
    (image,) = picture.figure.axes[0].images
    masked = np.ma.getmaskarray(image.get_array())
    assert masked.sum() == (100 if exact else 99)
    assert bool(masked[3, 7]) == bool(exact)

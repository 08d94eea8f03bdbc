"""Stabilizers and irreducible errors of fields, against every element of the group."""

import numpy as np
import pytest
import torch
from torch import Tensor

import sympe
from sympe.actions import BondFields, DirectionFields, LatticeAction, RegularFields, ScalarFields
from sympe.auditing import FieldSymmetry, Target
from sympe.canonicalize import LexicographicMinimum
from sympe.groups import Torus

CHANNELS: dict[type[LatticeAction], tuple[int, ...]] = {
    ScalarFields: (),
    BondFields: (2,),
    DirectionFields: (4, 2),
    RegularFields: (8,),
}


def patterns(channels: tuple[int, ...], size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Fields with all kinds of symmetries: uniform, striped, checkered, antiperiodic, random."""
    x = torch.randint(-1, 2, (10, *channels, *size), generator=generator).double()
    x[0], x[1] = 0, 1
    x[2], x[3] = x[2][..., :1, :], x[3][..., :, :1]
    x[4] = torch.tensor([1.0, -1.0]).repeat(size[1] // 2)
    x[5] = 1 - 2 * ((torch.arange(size[0])[:, None] + torch.arange(size[1])) % 2)
    half = x[6][..., : size[0] // 2, :]
    x[6], x[7] = torch.cat([half, half], -2), torch.cat([half, -half], -2)
    return x


def enumerated(
    action: LatticeAction, target_action: LatticeAction, x: Tensor, y: Tensor
) -> tuple[list[int], list[float]]:
    """Orders of the stabilizers and squared errors, from all elements."""
    g = action.group.elements((x.shape[-2], x.shape[-1]))
    orders, errors = [], []
    for field, target in zip(x, y, strict=True):
        moved = action.act(g, field.expand(len(g), *field.shape))
        fixes = (moved == field).flatten(1).all(1)
        mean = target_action.act(g, target.expand(len(g), *target.shape))[fixes].mean(0)
        orders.append(int(fixes.sum()))
        errors.append(float(((target - mean) ** 2).sum()))
    return orders, errors


@pytest.mark.parametrize("spin_flip", [False, True])
@pytest.mark.parametrize("point_group", ["C1", "C2", "C4", "D2", "D4"])
def test_against_the_whole_group(point_group: str, spin_flip: bool, generator: torch.Generator) -> None:
    group, size = Torus(point_group, spin_flip), (4, 4) if point_group in ("C4", "D4") else (4, 6)
    for kind, channels in CHANNELS.items():
        action = kind(group)
        x = patterns(channels, size, generator)
        for target_kind in (ScalarFields, BondFields):
            target_action = target_kind(group)
            y = torch.randn(len(x), *CHANNELS[target_kind], *size, generator=generator, dtype=torch.float64)
            found = FieldSymmetry(action, target_action).stabilizers(x)
            orders, errors = enumerated(action, target_action, x, y)
            assert found.orders == orders
            assert found.errors(Target(y, "site"), "squared").total == pytest.approx(errors)
        assert LexicographicMinimum(action).stabilizer_order(x).tolist() == orders
        whole = group.order(size)
        assert found.log_orbits == pytest.approx([np.log(whole / order) for order in orders])


def test_votes_and_medians_on_orbits(generator: torch.Generator) -> None:
    """Stripes along the rows: the sites of a row are one orbit, and the row at a distance above is that below."""
    stripes = torch.tensor([0.0, 1.0, 2.0, 1.0])[:, None].expand(1, 4, 4)
    found = FieldSymmetry().stabilizers(stripes)
    assert found.orders == [16]
    y = torch.randint(0, 3, (1, 4, 4), generator=generator)
    orbits = [y[0, 0], torch.cat([y[0, 1], y[0, 3]]), y[0, 2]]
    votes = sum(len(orbit) - int(orbit.bincount().max()) for orbit in orbits)
    assert found.errors(Target(y, "site"), "zero-one").total.tolist() == [votes]
    median = sum(float((orbit - orbit.sort().values[(len(orbit) - 1) // 2]).abs().sum()) for orbit in orbits)
    assert found.errors(Target(y.double(), "site"), "absolute").total == pytest.approx([median])


def ground_state(jx: float, jy: float, size: int) -> Tensor:
    """The Ising ground state of uniform couplings, one of two: spins change sign along an axis with J < 0."""
    i, j = torch.arange(size)[:, None], torch.arange(size)
    return 1 - 2 * ((i * (jy < 0) + j * (jx < 0)) % 2).double()


def test_why_an_equivariant_network_fails_in_three_of_four_ising_phases() -> None:
    """Uniform couplings have every translation as a symmetry, and of the four ground states only one has."""
    size, phases = 6, [(0.5, 0.9), (0.5, -0.9), (-0.5, 0.9), (-0.5, -0.9)]
    couplings = torch.stack([torch.tensor(j)[:, None, None].expand(2, size, size) for j in phases])
    spins = torch.stack([ground_state(*j, size) for j in phases])
    group = Torus("D4")
    symmetry = FieldSymmetry(BondFields(group), ScalarFields(group))
    report = sympe.audit(couplings, group=symmetry, target=spins)
    rows = list(report.samples())
    assert [row["stabilizer_order"] for row in rows] == [4 * size**2] * 4  # all shifts, the half turn, two mirrors
    assert [row["irreducible_error"] for row in rows] == pytest.approx([0, 1, 1, 1])
    assert report.needed
    assert report.summary.violations_share == 0.75
    as_classes = sympe.audit(couplings, group=symmetry, target=spins.long())
    assert [row["irreducible_error"] for row in as_classes.samples()] == pytest.approx([0, 0.5, 0.5, 0.5])


def test_with_the_spin_flip_in_the_group_every_spin_must_come_out_zero() -> None:
    group = Torus("D4", spin_flip=True)
    couplings = torch.ones(1, 2, 4, 4)
    symmetry = FieldSymmetry(BondFields(group), ScalarFields(group))
    for values, loss in ((torch.ones(1, 4, 4), "squared"), (torch.ones(1, 4, 4).long(), "zero-one")):
        found = symmetry.stabilizers(couplings).errors(Target(values, "site"), loss)  # type: ignore[arg-type]
        assert found.total.tolist() == [16]
        assert found.violated.tolist() == [True]


def test_large_fields_of_many_values(generator: torch.Generator) -> None:
    """Ranks up to 90,000 do not fit in what a transform of doubles tells apart; their digits do."""
    half = torch.randn(1, 300, 150, generator=generator, dtype=torch.float64)
    x = torch.cat([half, half], dim=2)
    x = torch.cat([x, x], dim=0)
    x[1, 7, 11] += 1e-15
    group = Torus("C1")
    assert FieldSymmetry(ScalarFields(group)).stabilizers(x).orders == [2, 1]
    assert FieldSymmetry(ScalarFields(group), resolution=1e-6).stabilizers(x).orders == [2, 2]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(2, 4, 5), "D4 needs a square lattice"),
        (torch.zeros(2, 4), r"expected a field of shape \[B, ..., L1, L2\]"),
        (torch.full((1, 4, 4), torch.nan), "fields must be finite"),
    ],
)
def test_fields_that_cannot_be(x: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FieldSymmetry().stabilizers(x)


def test_targets_and_groups_that_do_not_fit() -> None:
    found = FieldSymmetry().stabilizers(torch.zeros(2, 4, 4))
    for target, message in (
        (Target(torch.zeros(3, 4, 4), "site"), "expected 2 targets, one per field; got 3"),
        (Target(torch.zeros(2, 4, 5), "site"), "expected targets on 4 x 4 sites"),
        (Target(torch.zeros(2, 4), "node"), "no targets per node"),
    ):
        with pytest.raises(ValueError, match=message):
            found.errors(target, "squared")
    with pytest.raises(ValueError, match="moved by one group"):
        FieldSymmetry(ScalarFields(Torus("D4")), ScalarFields(Torus("C4")))
    assert found.errors(Target(torch.zeros(2, 3), "sample"), "squared").total.tolist() == [0, 0]

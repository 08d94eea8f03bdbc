"""Stabilizers against brute force, their names, and how they bear noise."""

import math

import pytest
import torch
from scipy import stats

from laws import THRESHOLD
from molecules import EXAMPLES, FULLERENES, Example, molecule
from point_laws import move, species_of, symmetries
from sympe.groups import point_group
from sympe.points import PointClouds, concatenate, from_clouds, stabilizers

FINITE = [name for name, example in EXAMPLES.items() if not math.isinf(example.order)]


def shaken(x: PointClouds, size: float, generator: torch.Generator) -> PointClouds:
    """Each point moved by ``size`` in a random direction."""
    step = torch.randn(x.position.shape, generator=generator, dtype=torch.float64)
    return PointClouds(x.position + size * step / step.norm(dim=1, keepdim=True), x.batch, x.species, len(x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("special", [False, True], ids=["O(3)", "SO(3)"])
def test_names_and_orders(special: bool, dtype: torch.dtype, generator: torch.Generator) -> None:
    """In one batch, turned, shifted, relabeled and with noise of a fifth of the tolerance."""
    x = move(concatenate([example.cloud for example in EXAMPLES.values()]), generator)
    found = stabilizers(shaken(x, 2e-3, generator).to(dtype=dtype), special)

    def expected(example: Example) -> tuple[str, float]:
        return (example.rotations, example.rotation_order) if special else (example.name, example.order)

    assert {name: (s.name, s.order) for name, s in zip(EXAMPLES, found, strict=True)} == {
        name: expected(example) for name, example in EXAMPLES.items()
    }


@pytest.mark.parametrize("special", [False, True], ids=["O(3)", "SO(3)"])
def test_the_elements_are_those_found_by_brute_force(special: bool, generator: torch.Generator) -> None:
    for name in FINITE:
        x = move(EXAMPLES[name].cloud, generator)
        (found,) = stabilizers(x, special)
        oracle = symmetries(x, special)
        distance = torch.cdist(found.matrices.flatten(1), oracle.flatten(1))
        assert len(oracle) == found.order, name
        assert distance.min(1).values.max() < 1e-6, name
        assert torch.equal(distance.argmin(1).sort().values, torch.arange(len(oracle))), name
        # Point i moves to the place of point permutations[k, i].
        moved = torch.einsum("gij,nj->gni", found.matrices, x.centered)
        assert (moved - x.centered[found.permutations]).abs().max() < 1e-9
        assert bool((species_of(x)[0][found.permutations] == species_of(x)[0]).all())
        torch.testing.assert_close(found.matrices[0], torch.eye(3).double())


@pytest.mark.parametrize("special", [False, True], ids=["O(3)", "SO(3)"])
@pytest.mark.parametrize("name", FULLERENES)
def test_the_elements_of_fullerenes_are_those_of_an_icosahedron(
    name: str, special: bool, generator: torch.Generator
) -> None:
    x = shaken(FULLERENES[name], 2e-3, generator)
    (found,) = stabilizers(x, special)
    oracle = point_group("I" if special else "Ih").matrices
    assert oracle is not None
    distance = torch.cdist(found.matrices.flatten(1), oracle.flatten(1))
    assert found.name == ("I" if special else "Ih")
    assert distance.min(1).values.max() < 1e-2
    assert torch.equal(distance.argmin(1).sort().values, torch.arange(len(oracle)))
    moved = found.matrices @ x.centered.T
    assert (moved.mT - x.centered[found.permutations]).norm(dim=2).max() <= 1e-2
    # One atom out of its place leaves the mirror and the rotations that fix it.
    x.position[-1] += 0.3 * x.position[-1] / x.position[-1].norm()
    assert stabilizers(x, special)[0].name == ("C1" if special else "Cs")


@pytest.mark.parametrize("name", ["methane", "benzene", "rotary reflections", "icosahedron", "twisted ethane"])
def test_the_group_is_that_of_the_name(name: str) -> None:
    (found,) = stabilizers(EXAMPLES[name].cloud)
    group = found.group()
    product = found.matrices[:, None] @ found.matrices
    assert torch.allclose(product, found.matrices[group.table], atol=1e-9)
    ours, theirs = (g.element_orders().bincount() for g in (group, point_group(found.name)))
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("name", ["methane", "SF6", "benzene", "icosahedron", "water", "hydrogen peroxide"])
def test_noise_above_the_tolerance_leaves_none(name: str, generator: torch.Generator) -> None:
    x = EXAMPLES[name].cloud
    assert stabilizers(shaken(x, 0.2, generator))[0].order <= 2  # a planar cloud of three keeps its plane
    assert stabilizers(shaken(x, 0.02, generator), tolerance=0.1)[0].name == EXAMPLES[name].name
    # The matrices fit all points at once: better than a frame of two, which errs by the noise of two points.
    (found,) = stabilizers(shaken(x, 0.02, generator), tolerance=0.1)
    error = (found.matrices.transpose(1, 2) @ found.matrices - torch.eye(3)).abs().max()
    assert error < 1e-9


def test_just_above_and_below_the_tolerance() -> None:
    """A square with one diagonal longer at both ends by t tolerances: a quarter turn misses by just that."""

    def name(t: float) -> str:
        a, b = 1.5, 1.5 + 0.01 * t
        square = molecule(("F", a, 0, 0), ("F", -a, 0, 0), ("F", 0, b, 0), ("F", 0, -b, 0))
        return stabilizers(square)[0].name

    assert [name(t) for t in (0.0, 0.5, 0.95, 1.05, 5.0, 30.0)] == ["D4h"] * 3 + ["D2h"] * 3


def test_motions_that_are_not_closed_are_found_at_a_smaller_tolerance() -> None:
    """Steps of a ring that each pass, although several together would not."""
    radii = [1.5 + 0.004 * min(k, 12 - k) for k in range(12)]
    atoms = [("C", r * math.cos(math.pi * k / 6), r * math.sin(math.pi * k / 6), 0.0) for k, r in enumerate(radii)]
    for tolerance in (0.003, 0.006, 0.012, 0.02, 0.03):
        (found,) = stabilizers(molecule(*atoms), tolerance=tolerance)
        assert found.order == found.group().order
        assert found.name in {"C2v", "D12h", "D6h", "D2h", "D4h", "D3h"}


def test_isolated_and_linear_clouds_have_infinite_stabilizers(generator: torch.Generator) -> None:
    dioxide = move(EXAMPLES["carbon dioxide"].cloud, generator)
    for special in (False, True):
        (found,) = stabilizers(dioxide, special)
        assert found.axis is not None
        assert len(found.matrices) == (2 if special else 4)
        g = found.haar(4000, generator)
        torch.testing.assert_close(g @ g.transpose(1, 2), torch.eye(3).double().expand_as(g))
        moved = torch.einsum("gij,nj->gni", g, dioxide.centered)
        assert torch.cdist(moved, dioxide.centered.expand(4000, -1, -1)).min(2).values.max() < 1e-9
        across = torch.linalg.cross(found.axis, torch.tensor([0.3, 0.5, 0.8]).double(), dim=0)
        across = across / across.norm()
        turned = g @ across
        angle = torch.atan2(turned @ torch.linalg.cross(found.axis, across, dim=0), turned @ across)
        assert stats.kstest(angle.numpy(), stats.uniform(-math.pi, 2 * math.pi).cdf).pvalue > THRESHOLD
        proper, upright = torch.linalg.det(g) > 0, torch.einsum("i,gij,j->g", found.axis, g, found.axis) > 0
        counts = torch.bincount(2 * proper + upright, minlength=4)[2 * special :]
        assert stats.chisquare(counts.numpy()).pvalue > THRESHOLD
        with pytest.raises(ValueError, match=f"expected a finite stabilizer; {found.name} is infinite"):
            found.group()
    (atom,) = stabilizers(EXAMPLES["argon"].cloud)
    assert atom.is_isotropic
    g = atom.haar(4000, generator)
    assert stats.kstest(g[:, 0, 1].numpy(), stats.uniform(-1, 2).cdf).pvalue > THRESHOLD
    (finite,) = stabilizers(EXAMPLES["methane"].cloud)
    index = torch.cdist(finite.haar(4800, generator).flatten(1), finite.matrices.flatten(1)).argmin(1)
    assert stats.chisquare(torch.bincount(index, minlength=24).numpy()).pvalue > THRESHOLD


def test_clouds_in_the_plane() -> None:
    square = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]
    pinwheel = [*square, [1.2, 0.4], [-0.4, 1.2], [-1.2, -0.4], [0.4, -1.2]]
    x = from_clouds([square, pinwheel, [[0.0, 0.0], [2.0, 0.0]], [[0.0, 0.0]], [[0.0, 0.0], [1, 0], [0, 2]]])
    names = [(s.name, s.order) for s in stabilizers(x)]
    assert names == [("D4", 8), ("C4", 4), ("D2", 4), ("O2", math.inf), ("C1", 1)]
    names = [(s.name, s.order) for s in stabilizers(x, special=True)]
    assert names == [("C4", 4), ("C4", 4), ("C2", 2), ("SO2", math.inf), ("C1", 1)]
    triangle = from_clouds([[[0.0, 1.0], [0.5, 0.0], [-0.5, 0.0]]])
    assert stabilizers(triangle)[0].name == "D1"


@pytest.mark.untyped
def test_bad_input_ends_with_one_clear_line() -> None:
    water = EXAMPLES["water"].cloud
    with pytest.raises(ValueError, match="tolerance must be positive and finite; got -1"):
        stabilizers(water, tolerance=-1)
    far = from_clouds([[[0.0, 0.0, 0.12], [0.0, 0.76, -0.48], [0.0, -0.76, -0.481e15]]], species=[[8, 1, 1]])
    with pytest.raises(ValueError, match=r"within 1e\+10 of the center .* got 3.2\de\+14"):
        stabilizers(far)
    (found,) = stabilizers(from_clouds([(1e9 * EXAMPLES["methane"].cloud.position).tolist()]))
    assert found.order in (1, 24), "rounding may cost symmetries, but never the identity"
    twice = PointClouds(water.position.repeat(2, 1), water.batch.repeat(2), num_clouds=1)
    with pytest.raises(ValueError, match=r"expected distinct positions; points \d and \d of cloud 0 coincide"):
        stabilizers(twice)
    with pytest.raises(ValueError, match="cloud 1 is empty"):
        stabilizers(PointClouds(water.position, water.batch, num_clouds=2))
    assert stabilizers(PointClouds(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long))) == []

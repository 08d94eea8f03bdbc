"""Point groups and irreducible errors of molecules, in every orientation and order of their atoms."""

import math
from dataclasses import replace

import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

import sympe
from molecules import EXAMPLES
from sympe.actions import Irreps, PointMotion
from sympe.actions.irreps import wigner_d
from sympe.auditing import Options, PointSymmetry, Target
from sympe.auditing.symmetry.points import averaged
from sympe.groups.named import rotation_about
from sympe.points import PointClouds, concatenate
from sympe.points.symmetry import Stabilizer, stabilizers

NAMED = ["methane", "benzene", "SF6", "icosahedron", "water", "ammonia", "carbon dioxide", "argon", "hydrogen peroxide"]


def moved(cloud: PointClouds, noise: float, generator: torch.Generator) -> PointClouds:
    """The cloud turned, perhaps reflected, its points in another order and none quite in its place."""
    action = PointMotion()
    cloud = action.act(action.group.haar(cloud, generator), cloud)
    return replace(cloud, position=cloud.position + noise * torch.randn(cloud.position.shape, generator=generator))


def reynolds(cloud: PointClouds, y: Tensor, special: bool = False) -> Tensor:
    """Mean over the point group of one vector per point, element by element."""
    matrices, permutations = averaged(stabilizers(cloud, special)[0])
    total = torch.zeros_like(y)
    for matrix, image in zip(matrices, permutations, strict=True):
        total[image] += y @ matrix.T
    return total / len(matrices)


@pytest.mark.parametrize("name", EXAMPLES)
def test_orders_and_names(name: str, generator: torch.Generator) -> None:
    example = EXAMPLES[name]
    clouds = concatenate([moved(example.cloud, 1e-4, generator) for _ in range(3)])
    for special, order, group in (
        (False, example.order, example.name),
        (True, example.rotation_order, example.rotations),
    ):
        found = PointSymmetry(special).stabilizers(clouds)
        assert found.point_groups == [group] * 3
        assert found.orders == [None if math.isinf(order) else order] * 3


@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("name", NAMED)
def test_vectors_on_atoms_against_the_mean_over_the_group(name: str, special: bool, generator: torch.Generator) -> None:
    cloud = moved(EXAMPLES[name].cloud, 0.0, generator)
    found = PointSymmetry(special).stabilizers(cloud)
    y = torch.randn(cloud.num_points, 3, generator=generator, dtype=torch.float64)
    projected = reynolds(cloud, y, special)
    errors = found.errors(Target(y, "point", vector=True), "squared")
    assert errors.total == pytest.approx([float(((y - projected) ** 2).sum())], abs=1e-9)
    assert errors.entries.tolist() == [cloud.num_points]
    # What the group has averaged costs nothing, and averaging again changes nothing.
    assert torch.allclose(reynolds(cloud, projected, special), projected, atol=1e-6)
    again = found.errors(Target(projected, "point", vector=True), "squared")
    assert not again.violated.any()


@pytest.mark.parametrize("name", ["carbon monoxide", "carbon dioxide", "argon"])
def test_infinite_groups_are_averaged_exactly(name: str, generator: torch.Generator) -> None:
    """Finitely many elements stand for all: the mean over many random ones is the same."""
    cloud = moved(EXAMPLES[name].cloud, 0.0, generator)
    group = stabilizers(cloud)[0]
    random = group.haar(40_000, generator).double()
    matrices, _ = averaged(group)
    for rank in (1, 2):
        t = torch.randn(3, 3, generator=generator, dtype=torch.float64)
        t = t[0] if rank == 1 else t
        few, many = ((m @ t if rank == 1 else m @ t @ m.transpose(1, 2)).mean(0) for m in (matrices, random))
        assert torch.allclose(few, many, atol=0.05)


def test_dipoles_and_polarizabilities(generator: torch.Generator) -> None:
    """Water may have a dipole along its axis only; methane none, and an isotropic polarizability."""
    water, methane = EXAMPLES["water"].cloud, EXAMPLES["methane"].cloud
    clouds = concatenate([water, methane])
    found = PointSymmetry().stabilizers(clouds)
    dipole = torch.tensor([[0.0, 0.0, 1.8], [0.0, 0.0, 1.8]], dtype=torch.float64)
    assert found.errors(Target(dipole, "sample", vector=True), "squared").total == pytest.approx([0.0, 1.8**2])
    tilted = torch.tensor([[0.3, 0.4, 1.8], [0.0, 0.0, 0.0]], dtype=torch.float64)
    errors = found.errors(Target(tilted, "sample", vector=True), "squared")
    assert errors.total == pytest.approx([0.25, 0.0])
    assert errors.violated.tolist() == [True, False]
    polarizability = torch.diag(torch.tensor([1.0, 1.0, 4.0], dtype=torch.float64)).expand(2, 3, 3)
    assert found.errors(Target(polarizability, "sample", vector=True), "squared").total == pytest.approx(
        [0.0, 6.0], abs=1e-9
    )


def test_scalars_on_atoms() -> None:
    """Of methane's hydrogens one cannot be singled out; the energy of a molecule can be anything."""
    found = PointSymmetry().stabilizers(EXAMPLES["methane"].cloud)
    charges = torch.tensor([9.0, 1.0, 0.0, 0.0, 0.0])
    assert found.errors(Target(charges, "point"), "squared").total == pytest.approx([0.75])
    assert found.errors(Target(charges, "point"), "absolute").total == pytest.approx([1.0])
    assert found.errors(Target(charges.long(), "point"), "zero-one").total.tolist() == [1]
    assert found.errors(Target(torch.tensor([-40.5]), "sample"), "squared").total.tolist() == [0]


@pytest.mark.parametrize("name", ["water", "ammonia"])
def test_the_absolute_error_is_that_of_the_best_answer(name: str, generator: torch.Generator) -> None:
    """Against a search over all answers that the point group allows."""
    cloud = EXAMPLES[name].cloud
    y = torch.randn(cloud.num_points, 3, generator=generator, dtype=torch.float64)
    found = PointSymmetry().stabilizers(cloud).errors(Target(y, "point", vector=True), "absolute").total[0]

    def error(flat: object) -> float:
        answer = reynolds(cloud, torch.as_tensor(flat, dtype=torch.float64).view(-1, 3))
        return float((y - answer).norm(dim=1).sum())

    start = reynolds(cloud, y).flatten().numpy()
    best = minimize(error, start + 1e-3, method="BFGS").fun
    assert found == pytest.approx(best, rel=1e-4)


def test_noise_within_the_tolerance_is_no_violation(generator: torch.Generator) -> None:
    """Forces along the bonds of a slightly distorted methane: as symmetric as the molecule is."""
    clouds = concatenate([moved(EXAMPLES["methane"].cloud, 1e-3, generator) for _ in range(5)])
    forces = clouds.centered
    found = PointSymmetry().stabilizers(clouds)
    assert found.orders == [24] * 5
    errors = found.errors(Target(forces, "point", vector=True), "squared")
    assert not errors.violated.any()
    assert (errors.total < 1e-3).all()
    forces = forces + torch.tensor([0.2, 0.0, 0.0])
    assert found.errors(Target(forces, "point", vector=True), "squared").violated.all()


def test_a_report_on_molecules_counts_infinite_groups_apart() -> None:
    clouds = [EXAMPLES[name].cloud for name in ("water", "carbon dioxide", "argon", "CHFClBr")]
    report = sympe.audit(clouds)
    rows = list(report.samples())
    assert [row["point_group"] for row in rows] == ["C2v", "Dinfh", "Kh", "C1"]
    assert [row["log_stabilizer"] for row in rows] == [pytest.approx(math.log(4)), None, None, 0]
    assert report.summary.infinite == 2
    assert report.summary.mean_log_stabilizer == pytest.approx(math.log(4) / 2)
    assert report.summary.symmetric == 3


def test_what_points_cannot_be_asked() -> None:
    found = PointSymmetry().stabilizers(EXAMPLES["water"].cloud)
    for target, loss, message in (
        (Target(torch.zeros(3, 3), "point", vector=True), "zero-one", "squared or the absolute"),
        (Target(torch.zeros(2, 3), "point", vector=True), "squared", "expected 3 targets, one per point; got 2"),
        (Target(torch.zeros(3, 4), "point", vector=True), "squared", r"expected vectors \[..., 3\]"),
        (Target(torch.zeros(3), "node"), "squared", "no targets per node"),
    ):
        with pytest.raises(ValueError, match=message):
            found.errors(target, loss)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="tolerance must be positive"):
        PointSymmetry(tolerance=0.0)
    flat = PointClouds(torch.zeros(1, 2), torch.zeros(1, dtype=torch.long))
    with pytest.raises(ValueError, match="three dimensions; got 2"):
        PointSymmetry().stabilizers(flat)


@pytest.mark.parametrize("name", NAMED)
def test_irreps_of_degree_one_are_vectors(name: str, generator: torch.Generator) -> None:
    cloud = moved(EXAMPLES[name].cloud, 0.0, generator)
    y = torch.randn(cloud.num_points, 3, generator=generator, dtype=torch.float64)
    found = PointSymmetry().stabilizers(cloud)
    for loss in ("squared", "absolute"):
        as_vectors = found.errors(Target(y, "point", vector=True), loss)
        as_irreps = found.errors(Target(y, "point", irreps="1x1o"), loss)
        assert as_irreps.total == pytest.approx(as_vectors.total, rel=1e-6, abs=1e-9)


def test_mirrors_allow_a_vector_along_the_axis_and_no_pseudovector() -> None:
    """A dipole of water lies along its axis. A magnetic moment cannot: both mirrors turn it around."""
    water = EXAMPLES["water"].cloud
    axis = (water.position[water.species == 8][0] - water.position[water.species == 1].mean(0)).double()
    found = PointSymmetry().stabilizers(water)
    dipole, moment = (
        found.errors(Target(axis[None], "sample", irreps=irreps), "squared") for irreps in ("1x1o", "1x1e")
    )
    assert dipole.total == pytest.approx([0.0], abs=1e-9)
    assert not dipole.violated[0]
    assert moment.total == pytest.approx([float(axis.square().sum())])
    assert moment.violated[0]
    # Rotations alone allow both.
    alone = PointSymmetry(special=True).stabilizers(water)
    assert alone.errors(Target(axis[None], "sample", irreps="1x1e"), "squared").total == pytest.approx([0.0], abs=1e-9)


@pytest.mark.parametrize(
    ("irreps", "allowed"), [("1x0e", 1), ("1x0o", 0), ("1x1o", 0), ("1x2e", 0), ("1x3o", 1), ("1x4e", 1)]
)
def test_methane_allows_the_multipoles_of_its_point_group(
    irreps: str, allowed: int, generator: torch.Generator
) -> None:
    """T_d has one invariant in degrees 0, 3 (the octupole) and 4, and none in 1 and 2."""
    cloud = moved(EXAMPLES["methane"].cloud, 0.0, generator)
    dim = Irreps.parse(irreps).dim
    # The errors of a basis add up to the dimension of what the point group forbids.
    copies = concatenate([cloud] * dim)
    errors = PointSymmetry().stabilizers(copies).errors(Target(torch.eye(dim), "sample", irreps=irreps), "squared")
    assert errors.total.sum() == pytest.approx(dim - allowed, abs=1e-5)


@pytest.mark.parametrize("name", ["carbon dioxide", "argon"])
@pytest.mark.parametrize("irreps", ["1x1e+1x2e", "1x3o", "1x5e"])
def test_infinite_groups_average_high_degrees_exactly(name: str, irreps: str, generator: torch.Generator) -> None:
    stabilizer = stabilizers(moved(EXAMPLES[name].cloud, 0.0, generator), False)[0]
    degree = Irreps.parse(irreps).max_degree
    mean = wigner_d(averaged(stabilizer, degree)[0], irreps).mean(0)
    assert torch.allclose(mean @ mean, mean, atol=1e-6)
    more = wigner_d(rotation_about(axis_of(stabilizer), 0.7)[None].double(), irreps)[0]
    assert torch.allclose(more @ mean, mean, atol=1e-6)


def axis_of(stabilizer: Stabilizer) -> list[float]:
    """The axis of a linear molecule; any for an atom."""
    return [0.6, 0.0, 0.8] if stabilizer.axis is None else stabilizer.axis.tolist()


def test_bad_irreps() -> None:
    found = PointSymmetry().stabilizers(EXAMPLES["argon"].cloud)
    with pytest.raises(ValueError, match=r"expected 5 numbers per entry for 1x2e; got shape \[1, 3\]"):
        found.errors(Target(torch.ones(1, 3), "sample", irreps="1x2e"), "squared")
    with pytest.raises(ValueError, match="expected degrees up to 5 for a single atom; got 6"):
        found.errors(Target(torch.ones(1, 13), "sample", irreps="1x6e"), "squared")
    with pytest.raises(ValueError, match="expected points in space for targets in irreps; got graphs"):
        sympe.audit(sympe.graphs.from_edges([(2, [(0, 1)])]), target=torch.ones(2, 3), options=Options(irreps="1x1o"))

"""Frames of point clouds: the law of g~ on platonic solids, molecules, lines, single points and near misses."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from laws import THRESHOLD, ChiSquare, check_reproducible
from molecules import CHIRAL, CUBE, EXAMPLES, FULLERENES, METHANE, molecule, ring, solid
from point_laws import (
    PointKernel,
    check_matrices,
    check_point_inversion,
    check_point_kernel,
    copies,
    forms,
    move,
    symmetries,
)
from sympe import InversionKernel
from sympe.actions import PointRotation
from sympe.canonicalize import Canonicalizer, Constant, Frames
from sympe.groups import point_group
from sympe.points import PointClouds, concatenate, from_clouds

FINITE = {name: example.cloud for name, example in EXAMPLES.items() if not math.isinf(example.order)}
SMALL = {
    name: FINITE[name] for name in ("CHFClBr", "water", "ammonia", "allene", "twisted ethane", "methane", "cube", "SF6")
} | {name: EXAMPLES[name].cloud for name in ("carbon dioxide", "carbon monoxide", "argon")}
#: In the plane, with the orders of the symmetries in O(2) and in SO(2).
PLANE = {
    "square": (from_clouds([[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]], dtype=torch.float64), 8, 4),
    "pinwheel": (from_clouds([[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0], [1.2, 0.4], [-0.4, 1.2],
                               [-1.2, -0.4], [0.4, -1.2]]], dtype=torch.float64), 4, 4),
    "rectangle": (from_clouds([[[1.0, 0.5], [1.0, -0.5], [-1.0, 0.5], [-1.0, -0.5]]], dtype=torch.float64), 4, 2),
    "scalene": (from_clouds([[[0.0, 0.0], [1.0, 0.0], [0.3, 0.8]]], dtype=torch.float64), 1, 1),
}  # fmt: skip


class PrincipalAxes(Canonicalizer[Tensor, PointClouds]):
    """Eigenvectors of the covariance as LAPACK returns them, signs and ties included."""

    def __init__(self) -> None:
        super().__init__()
        self.action = PointRotation()

    def forward(self, x: PointClouds, generator: torch.Generator | None = None) -> Tensor:
        outer = x.centered[:, :, None] * x.centered[:, None]
        return torch.linalg.eigh(torch.zeros(len(x), 3, 3, dtype=x.dtype).index_add(0, x.batch, outer))[1]


class FirstOfTied(Frames):
    """Takes the first of the frames that tie, by storage."""

    def forward(self, x: PointClouds, generator: torch.Generator | None = None) -> Tensor:
        tied = self.tied(x)
        first = torch.searchsorted(tied.cloud, torch.arange(len(x)))
        return tied.select(first).frames(x.centered.double()).to(x.dtype)


class NotRandomized(torch.nn.Module):
    def __init__(self, canonicalizer: Canonicalizer) -> None:
        super().__init__()
        self.canonicalizer = canonicalizer

    def forward(self, x: PointClouds, generator: torch.Generator) -> Tensor:
        return self.canonicalizer(x, generator)


@pytest.mark.parametrize(("special", "dtype"), [(False, torch.float64), (True, torch.float32)], ids=["O(3)", "SO(3)"])
def test_frames_are_the_inversion_kernel(special: bool, dtype: torch.dtype, generator: torch.Generator) -> None:
    examples = {name: x.to(dtype=dtype) for name, x in FINITE.items() if special or name != "dodecahedron"}
    check_point_inversion(InversionKernel(Frames(special=special)), examples, generator, special, draws_per_element=6)


def test_frames_of_buckminsterfullerene_are_the_inversion_kernel(generator: torch.Generator) -> None:
    elements = point_group("I").matrices
    assert elements is not None
    kernel = InversionKernel(Frames(special=True))
    examples = {"C60": FULLERENES["C60"]}
    check_point_inversion(kernel, examples, generator, True, draws_per_element=6, elements={"C60": elements})


@pytest.mark.parametrize("special", [False, True], ids=["O(2)", "SO(2)"])
def test_frames_are_the_inversion_kernel_in_the_plane(special: bool, generator: torch.Generator) -> None:
    for name, (x, *orders) in PLANE.items():
        assert len(symmetries(x, special)) == orders[special], name
    kernel = InversionKernel(Frames(dimension=2, special=special))
    check_point_inversion(kernel, {name: x for name, (x, *_) in PLANE.items()}, generator, special)


def test_a_rod_in_the_plane_has_no_circle_of_symmetries(generator: torch.Generator) -> None:
    rod = from_clouds([[[0.0, 0.5], [0.0, -0.5]]], dtype=torch.float64)
    elements = torch.stack([torch.diag(torch.tensor([a, b])) for a in (1.0, -1.0) for b in (1.0, -1.0)]).double()
    kernel = InversionKernel(Frames(dimension=2))
    check_point_inversion(kernel, {"rod": rod}, generator, elements={"rod": elements})


@pytest.mark.parametrize("special", [False, True], ids=["O(3)", "SO(3)"])
def test_the_law_moves_with_the_input(special: bool, generator: torch.Generator) -> None:
    check_point_kernel(InversionKernel(Frames(special=special)), SMALL, generator, special, draws=1000)


@pytest.mark.parametrize("canonicalizer", [PrincipalAxes(), FirstOfTied(), Constant(PointRotation())])
def test_the_law_moves_under_any_canonicalizer(canonicalizer: Canonicalizer, generator: torch.Generator) -> None:
    """But for the order of storage, which the group of rotations does not shuffle."""
    several = {name: SMALL[name] for name in ("CHFClBr", "water", "carbon dioxide")}
    if isinstance(canonicalizer, FirstOfTied):
        several.pop("water"), several.pop("carbon dioxide")
    check_point_kernel(InversionKernel(canonicalizer), several, generator)


@pytest.mark.parametrize("name", ["cube", "methane"])
def test_the_checker_rejects_principal_axes(name: str, generator: torch.Generator) -> None:
    symmetric = {name: FINITE[name]}
    with pytest.raises(AssertionError, match="forms of two draws"):
        check_point_inversion(InversionKernel(PrincipalAxes()), symmetric, generator)
    with pytest.raises(AssertionError, match=r"law\(g~ \| k x\)"):
        check_point_kernel(NotRandomized(PrincipalAxes()), symmetric, generator)


@pytest.mark.parametrize("name", ["cube", "methane", "water"])
def test_the_checkers_reject_ties_broken_by_storage(name: str, generator: torch.Generator) -> None:
    symmetric = {name: FINITE[name]}
    with pytest.raises(AssertionError, match="g~ is uniform on the coset"):
        check_point_inversion(InversionKernel(FirstOfTied()), symmetric, generator)
    with pytest.raises(AssertionError, match=r"law\(g~ \| k x\)"):
        check_point_kernel(InversionKernel(FirstOfTied()), symmetric, generator, draws=500)


def test_the_exactness_checker_rejects_a_loose_kernel(generator: torch.Generator) -> None:
    with pytest.raises(AssertionError, match="forms of two draws"):
        check_point_inversion(InversionKernel(Constant(PointRotation())), {"water": FINITE["water"]}, generator)


def test_the_exactness_checker_rejects_reflections_among_rotations(generator: torch.Generator) -> None:
    with pytest.raises(AssertionError, match="expected rotations"):
        check_point_inversion(InversionKernel(Frames()), {"methane": METHANE}, generator, special=True)


def turns_about_axis(g: Tensor, axis: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For g g_0^-1: whether it flips the axis, its determinant, and the angle of its turn, in turns."""
    step = (g @ g[:1].transpose(1, 2)).double()
    flip = torch.einsum("i,bij,j->b", axis, step, axis)
    across = torch.linalg.cross(axis, torch.tensor([0.3, -0.8, 0.52], dtype=torch.float64), dim=0)
    across = across / across.norm()
    turned = step @ across
    angle = torch.atan2(turned @ torch.linalg.cross(axis, across, dim=0), turned @ across) / (2 * math.pi)
    return flip, torch.linalg.det(step), angle % 1


@pytest.mark.parametrize("special", [False, True], ids=["O(3)", "SO(3)"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", ["carbon monoxide", "carbon dioxide"])
def test_on_a_line_the_axis_is_exact_and_the_angle_uniform(
    name: str, dtype: torch.dtype, special: bool, generator: torch.Generator
) -> None:
    x = move(EXAMPLES[name].cloud.to(dtype=dtype), generator)
    axis = x.centered.double()[x.centered.norm(dim=1).argmax()]
    many = copies(x, 4000)
    g = InversionKernel(Frames(special=special))(many, generator)
    check_matrices(g, many, special)
    form = forms(g, many)
    assert form[:, :, 1:].abs().max() < 100 * torch.finfo(dtype).eps  # canonical forms lie on the first axis
    flip, determinant, angle = turns_about_axis(g, axis / axis.norm())
    assert (flip.abs() - 1).abs().max() < 100 * torch.finfo(dtype).eps
    assert bool((flip < 0).any()) == (name == "carbon dioxide")
    kinds = torch.stack([flip < 0, determinant < 0], 1).int()
    sector = (12 * angle).long()[:, None] % 12  # the angle of the first draw may be rounded to 1
    cells = torch.unique(torch.cat([kinds, sector], 1), dim=0, return_counts=True)[1]
    test = ChiSquare()
    test.fit(name, cells.numpy())
    assert len(cells) == 12 * (1 + (name == "carbon dioxide")) * (1 + (not special))
    test.require("uniform in angle, end and handedness")


@pytest.mark.parametrize("special", [False, True], ids=["O(3)", "SO(3)"])
@pytest.mark.parametrize("x", [EXAMPLES["argon"].cloud, from_clouds([[[0.0, 0, 0.001], [0, 0.002, 0]]])])
def test_a_single_place_gives_haar_measure(x: PointClouds, special: bool, generator: torch.Generator) -> None:
    g = InversionKernel(Frames(special=special))(copies(x, 6000), generator).double()
    check_matrices(g.to(x.dtype), copies(x, 6000), special)
    # Each entry of a Haar matrix is uniform on -1..1 (Archimedes), and the trace has a law of its own.
    for i, j in ((0, 0), (1, 2), (2, 1)):
        assert stats.kstest(g[:, i, j].numpy(), stats.uniform(-1, 2).cdf).pvalue > THRESHOLD
    proper = g[torch.linalg.det(g) > 0]
    angle = torch.arccos(((proper.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).clamp(-1, 1)).numpy()
    assert stats.kstest(angle, lambda a: (a - np.sin(a)) / math.pi).pvalue > THRESHOLD
    assert special or stats.binomtest(len(proper), len(g)).pvalue > THRESHOLD


def test_mirror_images_share_a_form_in_o3_only(generator: torch.Generator) -> None:
    image = PointClouds(-CHIRAL.position, CHIRAL.batch, CHIRAL.species, 1)
    pair = concatenate([CHIRAL, image])
    for special in (False, True):
        form = forms(InversionKernel(Frames(special=special))(pair, generator), pair)
        assert (form[0] - form[1]).abs().max().item() < 1e-9 or special
        assert (form[0] - form[1]).abs().max().item() > 0.5 or not special


def test_ordered_points_are_all_different(generator: torch.Generator) -> None:
    """Only motions that fix every point count: none for methane, the reflection in its plane for water."""
    eye = torch.eye(3, dtype=torch.float64)
    water = EXAMPLES["water"].cloud
    mirror = torch.diag(torch.tensor([-1.0, 1.0, 1.0])).double()  # water lies in the plane x = 0
    kernel = InversionKernel(Frames(ordered=True))
    for x, elements in ((METHANE, eye[None]), (water, torch.stack([eye, mirror]))):
        drawn = kernel(copies(x, 400), generator)
        step = drawn @ drawn[:1].transpose(1, 2)
        distance, index = torch.cdist(step.flatten(1), elements.flatten(1)).min(1)
        assert distance.max() < 1e-6
        assert len(index.unique()) == len(elements)
    # Each point stands where it stood: turned copies agree point by point.
    many = PointRotation().act(PointRotation().group.haar(copies(METHANE, 50), generator), copies(METHANE, 50))
    form = forms(kernel(many, generator), many)
    assert (form - form[0]).abs().max() < 1e-9


# Near misses. A number t is in units of the tolerance of 0.01 angstrom.


def spread(x: PointClouds, generator: torch.Generator, draws: int = 400) -> float:
    """Largest distance between a draw's g~ and the first's, over all draws."""
    g = InversionKernel(Frames())(copies(x, draws), generator)
    return float((g - g[:1]).flatten(1).norm(dim=1).max())


def number_of_frames(x: PointClouds, special: bool = False) -> int:
    tied = Frames(special=special).tied(x).frames(x.centered.double())
    distance = torch.cdist(tied.flatten(1), tied.flatten(1))
    return int((distance < 0.2).int().argmax(1).unique().numel())


def cross(t: float) -> PointClouds:
    """A square of four atoms, two of them further out by t."""
    a, b = 1.5, 1.5 + 0.01 * t
    return molecule(("F", a, 0, 0), ("F", -a, 0, 0), ("F", 0, b, 0), ("F", 0, -b, 0))


@pytest.mark.parametrize(("t", "frames"), [(0.0, 16), (0.25, 16), (0.9, 16), (1.1, 8), (4.0, 8), (30.0, 8)])
def test_radii_are_told_apart_just_above_the_tolerance(t: float, frames: int, generator: torch.Generator) -> None:
    assert number_of_frames(cross(t)) == frames
    oblong = {"": torch.cat([symmetries(cross(0.0 if frames == 16 else 100.0), False)])}
    kernel = InversionKernel(Frames())
    check_point_inversion(kernel, {"": cross(t)}, generator, tolerance=0.03, elements=oblong)


@pytest.mark.parametrize(("t", "is_line"), [(0.25, True), (0.9, True), (1.1, False), (4.0, False), (30.0, False)])
def test_a_bent_molecule_is_a_line_just_below_the_tolerance(
    t: float, is_line: bool, generator: torch.Generator
) -> None:
    """Atoms at distances from the axis through the farthest atom, the greatest of them t."""
    straight = torch.tensor([[0.0, 0, 1.6], [0.0, 0, 0.0], [0.0, 0, -1.3]], dtype=torch.float64)
    bend = torch.tensor([[0.0, 0, 0], [1.0, 0, 0], [0, 0, 0]], dtype=torch.float64)

    def height(scale: float) -> float:
        p = straight + scale * bend
        p = p - p.mean(0)
        axis = p[0] / p[0].norm()
        return float((p - (p @ axis)[:, None] * axis).norm(dim=1).max())

    x = from_clouds([straight + 0.01 * t / height(1e-3) * 1e-3 * bend], [[7, 6, 8]])
    assert abs(height(0.01 * t / height(1e-3) * 1e-3) / (0.01 * t) - 1) < 0.05
    g = InversionKernel(Frames())(copies(x, 2000), generator)
    axis = x.centered[0] / x.centered[0].norm()
    flip, determinant, angle = turns_about_axis(g, axis)
    assert (flip - 1).abs().max() < 1e-9
    cells = np.histogram(angle[determinant > 0], bins=12, range=(0, 1))[0]
    if is_line:
        test = ChiSquare()
        test.fit("angle", cells)
        test.require("the angle is uniform")
    else:
        # The plane of the bend is exact, whichever side the axis leans to while all is within a few tolerances.
        period = 1.0 if t > 10 else 0.5
        assert ((angle[determinant > 0] + period / 4) % period - period / 4).abs().max() < 1e-6


@pytest.mark.parametrize(("t", "frames"), [(0.25, 12), (10.0, 6)])
def test_a_pyramid_is_flat_below_the_tolerance(t: float, frames: int) -> None:
    assert number_of_frames(molecule(("N", 0, 0, 0.01 * t), *ring("H", 3, 0.94))) == frames


@pytest.mark.parametrize(("t", "is_point"), [(0.9, True), (1.1, False)])
def test_a_place_is_single_just_below_the_tolerance(t: float, is_point: bool, generator: torch.Generator) -> None:
    x = molecule(("C", 0, 0, 0.01 * t), ("C", 0, 0, -0.01 * t))
    g = InversionKernel(Frames(special=True))(copies(x, 3000), generator)
    uniform = stats.kstest(g[:, 2, 0].numpy(), stats.uniform(-1, 2).cdf).pvalue > THRESHOLD
    assert uniform == is_point
    assert bool(((g[:, 2, 0].abs() - 1).abs() < 1e-9).all()) == (not is_point)


@pytest.mark.parametrize("name", ["benzene", "methane", "SF6", "cubane", "icosahedron", "ferrocene"])
def test_noise_below_the_tolerance_leaves_all_symmetries(name: str, generator: torch.Generator) -> None:
    example = EXAMPLES[name]
    for size, count in ((2.5e-3, example.order), (0.15, 1)):
        x = example.cloud
        noise = torch.randn(x.position.shape, generator=generator, dtype=torch.float64)
        shaken = PointClouds(x.position + size * noise / noise.norm(dim=1, keepdim=True), x.batch, x.species, 1)
        assert number_of_frames(shaken) == count


@pytest.mark.parametrize("special", [False, True], ids=["O(d)", "SO(d)"])
@pytest.mark.parametrize("ordered", [False, True], ids=["alike", "ordered"])
def test_a_single_cloud_has_the_frames_it_has_in_a_batch(special: bool, ordered: bool) -> None:
    """NumPy's frames and PyTorch's, in the same order, so that draws agree as well."""
    for x in (*FINITE.values(), *SMALL.values(), *(x for x, *_ in PLANE.values())):
        frames = Frames(x.dimension, special, ordered)
        alone = torch.from_numpy(frames.tied_alone(x))
        torch.testing.assert_close(alone, frames.tied(x).frames(x.centered.double()), atol=1e-9, rtol=0)
        x = PointClouds(x.position.clone().requires_grad_(), x.batch, x.species, 1)
        g = frames(x, torch.Generator().manual_seed(1))
        with torch.no_grad():
            torch.testing.assert_close(frames(x, torch.Generator().manual_seed(1)), g, atol=1e-9, rtol=0)
        assert g.requires_grad


def test_frames_do_not_depend_on_the_batch_or_its_units(generator: torch.Generator) -> None:
    """Company in the batch does not matter, and a cloud in other units with its tolerance has the same frame."""
    names = ["CHFClBr", "argon", "carbon dioxide"]
    x = concatenate([EXAMPLES[name].cloud for name in names])
    alone = Frames(special=True)(CHIRAL)
    torch.testing.assert_close(Frames(special=True)(x)[0], alone[0], atol=1e-12, rtol=0)
    small = PointClouds(CHIRAL.position * 1e-3, CHIRAL.batch, CHIRAL.species, 1)
    assert torch.allclose(Frames(special=True, tolerance=1e-5)(small), alone)


def test_draws_are_reproducible() -> None:
    kernel = InversionKernel(Frames())
    check_reproducible(lambda generator: kernel(METHANE, generator))


def test_the_frame_has_a_gradient() -> None:
    position = CHIRAL.position.clone().requires_grad_()
    g = Frames(special=True)(PointClouds(position, CHIRAL.batch, CHIRAL.species, 1))
    (gradient,) = torch.autograd.grad(g[0, 0, 1], position)
    step = 1e-6 * torch.randn(position.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    moved = PointClouds(CHIRAL.position + step, CHIRAL.batch, CHIRAL.species, 1)
    change = Frames(special=True)(moved)[0, 0, 1] - g[0, 0, 1].detach()
    assert abs(float(change - (gradient * step).sum())) < 1e-4 * float(step.norm())
    line = from_clouds([[[0.0, 0, 0], [0, 0, 1.1]]], [[6, 8]])
    position = line.position.clone().requires_grad_()
    Frames()(PointClouds(position, line.batch, line.species, 1)).sum().backward()
    assert position.grad is not None
    assert position.grad.isfinite().all()


@pytest.mark.untyped
def test_bad_input_ends_with_one_clear_line() -> None:
    nan = PointClouds(torch.tensor([[0.0, 0, 0], [math.nan, 0, 1]]), torch.zeros(2, dtype=torch.long))
    with pytest.raises(ValueError, match=r"positions must be finite; got \[nan, 0.0, 1.0\] at point 1 of cloud 0"):
        Frames()(nan)
    empty = PointClouds(torch.zeros(1, 3), torch.ones(1, dtype=torch.long), num_clouds=2)
    with pytest.raises(ValueError, match="expected at least one point in every cloud; cloud 0 is empty"):
        Frames()(empty)
    with pytest.raises(ValueError, match="expected clouds in 2 dimensions; got 3"):
        Frames(dimension=2)(METHANE)
    with pytest.raises(ValueError, match="tolerance must be positive and finite; got 0"):
        Frames(tolerance=0)
    with pytest.raises(ValueError, match="dimension must be 2 or 3; got 4"):
        Frames(dimension=4)


def test_no_clouds() -> None:
    none = PointClouds(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long))
    assert InversionKernel(Frames())(none).shape == (0, 3, 3)


def test_the_kernel_type_is_what_the_checkers_take() -> None:
    kernel: PointKernel = InversionKernel(Frames())
    assert kernel(solid(CUBE), torch.Generator()).shape == (1, 3, 3)

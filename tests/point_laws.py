r"""What kernels of point clouds must obey: the laws of :mod:`laws`, for matrices in place of permutations.

The symmetries that the draws are counted over come from :func:`symmetries`, which tries all ways to place three
points and knows nothing of frames.
"""

from collections.abc import Callable
from itertools import permutations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from laws import ChiSquare
from sympe.actions import PointMotion, PointRotation
from sympe.points import PointClouds

#: A law of matrices: what an ``InversionKernel`` computes for point clouds, or a wrong one.
PointKernel = Callable[[PointClouds, torch.Generator], Tensor]


def copies(x: PointClouds, count: int) -> PointClouds:
    """One cloud, many times."""
    return x.select([0] * count)


def move(x: PointClouds, generator: torch.Generator, special: bool = False) -> PointClouds:
    """Each cloud turned, shifted, and its points listed in another order."""
    action = PointMotion(x.dimension, special)
    moved = action.act(action.group.haar(x, generator), x)
    shift = 5 * torch.randn(len(x), x.dimension, generator=generator, dtype=torch.float64)
    return PointClouds(moved.position + shift.to(x.dtype)[x.batch], x.batch, moved.species, len(x))


def forms(g: Tensor, x: PointClouds) -> Tensor:
    """One form for each copy of one cloud, as the draws see it from the centroid: ``[copies, points, d]``."""
    seen = torch.einsum("nji,nj->ni", g.double()[x.batch], x.centered.double())
    return seen.view(len(x), -1, x.dimension)


def check_same_form(g: Tensor, x: PointClouds, form: Tensor, species: Tensor, tolerance: float, name: str) -> None:
    """Each draw shows this form of its cloud: each point is near one of its species, one to one."""
    first = forms(g, x)
    distance = (first[:, :, None] - form).norm(dim=3)
    distance = distance.masked_fill(species_of(x)[:, :, None] != species, torch.inf)
    nearest, image = distance.min(2)
    assert nearest.max() <= tolerance, f"{name}: the forms of two draws differ by {nearest.max():.1e}"
    everyone = torch.arange(first.shape[1]).expand_as(image)
    assert torch.equal(image.sort(1).values, everyone), f"{name}: the forms of two draws do not correspond"


def species_of(x: PointClouds) -> Tensor:
    kinds = torch.zeros_like(x.batch) if x.species is None else x.species
    return kinds.view(len(x), -1)


def check_matrices(g: Tensor, x: PointClouds, special: bool) -> None:
    """One finite orthogonal matrix for each cloud, of the cloud's type; a rotation if only those are asked for."""
    assert g.shape == (len(x), x.dimension, x.dimension)
    assert g.dtype == x.dtype
    assert g.isfinite().all(), "expected finite matrices"
    error = (g.transpose(1, 2) @ g - torch.eye(x.dimension, dtype=g.dtype)).abs().max()
    assert error < 50 * torch.finfo(g.dtype).eps, f"expected orthogonal matrices; off by {error:.1e}"
    if special:
        assert (torch.linalg.det(g) > 0).all(), "expected rotations; got a reflection"


def check_point_kernel(
    kernel: PointKernel,
    examples: dict[str, PointClouds],
    generator: torch.Generator,
    special: bool = False,
    draws: int = 3000,
) -> None:
    """The law of g~ moves with the input, law(k^-1 g~ | k x) = law(g~ | x), in bins of orthogonal matrices.

    As storage does not matter either, k x lists its points backwards and stands elsewhere.
    """
    test = ChiSquare()
    for name, x in examples.items():
        action = PointRotation(x.dimension, special)
        k = action.group.haar(x, generator)
        order = torch.arange(x.num_points).flip(0)
        moved = action.act(k, x)
        species = None if x.species is None else x.species[order]
        moved = PointClouds(moved.position[order] + 2.5, x.batch, species, 1)
        here = kernel(copies(x, draws), generator)
        there = k.transpose(1, 2) @ kernel(copies(moved, draws), generator)
        test.compare(name, bins(here, generator), bins(there, generator))
    test.require("law(g~ | k x) = law(k g~ | x)")


def check_point_inversion(
    kernel: PointKernel,
    examples: dict[str, PointClouds],
    generator: torch.Generator,
    special: bool = False,
    tolerance: float = 1e-3,
    draws_per_element: int = 20,
    elements: dict[str, Tensor] | None = None,
) -> None:
    """Every draw shows one and the same form, and g~ is uniform on the coset of a finite stabilizer.

    The form is that of every copy, turned, shifted and relabeled. The stabilizers are the :func:`symmetries` unless
    ``elements`` says otherwise.
    """
    test = ChiSquare()
    for name, x in examples.items():
        species = species_of(x)[0]
        form = forms(kernel(x, generator), x)[0]
        many = move(copies(x, 60), generator, special)
        g = kernel(many, generator)
        check_matrices(g, many, special)
        check_same_form(g, many, form, species, tolerance, name)

        stabilizer = symmetries(x, special) if elements is None else elements[name]
        count = max(240, draws_per_element * len(stabilizer))
        drawn = kernel(copies(x, count), generator).double()
        check_same_form(drawn, copies(x, count), form, species, tolerance, name)
        # g g_0^-1 is a symmetry; which?
        step = drawn @ drawn[:1].transpose(1, 2)
        distance, index = torch.cdist(step.flatten(1), stabilizer.flatten(1)).min(1)
        assert distance.max() < 0.1, f"{name}: a draw is no element of the coset"
        test.fit(name, np.bincount(index.numpy(), minlength=len(stabilizer)))
    test.require("g~ is uniform on the coset of the stabilizer")


def bins(g: Tensor, generator: torch.Generator) -> NDArray:
    """One row of integers for each matrix: signs of generic linear functions of it, fixed for all calls."""
    d = g.shape[1]
    fixed = torch.Generator().manual_seed(7)
    weight = torch.randn(5, d, d, generator=fixed, dtype=torch.float64)
    return torch.einsum("bij,kij->bk", g.double(), weight).gt(0).int().numpy()


def symmetries(x: PointClouds, special: bool, tolerance: float = 1e-4) -> Tensor:
    """All orthogonal matrices that take one cloud to itself, by brute force.

    A motion is known by the images of three points that span space with the centroid (for a planar cloud two and a
    sign). All images of the same species are tried.
    """
    p, kinds = x.centered.double(), species_of(x)[0]
    d = x.dimension
    base = next(list(b) for b in permutations(range(len(p)), min(d, 2)) if torch.linalg.matrix_rank(
        p[list(b)], atol=0.1) == min(d, 2))  # fmt: skip
    if d == 3:
        further = (torch.linalg.det(torch.stack([p[[*base, i]] for i in range(len(p))])).abs() > 0.1).nonzero()
        base += [int(further[0])] if len(further) else []
    images = torch.tensor(list(permutations(range(len(p)), len(base))))
    images = images[(kinds[images] == kinds[base]).all(1)]
    source, target = p[base], p[images]
    if len(base) < d:  # planar in space: the normal goes to either normal
        normal = torch.linalg.cross(source[0], source[1])
        source = torch.cat([source, normal[None]])
        normals = torch.linalg.cross(target[:, 0], target[:, 1])
        target = torch.cat([torch.cat([target, s * normals[:, None]], dim=1) for s in (1, -1)])
    g = torch.linalg.solve(source, target).transpose(1, 2)
    g = g[(g @ g.transpose(1, 2) - torch.eye(d, dtype=torch.float64)).abs().amax((1, 2)) < tolerance]
    if special:
        g = g[torch.linalg.det(g) > 0]
    distance = (torch.einsum("gij,nj->gni", g, p)[:, :, None] - p).norm(dim=3)
    distance = distance.masked_fill(kinds[:, None] != kinds, torch.inf)
    return g[(distance.amin(2) < tolerance).all(1)]

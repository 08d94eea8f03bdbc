"""Irreps of O(3): the Wigner matrices, held against e3nn and against the group."""

import pytest
import torch

from laws import check_action
from sympe.actions import Irreps, IrrepsRotation, WignerMatrices, wigner_d
from sympe.actions.irreps import spherical_harmonics
from sympe.groups import OrthogonalGroup

ALL = "+".join(f"1x{degree}{parity}" for degree in range(9) for parity in "eo")


def elements(count: int, generator: torch.Generator, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Random elements of O(3), and the special ones where angles have their poles."""
    eye = torch.eye(3, dtype=dtype)
    special = [
        eye,
        -eye,
        eye[[1, 2, 0]],
        eye[[1, 0, 2]],
        eye * torch.tensor([1, -1, -1]),
        eye * torch.tensor([-1, 1, -1]),
    ]
    return torch.cat([OrthogonalGroup(3).haar(torch.zeros(count, dtype=dtype), generator), torch.stack(special)])


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_matrices_are_those_of_e3nn(dtype: torch.dtype, tolerance: float, generator: torch.Generator) -> None:
    o3 = pytest.importorskip("e3nn.o3")
    g = elements(200, generator, dtype)
    # e3nn goes through angles, with generators in the default precision.
    torch.set_default_dtype(torch.float64)
    try:
        expected = o3.Irreps(ALL).D_from_matrix(g.double())
    finally:
        torch.set_default_dtype(torch.float32)
    difference = (wigner_d(g, ALL).double() - expected).abs().flatten(1).amax(1)
    assert difference.median() < tolerance
    # Near the poles of its angles e3nn itself is off by about 1e-8, and float32 elements are no rotations to 1e-7.
    assert difference.max() < max(1e-6 if dtype == torch.float64 else 5e-6, tolerance)


@pytest.mark.parametrize("degree", range(7))
def test_spherical_harmonics_are_those_of_e3nn(degree: int) -> None:
    o3 = pytest.importorskip("e3nn.o3")
    directions = torch.nn.functional.normalize(
        torch.randn(50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    )
    expected = o3.spherical_harmonics(degree, directions, normalize=True, normalization="component")
    assert torch.allclose(torch.from_numpy(spherical_harmonics(degree, directions.numpy())), expected, atol=1e-12)


@pytest.mark.parametrize("irreps", [f"1x{degree}{parity}" for degree in range(11) for parity in "eo"])
def test_homomorphism(irreps: str, generator: torch.Generator) -> None:
    g, h = elements(30, generator), elements(30, generator).flip(0)
    product = wigner_d(g @ h, irreps)
    assert torch.allclose(product, wigner_d(g, irreps) @ wigner_d(h, irreps), atol=1e-12)
    eye = torch.eye(product.shape[1], dtype=torch.float64)
    assert torch.allclose(wigner_d(torch.eye(3, dtype=torch.float64), irreps), eye, atol=1e-13)
    assert torch.allclose(product @ product.mT, eye.expand_as(product), atol=1e-12)
    sign = 1 if irreps.endswith("e") else -1
    assert torch.allclose(wigner_d(-torch.eye(3, dtype=torch.float64), irreps), sign * eye, atol=1e-13)


@pytest.mark.parametrize("degree", range(1, 9))
def test_harmonics_move_with_the_direction(degree: int, generator: torch.Generator) -> None:
    g = elements(10, generator)
    p = torch.nn.functional.normalize(torch.randn(16, 3, dtype=torch.float64, generator=generator))
    natural = f"1x{degree}{'eo'[degree % 2]}"
    y = torch.from_numpy(spherical_harmonics(degree, p.numpy()))
    turned = spherical_harmonics(degree, (p @ g.mT).reshape(-1, 3).numpy())
    assert torch.allclose(torch.from_numpy(turned).view(len(g), 16, -1), y @ wigner_d(g, natural).mT, atol=1e-11)


def test_degree_one_is_the_matrix_itself(generator: torch.Generator) -> None:
    g = elements(5, generator)
    assert torch.equal(wigner_d(g, "1x1o"), g)
    assert torch.allclose(wigner_d(g, "1x1e"), g * torch.linalg.det(g)[:, None, None])


def test_a_wrong_parity_is_no_homomorphism_with_the_inversion(generator: torch.Generator) -> None:
    """The test above can fail: natural parity for all is wrong for axial vectors."""
    g = elements(5, generator)
    assert not torch.allclose(wigner_d(g, "1x1e"), g)


def test_gradients(generator: torch.Generator) -> None:
    g = elements(2, generator)[:2].requires_grad_()
    assert torch.autograd.gradcheck(lambda m: wigner_d(m, "1x2e+1x3o+1x1e"), (g,))


def test_action(generator: torch.Generator) -> None:
    action = IrrepsRotation("2x0e+1x0o+2x1o+1x1e+1x2e+1x3o")
    x = torch.randn(6, action.irreps.dim, generator=generator, dtype=torch.float64)
    check_action(action, x, lambda a, b: torch.allclose(a, b, atol=1e-10), torch.clone, generator)
    g = action.group.haar(x, generator)
    by_blocks = torch.einsum("bij,bj->bi", wigner_d(g, str(action.irreps)), x)
    assert torch.allclose(action.act(g, x), by_blocks, atol=1e-12)
    assert action.act(g[:0], x[:0]).shape == (0, action.irreps.dim)


@pytest.mark.parametrize(
    ("text", "terms", "dim"),
    [
        ("4x0e+2x1o+1x2e", ((4, 0, 1), (2, 1, -1), (1, 2, 1)), 15),
        (" 1o + 10x3e ", ((1, 1, -1), (10, 3, 1)), 73),
        ("0x1o", ((0, 1, -1),), 0),
        ("", (), 0),
    ],
)
def test_parsing(text: str, terms: tuple[tuple[int, int, int], ...], dim: int) -> None:
    irreps = Irreps.parse(text)
    assert irreps.terms == terms
    assert irreps.dim == dim
    assert Irreps.parse(str(irreps)) == irreps
    assert Irreps.parse(irreps) is irreps


def test_irreps_of_e3nn_are_read() -> None:
    o3 = pytest.importorskip("e3nn.o3")
    assert Irreps.parse(o3.Irreps("4x0e+2x1o+1x2e")) == Irreps.parse("4x0e+2x1o+2e")


@pytest.mark.parametrize("text", ["1x2", "x1o", "1x-1e", "1x1o++1x0e", "vector", "1.5x1o", "1x1o,1x0e"])
def test_irreps_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match="irreps must read like '4x0e"):
        Irreps.parse(text)


@pytest.mark.untyped
def test_shapes_that_do_not_fit() -> None:
    action = IrrepsRotation("1x1o+1x0e")
    with pytest.raises(ValueError, match=r"expected rows of 4 numbers, irreps 1x1o\+1x0e; got shape \[2, 3\]"):
        action.act(torch.eye(3).expand(2, -1, -1), torch.zeros(2, 3))
    with pytest.raises(ValueError, match="expected one matrix for each of 3 rows; got 2"):
        action.act(torch.eye(3).expand(2, -1, -1), torch.zeros(3, 4))
    with pytest.raises(ValueError, match=r"g must hold 3 x 3 matrices; got shape \[2, 2\]"):
        wigner_d(torch.eye(2), "1x1o")
    with pytest.raises(ValueError, match="max_degree must be at least 0; got -1"):
        WignerMatrices(-1)

"""A field learned by its Fourier amplitudes is the same field; only the way of an optimizer changes."""

import pytest
import torch

from sympe import encoding
from sympe.encoding.fourier import fourier_basis
from sympe.groups import Torus


@pytest.mark.parametrize("n", [1, 2, 3, 8, 13])
def test_the_basis_is_orthogonal_and_its_own_inverse(n: int) -> None:
    basis = fourier_basis(n)
    assert torch.allclose(basis @ basis, torch.eye(n, dtype=torch.float64), atol=1e-12, rtol=0)
    assert torch.equal(basis, basis.T)


def test_v_stays_what_it_was(generator: torch.Generator) -> None:
    plain = encoding.FieldEncoding(2, (4, 6))
    g = Torus("D2").haar(torch.zeros(5, 1, 4, 6), generator)
    v, before = plain.v.detach().clone(), plain(g).detach()
    learned = encoding.learn_amplitudes(plain)
    torch.testing.assert_close(learned.v, v)
    torch.testing.assert_close(learned(g), before)
    (amplitudes,) = learned.parameters()
    torch.testing.assert_close(amplitudes.square().sum(), v.square().sum())


def test_a_common_request_is_one_amplitude() -> None:
    """Asked for a checkerboard again and again, Adam moves one amplitude, and no other."""
    learned = encoding.learn_amplitudes(encoding.FieldEncoding(1, (4, 4)))
    (amplitudes,) = learned.parameters()
    board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(2, 2)
    (learned.v * board).sum().backward()
    assert amplitudes.grad is not None
    assert ((amplitudes.grad.abs() > 1e-5).sum(), amplitudes.grad[0, 2, 2].abs() > 1) == (1, True)


def test_a_frozen_field_has_nothing_to_learn() -> None:
    with pytest.raises(ValueError, match="expected a v that is learned; this one is frozen"):
        encoding.learn_amplitudes(encoding.TileEncoding(1, 2, frozen=True))

r"""Relaxed weights: networks that are only as equivariant under a finite group as the data are.

R. Wang, R. Walters, R. Yu, *Approximately equivariant networks for imperfectly symmetric dynamics*, ICML 2022, eq. 6.
Features are functions on the group, and

.. math:: y(g) = \sum_h \sum_l w_l(h)\, \psi_l(g^{-1} h)\, x(h) .

With weights :math:`w_l` that do not depend on :math:`h`, this is the group convolution, equivariant under left
multiplication; they start equal, and training may make them differ. The learned weights then reveal the symmetry that
the data break (R. Wang et al., *Discovering symmetry breaking in physical systems with relaxed group convolution*, ICML
2024): weights that agree within the cosets of a subgroup preserve it.

This breaks the symmetry of the *network*, permanently, whereas SymPE breaks it anew for each input: the output is
deterministic and does not move with the input.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.groups import FiniteGroup


class RelaxedConvolution(nn.Module):
    """One relaxed group convolution.

    Args:
        group: The group.
        in_dim: Channels of the input.
        out_dim: Channels of the output.
        num_filters: Number of filters l to mix; more can break the symmetry in more ways.
    """

    relative: Tensor

    def __init__(self, group: FiniteGroup, in_dim: int, out_dim: int, num_filters: int = 2) -> None:
        super().__init__()
        if min(in_dim, out_dim, num_filters) < 1:
            raise ValueError(
                f"in_dim, out_dim and num_filters must be at least 1; got {in_dim}, {out_dim}, {num_filters}"
            )
        n = len(group)
        # Entry (g, h) is the number of g^-1 h.
        self.register_buffer("relative", group.table[group.inverses], persistent=False)
        self.filters = nn.Parameter(torch.randn(num_filters, n, out_dim, in_dim) / (num_filters * n * in_dim) ** 0.5)
        self.weights = nn.Parameter(torch.ones(num_filters, n))
        self.bias = nn.Parameter(torch.zeros(out_dim))

    def forward(self, x: Float[Tensor, "B n in_dim"]) -> Float[Tensor, "B n out_dim"]:
        mixed = torch.einsum("lh,lghoi->ghoi", self.weights, self.filters[:, self.relative])
        return torch.einsum("ghoi,bhi->bgo", mixed, x) + self.bias

    def departure(self) -> Float[Tensor, ""]:
        """The departure of the weights from equivariance: their mean square deviation over the group."""
        return (self.weights - self.weights.mean(1, keepdim=True)).square().mean()


class RelaxedNetwork(nn.Module):
    r"""Relaxed convolutions from vectors of one representation to vectors of another.

    A vector is lifted to the function :math:`g \mapsto \rho(g^{-1}) x`, and a function is projected to the vector
    :math:`\frac{1}{\lvert G \rvert} \sum_g \rho'(g) y(g)`; both are equivariant.

    Args:
        group: The group.
        representation_in: One matrix per group element, for the input.
        representation_out: Likewise, for the output.
        hidden_dim: Channels of the hidden functions.
        num_filters: Number of filters of each convolution.
        relaxed: Whether the weights may differ; if not, the network stays equivariant.

    Raises:
        ValueError: If a representation does not have one square matrix per element, or a number is not positive.
    """

    lift: Tensor
    project: Tensor

    def __init__(
        self,
        group: FiniteGroup,
        representation_in: Float[Tensor, "n d d"],
        representation_out: Float[Tensor, "n e e"],
        hidden_dim: int = 16,
        num_filters: int = 2,
        relaxed: bool = True,
    ) -> None:
        super().__init__()
        for name, matrices in (("representation_in", representation_in), ("representation_out", representation_out)):
            if matrices.dim() != 3 or len(matrices) != len(group) or matrices.shape[1] != matrices.shape[2]:
                expected = f"{len(group)} square matrices, one for each element"
                raise ValueError(f"{name}: expected {expected}; got shape {list(matrices.shape)}")
        dtype = torch.get_default_dtype()
        self.register_buffer("lift", representation_in[group.inverses].to(dtype), persistent=False)
        self.register_buffer("project", representation_out.to(dtype) / len(group), persistent=False)
        d, e = representation_in.shape[1], representation_out.shape[1]
        self.first = RelaxedConvolution(group, d, hidden_dim, num_filters)
        self.second = RelaxedConvolution(group, hidden_dim, hidden_dim, num_filters)
        self.last = RelaxedConvolution(group, hidden_dim, e, num_filters)
        if not relaxed:
            for layer in (self.first, self.second, self.last):
                layer.weights.requires_grad_(False)

    def forward(self, x: Float[Tensor, "B d"]) -> Float[Tensor, "B e"]:
        h = nn.functional.silu(self.first(torch.einsum("gij,bj->bgi", self.lift, x)))
        h = h + nn.functional.silu(self.second(h))
        return torch.einsum("gij,bgj->bi", self.project, self.last(h))

    def departure(self) -> Float[Tensor, ""]:
        """Sum of the layers' departures from equivariance."""
        return self.first.departure() + self.second.departure() + self.last.departure()

r"""A small equivariant network from point clouds to a few vectors each: vector neurons.

Features are lists of vectors; linear maps mix the vectors of a list, never their components. The nonlinearity removes
the component against a learned direction,

.. math:: v \leftarrow v - \min(0, \langle v, k \rangle)\, k / |k|^2,

as in C. Deng and others, *Vector neurons: a general framework for SO(3)-equivariant networks*, ICCV 2021, section
3.2. Points exchange the mean over their cloud. Vectors rotate with the cloud, and are reflected with it.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.points import PointClouds


class VectorNetwork(nn.Module):
    """Vectors ``[B, num_vectors, d]``, in angstrom; equivariant under O(d), invariant under translations.

    Args:
        num_vectors: Output vectors per cloud.
        hidden_dim: Vectors per point.
        num_layers: Rounds of exchange.
        num_species: Species range from 0 to this number less 1; the default covers the chemical elements.

    Raises:
        ValueError: If a species is out of range.
    """

    def __init__(self, num_vectors: int = 3, hidden_dim: int = 32, num_layers: int = 2, num_species: int = 119) -> None:
        super().__init__()
        self.species = nn.Embedding(num_species, hidden_dim)
        self.gate = nn.Sequential(nn.Linear(hidden_dim + 1, hidden_dim), nn.SiLU(), nn.Linear(hidden_dim, hidden_dim))
        self.layers = nn.ModuleList(VectorLayer(hidden_dim) for _ in range(num_layers))
        self.out = nn.Linear(hidden_dim, num_vectors, bias=False)

    def forward(self, x: PointClouds) -> Float[Tensor, "B k d"]:
        kinds = torch.zeros_like(x.batch) if x.species is None else x.species
        count = self.species.num_embeddings
        if not torch.compiler.is_compiling() and len(kinds) and not 0 <= int(kinds.min()) <= int(kinds.max()) < count:
            raise ValueError(f"expected species 0..{count - 1}; got {int(kinds.min())}..{int(kinds.max())}")
        position = x.centered.to(self.out.weight.dtype)
        distance = position.square().sum(1, keepdim=True).add(1e-12).sqrt()
        v = self.gate(torch.cat([self.species(kinds), distance], dim=1))[:, :, None] * position[:, None]
        for layer in self.layers:
            v = layer(v, x)
        return torch.einsum("oh,bhd->bod", self.out.weight, _mean(v, x)).to(x.dtype)


class VectorLayer(nn.Module):
    """One residual round: mix a point's vectors with the cloud's mean, and clip along a learned direction."""

    def __init__(self, hidden_dim: int) -> None:
        super().__init__()
        self.mix = nn.Linear(2 * hidden_dim, hidden_dim, bias=False)
        self.direction = nn.Linear(2 * hidden_dim, hidden_dim, bias=False)

    def forward(self, v: Float[Tensor, "N h d"], x: PointClouds) -> Float[Tensor, "N h d"]:
        both = torch.cat([v, _mean(v, x)[x.batch]], dim=1).transpose(1, 2)
        mixed, k = self.mix(both).transpose(1, 2), self.direction(both).transpose(1, 2)
        against = (mixed * k).sum(2, keepdim=True).clamp(max=0)
        changed: Tensor = v + mixed - against * k / (k.square().sum(2, keepdim=True) + 1e-6)
        return changed


def _mean(v: Float[Tensor, "N h d"], x: PointClouds) -> Float[Tensor, "B h d"]:
    total = v.new_zeros(len(x), *v.shape[1:]).index_add(0, x.batch, v)
    return total / x.sizes.clamp(min=1)[:, None, None]

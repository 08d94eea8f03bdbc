r"""What breaks the symmetry, and a transformer on dense tensors that scores each pair of agent and target.

The score is a product of the two states, less a learned multiple of the distance. Every piece is equivariant under
permutations of the agents and of the targets.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.breaking import Noise, Nothing, OrbitRanks, SymmetryBreaking, SymPE
from sympe.canonicalize import Base, Constant, Labeling
from sympe.encoding import SinusoidalRankEncoding
from sympe.graphs import Graphs, from_sets
from sympe.graphs.convert import to_padded
from sympe.kernel import InversionKernel
from sympe_experiments.assignment.config import Config
from sympe_experiments.assignment.data import Assignments


class ClassIndex(nn.Module):
    """Learned rows for the index of each element's class, in the order of its features: names that break nothing."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.encoding = SinusoidalRankEncoding(dim)

    def forward(self, sets: Graphs, generator: torch.Generator | None = None) -> Float[Tensor, "N dim"]:
        assert sets.x is not None
        kinds, kind = torch.cat([sets.batch[:, None].to(sets.x), sets.x], dim=1).unique(dim=0, return_inverse=True)
        first = torch.full((len(sets),), len(kinds)).scatter_reduce(0, sets.batch, kind, "amin")
        return self.encoding.look_up(kind - first[sets.batch])


def build_breaking(method: str, dim: int) -> SymmetryBreaking[Graphs] | ClassIndex:
    """The features of a method, for sets as graphs without edges."""
    if method == "class-index":
        return ClassIndex(dim)
    if method == "orbit-ranks":
        return OrbitRanks(InversionKernel(Labeling()), SinusoidalRankEncoding(dim))
    orders = {"haar": Constant, "sympe-labeling": Labeling, "sympe-base": Base}
    if method in orders:
        return SymPE(InversionKernel(orders[method]()), SinusoidalRankEncoding(dim))
    return Noise(dim) if method == "noise" else Nothing()


class AssignmentNetwork(nn.Module):
    """Scores of agents (rows) and targets (columns)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.breaking = build_breaking(config.method, config.dim)
        hidden = config.hidden_dim
        self.embed = nn.Linear(3 + self.breaking.dim, hidden)
        layer = nn.TransformerEncoderLayer(hidden, 4, 2 * hidden, 0.0, "gelu", batch_first=True, norm_first=True)
        self.transformer = nn.TransformerEncoder(layer, config.num_layers, enable_nested_tensor=False)
        self.normalize = nn.LayerNorm(hidden)
        self.of_agents, self.of_targets = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.per_distance = nn.Parameter(torch.tensor(5.0))

    def forward(self, x: Assignments, generator: torch.Generator) -> Float[Tensor, "B n n"]:
        elements = x.elements()
        sets = from_sets(elements)
        seen = torch.cat([elements - 0.5, to_padded(self.breaking(sets, generator), sets)], dim=2)
        agents, targets = self.normalize(self.transformer(self.embed(seen))).chunk(2, dim=1)
        product = self.of_agents(agents) @ self.of_targets(targets).transpose(1, 2)
        return product / math.sqrt(agents.shape[2]) - self.per_distance * x.distance()

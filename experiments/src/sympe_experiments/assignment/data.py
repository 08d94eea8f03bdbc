r"""Agents at depots, and targets: who goes where?

All agents of a depot are alike. Sending agent i to target :math:`\pi(i)` costs the distance, and the least total cost
is found exactly. Which depot serves which target is a function of the positions; which of its agents does is not: every
equivariant network gives the agents of a depot one answer, and all go to one target.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

_FORBIDDEN = 1e6


@dataclass(frozen=True)
class Assignments:
    """Instances of one size n.

    Attributes:
        depot: Depot of each agent.
        agents: Positions of the agents: those of their depots.
        targets: Positions of the targets.
        best: The target of each agent in a best assignment.
    """

    depot: Int[Tensor, "B n"]
    agents: Float[Tensor, "B n 2"]
    targets: Float[Tensor, "B n 2"]
    best: Int[Tensor, "B n"]

    def elements(self) -> Float[Tensor, "B 2n 3"]:
        """Agents, then targets, as elements of one set: whether it is an agent, and where it is."""
        kinds = torch.ones_like(self.agents[..., :1]), torch.zeros_like(self.targets[..., :1])
        positions = torch.cat([self.agents, self.targets], dim=1)
        return torch.cat([torch.cat(kinds, dim=1), positions], dim=2)

    def distance(self) -> Float[Tensor, "B n n"]:
        """From each agent to each target."""
        return torch.cdist(self.agents, self.targets)

    def cost(self, goes: Int[Tensor, "B n"]) -> Float[Tensor, "B"]:
        """Total distance if agent i goes to target ``goes[i]``."""
        return self.distance().gather(2, goes[..., None])[..., 0].sum(1)

    def closest(self, score: Float[Tensor, "B n n"]) -> Int[Tensor, "B n"]:
        """Of all best assignments, which differ by permutations of equal agents, that of the largest sum of scores."""
        served_by = torch.zeros_like(self.depot).scatter(1, self.best, self.depot)
        allowed = self.depot[:, :, None] == served_by[:, None, :]
        return _assign(torch.where(allowed, -score.detach().double(), _FORBIDDEN).numpy())


def draw(count: int, n: int, generator: torch.Generator) -> Assignments:
    """Random instances with n agents and n targets; each depot has one agent at least."""
    depots = int(torch.randint(2, min(4, n - 1) + 1, (), generator=generator))
    first = torch.arange(depots).expand(count, -1)
    depot = torch.cat([first, torch.randint(depots, (count, n - depots), generator=generator)], dim=1)
    where = torch.rand(count, depots, 2, generator=generator)
    agents = where.gather(1, depot[..., None].expand(-1, -1, 2))
    targets = torch.rand(count, n, 2, generator=generator)
    best = _assign(torch.cdist(agents, targets).double().numpy())
    return Assignments(depot, agents, targets, best)


def _assign(cost: NDArray[np.float64]) -> Int[Tensor, "B n"]:
    return torch.from_numpy(np.stack([linear_sum_assignment(each)[1] for each in cost]))

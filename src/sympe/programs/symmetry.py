r"""The formulation symmetries of a program, and what they cost a network that respects them.

An equivariant network gives the variables of an orbit equal values. Where a solution has :math:`k` ones among the
:math:`m` binary variables of an orbit it errs on :math:`\min(k, m - k)` of them at least; in general on all that do not
have the most frequent value of their orbit.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from sympe.canonicalize.refined import refined
from sympe.graphs.bliss import colored_graphs, joined
from sympe.programs.copies import copies_of
from sympe.programs.program import Program, to_graphs


@dataclass(frozen=True, eq=False)
class ProgramSymmetry:
    """The group of a program, as it acts on the variables.

    Attributes:
        program: The program.
        order: Number of its elements.
        generators: Images of the variables under generators, one row each.
        orbit: Orbit of each variable, numbered from 0.
        base: Names of constraints and variables whose labels leave no symmetry.
    """

    program: Program
    order: int
    generators: NDArray[np.int64]
    orbit: NDArray[np.int64]
    base: tuple[str, ...]

    @property
    def tied(self) -> NDArray[np.bool_]:
        """Which variables share their orbit with others: an equivariant network gives these equal values."""
        tied: NDArray[np.bool_] = np.bincount(self.orbit)[self.orbit] > 1
        return tied

    def least_errors(self, solution: NDArray[np.float64]) -> int:
        """How many integer variables of a solution every equivariant network gets wrong, at least.

        Raises:
            ValueError: If there is not one value per variable.
        """
        whole = self.program.is_integer
        if np.shape(solution) != whole.shape:
            raise ValueError(f"expected {len(whole)} values, one per variable; got shape {list(np.shape(solution))}")
        held = np.stack([self.orbit[whole], np.rint(np.asarray(solution)[whole])], axis=1)
        (orbit, _), times = (part.T for part in np.unique(held, axis=0, return_counts=True))
        most = np.zeros(len(self.orbit), np.int64)
        np.maximum.at(most, orbit.astype(np.int64), times)
        return int(whole.sum() - most.sum())

    def facts(self, solution: NDArray[np.float64] | None = None) -> dict[str, float | int | str | None]:
        """Everything in numbers, and a verdict in a sentence."""
        whole = self.program.is_integer
        tied = int((self.tied & whole).sum())
        errors = None if solution is None else self.least_errors(solution)
        return {
            "variables": len(whole),
            "integer_variables": int(whole.sum()),
            "constraints": len(self.program.row_lower),
            "group_order": self.order,
            "nats": math.log(self.order),
            "orbits": int(self.orbit.max()) + 1,
            "largest_orbit": int(np.bincount(self.orbit).max()),
            "tied_integer_variables": tied,
            "tied_share": tied / max(int(whole.sum()), 1),
            "base": len(self.base),
            "least_errors": errors,
            "verdict": _verdict(tied, int(whole.sum()), math.log(self.order), len(self.base), errors),
        }


def symmetry_of(program: Program) -> ProgramSymmetry:
    """The formulation symmetries of a program."""
    n = program.num_variables
    graph = to_graphs([program])
    # Constraints first, and of these those of most variables: what they are labeled settles most.
    degree = torch.bincount(graph.edge_index[1], minlength=graph.num_nodes)
    is_variable = torch.arange(graph.num_nodes) < n
    copies = copies_of(graph, torch.where(is_variable, degree.max() + 1, degree.max() - degree))
    order, images = math.prod(copies.orbits), copies.exchanges
    if copies.color is not None:
        rest = next(colored_graphs(refined(replace(graph, node_label=copies.color))))
        order *= rest.count_automorphisms()
        found = np.array(rest.automorphism_generators(), np.int64).reshape(-1, graph.num_nodes)
        images = np.concatenate([images, found])
    moves = images[:, :n]
    row, moved = np.nonzero(moves != np.arange(n))
    orbit = joined([moved], [moves[row, moved]], n)
    names = np.concatenate([program.names("variables"), np.array(program.names("constraints"))[program.kept]])
    return ProgramSymmetry(program, order, moves, orbit, tuple(names[copies.base].tolist()))


def _verdict(tied: int, whole: int, nats: float, base: int, errors: int | None) -> str:
    if not nats:
        return "Not needed: the program has no symmetry, so an equivariant network can set every variable on its own."
    if not tied:
        return "Not needed for the integer variables: the symmetries of the program move none of them."
    share = f"{tied:,} of {whole:,} integer variables ({100 * tied / whole:.3g} %)"
    least = f"{nats:.4g} nats of randomness, on {base:,} labeled nodes"
    if errors == 0:
        return f"Not needed for this solution: {share} are tied to others, and it gives all of an orbit one value."
    wrong = (
        f"so it gets at least {errors:,} of this solution wrong" if errors else "so it can give them one value alone"
    )
    return f"Needed: an equivariant network cannot tell {share} from others of their orbit, {wrong}. It takes {least}."

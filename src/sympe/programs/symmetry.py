r"""The formulation symmetries of a program, and what they cost a network that respects them.

An equivariant network gives the variables of an orbit equal values. Where a solution has :math:`k` ones among the
:math:`m` binary variables of an orbit it errs on :math:`\min(k, m - k)` of them at least; in general on all that do not
have the most frequent value of their orbit.

The order comes with the base, from one search for generators. Individualization and refinement gives nodes
:math:`b_1, b_2, \dots` and their cells; the generators that fix :math:`b_1, \dots, b_{i-1}` give a part of the orbit of
:math:`b_i`, of which the cell holds all. Where both are equal, their sizes multiply to the order, by the theorem on
orbits and stabilizers. Otherwise bliss counts, which takes another search.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sympe.canonicalize.refined import refined
from sympe.canonicalize.refinement import Partition
from sympe.graphs import Graphs
from sympe.graphs.bliss import colored_graphs, joined
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
        whole = self.program.kind == 1
        if np.shape(solution) != whole.shape:
            raise ValueError(f"expected {len(whole)} values, one per variable; got shape {list(np.shape(solution))}")
        held = np.stack([self.orbit[whole], np.rint(np.asarray(solution)[whole])], axis=1)
        (orbit, _), times = (part.T for part in np.unique(held, axis=0, return_counts=True))
        most = np.zeros(len(self.orbit), np.int64)
        np.maximum.at(most, orbit.astype(np.int64), times)
        return int(whole.sum() - most.sum())

    def facts(self, solution: NDArray[np.float64] | None = None) -> dict[str, float | int | str | None]:
        """Everything in numbers, and a verdict in a sentence."""
        whole = self.program.kind == 1
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
    colored = next(colored_graphs(refined(graph)))
    generators = np.array(colored.automorphism_generators(), np.int64).reshape(-1, graph.num_nodes)
    base, order = _base_and_order(graph, generators)
    moves = generators[:, :n]
    orbit = joined([np.broadcast_to(np.arange(n), moves.shape)], [moves], n)
    names = np.concatenate([program.names("variables"), np.array(program.names("constraints"))[program.kept]])
    named = tuple(names[base].tolist())
    return ProgramSymmetry(program, order or colored.count_automorphisms(), moves, orbit, named)


def _base_and_order(graph: Graphs, generators: NDArray[np.int64]) -> tuple[list[int], int | None]:
    """Nodes that only the identity fixes, and the order of the group; None if cells are not seen to be orbits."""
    partition, nodes = Partition(graph), torch.arange(graph.num_nodes)
    base, sizes, is_proved = list[int](), list[int](), True
    fixing = np.arange(len(generators))
    while len(nodes := nodes[partition.size[partition.color[nodes]] > 1]):
        color = partition.color[nodes]
        cell = nodes[color == color.min()].numpy()
        images = np.searchsorted(cell, generators[np.ix_(fixing, cell)])
        places = np.broadcast_to(np.arange(len(cell)), images.shape)
        # Of the nodes of the cell one that few generators move: the others stay.
        chosen = int((images != places).sum(0).argmin())
        orbit = joined([places], [images], len(cell))
        is_proved &= bool((orbit == orbit[0]).all())
        base.append(int(cell[chosen]))
        sizes.append(len(cell))
        fixing = fixing[images[:, chosen] == chosen]
        partition.give_own_color(torch.tensor(base[-1:]))
    return base, math.prod(sizes) if is_proved else None


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

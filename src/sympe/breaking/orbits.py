r"""Ranks counted anew in each orbit, which mean the same in inputs of all sizes.

A rank of the whole graph means something else in every graph: rank 40 may be a bin here and an item there. The place of
a node among those that are symmetric to it means the same everywhere. Node :math:`i` with orbit :math:`O` is shown

.. math:: p_i = |\{j \in O : \mathrm{rank}(j) < \mathrm{rank}(i)\}| ,

so the vector depends on the canonical form :math:`\gamma = \tilde g^{-1} x` alone and is moved by :math:`\tilde g` as
before: the law is equivariant. Nothing is lost under an exact kernel: an automorphism that keeps all places is the
identity, and what is shown has the entropy :math:`\log|\mathrm{Aut}|` of the ranks.

Orbits can be named as well, by the order in which they come in the canonical form: equal for all draws, so a name
breaks nothing. Names help where equal places in the canonical form mean alike things, as in instances of one size.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sympe.breaking.sympe import SymPE
from sympe.cached_kernel import CachedInversionKernel
from sympe.encoding.ranks import PermutedRows
from sympe.graphs import Graphs, automorphism_orbits
from sympe.groups import Permutation
from sympe.kernel import Kernel, described


class OrbitRanks(SymPE[Permutation, Graphs]):
    """SymPE on graphs with ranks counted in each orbit, and names of orbits beside them if wanted.

    Args:
        kernel: The law of the order of nodes. A :class:`~sympe.CachedInversionKernel` finds the orbits of a graph once.
        encoding: Rows for places, as many as the largest orbit has nodes.
        names: Rows for the names of orbits, as many as a graph has orbits; none if not given.

    Raises:
        ValueError: If the parts do not fit together; on a call, if the kernel shows a base alone, or a table is short.

    Example:
        >>> import sympe
        >>> kernel = sympe.InversionKernel(sympe.canonicalize.Labeling())
        >>> star = sympe.graphs.from_edges([(5, [(0, i) for i in range(1, 5)])])
        >>> ranks = OrbitRanks(kernel, sympe.RankEncoding(dim=8, max_nodes=4))
        >>> int(ranks.places(kernel(star), star)[0].max())  # four leaves, one center
        3
    """

    encoding: PermutedRows

    def __init__(
        self, kernel: Kernel[Permutation, Graphs], encoding: PermutedRows, names: PermutedRows | None = None
    ) -> None:
        super().__init__(kernel, encoding)
        for table in (encoding, encoding if names is None else names):
            if not isinstance(table, PermutedRows):
                raise ValueError(f"expected a table of rows such as RankEncoding(16, 64); got {described(table)}")
        self.names = names
        self.dim += names.dim if names is not None else 0

    def show(self, g: Permutation, x: Graphs) -> Float[Tensor, "N dim"]:
        place, name = self.places(g, x)
        shown = self.encoding.look_up(place)
        return shown if self.names is None else torch.cat([shown, self.names.look_up(name)], dim=1)

    def places(self, g: Permutation, x: Graphs) -> tuple[Int[Tensor, "N"], Int[Tensor, "N"]]:
        """The place of each node in its orbit, and the place of its orbit among those of its graph."""
        if g.shown is not None:
            raise ValueError("expected the ranks of all nodes, as Labeling() gives them; Base() shows a few alone")
        kernel = self.kernel
        orbit = kernel.orbits(x) if isinstance(kernel, CachedInversionKernel) else automorphism_orbits(x)
        position, count = g.preimage, len(g.preimage)
        lead = torch.full_like(position, count).scatter_reduce(0, orbit, position, "amin")[orbit]
        order = torch.argsort(lead * count + position)
        ordered = lead[order]
        place = torch.empty_like(lead)
        place[order] = torch.arange(count, device=lead.device) - torch.searchsorted(ordered, ordered)
        leads = lead.unique()
        return place, torch.searchsorted(leads, lead) - torch.searchsorted(leads, g.start)

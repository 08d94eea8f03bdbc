r"""The inversion kernel for graphs that come again and again: label each once.

Where :math:`\tau` is exact, the inversion kernel is uniform on :math:`\mathrm{Aut}(x)\,\tau(x)`. So a draw needs no
labeling if :math:`\tau(x)` and the automorphisms are kept: it is a uniform automorphism after :math:`\tau(x)`.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sympe.canonicalize import NodeOrder
from sympe.canonicalize.refined import refined
from sympe.graphs import Graphs, colored_graphs
from sympe.graphs.bliss import joined
from sympe.groups import Permutation
from sympe.groups.chain import StabilizerChain
from sympe.kernel import InversionKernel
from sympe.precision import outside_autocast


@dataclass(frozen=True)
class _Known:
    image: torch.Tensor
    shown: int | None
    automorphisms: StabilizerChain
    orbit: torch.Tensor


class CachedInversionKernel(InversionKernel[Permutation, Graphs]):
    """An :class:`~sympe.InversionKernel` of graphs that keeps what it has computed for each, in the order of storage.

    The first draw for a graph costs a labeling and a stabilizer chain, every other one some lookups. Nothing is ever
    forgotten: for training on a fixed set of graphs, not on a stream.

    Args:
        canonicalizer: An exact order of nodes, ``Labeling()`` or ``Base()``.

    Raises:
        ValueError: On a call, where the canonicalizer is not known to be exact.
    """

    def __init__(self, canonicalizer: NodeOrder) -> None:
        super().__init__(canonicalizer)
        self._known: dict[bytes, _Known] = {}

    @outside_autocast
    def forward(self, x: Graphs, generator: torch.Generator | None = None) -> Permutation:
        x = self.action.take(x)
        images, shown = [], []
        for n, known in zip(x.sizes.tolist(), self._look_up(x), strict=True):
            images.append(torch.from_numpy(known.automorphisms.draw(generator))[known.image])
            shown.append(torch.full((n,), -1 if known.shown is None else known.shown))
        image = torch.cat(images).to(x.device) + x.start if images else x.start
        g = Permutation.trusted(image, x)
        count = torch.cat(shown).to(x.device) if shown else x.start
        if not len(count) or bool((count < 0).any()):
            return g
        return Permutation(g.image, g.preimage, g.batch, g.start, shown=count)

    def orbits(self, x: Graphs) -> torch.Tensor:
        """Orbit of each node under the automorphisms of its graph, numbered over the whole batch, ``Int[N]``."""
        orbits, count = [x.start[:0]], 0
        for known in self._look_up(x):
            orbits.append(known.orbit.to(x.device) + count)
            count += len(known.orbit)
        return torch.cat(orbits)

    def _look_up(self, x: Graphs) -> Iterator[_Known]:
        for graph, key in enumerate(_digests(x)):
            if key not in self._known:
                self._known[key] = self._examine(x.select([graph]))
            yield self._known[key]

    def _examine(self, x: Graphs) -> _Known:
        if not bool(self.canonicalizer.is_exact(x).all()):
            raise ValueError(
                f"expected an exact canonicalizer to keep draws of; {self.canonicalizer} is not known as one"
            )
        g = self.canonicalizer(x)
        colored = next(colored_graphs(refined(x)))
        images = colored.automorphism_generators()
        generators = np.array(images, np.int64).reshape(len(images), x.num_nodes)
        chain = StabilizerChain(generators, colored.count_automorphisms())
        shown = None if g.shown is None else int(g.shown.max()) if len(g.shown) else 0
        fixed = np.broadcast_to(np.arange(x.num_nodes), generators.shape)
        orbit = torch.from_numpy(joined([fixed], [generators], x.num_nodes))
        return _Known(g.image.cpu(), shown, chain, orbit)


def _digests(x: Graphs) -> Iterator[bytes]:
    """What identifies each graph as it is stored."""
    owner = x.batch[x.edge_index[0]]
    order = torch.argsort(owner, stable=True)
    ends = x.edge_index[:, order] - x.start[x.edge_index[0, order]]
    edge_label = None if x.edge_label is None else x.edge_label[order]
    cuts = torch.searchsorted(owner[order], torch.arange(len(x) + 1, device=x.device)).tolist()
    ptr = x.ptr.tolist()
    parts = [(0, ends.T, cuts), (1, edge_label, cuts), (2, x.node_label, ptr), (3, x.x, ptr)]
    held = [(part, *_rows(value), at) for part, value, at in parts if value is not None]
    for graph, n in enumerate(x.sizes.tolist()):
        digest = hashlib.blake2b(str(n).encode(), digest_size=16)
        for part, kind, rows, at in held:
            # What follows, and how much of it: two graphs may agree in all bytes and differ in what they mean.
            digest.update(f" {part} {kind} {at[graph + 1] - at[graph]} ".encode())
            digest.update(rows[at[graph] : at[graph + 1]].tobytes())
        yield digest.digest()


def _rows(values: torch.Tensor) -> tuple[torch.dtype, NDArray[np.uint8]]:
    """The type of numbers, and the bytes of each row."""
    held = values.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy()
    return values.dtype, held.reshape(len(values), values.element_size() * math.prod(values.shape[1:]))

"""What every worker does: turn a chunk of raw samples into findings."""

import math
from dataclasses import dataclass, replace
from heapq import nlargest
from typing import Any

from torch import Tensor

from sympe.auditing.bottleneck import adjacency_errors, code_errors
from sympe.auditing.parts import Part
from sympe.auditing.sources.base import Reader
from sympe.auditing.symmetry.graphs import GraphStabilizers, adjacency
from sympe.auditing.symmetry.stabilizers import Stabilizers, Symmetry
from sympe.auditing.targets import Errors, Loss, Target, choose_loss
from sympe.graphs import Graphs
from sympe.graphs.datasets import induced

_DRAWN = 4  # samples to draw of each part
ADJACENCY = "adjacency"  # a target that every graph has: which nodes are adjacent


@dataclass(frozen=True)
class Job:
    """A numbered chunk, and the index of its first sample."""

    number: int
    first: int
    raw: Any
    reader: Reader


@dataclass(frozen=True)
class Examiner:
    """Examines samples; can be pickled. The target is ``adjacency``, or None for the reader's."""

    symmetry: Symmetry
    target: str | None = None
    loss: str | None = None
    bottleneck: str | None = None
    heavy_atoms: bool = False
    irreps: str | None = None

    def __call__(self, job: Job) -> Part:
        raw, first = job.raw, job.first
        try:
            x, target = job.reader.read(raw)
            if isinstance(x, Tensor) and not bool(x.isfinite().all()):
                raise ValueError("fields must be finite; got infinity or not a number")
            if self.heavy_atoms:
                x, target = _heavy(x, target, job.reader.hydrogen)
            return self._findings(x, target, first)
        except (ValueError, OverflowError) as error:
            # Bisect to the bad sample: it must not spoil the rest of the batch.
            if len(raw) <= 1:
                return Part(skipped=[(first, " ".join(str(error).split()))])
            half = len(raw) // 2
            return self(replace(job, raw=raw[:half])) + self(replace(job, raw=raw[half:], first=first + half))

    def _findings(self, x: Any, target: Target | None, first: int) -> Part:
        stabilizers = self.symmetry.stabilizers(x)
        part = self._compared(x, target, first, stabilizers)
        return replace(part, pers=[] if target is None else [target.per], drawn=_drawn(part, stabilizers))

    def _compared(self, x: Any, target: Target | None, first: int, stabilizers: Stabilizers) -> Part:
        count = len(stabilizers.orders)
        part = Part(
            index=list(range(first, first + count)),
            n=list(stabilizers.sizes),
            order=list(stabilizers.orders),
            log_orbit=list(stabilizers.log_orbits),
            point_group=list(stabilizers.point_groups),
            error=[None] * count,
            entries=[0] * count,
            violated=[False] * count,
            inside_pairs=[0] * count,
            inside_edges=[0] * count,
        )
        if self.bottleneck is not None:
            return self._through_codes(part, stabilizers, target)
        if self.target == ADJACENCY:
            target = adjacency(_plain(x))
        if target is None:
            return part
        if self.irreps is not None:
            target = replace(target, vector=False, irreps=self.irreps)
        loss = choose_loss(target, self.loss)
        return _with_errors(part, stabilizers.errors(target, loss), loss)

    def _through_codes(self, part: Part, stabilizers: Stabilizers, target: Target | None) -> Part:
        """Least errors of decoders that see codes of nodes."""
        if not isinstance(stabilizers, GraphStabilizers):
            raise ValueError("expected graphs for a bottleneck of node codes")
        assert self.bottleneck is not None
        graphs, orbit = stabilizers.automorphisms.graphs, stabilizers.automorphisms.node_orbits()
        if self.target == ADJACENCY:
            errors, pairs, edges = adjacency_errors(_plain(graphs), orbit, self.bottleneck)
            return replace(_with_errors(part, errors, "zero-one"), inside_pairs=pairs, inside_edges=edges)
        assert target is not None
        loss = choose_loss(target, self.loss)
        return _with_errors(part, code_errors(graphs, orbit, target, loss), loss)


def _drawn(part: Part, stabilizers: Stabilizers) -> list[dict[str, Any]]:
    """Drawings of the samples with the largest errors or, without a target, of the most symmetric ones."""
    weights = [
        (error or 0.0) / max(entries, 1) if error is not None else math.inf if order is None else math.log(order)
        for error, entries, order in zip(part.error, part.entries, part.order, strict=True)
    ]
    places = [k for k, order in enumerate(part.order) if order != 1 and part.n[k] <= stabilizers.most_drawn]
    drawn = [(part.index[k], stabilizers.drawing(k)) for k in nlargest(_DRAWN, places, key=weights.__getitem__)]
    return [{"index": index, **drawing} for index, drawing in drawn if drawing is not None]


def _with_errors(part: Part, errors: Errors, loss: Loss) -> Part:
    total, entries, violated = errors.total.tolist(), errors.entries.tolist(), errors.violated.tolist()
    return replace(part, error=total, entries=entries, violated=violated, losses=[loss])


def _heavy(graphs: Any, target: Target | None, hydrogen: int | None) -> tuple[Graphs, Target | None]:
    """Molecules and targets without hydrogen atoms; a molecule of only hydrogen keeps its place, without nodes."""
    if hydrogen is None or not isinstance(graphs, Graphs) or graphs.node_label is None:
        raise ValueError("expected molecules with elements to remove hydrogens from")
    nodes = graphs.node_label != hydrogen
    rest, edges = induced(graphs, nodes)
    if target is not None and target.per in ("node", "edge"):
        target = replace(target, values=target.values[nodes if target.per == "node" else edges])
    return rest, target


def _plain(graphs: Any) -> Graphs:
    if not isinstance(graphs, Graphs):
        raise ValueError(f"expected graphs to have an adjacency; got {type(graphs).__name__}")
    if bool((graphs.edge_index[0] == graphs.edge_index[1]).any()):
        raise ValueError("expected simple graphs without self-loops; got one")
    return graphs

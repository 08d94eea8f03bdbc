"""What every worker does: turn a chunk of raw samples into findings."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sympe.auditing.bottleneck import pair_counts
from sympe.auditing.parts import Part
from sympe.auditing.sources.base import Reader
from sympe.auditing.symmetry.graphs import GraphStabilizers, adjacency
from sympe.auditing.symmetry.stabilizers import Stabilizers, Symmetry
from sympe.auditing.targets import Errors, Loss, Target, choose_loss, class_errors
from sympe.graphs import Graphs

#: A target that every graph has: which nodes are adjacent.
ADJACENCY = "adjacency"


@dataclass(frozen=True)
class Job:
    """A numbered chunk, and the index of its first sample."""

    number: int
    first: int
    raw: Any
    reader: Reader


@dataclass(frozen=True)
class Examiner:
    """Examines samples; can be pickled.

    Attributes:
        symmetry: The symmetry of the inputs.
        target: ``adjacency``, or None for the reader's target.
        loss: The loss, or None for the default of the target.
        bottleneck: Name of the bottleneck, or None.
        heavy_atoms: Whether to remove hydrogen atoms from molecules.
        irreps: Irreps of the reader's targets, or None.
    """

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
            return part if count == 0 else self._through_codes(part, stabilizers, target)
        if self.target == ADJACENCY:
            target = adjacency(_plain(x))
        if target is not None:
            if self.irreps is not None:
                target = replace(target, vector=False, irreps=self.irreps)
            loss = choose_loss(target, self.loss)
            _fill(part, stabilizers.errors(target, loss), loss)
        return part

    def _through_codes(self, part: Part, stabilizers: Stabilizers, target: Target | None) -> Part:
        """Least errors of decoders that see codes of nodes."""
        if not isinstance(stabilizers, GraphStabilizers):
            raise ValueError("expected graphs for a bottleneck of node codes")
        graphs, orbit = stabilizers.automorphisms.graphs, stabilizers.automorphisms.node_orbits()
        if self.target != ADJACENCY:
            assert target is not None
            loss = choose_loss(target, self.loss)
            _fill(part, _errors_of_codes(graphs, orbit, target, loss), loss)
            return part
        counts = pair_counts(_plain(graphs), torch.from_numpy(orbit))
        wrong = counts.node_codes if self.bottleneck == "node-codes" else counts.apart
        _fill(part, Errors(wrong.double().numpy(), counts.pairs.numpy(), (wrong > 0).numpy()), "zero-one")
        part.inside_pairs[:] = counts.inside_pairs.tolist()
        part.inside_edges[:] = counts.inside_edges.tolist()
        return part


def _errors_of_codes(graphs: Graphs, orbit: Any, target: Target, loss: Loss) -> Errors:
    """Least errors of a decoder that sees the code of a node, or the two codes of a pair."""
    count = len(graphs)
    batch = graphs.batch.cpu().numpy()
    if target.per == "node":
        return class_errors(orbit, batch, count, target.values, loss)
    if target.per not in ("edge", "pair"):
        raise ValueError(f"expected a target per node, edge or pair for a bottleneck of node codes; got {target.per}")
    if target.per == "edge":
        source, end = graphs.edge_index.cpu().numpy()
    else:
        sizes = graphs.sizes.cpu().numpy()
        starts = graphs.ptr.cpu().numpy()[:-1]
        owner = np.repeat(np.arange(count), sizes**2)
        place = np.arange(len(owner)) - np.repeat(np.cumsum(sizes**2) - sizes**2, sizes**2)
        source, end = starts[owner] + place // sizes[owner], starts[owner] + place % sizes[owner]
    _, classes = np.unique(orbit[source] * (int(orbit.max(initial=0)) + 1) + orbit[end], return_inverse=True)
    return class_errors(classes, batch[source], count, target.values, loss)


def _fill(part: Part, errors: Errors, loss: Loss) -> None:
    part.losses.append(loss)
    part.error[:] = errors.total.tolist()
    part.entries[:] = errors.entries.tolist()
    part.violated[:] = errors.violated.tolist()


def _heavy(graphs: Any, target: Target | None, hydrogen: int | None) -> tuple[Graphs, Target | None]:
    """Molecules and targets without hydrogen atoms; a molecule of only hydrogen keeps its place, without nodes."""
    if hydrogen is None or not isinstance(graphs, Graphs) or graphs.node_label is None:
        raise ValueError("expected molecules with elements to remove hydrogens from")
    nodes = graphs.node_label != hydrogen
    source, end = graphs.edge_index
    edges = nodes[source] & nodes[end]
    if target is not None and target.per in ("node", "edge"):
        target = replace(target, values=target.values[nodes if target.per == "node" else edges])
    rest = Graphs(
        edge_index=(nodes.cumsum(0) - 1)[graphs.edge_index[:, edges]],
        batch=graphs.batch[nodes],
        node_label=graphs.node_label[nodes],
        edge_label=None if graphs.edge_label is None else graphs.edge_label[edges],
        x=None if graphs.x is None else graphs.x[nodes],
        num_graphs=len(graphs),
    )
    return rest, target


def _plain(graphs: Any) -> Graphs:
    if not isinstance(graphs, Graphs):
        raise ValueError(f"expected graphs to have an adjacency; got {type(graphs).__name__}")
    source, target = graphs.edge_index
    if bool((source == target).any()):
        raise ValueError("expected simple graphs without self-loops; got one")
    return graphs

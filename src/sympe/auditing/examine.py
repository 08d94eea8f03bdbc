"""From a chunk of raw samples to the findings on them: what every worker does."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sympe.auditing.bottleneck import pair_counts
from sympe.auditing.parts import Part
from sympe.auditing.sources.base import Reader
from sympe.auditing.symmetry.graphs import GraphStabilizers, adjacency
from sympe.auditing.symmetry.stabilizers import Stabilizers, Symmetry
from sympe.auditing.targets import Errors, Loss, Target, choose_loss, class_errors
from sympe.graphs import Graphs

#: The target that every graph has: whether nodes are joined.
ADJACENCY = "adjacency"


@dataclass(frozen=True)
class Job:
    """A chunk, and where its samples stand in the data."""

    number: int
    first: int
    raw: Any
    reader: Reader


@dataclass(frozen=True)
class Examiner:
    """Examines samples; survives pickling.

    Attributes:
        symmetry: What acts on the inputs.
        target: ``adjacency``, or None for the target that the reader gives.
        loss: How answers are compared; that of the target if None.
        bottleneck: What answers pass through, or None.
        heavy_atoms: Whether to take hydrogen atoms out of molecules.
        irreps: How the reader's targets turn with points in space, or None.
    """

    symmetry: Symmetry
    target: str | None = None
    loss: str | None = None
    bottleneck: str | None = None
    heavy_atoms: bool = False
    irreps: str | None = None

    def __call__(self, job: Job) -> Part:
        return self._examine(job.reader, job.raw, job.first)

    def _examine(self, reader: Reader, raw: Any, first: int) -> Part:
        try:
            x, target = reader.read(raw)
            if self.heavy_atoms:
                x, target = _heavy(x, target, reader.hydrogen)
            return self._findings(x, target, first)
        except (ValueError, OverflowError) as error:
            # One bad sample spoils the batch that it is in: halves go on by themselves, down to the sample.
            if len(raw) <= 1:
                return Part(skipped=[(first, " ".join(str(error).split()))])
            half = len(raw) // 2
            return self._examine(reader, raw[:half], first) + self._examine(reader, raw[half:], first + half)

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
        """The floors of decoders that see codes of nodes."""
        if not isinstance(stabilizers, GraphStabilizers):
            raise ValueError("expected graphs to send through codes of nodes")
        automorphisms = stabilizers.automorphisms
        graphs = automorphisms.graphs
        orbit = automorphisms.node_orbits()
        if self.target != ADJACENCY:
            assert target is not None
            loss = choose_loss(target, self.loss)
            _fill(part, _errors_of_codes(graphs, orbit, target, loss), loss)
            return part
        counts = pair_counts(_plain(graphs), _as_tensor(orbit))
        wrong = counts.node_codes if self.bottleneck == "node-codes" else counts.apart
        part.error[:] = [float(value) for value in wrong.tolist()]
        part.entries[:] = counts.pairs.tolist()
        part.violated[:] = (wrong > 0).tolist()
        part.inside_pairs[:] = counts.inside_pairs.tolist()
        part.inside_edges[:] = counts.inside_edges.tolist()
        part.losses.append("zero-one")
        return part


def _errors_of_codes(graphs: Graphs, orbit: Any, target: Target, loss: Loss) -> Errors:
    """Least errors of a decoder that sees the codes of the two nodes of a pair, or of the one node."""
    count = len(graphs)
    batch = graphs.batch.cpu().numpy()
    if target.per == "node":
        return class_errors(orbit, batch, count, target.values, loss)
    if target.per not in ("edge", "pair"):
        raise ValueError(f"expected a target per node, edge or pair to send through codes; got {target.per}")
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
    """Molecules and their targets without hydrogen atoms; what had no other atoms stays, without nodes."""
    if hydrogen is None or not isinstance(graphs, Graphs) or graphs.node_label is None:
        raise ValueError("expected molecules with elements to take hydrogens out of")
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
        raise ValueError("expected simple graphs; there is a self-loop")
    return graphs


def _as_tensor(values: Any) -> Any:
    import torch

    return torch.from_numpy(values)

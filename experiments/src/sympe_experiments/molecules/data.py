"""Graphs to learn from: QM9, plain graph sets, or the user's file; grouped by size, each stored once.

A stored graph keeps the order of its file. Always shuffle it before use
(:meth:`~sympe_experiments.molecules.graph_state.GraphState.shuffled`): the order of QM9 is canonical.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor
from torch.utils.data import Dataset

from sympe.canonicalize import DepthFirst, Labeling, NodeOrder
from sympe.compressed import suffix_of
from sympe.graphs import Graphs, load_graph_set, load_qm9, read
from sympe.graphs.datasets import GRAPH_SETS, QM9_ELEMENTS
from sympe.graphs.files import READABLE
from sympe.graphs.molecules import SMILES, holds_molecules
from sympe.points.sdf import SDF
from sympe_experiments.batches import Key
from sympe_experiments.molecules.chemistry import MOLECULE_FILES, read_molecules
from sympe_experiments.molecules.domain import Domain, smoothed
from sympe_experiments.molecules.fetch import locate_qm9
from sympe_experiments.molecules.graph_state import GraphState, from_graphs
from sympe_experiments.seeding import mixed_generator

_QM9 = ("qm9", "qm9-hydrogens")

#: Names of the data sets that are known; all else is the path of a file.
DATA_SETS = (*_QM9, *GRAPH_SETS)

# Files that nobody would look for molecules in.
_GRAPHS_ALONE = READABLE - {".txt", ".csv", ".tsv", *SMILES, *SDF}

# Kinds are stored in a byte each.
_LARGEST_LABEL = 255


@dataclass(frozen=True, eq=False)
class Splits:
    """Graphs to train, validate and test on.

    Attributes:
        train: To train on.
        validation: To estimate the likelihood of during training.
        test: To estimate the likelihood of, and to compare samples with.
        elements: Names of the kinds of nodes; one empty name for plain graphs.
        hydrogens: Whether hydrogen atoms are nodes.
        skipped: Number of molecules of the file that were skipped, by reason.
    """

    train: Graphs
    validation: Graphs
    test: Graphs
    elements: tuple[str, ...]
    hydrogens: bool = False
    skipped: Counter[str] = field(default_factory=Counter)

    def content(self) -> Iterator[Tensor | str]:
        """Everything that a run sees of them."""
        yield ", ".join(self.elements)
        for part in (self.train, self.validation, self.test):
            told = (part.edge_index, part.batch, part.node_label, part.edge_label)
            yield from (tensor for tensor in told if tensor is not None)

    def domain(self) -> Domain:
        """What a model must know about the graphs.

        All graphs decide what is possible (sizes, kinds of edges); those to train on decide how often.
        """
        parts = (self.train, self.validation, self.test)
        kinds = 1 + max(1 if p.edge_label is None else int(p.edge_label.max()) if p.num_edges else 1 for p in parts)
        sizes = torch.cat([part.sizes for part in parts])
        per_size = torch.bincount(self.train.sizes, minlength=int(sizes.max()) + 1)
        per_size[sizes[per_size[sizes] == 0]] = 1
        train = self.train
        node = torch.zeros_like(train.batch) if train.node_label is None else train.node_label
        edge = torch.ones_like(train.edge_index[0]) if train.edge_label is None else train.edge_label
        per_edge = torch.bincount(edge, minlength=kinds)
        per_edge[0] = int((train.sizes * (train.sizes - 1)).sum()) - train.num_edges
        return Domain(
            elements=self.elements,
            node_law=smoothed(torch.bincount(node, minlength=len(self.elements))),
            edge_law=smoothed(per_edge),
            size_law=tuple((per_size / per_size.sum()).tolist()),
            hydrogens=self.hydrogens,
        )


class GraphStore(Dataset[GraphState]):
    """Simple undirected graphs of at least one node, grouped by size.

    Args:
        graphs: The graphs.
        order: An order of the nodes to store with each graph: ``labeling``, ``canonical-depth-first`` or ``file``;
            empty for none.

    Raises:
        ValueError: If a graph has a loop, directed or parallel edges, or a label above 255, or no graph is left.
    """

    def __init__(self, graphs: Graphs, order: str = "") -> None:
        _require_simple(graphs)
        self.states: dict[int, GraphState] = {}
        for n in sorted(set(graphs.sizes.tolist()) - {0}):
            chosen = graphs.select((graphs.sizes == n).nonzero()[:, 0])
            state = from_graphs(chosen, _stored_rank(chosen, order) if order else None)
            rank = None if state.rank is None else state.rank.to(torch.int16)
            self.states[n] = GraphState(state.nodes.to(torch.uint8), state.edges.to(torch.uint8), rank)
        self.num_graphs = sum(self.counts.values())
        if not self.num_graphs:
            raise ValueError(f"expected graphs of one node or more; got {len(graphs)} graphs, none of which has")

    def __len__(self) -> int:
        return self.num_graphs

    def __getitem__(self, key: Key) -> GraphState:
        """Graphs as they are stored: shuffle them."""
        n, chosen = key
        state = self.states[n].select(torch.as_tensor(chosen))
        return GraphState(state.nodes.long(), state.edges.long(), None if state.rank is None else state.rank.long())

    @property
    def counts(self) -> dict[int, int]:
        """Number of graphs of each size."""
        return {n: len(state) for n, state in self.states.items()}

    def orders(self) -> Iterator[Tensor]:
        """The orders that are stored with the graphs, if any."""
        return (state.rank for state in self.states.values() if state.rank is not None)

    def batches(self, batch_size: int | Callable[[int], int]) -> Iterator[GraphState]:
        """All graphs once, in a fixed order; ``batch_size`` may depend on their number of nodes."""
        for n, count in self.counts.items():
            at_once = batch_size(n) if callable(batch_size) else batch_size
            for chosen in torch.arange(count).split(max(1, at_once)):
                yield self[n, chosen.tolist()]


@lru_cache(maxsize=1)
def load_splits(data: str, counts: tuple[int, int, int]) -> Splits:
    """Graphs to train, validate and test on.

    Args:
        data: One of :data:`DATA_SETS` (below the folder in SYMPE_DATA; QM9 is fetched if that is not set), or the
            path of a file: molecules (.smi, .smiles, .sdf), or graphs in a format that :func:`sympe.graphs.read` knows;
            compressed or not. Files, and sets without a split, are split at random, 80 / 10 / 10.
        counts: Largest number of graphs of each split.

    Raises:
        ValueError: If the data cannot be read, or a file has fewer than three graphs.
    """
    elements: tuple[str, ...] = ("",)
    skipped: Counter[str] = Counter()
    if data in _QM9:
        hydrogens = data == "qm9-hydrogens"
        parts = _qm9(locate_qm9(), hydrogens)
        elements = QM9_ELEMENTS if hydrogens else QM9_ELEMENTS[1:]
    elif data in GRAPH_SETS and data != "community_small":
        parts = [load_graph_set(data, split=split) for split in ("train", "validation", "test")]
    elif data == "community_small":
        parts = _split(load_graph_set(data), data)
    elif suffix_of(Path(data)) in MOLECULE_FILES:
        molecules = read_molecules(Path(data))
        parts, elements, skipped = _split(molecules.graphs, data), molecules.elements, molecules.skipped
    else:
        try:
            if Path(data).is_file() and holds_molecules(Path(data)):
                raise ValueError(f"{data}: expected graphs; got molecules")
            graphs = read(Path(data))
            _require_simple(graphs)  # before the split, so that the graph is named by its place in the file
            graphs = Graphs(graphs.edge_index, graphs.batch, graphs.node_label, graphs.edge_label, None, len(graphs))
            if graphs.node_label is not None:
                elements = tuple(f"kind {k}" for k in range(int(_labels(graphs).max()) + 1))
            parts = _split(graphs, data)
        except ValueError as error:
            if suffix_of(Path(data)) in _GRAPHS_ALONE or not Path(data).is_file():
                raise
            known = " ".join(sorted(MOLECULE_FILES))
            raise ValueError(f"{error}; molecules are read from files ending in {known}") from error
    train, validation, test = (_sample(part, most, i) for i, (part, most) in enumerate(zip(parts, counts, strict=True)))
    return Splits(train, validation, test, elements, data == "qm9-hydrogens", skipped)


@lru_cache(maxsize=1)
def _qm9(path: Path, hydrogens: bool) -> list[Graphs]:
    """The three splits, kept for the next run of this process; nothing changes a batch of graphs."""
    parts = [load_qm9(path, split, hydrogens=hydrogens) for split in ("train", "validation", "test")]
    return parts if hydrogens else [replace(part, node_label=_labels(part) - 1) for part in parts]


def noun(data: str) -> str:
    """What the members of a data set are called."""
    return "molecules" if data in _QM9 or suffix_of(Path(data)) in MOLECULE_FILES else "graphs"


def _labels(graphs: Graphs) -> Int[Tensor, "N"]:
    assert graphs.node_label is not None
    return graphs.node_label


def _split(graphs: Graphs, name: str) -> list[Graphs]:
    if len(graphs) < 3:
        raise ValueError(f"{name}: expected at least 3 graphs, to train, validate and test; got {len(graphs)}")
    order = torch.randperm(len(graphs), generator=mixed_generator(0))
    held_out = max(1, len(graphs) // 10)
    return [graphs.select(c) for c in (order[2 * held_out :], order[:held_out], order[held_out : 2 * held_out])]


def _sample(graphs: Graphs, count: int, seed: int) -> Graphs:
    if count >= len(graphs):
        return graphs
    return graphs.select(torch.randperm(len(graphs), generator=mixed_generator(seed))[:count])


def _require_simple(graphs: Graphs) -> None:
    """Raise a ``ValueError`` if a graph is not simple and undirected (it is named), or a label cannot be stored."""
    source, target = graphs.edge_index
    label = torch.ones_like(source) if graphs.edge_label is None else graphs.edge_label
    loops = source == target
    if bool(loops.any()):
        raise ValueError(f"expected simple graphs; graph {int(graphs.batch[source[loops]].min())} has a self-loop")
    n = max(graphs.num_nodes, 1)
    forward, forth = (source * n + target).sort()
    backward, back = (target * n + source).sort()
    odd = (forward != backward) | (label[forth] != label[back])
    odd[1:] |= forward.diff() == 0
    if bool(odd.any()):
        at = int(graphs.batch[source[forth[odd]]].min())
        raise ValueError(f"expected simple undirected graphs; graph {at} has directed or parallel edges")
    for name, kinds, least in (("edges", label, 1), ("nodes", graphs.node_label, 0)):
        if kinds is not None and bool((wrong := (kinds < least) | (kinds > _LARGEST_LABEL)).any()):
            raise ValueError(f"labels of {name} must be from {least} to {_LARGEST_LABEL}; got {int(kinds[wrong][0])}")


def _stored_rank(graphs: Graphs, order: str) -> Int[Tensor, "N"]:
    """Place of each node in a canonical order, or in the order of the file."""
    if order == "file":
        return torch.arange(graphs.num_nodes) - graphs.start
    canonical: NodeOrder = Labeling()
    if order == "canonical-depth-first":
        canonical = DepthFirst(canonical)
    return canonical(graphs).rank

r"""Graphs for the autoencoder: the random graphs of the published protocol, QM9, or the user's own.

Graphs of equal size are stored together and batched together: no padding, no masks.

The random graphs follow V. G. Satorras, E. Hoogeboom, M. Welling, *E(n) equivariant graph neural networks*,
ICML 2021: :math:`G(n, 1/4)` with n running over 7..16, 5000 / 500 / 500 graphs to train, validate and test.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

from sympe.graphs import (
    Graphs,
    Spectrum,
    concatenate,
    from_dense,
    laplacian_spectrum,
    load_qm9,
    read,
    to_dense,
)
from sympe.graphs.datasets import erdos_renyi
from sympe_experiments.batches import Key
from sympe_experiments.seeding import mixed_generator


@dataclass(frozen=True)
class Batch:
    """Graphs of one size, as the networks take them.

    Attributes:
        graphs: The graphs, for the kernels.
        adjacency: The same, for the network; entries 0 and 1.
        spectrum: Their Laplacian eigenspaces if the method uses them.
    """

    graphs: Graphs
    adjacency: Float[Tensor, "B n n"]
    spectrum: Spectrum | None

    def to(self, device: torch.device | str) -> "Batch":
        spectrum = None if self.spectrum is None else self.spectrum.to(device)
        return Batch(self.graphs.to(device), self.adjacency.to(device), spectrum)


class GraphSet(Dataset[Batch]):
    """Simple undirected graphs of at least two nodes, grouped by size.

    Args:
        graphs: The graphs. Labels, features and directions of edges are ignored, and graphs of fewer than two
            nodes are skipped (``num_skipped`` counts them): they have no pair to reconstruct.
        num_vectors: Laplacian eigenvectors to prepare per graph; 0 for none.

    Raises:
        ValueError: If a graph has a loop, or no graph is left.
    """

    def __init__(self, graphs: Graphs, num_vectors: int = 0) -> None:
        refuse_loops(graphs)
        self.adjacency: dict[int, Float[Tensor, "count n n"]] = {}
        self.spectrum: dict[int, Spectrum] = {}
        for n in sorted(set(graphs.sizes.tolist()) - {0, 1}):
            chosen = graphs.select((graphs.sizes == n).nonzero()[:, 0])
            dense = to_dense(Graphs(chosen.edge_index, chosen.batch, num_graphs=len(chosen)))[0].float()
            self.adjacency[n] = torch.maximum(dense, dense.transpose(1, 2))
            if num_vectors:
                self.spectrum[n] = laplacian_spectrum(chosen, num_vectors)
        self.num_graphs = sum(len(a) for a in self.adjacency.values())
        self.num_skipped = len(graphs) - self.num_graphs
        if not self.num_graphs:
            raise ValueError(f"expected graphs of two nodes or more; got {len(graphs)} graphs, none of which has")

    def __len__(self) -> int:
        return self.num_graphs

    def __getitem__(self, key: Key) -> Batch:
        n, chosen = key
        adjacency = self.adjacency[n][chosen]
        spectrum = self.spectrum[n].select(chosen) if self.spectrum else None
        return Batch(from_dense(adjacency.long()), adjacency, spectrum)

    @property
    def counts(self) -> dict[int, int]:
        """Number of graphs of each size."""
        return {n: len(a) for n, a in self.adjacency.items()}

    @property
    def max_nodes(self) -> int:
        return max(self.adjacency)

    @property
    def num_pairs(self) -> int:
        """Ordered pairs of distinct nodes over all graphs."""
        return sum(len(a) * n * (n - 1) for n, a in self.adjacency.items())

    @property
    def graphs(self) -> Graphs:
        """The graphs as the networks see them, ordered by size."""
        return concatenate([from_dense(adjacency.long()) for adjacency in self.adjacency.values()])

    def batches(self, batch_size: int) -> Iterator[Batch]:
        """All graphs once, in a fixed order."""
        for n, adjacency in self.adjacency.items():
            for chosen in torch.arange(len(adjacency)).split(batch_size):
                yield self[n, chosen.tolist()]


def refuse_loops(graphs: Graphs) -> None:
    """Raise a ``ValueError`` that names the first graph with a loop, if there is one."""
    source, target = graphs.edge_index
    if bool((source == target).any()):
        at = int(graphs.batch[source[source == target]].min())
        raise ValueError(f"expected simple graphs; graph {at} has a self-loop")


def load_splits(data: str, counts: tuple[int, int, int]) -> tuple[Graphs, Graphs, Graphs]:
    """Graphs to train, validate and test on.

    Args:
        data: ``erdos-renyi``, ``qm9`` (heavy-atom graphs with their published split), or the path of a file that
            :func:`sympe.graphs.read` knows; a file is split at random, 80 / 10 / 10.
        counts: Largest number of graphs of each split.

    Raises:
        ValueError: If the data cannot be read, or a file has fewer than three graphs.
    """
    if data == "erdos-renyi":
        splits = zip(("train", "validation", "test"), counts, (5000, 500, 500), strict=True)
        train, validation, test = (erdos_renyi(split, min(count, most)) for split, count, most in splits)
        return train, validation, test
    if data == "qm9":
        parts = [load_qm9(split=split, hydrogens=False) for split in ("train", "validation", "test")]
        train, validation, test = (_sample(p, c, i) for i, (p, c) in enumerate(zip(parts, counts, strict=True)))
        return train, validation, test
    graphs = read(Path(data))
    if len(graphs) < 3:
        raise ValueError(f"{data}: expected at least 3 graphs, to train, validate and test; got {len(graphs)}")
    refuse_loops(graphs)  # before the split, so that the graph is named by its place in the file
    order = torch.randperm(len(graphs), generator=mixed_generator(0))
    held_out = max(1, len(graphs) // 10)
    cuts = (order[2 * held_out :], order[:held_out], order[held_out : 2 * held_out])
    train, validation, test = (graphs.select(c[:most]) for c, most in zip(cuts, counts, strict=True))
    return train, validation, test


def _sample(graphs: Graphs, count: int, seed: int) -> Graphs:
    return graphs.select(torch.randperm(len(graphs), generator=mixed_generator(seed))[:count])

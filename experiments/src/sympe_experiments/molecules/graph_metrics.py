r"""How good samples of plain graphs are.

- *Valid*: what the graphs of the data set are: connected and planar, a tree, or a stochastic block model. The last is
  told as K. Martinkus et al., *SPECTRE*, ICML 2022, do: two to five blocks of 20 to 40 nodes, and densities of edges
  inside and between blocks that agree with 0.3 and 0.005 (the mean over pairs of blocks of the p-values of a Wald test
  is above 0.9). They find blocks by minimum description length (graph-tool), we by modularity (Louvain, networkx).
- *Unique*: of all samples, how many differ; *novel*: of these, how many are not in the training set; *valid, unique and
  novel*: of all samples. Two graphs are one if their canonical forms agree.
- Squared maximum mean discrepancy of degrees, clustering coefficients and the spectrum of the normalized Laplacian to
  the test set, with the similarity :math:`\exp(-d^2 / 2\sigma^2)` of the total variation distance d of two histograms
  (J. You et al., *GraphRNN*, ICML 2018; R. Liao et al., *GRAN*, NeurIPS 2019).
"""

from collections.abc import Callable, Sequence

import networkx
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import chi2

from sympe.actions import GraphRelabeling
from sympe.canonicalize import Labeling
from sympe.graphs import Graphs, to_networkx
from sympe_experiments.molecules.metrics import percent

#: Graphs whose pairwise distances are taken, at most: they grow with the square.
_MOST_COMPARED = 500

#: Of SPECTRE's block models: fewest and most blocks, fewest and most nodes of each, density inside and between.
_BLOCKS, _NODES, _INSIDE, _BETWEEN = (2, 5), (20, 40), 0.3, 0.005


def is_connected_and_planar(graph: networkx.Graph) -> bool:
    """Whether a graph is both; no graph without nodes is."""
    return len(graph) > 0 and networkx.is_connected(graph) and bool(networkx.check_planarity(graph)[0])


def is_block_model(graph: networkx.Graph) -> bool:
    """Whether a graph could come from SPECTRE's stochastic block models."""
    blocks = networkx.community.louvain_communities(graph, seed=0)
    sizes = np.array([len(block) for block in blocks])
    if not _BLOCKS[0] <= len(blocks) <= _BLOCKS[1] or sizes.min() < _NODES[0] or sizes.max() > _NODES[1]:
        return False
    matrix = networkx.to_numpy_array(graph, [node for block in blocks for node in block])
    starts = np.concatenate([[0], sizes.cumsum()[:-1]])
    counts = np.add.reduceat(np.add.reduceat(matrix, starts, axis=0), starts, axis=1)
    density = counts / (np.outer(sizes, sizes) - np.diag(sizes))
    expected = np.where(np.eye(len(sizes), dtype=bool), _INSIDE, _BETWEEN)
    wald = (density - expected) ** 2 / (density * (1 - density) + 1e-6)
    return float(chi2.sf(wald, 1).mean()) > 0.9


#: What a valid graph is, by data set.
VALID: dict[str, Callable[[networkx.Graph], bool]] = {
    "planar": is_connected_and_planar,
    "tree": lambda graph: len(graph) > 0 and networkx.is_tree(graph),
    "sbm": is_block_model,
}


def graph_metrics(samples: Graphs, train: Graphs, test: Graphs, data: str = "") -> dict[str, float | int | None]:
    """All measurements of samples.

    Args:
        samples: The samples.
        train: What they should not repeat.
        test: What they are compared with.
        data: Name of the data set, which says what is valid.
    """
    ours, theirs = (to_networkx(_first(part)) for part in (samples, test))
    found: dict[str, float | int | None] = {}
    for name, (describe, width) in _DESCRIPTIONS.items():
        found[f"{name}_mmd"] = discrepancy([describe(g) for g in ours], [describe(g) for g in theirs], width)
    whole, forms = to_networkx(samples), canonical_forms(samples)
    different = dict(zip(forms, whole, strict=True))
    known = set(canonical_forms(train))
    novel = {form: graph for form, graph in different.items() if form not in known}
    found["connected_percent"] = percent(sum(len(g) > 0 and networkx.is_connected(g) for g in whole), len(whole))
    found["unique_percent"] = percent(len(different), len(whole))
    found["novel_percent"] = percent(len(novel), len(different))
    if (is_valid := VALID.get(data)) is not None:
        found["valid_percent"] = percent(sum(map(is_valid, whole)), len(whole))
        found["valid_unique_novel_percent"] = percent(sum(map(is_valid, novel.values())), len(whole))
    return found


def canonical_forms(graphs: Graphs) -> list[bytes]:
    """The same for isomorphic graphs without labels, and for no others."""
    if not len(graphs):
        return []
    g = Labeling()(graphs)
    source, target = GraphRelabeling().act(GraphRelabeling().group.inverse(g), graphs).edge_index
    owner, start = graphs.batch[source], graphs.start
    key = (source - start[source]) * graphs.max_nodes + target - start[target]
    order = torch.argsort(owner * graphs.max_nodes**2 + key)
    cuts = torch.bincount(owner, minlength=len(graphs)).cumsum(0)[:-1].tolist()
    parts = torch.tensor_split(key[order], cuts)
    pairs = zip(graphs.sizes.tolist(), parts, strict=True)
    return [
        n.to_bytes(8) + (key // graphs.max_nodes * n + key % graphs.max_nodes).numpy().tobytes() for n, key in pairs
    ]


def discrepancy(first: Sequence[NDArray], second: Sequence[NDArray], width: float) -> float:
    """Squared maximum mean discrepancy of two sets of histograms; every histogram sums to 1."""
    length = max(len(h) for h in (*first, *second))
    a, b = (np.stack([np.pad(h, (0, length - len(h))) for h in part]) for part in (first, second))

    def similarity(x: NDArray, y: NDArray) -> float:
        distance = np.stack([np.abs(row - y).sum(1) / 2 for row in x])
        return float(np.exp(-(distance**2) / (2 * width**2)).mean())

    return max(similarity(a, a) + similarity(b, b) - 2 * similarity(a, b), 0.0)


def _degrees(graph: networkx.Graph) -> NDArray:
    return _normalized(np.bincount([degree for _, degree in graph.degree()], minlength=1))


def _clustering(graph: networkx.Graph) -> NDArray:
    return _normalized(np.histogram(list(networkx.clustering(graph).values()), bins=100, range=(0, 1))[0])


def _spectrum(graph: networkx.Graph) -> NDArray:
    matrix = networkx.normalized_laplacian_matrix(graph).toarray() if len(graph) else np.zeros((0, 0))
    return _normalized(np.histogram(np.linalg.eigvalsh(matrix), bins=200, range=(-1e-5, 2))[0])


#: Descriptions of a graph by a histogram, and the distance at which two stop being similar.
_DESCRIPTIONS = {"degree": (_degrees, 1.0), "clustering": (_clustering, 0.1), "spectral": (_spectrum, 1.0)}


def _normalized(counts: NDArray) -> NDArray:
    return counts / max(counts.sum(), 1)


def _first(graphs: Graphs) -> Graphs:
    return graphs.select(torch.arange(min(len(graphs), _MOST_COMPARED)))

r"""How good samples are, as molecules and as plain graphs.

Molecules, in per cent, after C. Vignac et al., *DiGress*, ICLR 2023:

- *valid*: of all samples, those that RDKit's sanitization accepts as a whole;
- *unique*: of the valid ones, how many different SMILES there are (of the largest fragment of each);
- *novel*: of the different ones, those that are not in the training set;
- *atoms stable*: atoms whose bonds add up to the usual valence of their element (to at most that where hydrogens are
  left out); *molecules stable*: those of which all atoms are;
- histograms of logP, QED and the number of rings of valid samples, and their 1-Wasserstein distances from those of
  the test set;
- the Fréchet ChemNet distance of valid samples to the test set, see :mod:`~sympe_experiments.molecules.chemnet`.

Plain graphs: squared maximum mean discrepancy of degrees, clustering coefficients and the spectrum of the normalized
Laplacian to the test set, with the similarity :math:`\exp(-d^2 / 2\sigma^2)` of the total variation distance d of two
histograms (J. You et al., *GraphRNN*, ICML 2018; R. Liao et al., *GRAN*, NeurIPS 2019), and how many samples are trees,
or connected and planar.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import networkx
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from sympe.graphs import Graphs, to_networkx
from sympe_experiments.molecules.chemistry import Written
from sympe_experiments.molecules.features import VALENCE

#: Graphs whose pairwise distances are taken, at most: they grow with the square.
_MOST_COMPARED = 500

#: Bins in a histogram of a property.
_BINS = 30

#: Values of every property of some molecules, by its name.
Properties = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Reference:
    """What samples of molecules are compared with.

    Attributes:
        known: SMILES of the training set.
        properties: Properties of test molecules.
    """

    known: set[str]
    properties: Properties


def molecule_metrics(
    graphs: Graphs, written: Sequence[Written], elements: Sequence[str], known: set[str], hydrogens: bool
) -> dict[str, float | int | None]:
    """All measurements of samples of molecules except their properties.

    Args:
        graphs: The samples.
        written: What they are as molecules.
        elements: Names of kinds of nodes.
        known: SMILES of the training set.
        hydrogens: Whether hydrogens are nodes.
    """
    valid = [one.smiles for one in written if one.smiles is not None]
    different = set(valid)
    atoms, molecules = stability(graphs, elements, hydrogens)
    return {
        "valid_percent": _percent(len(valid), len(written)),
        "unique_percent": _percent(len(different), len(valid)),
        "novel_percent": _percent(len(different - known), len(different)),
        "connected_percent": _percent(sum(one.connected for one in written), len(written)),
        "atoms_stable_percent": atoms,
        "molecules_stable_percent": molecules,
    }


def property_distances(ours: Properties, theirs: Properties) -> dict[str, float | int | None]:
    """1-Wasserstein distance of each property; None if one side has no molecules."""
    return {
        f"{name}_distance": float(wasserstein_distance(ours[name], values)) if ours[name] and values else None
        for name, values in theirs.items()
    }


def property_histograms(
    ours: Properties, theirs: Properties
) -> dict[str, tuple[list[float], list[float], list[float]]]:
    """Edges of the bins of each property, and the shares of our molecules and of theirs in them.

    The bins span the values of theirs; values beyond count in the outermost bins. Without molecules shares are 0.
    """
    found = {}
    for name, values in theirs.items():
        whole = name == "rings"
        edges = np.arange(max(values, default=0) + 2) - 0.5 if whole else np.histogram_bin_edges(values, _BINS)
        shares = (
            np.histogram(np.clip(part, edges[0], edges[-1]), edges)[0] / max(len(part), 1)
            for part in (ours[name], values)
        )
        found[name] = (edges.tolist(), *(share.tolist() for share in shares))
    return found


def stability(graphs: Graphs, elements: Sequence[str], hydrogens: bool) -> tuple[float, float]:
    """Per cent of atoms, and of molecules, whose bonds add up as they should."""
    assert graphs.node_label is not None
    assert graphs.edge_label is not None
    bonds = torch.zeros_like(graphs.batch).index_add(0, graphs.edge_index[1], graphs.edge_label)
    usual = torch.tensor([VALENCE.get(name, 0) for name in elements])[graphs.node_label]
    stable = bonds == usual if hydrogens else bonds <= usual
    failing = torch.bincount(graphs.batch[~stable], minlength=len(graphs))
    return _percent(int(stable.sum()), len(stable)), _percent(int((failing == 0).sum()), len(graphs))


def graph_metrics(samples: Graphs, test: Graphs) -> dict[str, float | int | None]:
    """All measurements of samples of plain graphs."""
    ours, theirs = (to_networkx(_first(part)) for part in (samples, test))
    found: dict[str, float | int | None] = {}
    for name, (describe, width) in _DESCRIPTIONS.items():
        found[f"{name}_mmd"] = discrepancy([describe(g) for g in ours], [describe(g) for g in theirs], width)
    whole = to_networkx(samples)
    connected = [len(g) > 0 and networkx.is_connected(g) for g in whole]
    planar = [is_one and networkx.check_planarity(g)[0] for g, is_one in zip(whole, connected, strict=True)]
    tree = [is_one and g.number_of_edges() == len(g) - 1 for g, is_one in zip(whole, connected, strict=True)]
    found["connected_percent"] = _percent(sum(connected), len(whole))
    found["planar_percent"] = _percent(sum(planar), len(whole))
    found["tree_percent"] = _percent(sum(tree), len(whole))
    return found


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


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0

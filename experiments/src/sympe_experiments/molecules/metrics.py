r"""How good samples of molecules are, in per cent, after C. Vignac et al., *DiGress*, ICLR 2023:

- *valid*: of all samples, those that RDKit's sanitization accepts as a whole;
- *unique*: of the valid ones, how many different SMILES there are (of the largest fragment of each);
- *novel*: of the different ones, those that are not in the training set;
- *atoms stable*: atoms whose bonds add up to the usual valence of their element (to at most that where hydrogens are
  left out); *molecules stable*: those of which all atoms are;
- histograms of logP, QED and the number of rings of valid samples, and their 1-Wasserstein distances from those of
  the test set;
- the Fréchet ChemNet distance of valid samples to the test set, see :mod:`~sympe_experiments.molecules.chemnet`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import wasserstein_distance

from sympe.graphs import Graphs
from sympe_experiments.molecules.chemistry import Written
from sympe_experiments.molecules.features import VALENCE

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
        "valid_percent": percent(len(valid), len(written)),
        "unique_percent": percent(len(different), len(valid)),
        "novel_percent": percent(len(different - known), len(different)),
        "connected_percent": percent(sum(one.connected for one in written), len(written)),
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
    return percent(int(stable.sum()), len(stable)), percent(int((failing == 0).sum()), len(graphs))


def percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0

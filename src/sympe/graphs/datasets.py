"""Common data sets: random graphs, which are generated here, and others, which are read from a folder.

The folder is ``root`` or, by default, the environment variable ``SYMPE_DATA``. It holds ``qm9.npz``, ``planar.npz``
and so on, in the layout of :mod:`sympe.graphs.npz`.

QM9 lists the atoms of a molecule in a canonical order. Permute the nodes before use: comparing a model that sees this
order with one that does not would be unfair.
"""

import os
import random
from pathlib import Path

from jaxtyping import Bool
from torch import Tensor

from sympe.graphs.batch import Graphs
from sympe.graphs.convert import from_networkx
from sympe.graphs.files import read

QM9_ELEMENTS = ("H", "C", "N", "O", "F")
GRAPH_SETS = ("planar", "sbm", "tree", "community_small")


def load_qm9(root: str | os.PathLike[str] | None = None, split: str | None = None, *, hydrogens: bool = True) -> Graphs:
    """The molecules of QM9 (Ramakrishnan, Dral, Rupp, von Lilienfeld, Sci. Data 1, 140022, 2014).

    Node labels are indices into ``QM9_ELEMENTS``; edge labels are bond orders, 1 to 3.

    Args:
        root: The folder that holds ``qm9.npz``, or a file of molecules in its layout.
        split: One of ``train``, ``validation``, ``test``; by default all molecules.
        hydrogens: Whether hydrogen atoms are nodes. Without them the heavy atoms and the bonds between them keep
            their labels, and a molecule without heavy atoms is dropped (QM9 has none).

    Raises:
        ValueError: If the file is missing or unreadable, or the molecules have no elements.
    """
    path = find("qm9", root)
    graphs = read(path, split)
    if hydrogens:
        return graphs
    if graphs.node_label is None:
        raise ValueError(f"{path}: expected molecules with elements to take hydrogens out of; got plain graphs")
    heavy, _ = induced(graphs, graphs.node_label != QM9_ELEMENTS.index("H"))
    return heavy.select(heavy.sizes.nonzero()[:, 0])


def load_graph_set(name: str, root: str | os.PathLike[str] | None = None, split: str | None = None) -> Graphs:
    """One of ``GRAPH_SETS``, synthetic graphs on which generative models are commonly evaluated.

    Planar, sbm and tree: Bergmeister, Martinkus, Perraudin, Wattenhofer, *Efficient and Scalable Graph Generation
    through Iterative Local Expansion*, ICLR 2024. Community-small (which has no split): Martinkus, Loukas,
    Perraudin, Wattenhofer, *SPECTRE*, ICML 2022.

    Args:
        name: Which set.
        root: The folder that holds ``<name>.npz``, or the file itself.
        split: One of ``train``, ``validation``, ``test``; by default all graphs.

    Raises:
        ValueError: If there is no such set, or its file is missing or unreadable.
    """
    if name not in GRAPH_SETS:
        raise ValueError(f"name must be one of {', '.join(GRAPH_SETS)}; got {name!r}")
    return read(find(name, root), split)


def erdos_renyi(split: str, count: int | None = None) -> Graphs:
    """Random graphs :math:`G(n, 1/4)`, with n cycling through 7..16.

    V. G. Satorras, E. Hoogeboom, M. Welling, *E(n) equivariant graph neural networks*, ICML 2021.

    Args:
        split: ``train`` (5000 graphs), ``validation`` (500) or ``test`` (500).
        count: Number of graphs, if different; the sequence stays the same.
    """
    import networkx

    seed, total = {"train": (0, 5000), "validation": (1, 500), "test": (2, 500)}[split]
    rng = random.Random(seed)
    sizes = [7 + i % 10 for i in range(total if count is None else count)]
    return from_networkx([networkx.gnp_random_graph(n, 0.25, seed=rng) for n in sizes])


def find(name: str, root: str | os.PathLike[str] | None = None) -> Path:
    """The file of a data set.

    Raises:
        ValueError: If no folder is named, or the file is missing.
    """
    given = os.environ.get("SYMPE_DATA") if root is None else root
    if not given:
        raise ValueError(f"{name} needs its data: name the folder of {name}.npz as root or in SYMPE_DATA")
    path = Path(given).expanduser()
    if path.is_file() and root is not None:
        return path
    if not (path / f"{name}.npz").is_file():
        raise ValueError(f"expected {name}.npz in the folder {path}; there is none: name another in SYMPE_DATA")
    return path / f"{name}.npz"


def induced(graphs: Graphs, nodes: Bool[Tensor, "N"]) -> tuple[Graphs, Bool[Tensor, "E"]]:
    """The subgraphs on some nodes, each in its graph's place even if it has none, and which edges they keep."""
    source, target = graphs.edge_index
    edges = nodes[source] & nodes[target]
    kept = Graphs(
        edge_index=(nodes.cumsum(0) - 1)[graphs.edge_index[:, edges]],
        batch=graphs.batch[nodes],
        node_label=None if graphs.node_label is None else graphs.node_label[nodes],
        edge_label=None if graphs.edge_label is None else graphs.edge_label[edges],
        x=None if graphs.x is None else graphs.x[nodes],
        num_graphs=len(graphs),
    )
    return kept, edges

"""Common data sets: random graphs that are made here, and others that are read from a folder that the user names.

The folder is ``root`` if it is given, else the environment variable ``SYMPE_DATA``. It holds ``qm9.npz``,
``planar.npz`` and so on, in the layout of :mod:`sympe.graphs.npz`.

The order of QM9's atoms is canonical in the file: a model that can see it must not be compared with one that
cannot. Permute the nodes before use.
"""

import os
import random
from pathlib import Path

from sympe.graphs.batch import Graphs
from sympe.graphs.convert import from_networkx
from sympe.graphs.files import read

QM9_ELEMENTS = ("H", "C", "N", "O", "F")
GRAPH_SETS = ("planar", "sbm", "tree", "community_small")


def load_qm9(root: str | os.PathLike[str] | None = None, split: str | None = None, *, hydrogens: bool = True) -> Graphs:
    """The molecules of QM9 (Ramakrishnan, Dral, Rupp, von Lilienfeld, Sci. Data 1, 140022, 2014).

    A node's label is its element's place in ``QM9_ELEMENTS``; an edge's label is the order of the bond, 1 to 3.

    Args:
        root: The folder that holds ``qm9.npz``, or a file of molecules in its layout.
        split: One of ``train``, ``validation``, ``test``; all molecules if left out.
        hydrogens: Whether hydrogen atoms are nodes. Without them only heavy atoms and the bonds between them
            stay, with the same labels; a molecule without heavy atoms is left out (QM9 has none).

    Raises:
        ValueError: If the file is not there or cannot be read, or the molecules have no elements.
    """
    path = find("qm9", root)
    graphs = read(path, split)
    if hydrogens:
        return graphs
    if graphs.node_label is None:
        raise ValueError(f"{path}: expected molecules with elements to take hydrogens out of; got plain graphs")
    return _without_nodes(graphs, QM9_ELEMENTS.index("H"))


def load_graph_set(name: str, root: str | os.PathLike[str] | None = None, split: str | None = None) -> Graphs:
    """A set of synthetic graphs, common for judging generative models: one of ``GRAPH_SETS``.

    Planar, sbm and tree: Bergmeister, Martinkus, Perraudin, Wattenhofer, *Efficient and Scalable Graph Generation
    through Iterative Local Expansion*, ICLR 2024. Community-small (which has no split): Martinkus, Loukas,
    Perraudin, Wattenhofer, *SPECTRE*, ICML 2022.

    Args:
        name: Which set.
        root: The folder that holds ``<name>.npz``, or the file itself.
        split: One of ``train``, ``validation``, ``test``; all graphs if left out.

    Raises:
        ValueError: If there is no such set, or its file is not there or cannot be read.
    """
    if name not in GRAPH_SETS:
        raise ValueError(f"name must be one of {', '.join(GRAPH_SETS)}; got {name!r}")
    return read(find(name, root), split)


def erdos_renyi(split: str, count: int | None = None) -> Graphs:
    """Random graphs :math:`G(n, 1/4)` with n running over 7..16.

    V. G. Satorras, E. Hoogeboom, M. Welling, *E(n) equivariant graph neural networks*, ICML 2021.

    Args:
        split: ``train`` (5000 graphs), ``validation`` (500) or ``test`` (500).
        count: The first so many instead.
    """
    import networkx

    seed, total = {"train": (0, 5000), "validation": (1, 500), "test": (2, 500)}[split]
    rng = random.Random(seed)
    sizes = [7 + i % 10 for i in range(total if count is None else count)]
    return from_networkx([networkx.gnp_random_graph(n, 0.25, seed=rng) for n in sizes])


def find(name: str, root: str | os.PathLike[str] | None = None) -> Path:
    """The file of a data set.

    Raises:
        ValueError: If no folder is named, or the file is not there.
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


def _without_nodes(graphs: Graphs, label: int) -> Graphs:
    """The graphs without the nodes of one label, their edges, and the graphs that have no other nodes."""
    assert graphs.node_label is not None
    nodes = graphs.node_label != label
    source, target = graphs.edge_index
    edges = nodes[source] & nodes[target]
    kept_graphs, batch = graphs.batch[nodes].unique_consecutive(return_inverse=True)
    return Graphs(
        edge_index=(nodes.cumsum(0) - 1)[graphs.edge_index[:, edges]],
        batch=batch,
        node_label=graphs.node_label[nodes],
        edge_label=None if graphs.edge_label is None else graphs.edge_label[edges],
        x=None if graphs.x is None else graphs.x[nodes],
        num_graphs=len(kept_graphs),
    )

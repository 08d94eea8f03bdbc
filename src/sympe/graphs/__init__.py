"""The library's graph type, and conversions to and from it."""

from sympe.graphs.batch import Graphs, concatenate
from sympe.graphs.bliss import automorphism_orbits, colored_graphs
from sympe.graphs.convert import (
    from_dense,
    from_edges,
    from_networkx,
    from_sets,
    to_dense,
    to_networkx,
    to_padded,
)
from sympe.graphs.datasets import erdos_renyi, load_graph_set, load_qm9
from sympe.graphs.files import read, write
from sympe.graphs.graph6 import from_graph6, to_graph6
from sympe.graphs.inputs import as_graphs
from sympe.graphs.molecules import from_molecules
from sympe.graphs.pyg import from_pyg, to_pyg
from sympe.graphs.spectrum import Spectrum, laplacian_spectrum

__all__ = [
    "Graphs",
    "Spectrum",
    "as_graphs",
    "automorphism_orbits",
    "colored_graphs",
    "concatenate",
    "erdos_renyi",
    "from_dense",
    "from_edges",
    "from_graph6",
    "from_molecules",
    "from_networkx",
    "from_pyg",
    "from_sets",
    "laplacian_spectrum",
    "load_graph_set",
    "load_qm9",
    "read",
    "to_dense",
    "to_graph6",
    "to_networkx",
    "to_padded",
    "to_pyg",
    "write",
]

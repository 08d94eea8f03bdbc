"""Speed of exact labeling, counting, refinement and Laplacian encodings of graphs, each beside the best peer.

Run with one thread: ``OMP_NUM_THREADS=1 python benchmarks/graphs.py``; ``--quick`` takes smaller graphs, ``--only``
some of the tables. QM9 is left out without ``SYMPE_DATA``. Peers: Traces (:mod:`peers`), which tells the mean of three
runs, and so do ours beside it; igraph with all lists made beforehand, ARPACK through scipy, and PyG.
"""

import os
from collections.abc import Callable

import numpy as np
import torch

from inputs import cfi, copies, diamond, grid, regular, sparse, tree, undirected
from peers import times_of, traces
from sympe import Graphs
from sympe.actions import GraphRelabeling
from sympe.breaking import Laplacian
from sympe.canonicalize import Labeling, Refinement
from sympe.graphs import bliss, to_pyg
from sympe.graphs.coloring import encoded
from sympe.graphs.datasets import load_qm9
from timing import Missing, Table, interleave, mean_of, run_tables

#: Bonds and elements of aspirin, C9H8O4, with its hydrogens.
BONDS = [
    *[(0, 1), (1, 2), (1, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (8, 9), (9, 4), (9, 10), (10, 11), (10, 12)],
    *[(0, 13), (0, 14), (0, 15), (5, 16), (6, 17), (7, 18), (8, 19), (12, 20)],
]
ELEMENTS = [6, 6, 8, 8, 6, 6, 6, 6, 6, 6, 6, 8, 8, 1, 1, 1, 1, 1, 1, 1, 1]

Runs = dict[str, Callable[[], object]]


def star(nodes: int) -> Graphs:
    return undirected(np.stack([np.arange(1, nodes), np.zeros(nodes - 1)], 1), nodes)


def complete(nodes: int) -> Graphs:
    return undirected(np.stack(np.triu_indices(nodes, 1), 1), nodes)


def caterpillar(nodes: int) -> Graphs:
    spine = np.arange(nodes // 2)
    return undirected(
        np.concatenate([np.stack([spine[:-1], spine[1:]], 1), np.stack([spine, spine + nodes // 2], 1)]), nodes
    )


def turns(graph: Graphs, repeats: int) -> int:
    """Small graphs, whose times scatter, are measured more often."""
    return max(repeats, 9) if graph.num_edges < 20_000 else repeats


def beside_traces(name: str, inputs: dict[str, Callable[[], Graphs]], repeats: int) -> Table:
    """Canonical orders and orders of groups, beside Traces."""
    table = Table(name, "seconds per graph")
    for name, make in inputs.items():
        x = make()
        runs: Runs = {
            f"{name}: Traces": traces(x),
            f"{name}: Labeling": mean_of(lambda x=x: Labeling()(x), times_of(x)),
            f"{name}: log_automorphisms": mean_of(lambda x=x: bliss.log_automorphisms(x), times_of(x)),
        }
        table.add_times(interleave(runs, turns(x, repeats)), relative_to=f"{name}: Traces")
        table.write()  # an end in between loses little
    return table


def closed_forms(n: int, repeats: int) -> Table:
    """Graphs whose groups have closed forms."""
    inputs: dict[str, Callable[[], Graphs]] = {
        f"random tree, {n:,} nodes": lambda: tree(n),
        f"star, {n:,} nodes": lambda: star(n),
        f"{n:,} isolated nodes": lambda: undirected(np.zeros((0, 2)), n),
        f"complete graph, {n // 100:,} nodes": lambda: complete(n // 100),
        f"{n // 21:,} molecules of aspirin": lambda: copies(np.array(BONDS), np.array(ELEMENTS), n // 21),
    }
    return beside_traces("graphs_closed_forms", inputs, repeats)


def thousands(n: int, repeats: int) -> Table:
    """The same by the thousand nodes."""
    inputs: dict[str, Callable[[], Graphs]] = {
        f"star, {n:,} nodes": lambda: star(n),
        f"{n:,} isolated nodes": lambda: undirected(np.zeros((0, 2)), n),
        f"complete graph, {n:,} nodes": lambda: complete(n),
    }
    return beside_traces("graphs_thousands", inputs, repeats)


def random(n: int, repeats: int) -> Table:
    """Sparse random graphs."""
    inputs: dict[str, Callable[[], Graphs]] = {
        f"random graph, {n:,} nodes, twice as many edges": lambda: sparse(n, 2 * n),
        f"random graph, {n:,} nodes, five times as many edges": lambda: sparse(n, 5 * n),
    }
    return beside_traces("graphs_random", inputs, repeats)


def crystals(n: int, repeats: int) -> Table:
    """Grids and crystals: few symmetries or many, and no end near."""
    cells = round((n / 8) ** (1 / 3))
    inputs: dict[str, Callable[[], Graphs]] = {
        f"grid, {n:,} nodes": lambda: grid(round(n**0.5), round(n**0.5)),
        f"diamond crystal, {8 * cells**3:,} atoms": lambda: diamond(cells),
    }
    return beside_traces("graphs_crystals", inputs, repeats)


def cfi_graphs(n: int, repeats: int) -> Table:
    """Graphs that refinement does not split."""
    inputs = {f"CFI graph, {m:,} nodes": lambda m=m: cfi(m) for m in (n // 10, n // 4, n // 2, n)}
    return beside_traces("graphs_cfi", inputs, repeats)


def molecules(count: int, repeats: int) -> Table:
    """Molecules of QM9 with all hydrogens, elements and types of bonds as labels."""
    import igraph

    generator, action = torch.Generator().manual_seed(0), GraphRelabeling()
    every = load_qm9(None)
    x = every.select(torch.randperm(len(every), generator=generator)[:count])
    x = action.act(action.group.haar(x, generator), x)
    lists = [(one.graph.vcount(), one.graph.get_edgelist(), one.color) for one in encoded(x)]
    runs: Runs = {
        "igraph, counting, lists ready": lambda: [igraph.Graph(n, e).count_automorphisms(color=c) for n, e, c in lists],
        "count_automorphisms": lambda: bliss.count_automorphisms(x),
        "Labeling": lambda: Labeling()(x),
        "Refinement": lambda: Refinement()(x),
    }
    times = {name: [1e6 * t / count for t in ts] for name, ts in interleave(runs, repeats).items()}
    table = Table("graphs_molecules", f"microseconds per molecule; {count:,} of QM9 with hydrogens")
    speed = {name: {"molecules_per_s": round(1e6 / float(np.median(ts)))} for name, ts in times.items()}
    table.add_times(times, relative_to="igraph, counting, lists ready", more=speed)
    return table


def arpack(graph: Graphs, count: int, inverse: bool) -> Callable[[], object]:
    """ARPACK at its default accuracy; with ``inverse`` it multiplies with a factorized inverse."""
    from scipy.sparse import csr_array, diags
    from scipy.sparse.linalg import eigsh

    n, (source, target) = graph.num_nodes, graph.edge_index.numpy()

    def run() -> object:
        joined = csr_array((np.ones(len(source)), (source, target)), shape=(n, n))
        laplacian = (diags(np.asarray(joined.sum(1)).ravel()) - joined).tocsc()
        how = {"sigma": -1e-6, "which": "LM"} if inverse else {"which": "SA"}
        return eigsh(laplacian, count + 1, **how)

    return run


def laplacian(n: int, repeats: int) -> Table:
    """The four lowest vectors of one large graph, beside ARPACK: of its two ways the one that is faster there."""
    table, side = Table("graphs_laplacian", "seconds per graph, four vectors"), round(n**0.5)
    inputs: dict[str, tuple[Graphs, bool]] = {
        f"4-regular, {n // 40:,} nodes": (regular(n // 40), False),
        f"grid, {n // 40:,} nodes": (grid(round((n / 40) ** 0.5), round((n / 40) ** 0.5)), True),
        f"path, {n:,} nodes": (grid(n), True),
        f"random tree, {n:,} nodes": (tree(n), True),
        f"grid, {n:,} nodes": (grid(side, side), True),
        f"4-regular, {n:,} nodes": (regular(n), False),
    }
    for name, (x, inverse) in inputs.items():
        runs: Runs = {f"{name}: ARPACK": arpack(x, 4, inverse), f"{name}: Laplacian": lambda x=x: Laplacian(4)(x)}
        table.add_times(interleave(runs, turns(x, repeats)), relative_to=f"{name}: ARPACK")
        table.write()
    return table


def one_by_one(count: int, repeats: int) -> Table:
    """Laplacian encodings of molecules, one graph at a time, as transforms of PyG; labeling beside it."""
    from torch_geometric.data import Data
    from torch_geometric.transforms import AddLaplacianEigenvectorPE

    from sympe.integrations.pyg import AddLaplacianPE

    x, tau = load_qm9(None).select(range(50_000, 50_000 + count)), Labeling()
    listed, parts = to_pyg(x).to_data_list(), x.split()
    data = [Data(edge_index=one.edge_index, num_nodes=one.num_nodes) for one in listed]
    transforms = {
        "PyG, AddLaplacianEigenvectorPE": AddLaplacianEigenvectorPE(4, is_undirected=True),
        "AddLaplacianPE": AddLaplacianPE(4),
    }
    runs: Runs = {name: lambda add=add: [add(one) for one in data] for name, add in transforms.items()}
    runs["Labeling"] = lambda: [tau(one) for one in parts]
    times = {name: [1e6 * t / count for t in ts] for name, ts in interleave(runs, repeats).items()}
    table = Table("graphs_one_by_one", f"microseconds per graph; {count:,} molecules, one at a time")
    table.add_times(times, relative_to="PyG, AddLaplacianEigenvectorPE")
    return table


def refinement(n: int, repeats: int) -> Table:
    """Refinement of graphs whose diameter is about their size; of ten times as many nodes in one turn."""
    table = Table("graphs_refinement", "seconds per graph")
    for size, turns in ((n, repeats), (10 * n, 1)):
        inputs = {
            f"path, {size:,} nodes": grid(size),
            f"caterpillar, {size:,} nodes": caterpillar(size),
            f"grid, {size:,} nodes": grid(round(size**0.5), round(size**0.5)),
            f"random tree, {size:,} nodes": tree(size),
        }
        table.add_times(interleave({name: lambda x=x: Refinement()(x) for name, x in inputs.items()}, turns))
    return table


def batches(count: int, repeats: int) -> Table:
    """Taking one graph out of a batch, and all of them: microseconds per graph that comes out, at three sizes."""
    table = Table("graphs_batches", "microseconds per graph taken; batches of graphs of 18 nodes")
    for size in (count // 16, count // 4, count):
        ring = np.stack([np.arange(18), (np.arange(18) + 1) % 18], 1)
        one = undirected(ring, 18)
        node = 18 * torch.arange(size)
        edges = (one.edge_index[:, None] + node[None, :, None]).reshape(2, -1)
        x = Graphs(edges, torch.arange(size).repeat_interleave(18), num_graphs=size).validate()
        picked = range(0, size, max(size // 1000, 1))
        x.select([0])
        runs: Runs = {
            f"select of one of {size:,}": lambda x=x, picked=picked: [x.select([i]) for i in picked],
            f"split of {size:,}": x.split,
            f"to_pyg of {size:,}": lambda x=x: to_pyg(x),
        }
        taken = {name: len(picked) if name.startswith("select") else size for name in runs}
        times = interleave(runs, repeats)
        table.add_times({name: [1e6 * t / taken[name] for t in ts] for name, ts in times.items()})
    return table


#: Each table, with its size, its size where it has to be quick, and turns.
TABLES: dict[str, tuple[Callable[[int, int], Table], int, int, int]] = {
    "closed_forms": (closed_forms, 100_000, 10_000, 3),
    "thousands": (thousands, 2_000, 500, 2),
    "random": (random, 100_000, 10_000, 3),
    "crystals": (crystals, 100_000, 10_000, 3),
    "cfi": (cfi_graphs, 2_000, 400, 3),
    "molecules": (molecules, 4_000, 1_000, 5),
    "laplacian": (laplacian, 100_000, 10_000, 2),
    "one_by_one": (one_by_one, 250, 100, 5),
    "refinement": (refinement, 100_000, 10_000, 3),
    "batches": (batches, 16_000, 1_600, 3),
}

#: Those that measure on QM9.
NEED_DATA = ("molecules", "one_by_one")


def measure(name: str, quick: bool) -> Table:
    if name in NEED_DATA and "SYMPE_DATA" not in os.environ:
        raise Missing("qm9.npz in the folder SYMPE_DATA")
    make, size, small, repeats = TABLES[name]
    return make(small if quick else size, repeats)


if __name__ == "__main__":
    run_tables(__doc__, TABLES, measure)

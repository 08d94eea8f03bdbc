"""Speed of the audit on molecules of QM9 with explicit hydrogens: exact orders of their automorphism groups.

Run with one thread: ``OMP_NUM_THREADS=1 python benchmarks/audit.py --data FOLDER``. All rows are measured in turns.

- ``orders``: an audit without a target; ``node targets``: with elements as targets, which takes orbits as well.
- ``one at a time``: the same orders from the library, one batch per molecule.
- ``networkx, igraph``: what one writes by hand: a networkx graph per molecule, its bonds subdivided and colored by
  type, given to igraph.
- ``networkx, heavy atoms``: its own search for isomorphisms; with hydrogens it would list up to millions.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import median

import igraph
import networkx
import torch
from networkx.algorithms.isomorphism import GraphMatcher, categorical_edge_match, categorical_node_match

import sympe
from sympe import Graphs
from sympe.graphs import colored_graphs, load_qm9, to_networkx
from timing import Table, interleave


def by_hand(graph: networkx.Graph) -> int:
    """Order of the automorphism group, with each bond as a node of its own."""
    nodes = list(graph)
    place = {node: i for i, node in enumerate(nodes)}
    color = [graph.nodes[node]["label"] for node in nodes]
    edges = []
    for u, v, data in graph.edges(data=True):
        edges += [(place[u], len(color)), (len(color), place[v])]
        color.append(100 + data["label"])
    return int(igraph.Graph(len(color), edges).count_automorphisms(color=color))


def by_search(graph: networkx.Graph) -> int:
    """The same by listing all automorphisms."""
    match = {"node_match": categorical_node_match("label", 0), "edge_match": categorical_edge_match("label", 0)}
    return sum(1 for _ in GraphMatcher(graph, graph, **match).isomorphisms_iter())


def orders(graphs: Graphs) -> list[int]:
    return [row["stabilizer_order"] for row in sympe.audit(graphs).samples()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of qm9.npz; SYMPE_DATA if left out")
    parser.add_argument("--molecules", type=int, default=4000, help="size of the sample")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each row, in turns")
    args = parser.parse_args()
    torch.set_num_threads(1)

    generator = torch.Generator().manual_seed(0)
    everything = load_qm9(args.data)
    molecules = everything.select(torch.randperm(len(everything), generator=generator)[: args.molecules])
    heavy = load_qm9(args.data, hydrogens=False).select(torch.arange(args.molecules // 10))
    bare = Graphs(molecules.edge_index, molecules.batch, edge_label=molecules.edge_label)
    elements = molecules.node_label
    drawn, small = to_networkx(molecules), to_networkx(heavy)
    assert orders(molecules) == [by_hand(graph) for graph in drawn]
    assert orders(heavy) == [by_search(graph) for graph in small]

    alone = [molecules.select([i]) for i in range(len(molecules) // 10)]

    def one_at_a_time() -> None:
        for molecule in alone:
            next(colored_graphs(molecule)).count_automorphisms()

    runs: dict[str, tuple[int, Callable[[], object]]] = {
        "orders": (len(molecules), lambda: sympe.audit(molecules)),
        "node targets": (len(molecules), lambda: sympe.audit(bare, target=elements)),
        "one at a time": (len(alone), one_at_a_time),
        "networkx, igraph": (len(molecules), lambda: [by_hand(graph) for graph in to_networkx(molecules)]),
        "networkx, heavy atoms": (len(heavy), lambda: [by_search(graph) for graph in to_networkx(heavy)]),
    }
    times = interleave({name: run for name, (_, run) in runs.items()}, args.repeats)
    each = {name: [1e6 * t / runs[name][0] for t in ts] for name, ts in times.items()}
    speed = {name: {"molecules_per_s": round(1e6 / median(ts))} for name, ts in each.items()}
    table = Table("audit", f"microseconds per molecule; {len(molecules)} of QM9, one core")
    table.add_times(each, relative_to="orders", more=speed)
    table.print()
    print(f"written to {table.write()}")


if __name__ == "__main__":
    main()

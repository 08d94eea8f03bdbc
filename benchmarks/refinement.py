"""Speed of color refinement: batches of small graphs, symmetric graphs of many parts, and one large sparse graph.

Run with one thread: ``OMP_NUM_THREADS=1 python benchmarks/refinement.py --data FOLDER``. Each table is measured in
turns. Without QM9 (neither ``--data`` nor SYMPE_DATA) its row is left out.

The large graphs have edges drawn uniformly, listed in random order; ``ns_per_edge`` counts an undirected edge once.
Memory is the most that the process has held up to that row, the graph itself included; rows come by size.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median

import networkx
import torch

from sympe import Graphs
from sympe.canonicalize import Refinement
from sympe.graphs import from_networkx
from sympe.graphs.datasets import load_qm9
from timing import Table, interleave, peak_memory

SIZES = ((10**5, 10**6), (10**6, 10**6), (10**6, 5 * 10**6), (10**6, 10**7))


def sparse_graph(nodes: int, edges: int, generator: torch.Generator) -> Graphs:
    """A graph of that many distinct random edges."""
    keys = torch.zeros(0, dtype=torch.long)
    while len(keys) < edges:
        ends = torch.randint(nodes, (2, edges), generator=generator)
        ends = ends[:, ends[0] != ends[1]].sort(0).values
        keys = torch.cat([keys, ends[0] * nodes + ends[1]]).unique()
    keys = keys[torch.randperm(len(keys), generator=generator)[:edges]]
    edge_index = torch.stack([keys // nodes, keys % nodes])
    return Graphs(torch.cat([edge_index, edge_index.flip(0)], dim=1), torch.zeros(nodes, dtype=torch.long))


def batches(data: Path | None, generator: torch.Generator) -> dict[str, Graphs]:
    """Batches, each with a name that tells its size."""
    random = Random(0)
    small = [networkx.gnp_random_graph(7 + i % 10, 0.25, seed=random) for i in range(2000)]
    made = {
        "2,000 graphs G(n, 1/4), n = 7..16": from_networkx(small),
        "one graph of 1,000 hexagons": from_networkx([networkx.disjoint_union_all([networkx.cycle_graph(6)] * 1000)]),
        "torus of 100 x 100": from_networkx([networkx.grid_2d_graph(100, 100, periodic=True)]),
        "complete graph of 300": from_networkx([networkx.complete_graph(300)]),
    }
    if data is not None or "SYMPE_DATA" in os.environ:
        molecules = load_qm9(data)
        made["10,000 molecules of QM9"] = molecules.select(torch.randperm(len(molecules), generator=generator)[:10000])
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of qm9.npz; SYMPE_DATA if left out")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each row, in turns")
    parser.add_argument("--most-edges", type=int, default=10**7, help="leave larger graphs out")
    args = parser.parse_args()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    refinement = Refinement()

    def canonicalize(graphs: Graphs) -> Callable[[], object]:
        return lambda: refinement(graphs)

    small = batches(args.data, generator)
    times = interleave({name: canonicalize(graphs) for name, graphs in small.items()}, args.repeats)
    table = Table("refinement_batches", "ms per batch")
    table.add_times(
        {name: [1e3 * t for t in ts] for name, ts in times.items()},
        more={name: {"us_per_graph": 1e6 * median(ts) / len(small[name])} for name, ts in times.items()},
    )
    table.print()
    print(f"written to {table.write()}")

    sizes = [(nodes, edges) for nodes, edges in SIZES if edges <= args.most_edges]
    names = {size: f"{size[0]:,} nodes, {size[1]:,} edges" for size in sizes}
    large: dict[str, Graphs] = {}
    memory: dict[str, float] = {}
    for size, name in names.items():
        large[name] = sparse_graph(*size, generator)
        refinement(large[name])
        memory[name] = peak_memory()
    times = interleave({name: canonicalize(graphs) for name, graphs in large.items()}, args.repeats)
    table = Table("refinement_sparse", "s per graph")
    more = {
        name: {"ns_per_edge": 1e9 * median(times[name]) / edges, "peak_MB": round(memory[name])}
        for (_, edges), name in names.items()
    }
    table.add_times(times, relative_to=next(iter(times)), more=more)
    table.print()
    print(f"written to {table.write()}")


if __name__ == "__main__":
    main()

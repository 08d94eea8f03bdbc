"""Speed of canonical labeling on molecules of QM9: explicit hydrogens, elements and types of bonds as labels.

Run with one thread: ``OMP_NUM_THREADS=1 python benchmarks/labeling.py --data FOLDER``. The molecules are drawn from
the whole set (its first ones are small) and stored in random order. All rows are measured in turns.

- ``build``: write the molecules as colored graphs of igraph; ``bliss``: canonicalize these.
- ``Labeling``: both, and the permutations. ``kernel``: a draw of g~ by ``InversionKernel(Labeling())``, which
  relabels the molecules first.
- ``Refinement``: the canonicalizer without bliss, on the same molecules.
- ``pynauty``, if it is installed: build and canonicalize the same colored graphs.
"""

import argparse
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import torch

from sympe import Graphs, InversionKernel
from sympe.actions import GraphRelabeling
from sympe.canonicalize import Labeling, Refinement
from sympe.graphs import colored_graphs
from sympe.graphs.datasets import load_qm9
from timing import Table, interleave, peak_memory


def sample(molecules: Graphs, count: int, generator: torch.Generator) -> Graphs:
    """Some of the molecules, each with its atoms in random order."""
    chosen = molecules.select(torch.randperm(len(molecules), generator=generator)[:count])
    action = GraphRelabeling()
    return action.act(action.group.haar(chosen, generator), chosen)


def nauty(graphs: Graphs) -> Callable[[], object]:
    """Build and canonicalize with pynauty; what it reads is prepared beforehand."""
    import pynauty

    prepared = []
    for colored in colored_graphs(graphs):
        neighbors = dict(enumerate(colored.graph.get_adjlist()))
        cells = [{v for v, c in enumerate(colored.color) if c == color} for color in sorted(set(colored.color))]
        prepared.append((colored.graph.vcount(), neighbors, cells))

    def run() -> None:
        for count, neighbors, cells in prepared:
            pynauty.canon_label(pynauty.Graph(count, adjacency_dict=neighbors, vertex_coloring=cells))

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of qm9.npz; SYMPE_DATA if left out")
    parser.add_argument("--molecules", type=int, default=4000, help="size of the sample")
    parser.add_argument("--repeats", type=int, default=9, help="measurements of each row, in turns")
    args = parser.parse_args()
    torch.set_num_threads(1)

    generator = torch.Generator().manual_seed(0)
    molecules = sample(load_qm9(args.data), args.molecules, generator)
    plain = Graphs(molecules.edge_index, molecules.batch, molecules.node_label, num_graphs=len(molecules))
    kernel = InversionKernel(Labeling())
    built = list(colored_graphs(molecules))
    runs: dict[str, Callable[[], object]] = {
        "Labeling": lambda: Labeling()(molecules),
        "  build": lambda: list(colored_graphs(molecules)),
        "  bliss": lambda: [graph.canonical_order() for graph in built],
        "Labeling, no types of bonds": lambda: Labeling()(plain),
        "kernel": lambda: kernel(molecules, generator),
        "Refinement": lambda: Refinement()(molecules),
    }
    if find_spec("pynauty"):
        runs["pynauty"] = nauty(molecules)
    times = interleave(runs, args.repeats)
    in_microseconds = {name: [1e6 * t / len(molecules) for t in ts] for name, ts in times.items()}
    speed = {name: {"molecules_per_s": round(len(molecules) / median(ts))} for name, ts in times.items()}

    title = f"microseconds per molecule; {len(molecules)} of QM9, {molecules.num_nodes / len(molecules):.1f} atoms each"
    table = Table("labeling", title)
    table.add_times(in_microseconds, relative_to="Labeling", more=speed)
    table.print()
    print(f"peak memory {peak_memory():.0f} MB, most of it the data set; written to {table.write()}")


if __name__ == "__main__":
    main()

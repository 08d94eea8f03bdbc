"""Whether equal ranks mean alike things in different instances.

A rank is *comparable* in two instances if the nodes of that rank are of one kind (constraint, variable that places an
item, other variable of the table, variable outside it) and have the same place, by rank, among the nodes of their
orbits. The share is of the ranks of the larger instance, a mean over all pairs of some test instances.

    python -m sympe_experiments.programs.comparability OUT

writes one record for each data set and each of two orders: exact labeling and, for comparison, a random order.
"""

import sys
import time
from itertools import combinations
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from sympe.canonicalize import Constant, Labeling
from sympe.kernel import InversionKernel, Kernel
from sympe_experiments.programs.breaking import orbit_index, places
from sympe_experiments.programs.config import COMPARABILITY, DATA_SETS, NAME, make_config
from sympe_experiments.programs.data import load_splits
from sympe_experiments.programs.instances import Instance
from sympe_experiments.records import FILE_NAME, Record

#: How many test instances are compared.
INSTANCES = 6

ORDERS = {"sympe-labeling": Labeling, "haar": Constant}


def meanings(instance: Instance, kernel: Kernel, generator: torch.Generator) -> Int[Tensor, "N 2"]:
    """Kind and place within its orbit of the node of each rank."""
    kind = torch.zeros(instance.graph.num_nodes, dtype=torch.long)
    kind[: instance.program.num_variables] = 1
    kind[torch.from_numpy(instance.table).flatten()] = 2
    kind[torch.from_numpy(instance.table[: len(instance.packing.sizes)]).flatten()] = 3
    order = torch.argsort(kernel(instance.graph, generator).rank)
    return torch.stack([kind, places(order, orbit_index(instance))], dim=1)[order]


def comparable_percent(kernel: Kernel, instances: list[Instance]) -> float:
    """The share of comparable ranks."""
    generator = torch.Generator().manual_seed(0)
    known = [meanings(instance, kernel, generator) for instance in instances]
    shares = []
    for one, other in combinations(known, 2):
        both = min(len(one), len(other))
        alike = (one[:both] == other[:both]).all(1).sum()
        shares.append(100 * int(alike) / max(len(one), len(other)))
    return sum(shares) / len(shares)


def main(out: Path) -> None:
    """One record per data set and order; finished ones are left."""
    for data in DATA_SETS:
        for method, order in ORDERS.items():
            folder = out / data / COMPARABILITY / method / "seed0"
            if (folder / FILE_NAME).exists():
                continue
            started = time.perf_counter()
            _, test = load_splits(data, 1, INSTANCES)
            metrics = {"comparable_percent": comparable_percent(InversionKernel(order()), test)}
            config = make_config(method, data=data, train=1, test=INSTANCES).as_dict() | {"recipe": COMPARABILITY}
            Record(NAME, method, COMPARABILITY, data, 0, config, dict(metrics), time.perf_counter() - started).write(
                folder
            )
            print(f"{folder}: {metrics}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

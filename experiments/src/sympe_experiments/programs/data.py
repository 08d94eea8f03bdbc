r"""The data sets: balanced item placement, bin packing, steel mill slabs.

- *item-placement*: 105 items in 10 bins with three resources (M. Gasse et al., *The machine learning for combinatorial
  optimization competition (ML4CO)*, 2022), with the best solutions that SCIP found.
- *bin-packing*: 20 items in 20 bins of capacity 100; three in ten sizes are drawn from 81..100, the others from 11..30,
  without repetition; each instance is solved here by HiGHS, to optimality.
- *slabs*: orders of given sizes and colors, cast into slabs of given capacities, at most two colors in each (CSPLib
  problem 38): those orders that twelve random slabs of the best solution that SCIP found hold. Its program is

.. math:: \min \sum_{qs} q\, y_{qs}, \quad \sum_s x_{os} = 1, \quad \sum_q y_{qs} = 1, \quad
          \sum_o w_o x_{os} \le \sum_q q\, y_{qs}, \quad x_{os} \le z_{c(o) s}, \quad \sum_c z_{cs} \le 2 .

Item placement and slabs are read from the folder ``ilp`` in ``SYMPE_DATA``. The first instances, in the order of their
numbers, are for training, the last for testing.
"""

import lzma
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from sympe.compressed import reason_of
from sympe.graphs.archive import Archive
from sympe.programs import Program, read
from sympe.programs.solutions import solve
from sympe_experiments.programs.instances import Instance, Packing
from sympe_experiments.seeding import numpy_generator

Ints = NDArray[np.int64]

#: Bin packing: items, and how many there are instances in all.
ITEMS, INSTANCES = 20, 500
CAPACITY = 100

#: Slabs whose orders make an instance: the whole of 111 orders would have 24,000 variables.
SLABS = 12


def load_splits(data: str, train: int, test: int) -> tuple[list[Instance], list[Instance]]:
    """Instances to train on and to test on.

    Raises:
        ValueError: If the data is missing, or there are fewer instances than asked for.
    """
    names, make = _SETS[data]()
    if train + test > len(names):
        raise ValueError(f"{data} has {len(names)} instances; got train {train} and test {test}")
    return [make(name) for name in names[:train]], [make(name) for name in names[-test:]]


def folder() -> Path:
    """The folder of the programs.

    Raises:
        ValueError: If ``SYMPE_DATA`` does not name one that has it.
    """
    root = os.environ.get("SYMPE_DATA")
    if not root or not (Path(root) / "ilp").is_dir():
        raise ValueError(f"expected a folder ilp with the programs in SYMPE_DATA; got {root or 'nothing'}")
    return Path(root) / "ilp"


def _solutions(name: str, *arrays: str) -> dict[str, NDArray[Any]]:
    """Arrays of a file of solutions."""
    path = folder() / name
    try:
        with Archive(path) as archive:
            return {array: archive.column(array).whole() for array in arrays}
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


@contextmanager
def _packed(name: str) -> Iterator[tarfile.TarFile]:
    """A packed folder of programs."""
    path = folder() / name
    try:
        with tarfile.open(path) as packed:
            yield packed
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError) as error:
        raise ValueError(f"{path}: expected a packed folder of programs; {reason_of(error)}") from error


@cache
def _item_placement() -> tuple[list[str], Callable[[str], Instance]]:
    solved = _solutions("bip_solutions.npz", "instance", "bin_of_item", "objective")
    place = {str(name): k for k, name in enumerate(solved["instance"])}

    @cache
    def make(name: str) -> Instance:
        k = place[name]
        return item_placement(
            name, _placement_programs()[name], solved["bin_of_item"][k], float(solved["objective"][k])
        )

    return sorted(place, key=lambda name: int(name.rpartition("_")[2])), make


@lru_cache
def _placement_programs() -> dict[str, Program]:
    with TemporaryDirectory() as where, _packed("bip_instances.tar.xz") as packed:
        packed.extractall(where, filter="data")
        return {path.stem: read(path) for path in sorted(Path(where).rglob("*.mps"))}


def item_placement(name: str, program: Program, bin_of_item: Ints, objective: float) -> Instance:
    """The instance of a program whose variables ``place_i_j`` put item i into bin j."""
    column = {variable: k for k, variable in enumerate(program.variables)}
    items = range(len(bin_of_item))
    bins = range(1 + max(int(v.rpartition("_")[2]) for v in program.variables if v.startswith("place_")))
    table = np.array([[column[f"place_{i}_{j}"] for j in bins] for i in items])
    row = {constraint: k for k, constraint in enumerate(program.constraints)}
    supply = [k for constraint, k in row.items() if constraint.startswith("supply_ct_0_")]
    sizes = program.matrix[supply][:, table[:, 0]].toarray().T
    packing = Packing(sizes, program.row_upper[supply], _deficits(program, table))
    return Instance(name, program, table, one_hot(bin_of_item, len(bins)), np.arange(len(items)), packing, objective)


def _deficits(program: Program, table: Ints) -> Callable[[NDArray[np.bool_]], float]:
    """The price of a placement: what each bin lacks of each resource, and, much dearer, the most that one lacks."""
    row = {name: k for k, name in enumerate(program.constraints)}
    column = {name: k for k, name in enumerate(program.variables)}
    resources = range(sum(name.startswith("max_deficit_") for name in column))
    needs = program.matrix[[row[f"deficit_ct_0_{d}"] for d in resources]][:, table[:, 0]].toarray()
    wanted = program.row_lower[[row[f"deficit_ct_0_{d}"] for d in resources]]
    each = program.cost[[column[f"deficit_0_{d}"] for d in resources]]
    worst = program.cost[[column[f"max_deficit_{d}"] for d in resources]]

    def price(chosen: NDArray[np.bool_]) -> float:
        lacks = np.maximum(wanted[:, None] - needs @ chosen, 0)
        return float(each @ lacks.sum(1) + worst @ lacks.max(1))

    return price


@cache
def _bin_packing() -> tuple[list[str], Callable[[str], Instance]]:
    return [str(k) for k in range(INSTANCES)], lru_cache(maxsize=None)(bin_packing)


def bin_packing(name: str) -> Instance:
    """The instance of a number, solved; ten seconds are far more than it takes."""
    rng = numpy_generator(20, int(name))
    large = round(0.3 * ITEMS)
    sizes = np.concatenate(
        [rng.permutation(np.arange(81, 101))[:large], rng.permutation(np.arange(11, 31))[: ITEMS - large]]
    )
    sizes = rng.permutation(sizes)
    table = np.arange(ITEMS * ITEMS + ITEMS).reshape(ITEMS + 1, ITEMS)
    rows = _Rows()
    for i in range(ITEMS):
        rows.add(table[i], np.ones(ITEMS), 1, 1)
    for j in range(ITEMS):
        rows.add(table[:, j], np.append(sizes, -CAPACITY), -np.inf, 0)
    cost = np.zeros(table.size)
    cost[table[-1]] = 1
    program = rows.binary_program(cost)
    answer = solve(program)[table] > 0.5
    packing = Packing(
        sizes[:, None].astype(float), np.array([CAPACITY], float), lambda chosen: float(chosen.any(0).sum())
    )
    return Instance(name, program, table, answer, np.arange(ITEMS + 1), packing, float(answer[-1].sum()))


@cache
def _slabs() -> tuple[list[str], Callable[[str], Instance]]:
    solved = _solutions("smsp_solutions.npz", "instance", "slab_of_order")
    place = {str(name): k for k, name in enumerate(solved["instance"])}
    solutions = {name: (_orders()[name], solved["slab_of_order"][k].astype(np.int64)) for name, k in place.items()}
    names = [name for name, solution in solutions.items() if is_division(*solution)]

    @cache
    def make(name: str) -> Instance:
        return slabs(name, *some_slabs(*solutions[name], numpy_generator(SLABS, place[name])))

    # bench_A_B: instances of one A are alike, and so each A has instances for training and for testing.
    return sorted(names, key=lambda name: [int(part) for part in reversed(name.split("_")[1:])]), make


@lru_cache
def _orders() -> dict[str, list[int]]:
    with _packed("smsp_orders.tar.xz") as packed:
        files = [(member.name, packed.extractfile(member)) for member in packed if member.isfile()]
        return {Path(name).name: [int(n) for n in file.read().split()] for name, file in files if file is not None}


def is_division(numbers: list[int], slab_of_order: Ints) -> bool:
    """Whether orders are divided as the rules have it; one of the published solutions overloads slabs."""
    orders = np.array(numbers[3 + numbers[0] :]).reshape(-1, 2)
    fits = np.bincount(slab_of_order, orders[:, 0]).max() <= max(numbers[1 : 1 + numbers[0]])
    return bool(fits) and all(len(np.unique(orders[slab_of_order == s, 1])) <= 2 for s in np.unique(slab_of_order))


def some_slabs(numbers: list[int], slab_of_order: Ints, rng: np.random.Generator) -> tuple[list[int], Ints]:
    """The orders of some random slabs of a solution. If the solution is a best one, this part of it is too."""
    used = rng.permutation(np.unique(slab_of_order))[:SLABS]
    kept = np.flatnonzero(np.isin(slab_of_order, used))
    first = 3 + numbers[0]
    orders = np.array(numbers[first:]).reshape(-1, 2)[kept]
    head = [*numbers[: first - 2], len(set(orders[:, 1].tolist())), len(kept)]
    return [*head, *orders.ravel().tolist()], np.unique(slab_of_order[kept], return_inverse=True)[1]


def slabs(name: str, numbers: list[int], slab_of_order: Ints) -> Instance:
    """The instance of the numbers of a file: capacities, numbers of colors and orders, size and color of each order."""
    capacity = np.array([0, *numbers[1 : 1 + numbers[0]]])
    size, color = np.array(numbers[3 + numbers[0] :]).reshape(-1, 2)[: numbers[2 + numbers[0]]].T
    _, color = np.unique(color, return_inverse=True)
    orders, colors = len(size), int(color.max()) + 1
    table = np.arange((orders + len(capacity) + colors) * orders).reshape(-1, orders)
    x, y, z = np.split(table, [orders, orders + len(capacity)])
    rows = _Rows()
    for o in range(orders):
        rows.add(x[o], np.ones(orders), 1, 1)
    for s in range(orders):
        rows.add(y[:, s], np.ones(len(capacity)), 1, 1)
        rows.add(np.append(x[:, s], y[1:, s]), np.append(size, -capacity[1:]), -np.inf, 0)
        rows.add(z[:, s], np.ones(colors), -np.inf, 2)
        for o in range(orders):
            rows.add(np.array([x[o, s], z[color[o], s]]), np.array([1.0, -1.0]), -np.inf, 0)
    cost = np.zeros(table.size)
    cost[y] = capacity[:, None]
    chosen = one_hot(slab_of_order, orders)
    poured = capacity.searchsorted(size @ chosen)
    held = np.stack([chosen[color == c].any(0) for c in range(colors)])
    answer = np.concatenate([chosen, one_hot(poured, len(capacity)).T, held])
    _, alike = np.unique(np.stack([size, color]), axis=1, return_inverse=True)
    kind = np.concatenate([alike, len(alike) + np.arange(len(table) - orders)])

    def price(placed: NDArray[np.bool_]) -> float:
        return float(capacity[capacity.searchsorted(size @ placed)].sum())

    packing = Packing(size[:, None].astype(float), capacity[-1:].astype(float), price, color)
    return Instance(name, rows.binary_program(cost), table, answer, kind, packing, float(capacity[poured].sum()))


def one_hot(index: Ints, count: int) -> NDArray[np.bool_]:
    """One row per index, true at it."""
    return np.arange(count) == np.asarray(index)[:, None]


class _Rows:
    """Constraints, one after another."""

    def __init__(self) -> None:
        self.parts: list[tuple[Ints, NDArray[np.float64], float, float]] = []

    def add(self, columns: Ints, coefficients: NDArray, low: float, high: float) -> None:
        self.parts.append((columns, coefficients, low, high))

    def binary_program(self, cost: NDArray[np.float64]) -> Program:
        n, m = len(cost), len(self.parts)
        columns, coefficients = (np.concatenate([part[k] for part in self.parts]) for k in (0, 1))
        row = np.repeat(np.arange(m), [len(part[0]) for part in self.parts])
        matrix = coo_array((coefficients, (row, columns)), shape=(m, n))
        low, high = np.array([part[2:] for part in self.parts]).T
        return Program(cost, np.zeros(n), np.ones(n), np.ones(n, np.int64), matrix, low, high)


_SETS: dict[str, Callable[[], tuple[list[str], Callable[[str], Instance]]]] = {
    "item-placement": _item_placement,
    "bin-packing": _bin_packing,
    "slabs": _slabs,
}

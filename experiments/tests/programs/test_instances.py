"""Instances: programs, tables, matching and repair."""

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch

from sympe.canonicalize import Constant, Labeling
from sympe.kernel import InversionKernel
from sympe.programs import symmetry_of
from sympe_experiments.programs import data as programs_data
from sympe_experiments.programs.comparability import comparable_percent
from sympe_experiments.programs.config import make_config
from sympe_experiments.programs.data import bin_packing, is_division, item_placement, load_splits, one_hot, slabs
from sympe_experiments.programs.instances import Batch, Instance, Packing
from sympe_experiments.programs.kinds import counts
from sympe_experiments.programs.run import _errors

pytest.importorskip("highspy", reason="needs highspy")

#: Three capacities, two colors, five orders, two of them alike.
STEEL = [3, 5, 7, 9, 2, 5, 4, 1, 3, 2, 3, 2, 2, 1, 5, 1]


def steel() -> Instance:
    return slabs("steel", STEEL, np.array([0, 1, 0, 0, 1]))


def point(instance: Instance) -> np.ndarray:
    x = np.zeros(instance.program.num_variables)
    x[instance.table] = instance.solution
    return x


@pytest.mark.parametrize("instance", [bin_packing("0"), bin_packing("7"), steel()], ids=["first", "another", "steel"])
def test_solutions_obey_their_programs(instance: Instance) -> None:
    x = point(instance)
    assert instance.program.is_feasible(x)
    assert instance.program.value(x) == instance.objective
    items = len(instance.packing.sizes)
    assert instance.packing.price(instance.solution[:items]) == instance.objective
    assert instance.packing.is_feasible(instance.solution)
    x[instance.table[0]] = 0
    assert not instance.program.is_feasible(x)


def test_known_solutions_that_are_none_are_refused() -> None:
    """Loads are 10 of at most 9, or three colors meet; the published solutions of slabs hold one of these."""
    wrong = np.array([0, 1, 0, 1, 1])
    mixed = [3, 5, 7, 9, 3, 4, 1, 1, 1, 2, 1, 3, 5, 3]
    assert is_division(STEEL, np.array([0, 1, 0, 0, 1]))
    assert not is_division(STEEL, wrong)
    assert is_division(mixed, np.array([0, 0, 1, 1]))
    assert not is_division(mixed, np.array([0, 0, 0, 1]))
    with pytest.raises(ValueError, match="expected a solution of mixed; got one that overloads a copy or mixes colors"):
        slabs("mixed", mixed, np.array([0, 0, 0, 1]))


def test_slabs_are_tested_on_fewer_instances() -> None:
    assert make_config("none", data="slabs").test == 40
    assert make_config("none", data="slabs", test=7).test == 7
    assert make_config("none", data="bin-packing").test == make_config("none").test == 120


def test_symmetries_are_those_of_the_copies() -> None:
    assert symmetry_of(bin_packing("0").program).order == 2432902008176640000  # 20!
    assert symmetry_of(steel().program).order == 120 * 2  # five slabs, two alike orders


def test_bin_packing_is_as_published() -> None:
    sizes = bin_packing("3").packing.sizes[:, 0]
    assert len(set(sizes)) == len(sizes) == 20
    assert sum(81 <= size <= 100 for size in sizes) == 6
    assert sum(11 <= size <= 30 for size in sizes) == 14


def test_the_closest_copy_against_all_copies() -> None:
    instance = steel()
    rng = np.random.default_rng(0)
    for _ in range(10):
        score = rng.normal(size=instance.table.shape)
        copies = [instance.solution[:, list(order)] for order in permutations(range(5))]
        swapped = [1, 0, *range(2, len(instance.table))] if instance.row_kind[0] == instance.row_kind[1] else None
        alike = np.flatnonzero(instance.row_kind == np.bincount(instance.row_kind).argmax())
        order = np.arange(len(instance.table))
        order[alike] = alike[::-1]
        assert swapped is None or len(alike) == 2
        best = max(float((score * copy).sum()) for one in copies for copy in (one, one[order]))
        found = float((score * instance.closest(score)).sum())
        assert found <= best + 1e-9
        assert found >= max(float((score * copy).sum()) for copy in copies) - 1e-9


def test_without_repeated_rows_the_closest_copy_is_exact() -> None:
    packing = Packing(np.ones((3, 1)), 2 * np.ones(1), lambda chosen: 0.0)
    solution = one_hot(np.array([2, 0, 0]), 4)
    program = bin_packing("0").program
    instance = Instance("", program, np.arange(12).reshape(3, 4), solution, np.arange(3), packing, 0.0)
    score = np.random.default_rng(1).normal(size=(3, 4))
    best = max(float((score * solution[:, list(order)]).sum()) for order in permutations(range(4)))
    assert float((score * instance.closest(score)).sum()) == pytest.approx(best)


def test_errors_among_the_surest() -> None:
    packing = Packing(np.ones((2, 1)), np.ones(1), lambda chosen: 0.0)
    program = bin_packing("0").program
    instance = Instance(
        "", program, np.arange(10).reshape(2, 5), one_hot(np.array([0, 1]), 5), np.arange(2), packing, 0
    )
    sure = np.full((2, 5), -9.0)
    sure[0, 0], sure[1, 1] = 10.0, -0.1
    errors = _errors(instance, sure)
    assert [errors[share] for share in ("30", "50", "90", "100")] == [0, 0, 0, 1]
    sure[1, 4] = 20.0  # two copies, each with one item: still a copy of the solution
    assert _errors(instance, sure)["100"] == 0
    sure[0, 2] = 30.0  # a third one is wrong, and surest
    assert [_errors(instance, sure)[share] for share in ("30", "100")] == [1, 1]


def test_errors_of_slabs_by_kind() -> None:
    """Five orders, five capacities, and the two colors of the first slab and those of the second."""
    instance = steel()
    colors = int(instance.solution[-2:].sum())
    right = counts(instance, np.where(instance.solution, 1.0, -1.0))
    assert (right["placed"], right["placed_right"]) == (5, 5)
    assert sum(value for name, value in right.items() if name.startswith("wrong")) == 0
    nothing = counts(instance, -np.ones(instance.solution.shape))
    kinds = [nothing[f"wrong_100_{kind}"] for kind in ("orders", "capacities", "colors")]
    assert (kinds, nothing["placed"]) == ([5, 5, colors], 0)


def test_ranks_of_instances_of_one_size_are_comparable() -> None:
    alike = [bin_packing("0"), bin_packing("1")]
    exact, random = (comparable_percent(InversionKernel(order()), alike) for order in (Labeling, Constant))
    assert exact == 100
    assert random < 20
    assert comparable_percent(InversionKernel(Labeling()), [alike[0], steel()]) < 20


def test_repair_keeps_room_and_colors() -> None:
    packing = Packing(np.array([[3.0], [3.0], [3.0]]), np.array([6.0]), lambda chosen: 0.0)
    chosen = packing.repaired(np.array([[3.0, 0.0], [2.0, 0.0], [1.0, 0.0]]))
    assert chosen is not None
    assert chosen.argmax(1).tolist() == [0, 0, 1]
    assert packing.is_feasible(chosen)
    assert packing.repaired(np.array([[1.0], [1.0], [1.0]])) is None
    colored = Packing(np.ones((3, 1)), np.array([6.0]), lambda chosen: 0.0, np.array([0, 1, 2]))
    chosen = colored.repaired(np.array([[3.0, 0.0], [2.0, 0.0], [1.0, 0.0]]))
    assert chosen is not None
    assert chosen.argmax(1).tolist() == [0, 0, 1]
    assert not colored.is_feasible(one_hot(np.zeros(3, np.int64), 2))


def test_batches_keep_instances_apart() -> None:
    batch = Batch.of([bin_packing("0"), steel()])
    values = torch.randn(len(batch.variable), generator=torch.Generator().manual_seed(0))
    tables = batch.tables(values)
    assert [table.shape for table in tables] == [(21, 20), (11, 5)]
    closest = batch.closest(values)
    assert closest[:420].sum() == bin_packing("0").solution.sum()
    assert torch.equal(closest[420:], torch.from_numpy(steel().closest(tables[1]).ravel()).float())
    assert batch.column[batch.variable].tolist() == [*list(range(20)) * 21, *list(range(5)) * 11]
    assert float(batch.weight.abs().max()) == 1


def test_item_placement_prices_what_bins_lack() -> None:
    """Two items, two bins, one resource: the format of the competition's files."""
    from scipy.sparse import csr_array

    from sympe.programs import Program

    names = ["place_0_0", "place_0_1", "place_1_0", "place_1_1", "deficit_0_0", "deficit_1_0", "max_deficit_0"]
    rows = {
        "copies_ct_0": [1, 1, 0, 0, 0, 0, 0],
        "copies_ct_1": [0, 0, 1, 1, 0, 0, 0],
        "supply_ct_0_0": [0.5, 0, 0.6, 0, 0, 0, 0],
        "supply_ct_1_0": [0, 0.5, 0, 0.6, 0, 0, 0],
        "deficit_ct_0_0": [0.7, 0, 0.8, 0, 1, 0, 0],
        "deficit_ct_1_0": [0, 0.7, 0, 0.8, 0, 1, 0],
        "max_deficit_ct_0_0": [0, 0, 0, 0, -1, 0, 1],
        "max_deficit_ct_1_0": [0, 0, 0, 0, 0, -1, 1],
    }
    program = Program(
        cost=[0, 0, 0, 0, 1, 1, 300],  # type: ignore[arg-type]
        lower=np.zeros(7),
        upper=np.array([1, 1, 1, 1, np.inf, np.inf, np.inf]),
        kind=np.array([1, 1, 1, 1, 0, 0, 0]),
        matrix=csr_array(np.array(list(rows.values()))),
        row_lower=np.array([1, 1, -np.inf, -np.inf, 1, 1, 0, 0]),
        row_upper=np.array([1, 1, 1, 1, np.inf, np.inf, np.inf, np.inf]),
        variables=tuple(names),
        constraints=tuple(rows),
    )
    instance = item_placement("tiny", program, np.array([1, 0]), 0.5 + 300 * 0.3)
    assert instance.table.tolist() == [[0, 1], [2, 3]]
    assert instance.packing.sizes.tolist() == [[0.5], [0.6]]
    assert instance.packing.price(instance.solution) == pytest.approx(instance.objective)
    both = one_hot(np.array([0, 0]), 2)
    assert instance.packing.price(both) == pytest.approx(1 + 300)
    assert not instance.packing.is_feasible(both)


def test_missing_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYMPE_DATA", raising=False)
    with pytest.raises(ValueError, match="expected a folder ilp with the programs in SYMPE_DATA; got nothing"):
        load_splits("item-placement", 1, 1)
    with pytest.raises(ValueError, match="bin-packing has 500 instances; got train 400 and test 200"):
        load_splits("bin-packing", 400, 200)


@pytest.mark.parametrize("data", ["slabs", "item-placement"])
@pytest.mark.parametrize("damage", ["cut", "empty", "text", "missing"])
def test_damaged_data_end_in_one_line(data: str, damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the solutions, then, beside good ones, of the packed instances."""
    solutions, packed = {
        "slabs": ("smsp_solutions.npz", "smsp_orders.tar.xz"),
        "item-placement": ("bip_solutions.npz", "bip_instances.tar.xz"),
    }[data]
    folder = tmp_path / "ilp"
    folder.mkdir()
    monkeypatch.setenv("SYMPE_DATA", str(tmp_path))
    for cached in (programs_data._item_placement, programs_data._slabs, programs_data._orders,
                   programs_data._placement_programs):  # fmt: skip
        cached.cache_clear()
    arrays = {"instance": np.array(["bench_2_0"]), "objective": np.ones(1), "slab_of_order": np.zeros((1, 3), int),
              "bin_of_item": np.zeros((1, 3), int)}  # fmt: skip
    for name in (solutions, packed):
        np.savez(folder / solutions, **arrays)
        bad = {"cut": (folder / solutions).read_bytes()[:100], "empty": b"", "text": b"no archive"}
        if damage == "missing":
            (folder / name).unlink(missing_ok=True)
        else:
            (folder / name).write_bytes(bad[damage])
        with pytest.raises(ValueError, match=f"{name}: expected a"):
            load_splits(data, 1, 0)

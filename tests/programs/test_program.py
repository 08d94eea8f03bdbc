"""Programs as graphs: the group, against all permutations of the variables."""

from collections import Counter
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from sympe.programs import Program, symmetry_of, to_graphs
from sympe.programs.copies import copies_of

INF = np.inf


def program(
    rows: list[list[float]],
    sides: list[tuple[float, float]],
    cost: list[float] | None = None,
    kind: list[int] | None = None,
    upper: list[float] | None = None,
) -> Program:
    n = len(rows[0]) if rows else len(cost or [])
    matrix = np.array(rows, float).reshape(len(rows), n)
    low, high = np.array(sides, float).reshape(-1, 2).T
    ones = [1] * n
    return Program(cost or ones, np.zeros(n), upper or ones, kind or ones, matrix, low, high)


PROGRAMS = {
    "three bins": program([[2, 0, 0], [0, 2, 0], [0, 0, 2], [1, 1, 1]], [(-INF, 1)] * 3 + [(1, 1)]),
    "another coefficient": program([[2, 0, 0], [0, 3, 0], [0, 0, 2]], [(-INF, 1)] * 3),
    "another objective": program([[1, 1, 1]], [(1, 1)], cost=[1, 1, 2]),
    "another bound": program([[1, 1, 1]], [(1, 1)], upper=[1, INF, 1]),
    "another kind": program([[1, 1, 1]], [(1, 1)], kind=[1, 0, 1]),
    "another side": program([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [(-INF, 1), (-INF, 1), (1, INF)]),
    "no constraints": program([], [], cost=[1, 1, 3, 3]),
    "equal constraints": program([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]], [(0, 1)] * 3),
    "as many of either": program([[1, 1, 0, 0]] * 2 + [[0, 0, 1, 1]] * 2, [(0, 1)] * 4),
    "a free constraint": program([[1, 2, 3], [1, 1, 1]], [(-INF, INF), (0, 1)]),
    "two by two": program([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]], [(1, 1)] * 2 + [(0, 1)] * 2),
    "ring": program([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1], [1, 0, 0, 1]], [(0, 1)] * 4),
    "scaled": program([[1, 0], [0, 2]], [(-INF, 1), (-INF, 2)]),
    "signs of zeros": program([[1, 1, 0]] * 2 + [[0, 1, 1]], [(-0.0, INF), (0.0, INF), (0.0, INF)], cost=[-0.0, 0, 0]),
    "zeros": program([[0.0, 0, 1], [0, -0.0, 1]], [(-INF, 1)] * 2),
}


def formulation_group(p: Program) -> set[tuple[int, ...]]:
    """All permutations of the variables that some permutation of the constraints completes."""
    matrix, n = p.matrix.toarray(), p.num_variables
    all_rows = [(*row, low, high) for row, low, high in zip(matrix + 0.0, p.row_lower, p.row_upper, strict=True)]
    rows = Counter(row for row in all_rows if np.isfinite(row[-2:]).any())
    columns = np.stack([p.cost, p.lower, p.upper, p.kind], axis=1)
    found = set()
    for images in permutations(range(n)):
        moved = np.argsort(images)
        if (columns[moved] == columns).all() and Counter(
            (*np.array(r[:n])[moved], *r[n:]) for r in rows.elements()
        ) == rows:
            found.add(images)
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_group_orbits_and_base_against_all_permutations(name: str) -> None:
    p = PROGRAMS[name]
    expected = formulation_group(p)
    found = symmetry_of(p)
    assert found.order == len(expected)
    assert {tuple(images) for images in found.generators.tolist()} <= expected
    orbits = {frozenset(g[k] for g in expected) for k in range(p.num_variables)}
    assert {frozenset(np.flatnonzero(found.orbit == k).tolist()) for k in set(found.orbit.tolist())} == orbits
    assert found.tied.tolist() == [len(next(o for o in orbits if k in o)) > 1 for k in range(p.num_variables)]
    assert bool(found.base) == (len(expected) > 1)


def test_constraints_are_labeled_first() -> None:
    assert all(name.startswith("constraint") for name in symmetry_of(PROGRAMS["three bins"]).base)
    assert all(name.startswith("variable") for name in symmetry_of(PROGRAMS["no constraints"]).base)


@pytest.mark.parametrize(("name", "exchanges"), [("three bins", 2), ("two by two", 2), ("ring", 0)])
def test_exchanges_of_copies_are_found_without_a_search(name: str, exchanges: int) -> None:
    """A ring turns, and no exchange of two constraints at a time leaves it alone."""
    graph = to_graphs([PROGRAMS[name]])
    copies = copies_of(graph, torch.zeros(graph.num_nodes, dtype=torch.long))
    assert len(copies.orbits) == exchanges <= len(copies.exchanges)
    assert (copies.color is None) == (exchanges > 0)


def test_least_errors_are_those_of_the_best_answer_that_is_equal_on_orbits() -> None:
    found = symmetry_of(PROGRAMS["three bins"])
    assert [found.least_errors(np.array(x)) for x in ([1, 0, 0], [1, 1, 0], [1, 1, 1])] == [1, 1, 0]
    facts = found.facts(np.array([1.0, 0, 0]))
    assert facts["least_errors"] == 1
    assert "at least 1 of this solution wrong" in str(facts["verdict"])
    assert "one value alone" in str(found.facts()["verdict"])
    assert "gives all of an orbit one value" in str(found.facts(np.ones(3))["verdict"])
    assert "has no symmetry" in str(symmetry_of(PROGRAMS["scaled"]).facts()["verdict"])
    with pytest.raises(ValueError, match="expected 3 values, one per variable"):
        found.least_errors(np.ones(2))


def test_labels_mean_alike_things_in_all_programs_of_a_call() -> None:
    first, second = PROGRAMS["three bins"], PROGRAMS["another objective"]
    graphs = to_graphs([first, second])
    assert graphs.node_label is not None
    assert graphs.node_label[:3].unique().tolist() == graphs.node_label[7:9].unique().tolist()
    assert int(graphs.node_label[9]) not in graphs.node_label[7:9].tolist()
    constraints = graphs.node_label[3:7]
    assert int(constraints.max()) < int(graphs.node_label[:3].min())


def test_a_maximum_is_labeled_as_the_minimum_of_the_negative() -> None:
    """Two programs of different optima are no one input; two ways to write one are."""
    least, most = program([], [], cost=[1, 1, 0]), program([], [], cost=[-1, -1, 0])
    label = to_graphs([least, replace(least, maximize=True), most, replace(most, maximize=True)]).node_label
    assert label is not None
    assert (label[:3] == label[9:]).all()
    assert (label[3:6] == label[6:9]).all()
    assert (label[:3] == label[3:6]).tolist() == [False, False, True]


def test_a_matrix_stays_as_it_was_given() -> None:
    matrix = csr_array((np.array([1.0, 2, 0]), np.array([0, 0, 1]), np.array([0, 3])), shape=(1, 2))
    assert Program([1, 1], [0, 0], [1, 1], [1, 1], matrix, [0], [1]).matrix.data.tolist() == [3]
    assert matrix.data.tolist() == [1, 2, 0]


def test_feasible_points() -> None:
    p = PROGRAMS["three bins"]
    points = np.array([[0.5, 0.5, 0], [1, 0, 0], [0, 0, 0], [0, 1.5, -0.5]])
    assert p.is_feasible(points).tolist() == [False, False, False, False]  # 2 x <= 1 leaves halves alone
    relaxed = program([[2, 0, 0], [1, 1, 1]], [(-INF, 2), (1, 1)])
    assert relaxed.is_feasible(points).tolist() == [False, True, False, False]
    assert p.value(points).tolist() == [1, 1, 0, 1]


def test_semi_continuous_and_semi_integer_variables() -> None:
    """All from 2 to 4, or zero; the second and the last are whole numbers."""
    p = Program(np.ones(4), [2] * 4, [4] * 4, [0, 1, 2, 3], np.ones((1, 4)), [-INF], [INF])  # type: ignore[arg-type]
    points = np.array([[2.5, 3, 2.5, 3], [2, 2, 0, 0], [0, 2, 2, 2], [2, 0, 2, 2], [2, 2, 1, 2], [2, 2, 2, 2.5]])
    assert p.is_feasible(points).tolist() == [True, True, False, False, False, False]
    facts = symmetry_of(program([[1, 1, 1, 1]], [(0, 1)], kind=[3, 3, 2, 2])).facts(np.array([0, 2.0, 3, 4]))
    assert (facts["integer_variables"], facts["tied_integer_variables"], facts["least_errors"]) == (2, 2, 1)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"cost": [1.0, np.nan]}, "expected finite coefficients"),
        ({"matrix": [[np.inf, 1]]}, "expected finite coefficients"),
        ({"upper": [np.nan, 1]}, "expected numbers as bounds"),
        ({"upper": [1]}, "and a matrix"),
        ({"row_lower": [0, 0]}, "and a matrix"),
    ],
)
def test_bad_programs(change: dict, complaint: str) -> None:
    good = {"cost": [1, 1], "lower": [0, 0], "upper": [1, 1], "kind": [1, 1], "matrix": [[1, 1]]}
    with pytest.raises(ValueError, match=complaint):
        Program(**good | {"row_lower": [0], "row_upper": [1]} | change)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the program has none"):
        Program([], [], [], [], np.zeros((0, 0)), [], [])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected at least one program"):
        to_graphs([])

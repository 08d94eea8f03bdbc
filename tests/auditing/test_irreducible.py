"""Irreducible errors of graphs, against the definition: the best of all outputs that every automorphism fixes."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch

import sympe
from examples import LARGE, SMALL, batch_of, crowds, ring, single
from laws import automorphisms
from sympe import Graphs
from sympe.actions import GraphRelabeling
from sympe.auditing import GraphSymmetry, Target
from sympe.auditing.targets import choose_loss, class_errors
from sympe.graphs import concatenate

EVERY = SMALL | {name: LARGE[name][0] for name in ("petersen", "cube", "directed cycle 6", "kekule benzene")}


def cost(loss: str) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return {
        "squared": lambda y, f: (y - f) ** 2,
        "absolute": lambda y, f: np.abs(y - f),
        "zero-one": lambda y, f: (y != f) * 1.0,
    }[loss]


def best(entries: list[tuple[int, ...]], value: np.ndarray, graph: Graphs, loss: str) -> float:
    """Least error over outputs that are fixed by all automorphisms; candidate answers are means and values."""
    place = {entry: at for at, entry in enumerate(entries)}
    done: set[int] = set()
    total = 0.0
    group = automorphisms(graph)
    for at, entry in enumerate(entries):
        if at in done:
            continue
        orbit = sorted({place[tuple(g[i] for i in entry)] for g in group})
        done.update(orbit)
        answers = [*value[orbit], value[orbit].mean()]
        total += min(cost(loss)(value[orbit], answer).sum() for answer in answers)
    return total


@pytest.mark.parametrize("loss", ["squared", "absolute", "zero-one"])
@pytest.mark.parametrize("name", EVERY)
def test_errors_against_the_definition(name: str, loss: str, generator: torch.Generator) -> None:
    graph = EVERY[name]
    stabilizers = GraphSymmetry().stabilizers(graph)
    nodes = range(graph.num_nodes)
    for per, entries in (("node", [(i,) for i in nodes]), ("pair", list(product(nodes, nodes)))):
        values = torch.randint(0, 3, (len(entries), 2), generator=generator)
        values = values if loss == "zero-one" else values + torch.rand(values.shape, generator=generator)
        found = stabilizers.errors(Target(values, per), loss)
        expected = sum(best(entries, column, graph, loss) for column in values.double().numpy().T)
        assert found.total == pytest.approx([expected], abs=1e-6)
        assert found.entries.tolist() == [2 * len(entries)]
        assert found.violated.tolist() == [expected > 1e-6]


def test_the_squared_error_is_that_of_the_reynolds_operator(generator: torch.Generator) -> None:
    for graph in EVERY.values():
        group = torch.tensor(automorphisms(graph))
        y = torch.randn(graph.num_nodes, 3, generator=generator, dtype=torch.float64)
        moved = torch.zeros(len(group), *y.shape, dtype=torch.float64)
        moved.scatter_(1, group[:, :, None].expand(-1, -1, 3), y.expand(len(group), -1, -1))
        expected = ((y - moved.mean(0)) ** 2).sum()
        found = GraphSymmetry().stabilizers(graph).errors(Target(y, "node"), "squared")
        assert found.total == pytest.approx([float(expected)])


@pytest.mark.parametrize("crowd", crowds(SMALL))
def test_a_batch_has_the_errors_of_its_graphs_and_of_any_relabeling(crowd, generator: torch.Generator) -> None:
    together = batch_of(crowd)
    y = torch.randn(together.num_nodes, generator=generator)
    found = GraphSymmetry().stabilizers(together).errors(Target(y, "node"), "squared")
    parts = y.split(together.sizes.tolist())
    alone = [
        GraphSymmetry().stabilizers(graph).errors(Target(part, "node"), "squared").total[0]
        for graph, part in zip(crowd.values(), parts, strict=True)
    ]
    assert found.total == pytest.approx(alone)
    action = GraphRelabeling()
    g = action.group.haar(together, generator)
    moved = GraphSymmetry().stabilizers(action.act(g, together)).errors(Target(y[g.preimage], "node"), "squared")
    assert moved.total == pytest.approx(found.total)


def test_edge_targets_follow_the_edges() -> None:
    """Of the six bonds of benzene's ring two kinds may be told: the double from the single ones, if they are marked."""
    plain = sympe.graphs.from_edges([(6, ring(6))])
    kekule = torch.tensor([1, 2, 1, 2, 1, 2]).repeat(2)
    found = GraphSymmetry().stabilizers(plain).errors(Target(kekule, "edge"), "zero-one")
    assert found.total.tolist() == [6]
    assert found.entries.tolist() == [12]
    marked = Graphs(plain.edge_index, plain.batch, edge_label=kekule)
    assert GraphSymmetry().stabilizers(marked).errors(Target(kekule, "edge"), "zero-one").total.tolist() == [0]


def test_a_target_that_follows_from_the_input_costs_nothing(generator: torch.Generator) -> None:
    """Degrees and adjacency are equivariant functions of the graph; float32 rounding is no violation."""
    names = ["petersen", "star 6", "triangle and path", "cube"]
    graphs = concatenate([LARGE[name][0] for name in names])
    degree = torch.bincount(graphs.edge_index[0], minlength=graphs.num_nodes)
    for values in (degree, degree.float() / 3):
        found = (
            GraphSymmetry()
            .stabilizers(graphs)
            .errors(Target(values, "node"), choose_loss(Target(values, "node"), None))
        )
        assert found.total.tolist() == [0] * 4
    noisy = degree.float() / 3 * (1 + 1e-7 * torch.randn(graphs.num_nodes, generator=generator))
    found = GraphSymmetry().stabilizers(graphs).errors(Target(noisy, "node"), "squared")
    assert not found.violated.any()
    assert sympe.audit(graphs, target="adjacency").needed is False


def test_targets_of_whole_graphs_are_never_out_of_reach() -> None:
    graphs = concatenate([LARGE["petersen"][0], LARGE["star 6"][0]])
    found = GraphSymmetry().stabilizers(graphs).errors(Target(torch.randn(2, 5), "sample"), "squared")
    assert found.total.tolist() == [0, 0]
    assert found.entries.tolist() == [5, 5]


def test_an_asymmetric_graph_can_be_given_any_target(generator: torch.Generator) -> None:
    graph = LARGE["frucht"][0]
    y = torch.randint(0, 9, (graph.num_nodes**2,), generator=generator)
    assert GraphSymmetry().stabilizers(graph).errors(Target(y, "pair"), "zero-one").total.tolist() == [0]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (Target(torch.zeros(3), "node"), "expected 4 targets, one per node; got 3"),
        (Target(torch.zeros(2, 3), "sample"), "expected 1 targets, one per sample; got 2"),
        (Target(torch.zeros(4), "site"), "no targets per site"),
        (Target(torch.zeros(4, 3), "node", vector=True), "belong to o3 and so3"),
    ],
)
def test_targets_that_do_not_fit(target: Target, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GraphSymmetry().stabilizers(single(4, ring(4))).errors(target, "squared")


@pytest.mark.untyped
def test_bad_targets_and_losses() -> None:
    with pytest.raises(ValueError, match="per must be one of"):
        Target(torch.zeros(3), "atom")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="targets must be finite"):
        Target(torch.tensor([1.0, float("nan")]), "node")
    with pytest.raises(ValueError, match="must be real"):
        Target(torch.zeros(3, dtype=torch.complex64), "node")
    with pytest.raises(ValueError, match="loss must be one of squared, absolute, zero-one; got 'l2'"):
        choose_loss(Target(torch.zeros(3), "node"), "l2")


def test_classes_by_hand() -> None:
    classes, owner = np.array([0, 0, 0, 1, 2, 2]), np.array([0, 0, 0, 0, 1, 1])
    values = torch.tensor([1.0, 1.0, 4.0, 9.0, 2.0, 4.0])
    assert class_errors(classes, owner, 3, values, "squared").total.tolist() == [6, 2, 0]
    assert class_errors(classes, owner, 3, values, "absolute").total.tolist() == [3, 2, 0]
    assert class_errors(classes, owner, 3, values, "zero-one").total.tolist() == [1, 1, 0]
    assert class_errors(classes, owner, 3, values, "squared").entries.tolist() == [4, 2, 0]
    empty = np.zeros(0, np.int64)
    for loss in ("squared", "absolute", "zero-one"):
        assert class_errors(empty, empty, 2, torch.zeros(0), loss).total.tolist() == [0, 0]  # type: ignore[arg-type]

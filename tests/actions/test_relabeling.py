from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch

from examples import LARGE, SMALL, batch_of, crowds
from laws import all_permutations_of, automorphisms, check_action, copies, forms_of, same_graphs
from sympe import Graphs
from sympe.actions import Action, GraphRelabeling, NodeRelabeling
from sympe.groups import Permutation, SymmetricGroup

EVERY = SMALL | {name: graph for name, (graph, _) in LARGE.items()}
BATCHES = [batch_of(crowd) for crowd in crowds(EVERY)]


@dataclass(frozen=True, eq=False)
class Rows:
    """Node features and the graphs that they belong to, so that the group knows the sizes."""

    value: torch.Tensor
    batch: torch.Tensor
    start: torch.Tensor


class RowAction(Action[Permutation, Rows]):
    """:class:`NodeRelabeling` on features that know their graphs."""

    def __init__(self, action: Any) -> None:
        self.group = SymmetricGroup()
        self.action = action

    def act(self, g: Permutation, x: Rows) -> Rows:
        return replace(x, value=self.action.act(g, x.value))


class ByImages(NodeRelabeling):
    """A right action: it gathers by images."""

    def act(self, g: Permutation, x: torch.Tensor) -> torch.Tensor:
        return x[g.image]


class InPlace(NodeRelabeling):
    def act(self, g: Permutation, x: torch.Tensor) -> torch.Tensor:
        x.copy_(x[g.preimage])
        return x


def rows(graphs: Graphs, generator: torch.Generator) -> Rows:
    return Rows(torch.randn(graphs.num_nodes, 3, generator=generator), graphs.batch, graphs.start)


def copy_graphs(x: Graphs) -> Graphs:
    held = {name: value.clone() for name, value in vars(x).items() if isinstance(value, torch.Tensor)}
    return Graphs(**{name: held.get(name) for name in ("edge_index", "batch", "node_label", "edge_label", "x")})


@pytest.mark.parametrize("graphs", BATCHES)
def test_laws(graphs: Graphs, generator: torch.Generator) -> None:
    check_action(GraphRelabeling(), graphs, same_graphs, copy_graphs, generator)
    check_action(
        RowAction(NodeRelabeling()),
        rows(graphs, generator),
        lambda a, b: torch.equal(a.value, b.value),
        lambda a: replace(a, value=a.value.clone()),
        generator,
    )


@pytest.mark.parametrize(
    ("wrong", "broken"), [(ByImages(), "expected .g h. x = g .h x."), (InPlace(), "expected|leave its argument")]
)
def test_the_checker_rejects(wrong: NodeRelabeling, broken: str, generator: torch.Generator) -> None:
    with pytest.raises(AssertionError, match=broken):
        check_action(
            RowAction(wrong),
            rows(BATCHES[0], generator),
            lambda a, b: torch.equal(a.value, b.value),
            lambda a: replace(a, value=a.value.clone()),
            generator,
        )


@pytest.mark.parametrize("name", [name for name, graph in SMALL.items() if graph.num_nodes > 1])
def test_orbit_times_stabilizer_is_the_order_of_the_group(name: str) -> None:
    x = SMALL[name]
    every = all_permutations_of(x)
    order = len(every.image) // x.num_nodes
    forms = forms_of(GraphRelabeling().act(every, copies(x, order)), x)
    orbit = {tuple(form) for form in forms.tolist()}
    assert len(orbit) * len(automorphisms(x)) == order


def test_nodes_carry_everything_along() -> None:
    x = Graphs(
        torch.tensor([[0, 1, 1], [1, 2, 1]]),
        torch.tensor([0, 0, 0]),
        node_label=torch.tensor([5, 6, 7]),
        edge_label=torch.tensor([1, 2, 3]),
        x=torch.tensor([[0.0], [0.1], [0.2]]),
    )
    moved = GraphRelabeling().act(Permutation.from_images([[1, 2, 0]], x), x)
    assert moved.edge_index.tolist() == [[1, 2, 2], [2, 0, 2]]
    assert moved.edge_label.tolist() == [1, 2, 3]
    assert moved.node_label.tolist() == [7, 5, 6]
    assert moved.x.flatten().tolist() == pytest.approx([0.2, 0.0, 0.1])


@pytest.mark.parametrize("graphs", BATCHES)
def test_edges_come_out_in_an_order_that_forgets_the_old_one(graphs: Graphs, generator: torch.Generator) -> None:
    action = GraphRelabeling()
    g = action.group.haar(graphs, generator)
    order = torch.randperm(graphs.num_edges, generator=generator)
    label = None if graphs.edge_label is None else graphs.edge_label[order]
    listed_otherwise = replace(graphs, edge_index=graphs.edge_index[:, order], edge_label=label)
    first, second = action.act(g, graphs), action.act(g, listed_otherwise)
    assert torch.equal(first.edge_index, second.edge_index)
    if graphs.edge_label is not None:
        assert torch.equal(first.edge_label, second.edge_label)


def test_sizes_must_fit() -> None:
    g = SymmetricGroup().identity(SMALL["path 3"])
    with pytest.raises(ValueError, match="expected permutations of 4 nodes; got 3"):
        GraphRelabeling().act(g, SMALL["cycle 4"])
    with pytest.raises(ValueError, match=r"expected 3 rows, one per node; got shape \[4, 2\]"):
        NodeRelabeling().act(g, torch.zeros(4, 2))

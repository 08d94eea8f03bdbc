"""How outputs move: padded tensors against relabeled graphs, and invariants."""

import pytest
import torch

from examples import LARGE, SMALL
from laws import check_action
from sympe.actions import DenseRelabeling, GraphRelabeling, Invariant, NodeRelabeling
from sympe.graphs import concatenate, from_edges, to_dense
from sympe.groups import Permutation

CROWD = concatenate([SMALL["path 3"], SMALL["one node"], LARGE["petersen"][0], SMALL["bull"], from_edges([(0, [])])])


class Padded(DenseRelabeling):
    """Acts on what Haar measure can be drawn for: the padded features together with their graphs."""

    def act(self, g: Permutation, x: "Carrier") -> "Carrier":
        return Carrier(super().act(g, x.values))


class Carrier:
    def __init__(self, values: torch.Tensor) -> None:
        self.values, self.batch, self.start = values, CROWD.batch, CROWD.start


@pytest.mark.parametrize(("axes", "shape"), [(1, (5, 10)), (1, (5, 10, 2)), (2, (5, 10, 10)), (2, (5, 10, 10, 3))])
def test_the_action_is_a_left_action(axes: int, shape: tuple[int, ...], generator: torch.Generator) -> None:
    x = Carrier(torch.randn(shape, generator=generator))
    check_action(
        Padded(axes), x, lambda a, b: torch.equal(a.values, b.values), lambda a: Carrier(a.values.clone()), generator
    )


def test_matrices_move_as_graphs_do(generator: torch.Generator) -> None:
    g = GraphRelabeling().group.haar(CROWD, generator)
    adjacency, mask = to_dense(CROWD)
    moved, _ = to_dense(GraphRelabeling().act(g, CROWD))
    assert torch.equal(DenseRelabeling(2).act(g, adjacency), moved)

    features = torch.randn(CROWD.num_nodes, 4, generator=generator)
    padded = torch.zeros(*mask.shape, 4)
    padded[mask] = features
    assert torch.equal(DenseRelabeling(1).act(g, padded)[mask], NodeRelabeling().act(g, features))


def test_padding_stays_where_it_is(generator: torch.Generator) -> None:
    g = GraphRelabeling().group.haar(CROWD, generator)
    _, mask = to_dense(CROWD)
    numbers = torch.arange(50).view(5, 10)
    assert torch.equal(DenseRelabeling(1).act(g, numbers)[~mask], numbers[~mask])


def test_invariants_do_not_move(generator: torch.Generator) -> None:
    y = torch.randn(5, 2, generator=generator)
    assert torch.equal(Invariant().act(GraphRelabeling().group.haar(CROWD, generator), y), y)


@pytest.mark.untyped
def test_shapes_that_do_not_fit(generator: torch.Generator) -> None:
    g = GraphRelabeling().group.haar(CROWD, generator)
    for axes, shape in ((1, [4, 10]), (1, [5, 9]), (1, [5]), (2, [5, 10, 9]), (2, [5, 10])):
        with pytest.raises(ValueError, match=r"expected a tensor of shape \[4, 10"):
            DenseRelabeling(axes).act(g, torch.zeros(shape[0] - 1, *shape[1:]) if shape[0] == 4 else torch.zeros(shape))
    with pytest.raises(ValueError, match="node_axes must be 1 or 2; got 3"):
        DenseRelabeling(3)

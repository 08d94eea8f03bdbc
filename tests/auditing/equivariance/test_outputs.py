"""Stabilizers of outputs against enumeration; maps that add symmetry, and samples that break it."""

import math
from itertools import permutations

import pytest
import torch
from torch import Tensor

from examples import LARGE, SMALL, batch_of, crowds
from laws import automorphisms
from sympe import Graphs, InversionKernel
from sympe.actions import NodeRelabeling
from sympe.auditing import output_symmetry
from sympe.canonicalize import Labeling
from sympe.graphs import concatenate, from_edges, to_dense


def log_count(y: Tensor, images: list[list[int]]) -> float:
    """Logarithm of the number of those permutations that fix node features, or a matrix if it is square."""
    inverses = [torch.tensor(image).argsort() for image in images]
    square = y.dim() == 2 and y.shape[0] == y.shape[1]
    return math.log(sum(torch.equal(y[p][:, p] if square else y[p], y) for p in inverses))


def everything(n: int) -> list[list[int]]:
    return [list(image) for image in permutations(range(n))]


def test_node_outputs_of_all_small_graphs(generator: torch.Generator) -> None:
    for crowd in crowds(SMALL):
        graphs = batch_of(crowd)
        y = torch.randint(2, (graphs.num_nodes, 2), generator=generator).float()
        found = output_symmetry(graphs, y)
        for index, (name, x) in enumerate(crowd.items()):
            own = y[graphs.batch == index]
            group = automorphisms(x)
            assert found.log_input[index] == pytest.approx(math.log(len(group))), name
            assert found.log_output[index] == pytest.approx(log_count(own, everything(x.num_nodes))), name
            assert found.log_both[index] == pytest.approx(log_count(own, group)), name


def test_pair_outputs_of_all_small_graphs(generator: torch.Generator) -> None:
    for crowd in crowds(SMALL):
        graphs = batch_of(crowd)
        y = torch.randint(2, (len(graphs), graphs.max_nodes, graphs.max_nodes), generator=generator)
        found = output_symmetry(graphs, y)
        for index, (name, x) in enumerate(crowd.items()):
            own = y[index, : x.num_nodes, : x.num_nodes]
            assert found.log_output[index] == pytest.approx(log_count(own, everything(x.num_nodes))), name
            assert found.log_both[index] == pytest.approx(log_count(own, automorphisms(x))), name


def test_the_adjacency_itself_is_as_symmetric_as_the_graph() -> None:
    graphs = concatenate([LARGE[name][0] for name in ("petersen", "cube", "frucht", "two triangles")])
    found = output_symmetry(graphs, to_dense(graphs)[0].double())
    assert torch.equal(found.log_input, found.log_output)
    assert torch.equal(found.log_input, found.log_both)
    assert (found.share_increased, found.share_broken) == (0, 0)


def test_a_map_that_adds_symmetry() -> None:
    """Degrees are all equal on a regular graph, whatever its symmetries."""
    graphs = concatenate([LARGE["frucht"][0], SMALL["bull"], LARGE["petersen"][0]])
    degree = torch.bincount(graphs.edge_index[0], minlength=graphs.num_nodes)
    found = output_symmetry(graphs, degree)
    assert found.increases.tolist() == [True, True, True]
    assert found.log_output[0].item() == pytest.approx(math.log(math.factorial(12)))
    assert found.breaks.tolist() == [False, False, False]
    assert str(found).startswith("100.0 % of the outputs are more symmetric than their inputs; 0.0 %")


def test_samples_break_symmetry(generator: torch.Generator) -> None:
    graphs = concatenate([SMALL["cycle 5"], SMALL["kite"], LARGE["frucht"][0], SMALL["star 5"]])
    found = output_symmetry(graphs, InversionKernel(Labeling())(graphs, generator).rank)
    assert found.breaks.tolist() == [True, True, False, True]
    assert found.share_broken == 1
    assert not found.increases.any()


def test_rounding_is_no_difference(generator: torch.Generator) -> None:
    x = LARGE["cycle 8"][0]
    y = torch.ones(8, 3) * (1 + 1e-7 * torch.randn(8, 3, generator=generator))
    assert not output_symmetry(x, y).breaks.any()
    assert output_symmetry(x, y, tolerance=1e-9).breaks.all()
    # 32-bit numbers on both sides of any grid are within rounding of each other.
    assert not output_symmetry(x, torch.tensor([0.5, 0.5 + 6e-8] * 4)).breaks.any()


def test_relabeling_changes_nothing(generator: torch.Generator) -> None:
    x = LARGE["cube"][0]
    y = torch.randint(2, (8,), generator=generator)
    action = NodeRelabeling()
    g = action.group.haar(x, generator)
    from sympe.actions import GraphRelabeling

    here, there = output_symmetry(x, y), output_symmetry(GraphRelabeling().act(g, x), action.act(g, y))
    assert torch.equal(here.log_both, there.log_both)


def test_large_groups_do_not_overflow() -> None:
    x = from_edges([(300, [])])
    assert output_symmetry(x, torch.zeros(300)).log_output.item() == pytest.approx(math.lgamma(301))


@pytest.mark.parametrize("batch", [[], [(0, [])], [(0, []), (1, [])]])
def test_empty_graphs(batch: list[tuple[int, list[tuple[int, int]]]]) -> None:
    graphs: Graphs = from_edges(batch)
    found = output_symmetry(graphs, torch.zeros(graphs.num_nodes, 2))
    assert found.log_both.tolist() == [0] * len(batch)
    assert (found.share_increased, found.share_broken) == (0, 0)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"expected an output of shape \[5, ...\] or \[1, 5, 5, ...\]; got \[4\]"):
        output_symmetry(SMALL["bull"], torch.zeros(4))
    with pytest.raises(ValueError, match="must return finite numbers; got nan"):
        output_symmetry(SMALL["bull"], torch.full((5,), torch.nan))

"""Where the noise leads to: laws by rank from graphs counted by hand, and what may not depend on the order."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from laws import THRESHOLD, ChiSquare
from sympe.groups import SymmetricGroup
from sympe_experiments.molecules.config import make_config
from sympe_experiments.molecules.domain import Domain
from sympe_experiments.molecules.graph_state import GraphState, node_batch, pair_index
from sympe_experiments.molecules.limits import Limits
from sympe_experiments.molecules.model import GraphDiffusion
from sympe_experiments.training import build_from_seed

DOMAIN = Domain(("A", "B"), (0.75, 0.25), (0.6, 0.4), (0, 0, 0, 0.5, 0.25, 0.25))


def build(method: str) -> GraphDiffusion:
    return build_from_seed(lambda: GraphDiffusion(make_config(method, "smoke"), DOMAIN), 0)


def paths(count: int, n: int = 4) -> GraphState:
    """Paths from a node of kind B on, stored in another order: rank r of the path is at place n - 1 - r."""
    nodes, edges = torch.zeros(n, dtype=torch.long), torch.zeros(n * (n - 1) // 2, dtype=torch.long)
    nodes[n - 1] = 1
    for i, j in pairwise(range(n)):
        edges[pair_index(torch.tensor(i), torch.tensor(j), n)] = 1
    return GraphState(nodes.expand(count, -1), edges.expand(count, -1), torch.arange(n).flip(0).expand(count, -1))


def test_counts_by_hand(generator: torch.Generator) -> None:
    """60 graphs and 20 pseudo-counts, in the order that is stored with them, whatever order they come in."""
    model = build("sympe-labeling-carried-by-rank")
    model.limits.learn([paths(20), paths(40)], model.breaking, generator)
    torch.testing.assert_close(model.limits.nodes_4[0], torch.tensor([15.0, 65.0], dtype=torch.float64) / 80)
    torch.testing.assert_close(model.limits.nodes_4[3], torch.tensor([75.0, 5.0], dtype=torch.float64) / 80)
    joined = torch.tensor([1, 0, 0, 1, 0, 1])
    torch.testing.assert_close(model.limits.edges_4[:, 1], (joined * 60 + 8).double() / 80)
    # What no training graph of that size says is the law of all.
    torch.testing.assert_close(model.limits.nodes_3, model.limits.nodes.expand(3, 2))
    assert all(
        torch.equal(*pair) for pair in zip(model.limits(None, 2), (model.limits.nodes, model.limits.edges), strict=True)
    )


def test_each_node_has_the_limit_of_its_rank(generator: torch.Generator) -> None:
    model = build("sympe-labeling-carried-by-rank")
    model.limits.learn([paths(60)], model.breaking, generator)
    group, like = SymmetricGroup(), node_batch(7, 4)
    g, h = group.haar(like, generator), group.haar(like, generator)
    nodes, edges = model.limits(g, 4)
    for graph, rank in enumerate(g.rank.view(7, 4).tolist()):
        assert torch.equal(nodes[graph], model.limits.nodes_4[rank])
        for k, (i, j) in enumerate(torch.triu_indices(4, 4, 1).T.tolist()):
            joined = model.limits.edges_4[pair_index(torch.tensor(rank[i]), torch.tensor(rank[j]), 4)]
            assert torch.equal(edges[graph, k], joined)
    moved = model.limits(group.compose(h, g), 4)[0]
    torch.testing.assert_close(moved, nodes.gather(1, (h.preimage - h.start).view(7, 4, 1).expand(-1, -1, 2)))


@pytest.mark.parametrize("method", ["haar-carried-by-rank", "sympe-depth-first-carried-by-rank"])
def test_for_a_random_order_all_ranks_are_alike(method: str, generator: torch.Generator) -> None:
    """The control: counts at each rank fit the law of all entries. Those of a depth-first order do not."""
    model = build(method)
    law = (torch.tensor([0.75, 0.25]), torch.tensor([0.5, 0.5]))  # of paths of four nodes
    model.limits.learn([paths(3000)], model.breaking, generator)
    test = ChiSquare()
    for name, table, expected in zip("ne", (model.limits.nodes_4, model.limits.edges_4), law, strict=True):
        counts = table * 3020 - 20 * getattr(model.limits, {"n": "nodes", "e": "edges"}[name])
        for place, count in enumerate(counts):
            test.fit(f"{name}{place}", np.round(count.numpy()), expected.numpy())
    alike = min(test.parts.values()) > THRESHOLD / len(test.parts)
    assert alike == (method == "haar-carried-by-rank"), test.parts


def test_weights_hold_the_limits(tmp_path, generator: torch.Generator) -> None:
    model = build("sympe-depth-first-carried-by-rank")
    model.limits.learn([paths(60)], model.breaking, generator)
    (tmp_path / "w.safetensors").write_bytes(model.to_bytes())
    loaded = GraphDiffusion.load(tmp_path / "w.safetensors")
    assert torch.equal(loaded.limits.edges_4, model.limits.edges_4)
    assert not any("limits" in name for name in build("sympe-depth-first-carried").state_dict())


def test_one_limit_needs_nothing_learned(generator: torch.Generator) -> None:
    model = build("sympe-depth-first-carried")
    model.limits.learn([paths(60)], model.breaking, generator)
    assert model.limits(None, 4)[0].tolist() == [0.75, 0.25]


def test_refused() -> None:
    with pytest.raises(ValueError, match="transition must be marginal with noise by rank; got uniform"):
        make_config("haar-carried-by-rank", "smoke", transition="uniform")
    domain = Domain(("A", "B"), (1.0, 0.0), (0.6, 0.4), (0, 0, 1))
    with pytest.raises(ValueError, match="the noise must lead to positive probabilities; got"):
        Limits(make_config("none", "smoke"), domain)

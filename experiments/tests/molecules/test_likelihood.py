"""The labeled bound where the truth is known: on graphs with independent entries it is the entropy."""

from itertools import pairwise, product

import pytest
import torch
from torch import Tensor

from sympe.groups import Permutation
from sympe_experiments.molecules.config import make_config
from sympe_experiments.molecules.domain import Domain
from sympe_experiments.molecules.graph_state import GraphState, one_hot, pair_index
from sympe_experiments.molecules.likelihood import estimate
from sympe_experiments.molecules.model import GraphDiffusion, Guess, sampling_times
from sympe_experiments.molecules.process import Process

IID = Domain(("C", "N", "O"), (0.7, 0.2, 0.1), (0.75, 0.2, 0.05), (0.0,) * 6 + (1.0,))
NODES, EDGES = (torch.tensor(law, dtype=torch.float64) for law in (IID.node_law, IID.edge_law))


class Truth(GraphDiffusion):
    """Guesses as one who knows that entries are independent, and their laws."""

    def guess(self, noisy: GraphState, t: Tensor, g: Permutation | None, generator: torch.Generator) -> Guess:
        def posterior(process: Process, z: Tensor, law: Tensor) -> Tensor:
            kept = process.kept[t][:, None, None]
            seen = kept * one_hot(z, 3, torch.float64) + (1 - kept) * process.limit_at(z)
            return (law * seen).log()

        of_nodes, of_edges = self.processes(g, 6)
        return Guess(posterior(of_nodes, noisy.nodes, NODES), posterior(of_edges, noisy.edges, EDGES))


class TruthByRank(GraphDiffusion):
    """Guesses as one who knows that entries are independent given the order, and go by the law of their rank."""

    laws: tuple[Tensor, Tensor]

    def guess(self, noisy: GraphState, t: Tensor, g: Permutation | None, generator: torch.Generator) -> Guess:
        assert g is not None
        rank, logits = g.rank.view(-1, 6), []
        i, j = torch.triu_indices(6, 6, 1)
        places = (rank, pair_index(rank[:, i], rank[:, j], 6))
        for process, z, place, law in zip(
            self.processes(g, 6), (noisy.nodes, noisy.edges), places, self.laws, strict=True
        ):
            kept = process.kept[t][:, None, None]
            seen = kept * one_hot(z, 3, torch.float64) + (1 - kept) * process.limit_at(z)
            logits.append((law[place] * seen).log())
        return Guess(*logits)


def iid(count: int, generator: torch.Generator) -> GraphState:
    nodes = torch.multinomial(torch.tensor(IID.node_law), count * 6, replacement=True, generator=generator)
    edges = torch.multinomial(torch.tensor(IID.edge_law), count * 15, replacement=True, generator=generator)
    return GraphState(nodes.view(count, 6), edges.view(count, 15))


@pytest.mark.parametrize("transition", ["marginal", "uniform"])
@pytest.mark.parametrize("method", ["none", "haar-carried"])
def test_independent_entries_have_the_entropy_that_is_known(
    transition: str, method: str, generator: torch.Generator
) -> None:
    """To 1 %; and the number of the official code is more than twice too large."""
    model = Truth(make_config(method, "smoke", steps=50, transition=transition), IID)
    entropy = -float(6 * (NODES * NODES.log()).sum() + 15 * (EDGES * EDGES.log()).sum())
    found = estimate(model, [iid(4000, generator)], 10, generator)
    assert found.mean("labeled") == pytest.approx(entropy, rel=0.01)
    assert abs(found.mean("labeled") - entropy) < 4 * found.standard_error("labeled")
    assert found.mean("digress") > 2 * entropy
    assert found.mean("class") == pytest.approx(found.mean("labeled") - found.mean("excess"))
    assert found.metrics()["class_nll"] == found.mean("class")
    assert sum(found.of_graphs()["class_nll_of_cases"]) / 4000 == pytest.approx(found.mean("class"), abs=1e-3)
    # Of nodes alone the official accounting is off by less, for they are counted once.
    assert 6 * 0.8 < found.mean("digress_nodes") < 0.3 * found.mean("digress")


@pytest.mark.parametrize("learned", [True, False])
def test_entries_that_go_by_rank_have_the_entropy_that_is_known(learned: bool, generator: torch.Generator) -> None:
    """Whether the noise has learned their laws or not: the bound is exact for any limit. Here the order is given."""
    model = TruthByRank(make_config("sympe-labeling-carried-by-rank", "smoke", steps=50), IID)
    model.laws = tuple(torch.rand(k, 3, generator=generator, dtype=torch.float64).square() + 0.01 for k in (6, 15))
    model.laws = tuple(law / law.sum(1, keepdim=True) for law in model.laws)
    entropy = -sum(float((law * law.log()).sum()) for law in model.laws)
    nodes, edges = (torch.multinomial(law, 4000, replacement=True, generator=generator).T for law in model.laws)
    data = GraphState(nodes, edges, torch.arange(6).expand(4000, 6))
    if learned:
        model.limits.learn([data], model.breaking, generator)
        torch.testing.assert_close(model.limits.nodes_6, model.laws[0], atol=0.03, rtol=0)
    found = estimate(model, [data], 10, generator)
    assert found.mean("labeled") == pytest.approx(entropy, rel=0.01)
    assert abs(found.mean("labeled") - entropy) < 4 * found.standard_error("labeled")
    assert found.mean("digress") > 1.5 * entropy
    # Noise that goes elsewhere than the bound believes is found out.
    model.noisy = Truth(make_config("sympe-labeling-carried", "smoke", steps=50), IID).noisy  # type: ignore[method-assign]
    wrong = estimate(model, [data], 10, generator)
    found_out = abs(wrong.mean("labeled") - entropy) > 10 * wrong.standard_error("labeled")
    assert found_out == learned, "while all ranks have one limit there is nothing to find"


def test_times_of_fewer_steps() -> None:
    assert sampling_times(100, 5) == [100, 80, 60, 40, 20, 0]
    assert sampling_times(100, 5, 2.0) == [100, 64, 36, 16, 4, 0]
    for steps, spacing in product(range(1, 101), (1.0, 1.5, 2.0, 5.0)):
        times = sampling_times(100, steps, spacing)
        assert (times[0], times[-1], len(times)) == (100, 0, steps + 1)
        assert all(s < t for t, s in pairwise(times)), "each step goes back"
    assert sampling_times(100, 100, 2.0) == [*range(100, -1, -1)], "all steps leave nothing to place"
    with pytest.raises(ValueError, match=r"spacing must be from 1 to 10; got 0.5"):
        make_config("none", "smoke", spacing=0.5)

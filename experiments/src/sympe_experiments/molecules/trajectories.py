r"""Tighter bounds on the likelihood of a class of graphs, from whole trajectories.

The variational bound of :mod:`~sympe_experiments.molecules.likelihood` is loose by what Jensen's inequality costs, and
not equally for every method: where g~ is carried, it pays for :math:`KL(q(\tilde g \mid x) \| p(\tilde g \mid x))` as
well. With g~ and a trajectory :math:`z_T, \dots, z_0 = x` drawn given the graph, the weight

.. math:: w = \frac{1}{|\mathrm{Aut}(x)|\, q(\tilde g \mid x)} \cdot p(n) \cdot
          \frac{p(z_T)}{q(z_T \mid x)} \prod_{s < t} \frac{p(z_s \mid z_t, \tilde g)}{q(z_s \mid z_t, x)}

over the steps of a sampler, from t to s each, has the mean :math:`p([x])`, or less if q leaves out some orders
(without g~, or with a random one, :math:`q = 1/n!`). So :math:`-\log \frac1K \sum_{k=1}^K w_k` of K draws bounds the
class NLL in expectation, never less tightly for more draws (Y. Burda, R. Grosse, R. Salakhutdinov, *Importance
weighted autoencoders*, ICLR 2016); for K = 1 it is the variational bound if q is the law that training draws from. For
:math:`K \to \infty` it is the class NLL itself for methods without g~, with a fresh or with a random one. For other
carried orders the bound leaves out what the model makes with orders that q never draws for this graph. So q draws more
of them than training where that is known (:meth:`~sympe_experiments.molecules.breaking.Breaking.propose`). Each draw
takes as many evaluations of the network as the sampler takes steps.
"""

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from sympe_experiments.molecules.breaking import log_automorphisms
from sympe_experiments.molecules.graph_state import GraphState, one_hot
from sympe_experiments.molecules.likelihood import mean_with_error, rounded
from sympe_experiments.molecules.model import GraphDiffusion
from sympe_experiments.molecules.process import Process, categorical
from sympe_experiments.report.statistics import OF_CASES


@torch.no_grad()
def log_weights(
    model: GraphDiffusion,
    clean: GraphState,
    draws: int,
    steps: int,
    generator: torch.Generator,
    own: torch.Generator,
) -> Float[Tensor, "B draws"]:
    """Logarithms of the weights of trajectories that end in graphs of equal size.

    Args:
        model: The model.
        clean: The graphs.
        draws: Trajectories per graph.
        steps: Steps of the sampler, from T to 0.
        generator: Source of the trajectories. They do not depend on the model, but for limits by rank: with equal
            generators models are compared on the same ones, which reveals small differences.
        own: Source of what the model draws itself, g~ or noise features.

    Raises:
        ValueError: If ``steps`` is not from 1 to T.
    """
    automorphisms = log_automorphisms(clean).repeat_interleave(draws)
    x = model.breaking.shuffled(clean.repeat(draws), generator)
    g, excess = model.breaking.propose(x, automorphisms, own)
    total = excess - model.domain.size_cost(x.num_nodes)
    of_nodes, of_edges = model.processes(g, x.num_nodes)
    z = model.noisy(x, x.nodes.new_full((len(x),), model.steps), g, generator)
    total += _prior_ratio(of_nodes, x.nodes, z.nodes) + _prior_ratio(of_edges, x.edges, z.edges)
    clean_nodes, clean_edges = (
        one_hot(entries, process.num_kinds, torch.float64)
        for process, entries in ((of_nodes, x.nodes), (of_edges, x.edges))
    )
    for now, then in pairwise(model.times(steps)):
        t, s = (x.nodes.new_full((len(x),), time) for time in (now, then))
        guess = model.guess(z, t, g, own)
        nodes, node_ratio = _step(of_nodes, clean_nodes, z.nodes, guess.nodes, s, t, generator)
        edges, edge_ratio = _step(of_edges, clean_edges, z.edges, guess.edges, s, t, generator)
        z = GraphState(nodes, edges)
        total += node_ratio + edge_ratio
    return total.view(-1, draws)


def _prior_ratio(process: Process, x: Tensor, z: Tensor) -> Float[Tensor, "B"]:
    """Log of p(z_T) / q(z_T | x)."""
    kept, limit = process.kept[-1], process.limit_at(z)[..., 0]
    return (limit.log() - (kept * (x == z) + (1 - kept) * limit).log()).sum(1)


def _step(
    process: Process, clean: Tensor, z: Tensor, logits: Tensor, s: Tensor, t: Tensor, generator: torch.Generator
) -> tuple[Tensor, Float[Tensor, "B"]]:
    """A draw of q(z_s | z_t, x), and the log of p(z_s | z_t) / q(z_s | z_t, x) there."""
    true = process.step_back(z, clean, s, t)
    ours = process.step_back(z, logits.double().softmax(-1), s, t)
    drawn = categorical(true, generator)
    p, q = (law.gather(-1, drawn[..., None])[..., 0] for law in (ours, true))
    return drawn, (p.log() - q.log()).sum(1)


def class_bounds(weights: Float[Tensor, "G draws"]) -> dict[int, Float[Tensor, "G"]]:
    """Bound of each graph by the number K of draws that it takes: 1, 2, 4, ... up to all.

    Every bound is the mean over as many disjoint groups of K draws as there are.
    """
    draws = weights.shape[1]
    found = {}
    for k in (2**i for i in range(draws.bit_length())):
        groups = weights[:, : draws // k * k].view(len(weights), -1, k)
        found[k] = -(groups.logsumexp(2) - math.log(k)).mean(1)
    return found


def class_metrics(
    weights: Float[Tensor, "G draws"], label: str = ""
) -> tuple[dict[str, float | int | None], dict[str, list[float]]]:
    """Mean bounds over graphs with their standard errors, and the tightest bound of each graph, by names of a record.

    Args:
        weights: Logarithms of the weights.
        label: What the names of all bounds end in.
    """
    found: dict[str, float | int | None] = {"trajectories": weights.shape[1]}
    bounds = class_bounds(weights)
    for k, values in bounds.items():
        found |= mean_with_error(f"class_nll_of_{k}{label}", values)
    most = max(bounds)
    return found, {f"class_nll_of_{most}{label}{OF_CASES}": rounded(bounds[most])}

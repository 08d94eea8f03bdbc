r"""Bounds on the likelihood of graphs, and three ways to count them that must not be confused.

All are in nats, per graph, with the law of the number of nodes included.

- ``labeled``: the variational bound on :math:`-\log p(x)` of a graph whose nodes have names (given g~, where it is
  carried), with the law that the sampler draws from, every pair once:

  .. math:: -\log p(n) + KL(q(z_T \mid x) \| p(z_T)) + \sum_{t=1}^{T} E\, KL\bigl(q(z_{t-1} \mid z_t, x) \,\|\,
            p(z_{t-1} \mid z_t)\bigr).

- ``class``: the bound for the graph up to relabeling, ``labeled`` less ``excess``
  (:mod:`sympe_experiments.molecules.breaking`). Of these three only it is a property of the molecule.
- ``digress``: the number that the official code of DiGress reports. It counts each pair twice, and compares with
  :meth:`~sympe_experiments.molecules.process.Process.plugged_in`, which is not what its sampler draws from. It
  bounds nothing that this sampler does. ``digress_nodes`` is what the nodes alone contribute.

The sum over times is estimated from several times per graph, spread evenly, each with
independent noise, order of nodes and g~.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sympe_experiments.molecules.breaking import log_automorphisms
from sympe_experiments.molecules.graph_state import GraphState, one_hot
from sympe_experiments.molecules.model import GraphDiffusion
from sympe_experiments.molecules.process import Process, divergence, uniform
from sympe_experiments.report.statistics import OF_CASES

COLUMNS = ("digress", "digress_nodes", "labeled", "excess", "class")


@dataclass(frozen=True)
class Bounds:
    """Estimates for each of several graphs.

    Attributes:
        digress: The number of the official code.
        digress_nodes: The same without pairs of nodes.
        labeled: Bound for the graph with named nodes.
        excess: Excess randomness of the kernel.
        times: Times that the estimate uses.
        terms: Their terms of the sum, one divergence each.
    """

    digress: Float[Tensor, "B"]
    digress_nodes: Float[Tensor, "B"]
    labeled: Float[Tensor, "B"]
    excess: Float[Tensor, "B"]
    times: Int[Tensor, "B draws"]
    terms: Float[Tensor, "B draws"]

    def column(self, name: str) -> Float[Tensor, "B"]:
        """One of :data:`COLUMNS`."""
        return self.labeled - self.excess if name == "class" else getattr(self, name)


@torch.no_grad()
def bounds(model: GraphDiffusion, clean: GraphState, draws: int, generator: torch.Generator) -> Bounds:
    """Estimate the bounds of graphs of equal size, each from ``draws`` times of the process."""
    automorphisms = log_automorphisms(clean)
    x = model.breaking.shuffled(clean.repeat(draws), generator)
    start = uniform(automorphisms, generator)[:, None]
    strata = (start + torch.arange(draws, device=start.device)) / draws
    times = (strata * model.steps).long().clamp(max=model.steps - 1) + 1
    t = times.view(-1)

    g = model.breaking.draw(x, generator)
    excess = model.breaking.excess(x, g, automorphisms.repeat_interleave(draws))
    z = model.noisy(x, t, g, generator)
    guess = model.guess(z, t, g, generator)
    of_nodes, of_edges = model.processes(g, x.num_nodes)
    labeled, node_digress = _terms(of_nodes, x.nodes, z.nodes, guess.nodes, t)
    edge_labeled, edge_digress = _terms(of_edges, x.edges, z.edges, guess.edges, t)
    terms = (labeled + edge_labeled).view(-1, draws)

    size = model.domain.size_cost(clean.num_nodes)
    prior, edge_prior = (
        process.prior_divergence(entries.long()).sum(1).view(-1, draws).mean(1)
        for process, entries in ((of_nodes, x.nodes), (of_edges, x.edges))
    )
    digress_nodes = size + prior + model.steps * node_digress.view(-1, draws).mean(1)
    digress_edges = 2 * (edge_prior + model.steps * edge_digress.view(-1, draws).mean(1))
    return Bounds(
        digress=digress_nodes + digress_edges,
        digress_nodes=digress_nodes,
        labeled=size + prior + edge_prior + model.steps * terms.mean(1),
        excess=excess.view(-1, draws).mean(1),
        times=times,
        terms=terms,
    )


def _terms(
    process: Process, x: Tensor, z: Tensor, logits: Tensor, t: Int[Tensor, "B"]
) -> tuple[Float[Tensor, "B"], Float[Tensor, "B"]]:
    """Divergence at time t, summed over the entries of each graph: ours, and as DiGress has it."""
    clean = one_hot(x, process.num_kinds, torch.float64)
    guess = logits.double().softmax(-1)
    true = process.step_back(z, clean, t - 1, t)
    ours = divergence(true, process.step_back(z, guess, t - 1, t)).sum(1)
    # The last step is a reconstruction there as well.
    theirs = divergence(true, process.plugged_in(z, guess, t - 1, t)).sum(1)
    last = divergence(clean, guess).sum(1)
    return ours, torch.where(t == 1, last, theirs)


def standard_error(values: Float[Tensor, "G"]) -> float:
    """Standard error of the mean over graphs; 0 for a single one."""
    return float(values.std() / math.sqrt(len(values))) if len(values) > 1 else 0.0


def mean_with_error(name: str, values: Float[Tensor, "G"]) -> dict[str, float | int | None]:
    """Mean over graphs and its standard error, by the names of a record; None where it is not finite."""
    found = {name: float(values.mean()), f"{name}_se": standard_error(values)}
    return {key: value if math.isfinite(value) else None for key, value in found.items()}


def rounded(values: Float[Tensor, "G"]) -> list[float]:
    """For a record: to a thousandth of a nat."""
    return [round(value, 3) for value in values.tolist()]


@dataclass
class Likelihood:
    """Means over a data set, each with its standard error over graphs.

    Attributes:
        values: For every column its value for every graph.
        times: All times that the estimates use.
        terms: Their terms.
        steps: T.
    """

    steps: int
    values: dict[str, list[Tensor]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    times: list[Tensor] = field(default_factory=list)
    terms: list[Tensor] = field(default_factory=list)

    def add(self, found: Bounds) -> None:
        """Add the estimates for some graphs."""
        for name in COLUMNS:
            self.values[name].append(found.column(name).cpu())
        self.times.append(found.times.flatten().cpu())
        self.terms.append(found.terms.flatten().cpu())

    def mean(self, name: str) -> float:
        return float(torch.cat(self.values[name]).mean())

    def standard_error(self, name: str) -> float:
        return standard_error(torch.cat(self.values[name]))

    def metrics(self) -> dict[str, float | int | None]:
        """Every column with its standard error, by the names of a record; None where it is not finite."""
        found: dict[str, float | int | None] = {}
        for name in COLUMNS:
            found |= mean_with_error("excess_nats" if name == "excess" else f"{name}_nll", torch.cat(self.values[name]))
        return found

    def of_graphs(self) -> dict[str, list[float]]:
        """The class NLL of every graph, in the order of the data set's sizes, for paired comparisons."""
        return {f"class_nll{OF_CASES}": rounded(torch.cat(self.values["class"]))}

    def by_time(self, bins: int = 20) -> dict[str, list[float]]:
        """Mean term in each of several stretches of time, in nats per step, and the middle of each stretch."""
        times, terms = torch.cat(self.times).double(), torch.cat(self.terms)
        where = ((times - 1) * bins / self.steps).long().clamp(max=bins - 1)
        count = torch.bincount(where, minlength=bins)
        mean = torch.bincount(where, weights=terms, minlength=bins) / count.clamp(min=1)
        middle = torch.bincount(where, weights=times, minlength=bins) / count.clamp(min=1) / self.steps
        there = count > 0
        return {"diffusion_time": middle[there].tolist(), "nats_per_step": mean[there].tolist()}


def estimate(
    model: GraphDiffusion, batches: Iterable[GraphState], draws: int, generator: torch.Generator
) -> Likelihood:
    """Estimate all columns over a data set, given as batches of graphs of equal size."""
    device = next(model.parameters()).device
    found = Likelihood(model.steps)
    for batch in batches:
        found.add(bounds(model, batch.to(device), draws, generator))
    return found

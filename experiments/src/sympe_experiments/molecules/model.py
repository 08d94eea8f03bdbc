"""The diffusion model: noise process, network, extra features and what breaks the symmetry, as one module."""

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from sympe.groups import Permutation
from sympe.seeding import sample
from sympe_experiments import weights
from sympe_experiments.molecules import features
from sympe_experiments.molecules.breaking import Breaking
from sympe_experiments.molecules.config import NAME, Config
from sympe_experiments.molecules.domain import Domain
from sympe_experiments.molecules.graph_state import GraphState, empty, one_hot
from sympe_experiments.molecules.limits import Limits
from sympe_experiments.molecules.process import Process, categorical, cosine_schedule
from sympe_experiments.nets import Dims, GraphTransformer
from sympe_experiments.old_names import config_now


@dataclass(frozen=True)
class Guess:
    """What the network thinks the clean graph is: logits of the kind of every node and pair."""

    nodes: Float[Tensor, "B n a"]
    edges: Float[Tensor, "B p b"]


@dataclass(frozen=True)
class Noised:
    """Graphs on their way to noise, as one step of training sees them. For one step only: the generator moves on.

    Attributes:
        clean: The graphs.
        noisy: The same at time ``t``.
        t: Time of each graph, 1 .. T.
        g: g~ of their trajectories or of this step; None without symmetry breaking, or while a learned kernel has yet
            to draw it.
        shown: Of which graphs the network sees g~; None for all.
        generator: Source of what remains to be drawn.
    """

    clean: GraphState
    noisy: GraphState
    t: Int[Tensor, "B"]
    g: Permutation | None
    shown: Bool[Tensor, "B"] | None
    generator: torch.Generator

    def to(self, device: torch.device | str) -> "Noised":
        g = None if self.g is None else self.g.to(device)
        shown = None if self.shown is None else self.shown.to(device)
        clean, noisy, t = self.clean.to(device), self.noisy.to(device), self.t.to(device)
        return Noised(clean, noisy, t, g, shown, self.generator)


class GraphDiffusion(nn.Module):
    """A generative model of graphs.

    Args:
        config: Sizes, noise process and method.
        domain: The kinds of graphs.
    """

    kept: Tensor

    def __init__(self, config: Config, domain: Domain) -> None:
        super().__init__()
        self.config = config
        self.domain = domain
        self.limits = Limits(config, domain)
        self.register_buffer("kept", cosine_schedule(config.steps), persistent=False)
        self.breaking = Breaking(config, domain)
        a, b = len(domain.node_law), len(domain.edge_law)
        chemistry = domain.is_chemical
        node_dim = a + features.NODE_FEATURES + chemistry * features.NODE_CHEMISTRY + self.breaking.dim
        graph_dim = 2 + features.GRAPH_FEATURES + chemistry * features.GRAPH_CHEMISTRY
        dims = Dims(
            config.node_dim,
            config.edge_dim,
            config.global_dim,
            config.node_hidden_dim,
            config.edge_hidden_dim,
            config.global_hidden_dim or config.edge_hidden_dim,
        )
        self.network = GraphTransformer((node_dim, b, graph_dim), (a, b), dims, config.num_layers)

    @property
    def steps(self) -> int:
        return self.config.steps

    def times(self, steps: int) -> list[int]:
        """Times from T to 0 of a sampler with so many steps.

        Raises:
            ValueError: If ``steps`` is not from 1 to T.
        """
        return sampling_times(self.steps, steps, self.config.spacing or 1.0)

    def processes(self, g: Permutation | None, n: int) -> tuple[Process, Process]:
        """The noise on nodes and on pairs of graphs of n nodes whose trajectories have these g~."""
        nodes, edges = self.limits(g, n)
        return Process(nodes, self.kept), Process(edges, self.kept)

    def noisy(
        self, clean: GraphState, t: Int[Tensor, "B"], g: Permutation | None, generator: torch.Generator
    ) -> GraphState:
        """A draw of the graphs at time t of the noise process."""
        of_nodes, of_edges = self.processes(g, clean.num_nodes)
        nodes = of_nodes.noisy(clean.nodes.long(), t, generator)
        return GraphState(nodes, of_edges.noisy(clean.edges.long(), t, generator))

    def prior(self, like: GraphState, g: Permutation | None, generator: torch.Generator) -> GraphState:
        """Graphs at time T, as many as ``like`` and of the same size."""
        nodes, edges = self.processes(g, like.num_nodes)
        return GraphState(nodes.prior(like.nodes, generator), edges.prior(like.edges, generator))

    def always_shown(self, t: Int[Tensor, "B"]) -> Bool[Tensor, "B"] | None:
        """Whether the network sees g~ at these times whatever training hides; None if training hides nothing."""
        method = self.breaking.method
        return t > method.seen_above * self.steps if method.hidden else None

    def guess(
        self,
        noisy: GraphState,
        t: Int[Tensor, "B"],
        g: Permutation | None,
        generator: torch.Generator,
        shown: Bool[Tensor, "B"] | None = None,
    ) -> Guess:
        """What the clean graphs may be.

        Args:
            noisy: The graphs at time t.
            t: Time of each graph, 1 .. T.
            g: g~ of their trajectories if it is carried, or of this step if it is fresh and already drawn.
            generator: Source of what each step draws.
            shown: Of which graphs the network sees g~. By default of those whose time is
                :meth:`always <always_shown>`; of the others the guess with g~ has the weight ``config.guidance``.
        """
        x, e, y = self.describe(noisy, t)
        extra = self.breaking(noisy, g, generator)
        guidance = self.config.guidance or 0.0
        told = shown if shown is not None else self.always_shown(t) if guidance < 1 else None
        nodes, edges = self._logits(x, e, y, extra, told)
        if shown is None and told is not None and 0 < guidance < 1 and not bool(told.all()):
            seen = self._logits(x, e, y, extra, None)
            nodes, edges = nodes.lerp(seen[0], guidance), edges.lerp(seen[1], guidance)
        # What is seen now is the best first guess, as in the published network.
        return Guess(nodes + x[..., : nodes.shape[2]], edges + e)

    def _logits(
        self, x: Tensor, e: Tensor, y: Tensor, extra: Tensor | None, shown: Bool[Tensor, "B"] | None
    ) -> tuple[Tensor, Tensor]:
        """Of nodes and pairs, where features that break the symmetry are shown; None for everywhere."""
        if extra is None:
            return self.network(x, e, y)
        extra = extra if shown is None else extra * shown[:, None, None]
        return self.network(torch.cat([x, extra.to(x.dtype)], dim=2), e, y)

    @torch.no_grad()
    def describe(
        self, noisy: GraphState, t: Int[Tensor, "B"]
    ) -> tuple[Float[Tensor, "B n dx"], Float[Tensor, "B p b"], Float[Tensor, "B dy"]]:
        """Features of nodes, pairs and graphs, except those that break the symmetry."""
        kind = one_hot(noisy.nodes, len(self.domain.node_law))
        pairs = one_hot(noisy.edges, len(self.domain.edge_law))
        matrix = noisy.matrix()
        # Eigenvalues need single precision, whatever the network computes in.
        with torch.autocast(matrix.device.type, enabled=False):
            joined = (matrix > 0).float()
            node_cycles, graph_cycles = features.count_cycles(joined)
            node_spectrum, graph_spectrum = features.spectral_features(joined)
            of_nodes = [kind, (node_cycles / 10).clamp(max=1), node_spectrum]
            size = torch.full_like(t, noisy.num_nodes).float() / self.domain.max_nodes
            of_graphs = [torch.stack([t / self.steps, size], dim=1), (graph_cycles / 10).clamp(max=1), graph_spectrum]
            if self.domain.is_chemical:
                # Kinds of edges are orders of bonds.
                nodes, graphs = features.chemical_features(kind, matrix.sum(2).float(), self.domain.elements)
                of_nodes.append(nodes)
                of_graphs.append(graphs)
        return torch.cat(of_nodes, dim=2), pairs, torch.cat(of_graphs, dim=1)

    def noised(self, clean: GraphState, generator: torch.Generator) -> Noised:
        """Everything random in a step of training that needs no weights: times, noise, and g~ unless it is learned."""
        t = torch.randint(1, self.steps + 1, (len(clean),), generator=generator, device=generator.device)
        t = t.to(clean.device)
        is_learned = self.breaking.is_learned
        g = None if is_learned else self.breaking.draw(clean, generator)
        noisy = self.noisy(clean, t, g, generator)
        if g is None and not is_learned:
            g = self.breaking.draw_fresh(noisy, generator)
        shown, hidden = self.always_shown(t), self.breaking.method.hidden
        if shown is not None and hidden < 1:
            shown = shown | (sample(torch.rand, t.shape, generator=generator, device=t.device) >= hidden)
        return Noised(clean, noisy, t, g, shown, generator)

    def loss(self, noised: Noised) -> Float[Tensor, "B"]:
        """Cross-entropy of the guess: mean over nodes, and over pairs, times ``edge_weight``."""
        clean, generator = noised.clean, noised.generator
        g = self.breaking.draw(clean, generator) if noised.g is None else noised.g
        guess = self.guess(noised.noisy, noised.t, g, generator, noised.shown)
        nodes = cross_entropy(guess.nodes.transpose(1, 2), clean.nodes.long(), reduction="none").mean(1)
        if clean.num_nodes < 2:
            return nodes
        edges = cross_entropy(guess.edges.transpose(1, 2), clean.edges.long(), reduction="none").mean(1)
        return nodes + self.config.edge_weight * edges

    def step_back(
        self,
        noisy: GraphState,
        s: Int[Tensor, "B"],
        t: Int[Tensor, "B"],
        g: Permutation | None,
        generator: torch.Generator,
    ) -> tuple[Float[Tensor, "B n a"], Float[Tensor, "B p b"]]:
        """Laws of nodes and pairs at time s given the graphs at time t."""
        guess = self.guess(noisy, t, g, generator)
        of_nodes, of_edges = self.processes(g, noisy.num_nodes)
        nodes = of_nodes.step_back(noisy.nodes, guess.nodes.double().softmax(-1), s, t)
        return nodes, of_edges.step_back(noisy.edges, guess.edges.double().softmax(-1), s, t)

    @torch.no_grad()
    def sample(
        self,
        count: int,
        n: int,
        steps: int,
        generator: torch.Generator,
        device: torch.device | str = "cpu",
        start: GraphState | None = None,
        trajectory: list[tuple[int, GraphState]] | None = None,
    ) -> GraphState:
        """Draw graphs of n nodes; with a carried g~ they hold its ranks.

        Args:
            count: Number of graphs.
            n: Nodes of each.
            steps: Steps from time T to 0; fewer than T skip times, as the configuration spaces them.
            generator: Source of all draws.
            device: Where to compute.
            start: Graphs at time T; by default drawn.
            trajectory: A list to fill with times and the graphs at these times.

        Raises:
            ValueError: If ``steps`` is not from 1 to T.
        """
        like = empty(count, n, device)
        g = self.breaking.draw_prior(like, generator)
        z = self.prior(like, g, generator) if start is None else start
        for now, then in pairwise(self.times(steps)):
            if trajectory is not None:
                trajectory.append((now, z))
            t, s = (z.nodes.new_full((count,), time) for time in (now, then))
            nodes, edges = self.step_back(z, s, t, g, generator)
            z = GraphState(categorical(nodes, generator), categorical(edges, generator))
        if trajectory is not None:
            trajectory.append((0, z))
        return z if g is None else replace(z, rank=g.rank.view(count, n))

    def to_bytes(self) -> bytes:
        """Weights, configuration and domain as one safetensors file; equal models give equal bytes."""
        return weights.to_bytes(self, {"config": self.config.as_dict(), "domain": self.domain.as_dict()})

    @classmethod
    def load(cls, path: Path | str, spacing: float | None = None, guidance: float | None = None) -> "GraphDiffusion":
        """Read a model that a run exported, in evaluation mode.

        Args:
            path: The file.
            spacing: Of the times of its sampler, in place of what the run had.
            guidance: Weight of the guess that sees g~ near the graph, in place of what the run had.

        Raises:
            ValueError: If the file is not such an export, or ``spacing`` or ``guidance`` is invalid for it.
        """

        def build(described: dict[str, Any]) -> GraphDiffusion:
            config = Config.from_dict(config_now(NAME, described["config"]))
            return cls(config, Domain.from_dict(described["domain"]))

        model = weights.load(path, "a graph diffusion", build).eval()
        known = model.config
        model.config = replace(
            known,
            spacing=known.spacing if spacing is None else spacing,
            guidance=known.guidance if guidance is None else guidance,
        )
        return model


def sampling_times(total: int, steps: int, spacing: float = 1.0) -> list[int]:
    """Times from T to 0 in ``steps`` steps: T u^spacing for even u, so evenly by default, and closer near 0 above.

    Raises:
        ValueError: If ``steps`` is not from 1 to ``total``.
    """
    if not 1 <= steps <= total:
        raise ValueError(f"steps must be from 1 to {total}, the steps of the noise process; got {steps}")
    # Where powers round to the same time, steps of one are left.
    return [max(round(total * left**spacing / steps**spacing), left) for left in range(steps, -1, -1)]

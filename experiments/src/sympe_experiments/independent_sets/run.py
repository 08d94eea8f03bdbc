r"""Train a network to name a maximal independent set, test it on graphs that it has not seen, write the record.

A set of nodes is *independent* if no two of them are joined, and *maximal* if every other node is joined to one of
them. The network gives each node a probability :math:`p_i`; if nodes were drawn independently with these, the expected
number of edges inside the set and of nodes that are neither in it nor joined to it would be

.. math:: \sum_{i \sim j} p_i p_j + \sum_i (1 - p_i) \prod_{j \sim i} (1 - p_j) .

This is the loss. It is zero exactly for probabilities 0 and 1 that name a maximal independent set; no set is shown to
the network, and none is preferred. An answer is what the network says at the threshold 1/2, without any repair.
"""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import pad, softplus

from sympe import breaking
from sympe.actions import NodeRelabeling
from sympe.auditing import excess_of_model
from sympe.canonicalize import Labeling
from sympe.graphs import Graphs, to_dense
from sympe.kernel import InversionKernel
from sympe.seeding import sequence_generator
from sympe_experiments.fitting import Fit, fit
from sympe_experiments.independent_sets.config import NAME, Config
from sympe_experiments.independent_sets.data import load_splits
from sympe_experiments.nets import GIN, Perceptron
from sympe_experiments.records import Record
from sympe_experiments.resuming import resumable
from sympe_experiments.training import build_from_seed

# What a stream of random numbers is for; the number after the seed. Training uses (seed, step).
TEST = 2


class NodeNetwork(nn.Module):
    """What breaks the symmetry, and a GIN that sees it; one logit or more per node."""

    def __init__(self, config: Config, max_nodes: int, num_logits: int = 1) -> None:
        super().__init__()
        self.breaking = breaking.for_graphs(config.method, config.dim, max_nodes)
        self.network = GIN(self.breaking.dim, num_logits, config.hidden_dim, config.num_layers)

    def forward(self, graphs: Graphs, generator: torch.Generator | None = None) -> Float[Tensor, "N K"]:
        return self.network(graphs, self.breaking(graphs, generator))


class AdjacencyPerceptron(nn.Module):
    """A perceptron from the adjacency matrix, padded with zeros, to one logit per node; not equivariant."""

    def __init__(self, config: Config, max_nodes: int) -> None:
        super().__init__()
        self.max_nodes = max_nodes
        self.network = Perceptron(max_nodes**2, max_nodes, 4 * config.hidden_dim)

    def forward(self, graphs: Graphs) -> Float[Tensor, "N 1"]:
        adjacency, _ = to_dense(graphs)
        missing = self.max_nodes - graphs.max_nodes
        logit = self.network(pad(adjacency.float(), (0, missing, 0, missing)).flatten(1))
        return logit[graphs.batch, torch.arange(graphs.num_nodes) - graphs.start, None]


def build_network(config: Config, max_nodes: int) -> nn.Module:
    """What a method trains: a module from graphs and a generator to one logit per node."""
    if config.method == "canonicalized":
        kernel = InversionKernel(Labeling())
        return breaking.Canonicalized(AdjacencyPerceptron(config, max_nodes), kernel, NodeRelabeling())
    return NodeNetwork(config, max_nodes)


def expected_violations(logit: Float[Tensor, "N"], graphs: Graphs) -> Float[Tensor, "G"]:
    """Expected number of violations in each graph: the loss above."""
    source, target = graphs.edge_index
    p, out = logit.sigmoid(), softplus(logit)  # the logarithm of 1 - p is -out
    alone = torch.exp(-(out + torch.zeros_like(out).index_add(0, target, out[source])))
    joined = torch.zeros_like(p).index_add(0, target, p[source]) * p / 2
    return torch.zeros(len(graphs), dtype=p.dtype, device=p.device).index_add(0, graphs.batch, alone + joined)


def is_maximal_independent(chosen: Bool[Tensor, "N"], graphs: Graphs) -> Bool[Tensor, "G"]:
    """Whether the chosen nodes of each graph are a maximal independent set."""
    source, target = graphs.edge_index
    neighbors = torch.zeros_like(graphs.batch).index_add(0, target, chosen[source].long())
    wrong = chosen == (neighbors > 0)
    return torch.zeros_like(graphs.sizes).index_add(0, graphs.batch, wrong.long()) == 0


def train_and_ask(
    model: nn.Module, loss: Callable[[Tensor, Graphs], Tensor], train: Graphs, test: Graphs, config: Config
) -> tuple[Fit, list[Float[Tensor, "N K"]]]:
    """Minimize the mean loss of graphs; what the network then says of others, once for each draw."""

    def of_some(generator: torch.Generator) -> Tensor:
        graphs = train.select(torch.randint(len(train), (config.batch_size,), generator=generator))
        return loss(model(graphs, generator), graphs).mean()

    trained = fit(model, of_some, steps=config.steps, learning_rate=config.learning_rate, seed=config.seed)
    model.eval()
    with torch.no_grad():
        return trained, [model(test, sequence_generator(config.seed, TEST, k)) for k in range(config.draws)]


@resumable()
def run(config: Config, folder: Path, *, resume: bool = False) -> Record:
    """Train and test one network; the record is written into ``folder``."""
    started = time.perf_counter()
    train, test = load_splits(config.data, config.max_nodes)
    model = build_from_seed(lambda: build_network(config, max(train.max_nodes, test.max_nodes)), config.seed)

    trained, answers = train_and_ask(model, lambda out, x: expected_violations(out[:, 0], x), train, test, config)
    draws = [logit[:, 0] > 0 for logit in answers]
    valid = torch.stack([is_maximal_independent(chosen, test) for chosen in draws]).double()
    size = torch.stack([chosen.double().mean() for chosen in draws])
    metrics = {
        "error": 100 * float(1 - valid.mean()),
        "best_of_draws_error": 100 * float(1 - valid.max(0).values.mean()),
        **excess_of_model(model, test),
        "step_ms": 1000 * trained.seconds / config.steps,
        "chosen_percent": 100 * float(size.mean()),
        "train_graphs": len(train),
        "test_graphs": len(test),
        "n_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
    }
    seconds, history = time.perf_counter() - started, {"train_loss": trained.losses}
    record = Record.of(NAME, config, metrics, seconds, data=Path(config.data).name, history=history)
    record.write(folder)
    return record

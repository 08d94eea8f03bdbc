r"""Train a network to color the nodes of a graph, test it on graphs that it has not seen, write the record.

The network gives each node a probability :math:`p_{ic}` of each of three colors. The loss is the expected number of
edges of one color if nodes were drawn independently with these,

.. math:: \sum_{i \sim j} \sum_c p_{ic}\, p_{jc} .

It is zero exactly for probabilities 0 and 1 that name a proper coloring; none is shown to the network or preferred. An
answer is the most probable color of each node, without any repair.
"""

import time
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sympe.auditing import excess_of_model
from sympe.graphs import Graphs
from sympe_experiments.independent_sets.coloring.config import NAME, Config
from sympe_experiments.independent_sets.coloring.data import COLORS, load_splits
from sympe_experiments.independent_sets.run import NodeNetwork, train_and_ask
from sympe_experiments.records import Record
from sympe_experiments.resuming import resumable
from sympe_experiments.training import build_from_seed


def expected_clashes(logit: Float[Tensor, "N 3"], graphs: Graphs) -> Float[Tensor, "G"]:
    """Expected number of edges of one color in each graph: the loss above."""
    source, target = graphs.edge_index
    p = logit.softmax(1)
    return _sums((p[source] * p[target]).sum(1), graphs) / 2


def clashes(color: Int[Tensor, "N"], graphs: Graphs) -> Float[Tensor, "G"]:
    """Edges of one color in each graph."""
    source, target = graphs.edge_index
    return _sums((color[source] == color[target]).double(), graphs) / 2


def _sums(of_edges: Float[Tensor, "E"], graphs: Graphs) -> Float[Tensor, "G"]:
    zeros = torch.zeros(len(graphs), dtype=of_edges.dtype, device=of_edges.device)
    return zeros.index_add(0, graphs.batch[graphs.edge_index[0]], of_edges)


@resumable()
def run(config: Config, folder: Path, *, resume: bool = False) -> Record:
    """Train and test one network; the record is written into ``folder``."""
    started = time.perf_counter()
    train, test = load_splits(config.max_nodes)
    model = build_from_seed(lambda: NodeNetwork(config, max(train.max_nodes, test.max_nodes), COLORS), config.seed)
    trained, answers = train_and_ask(model, expected_clashes, train, test, config)
    wrong = torch.stack([clashes(logit.argmax(1), test) for logit in answers])
    is_right: Bool[Tensor, "draws G"] = wrong == 0
    metrics = {
        "error": 100 * float(1 - is_right.double().mean()),
        "best_of_draws_error": 100 * float(1 - is_right.any(0).double().mean()),
        "clashes_percent": 100 * float(wrong.sum(1).mean()) * 2 / test.num_edges,
        **excess_of_model(model, test),
        "step_ms": 1000 * trained.seconds / config.steps,
        "train_graphs": len(train),
        "test_graphs": len(test),
        "n_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
    }
    seconds, history = time.perf_counter() - started, {"train_loss": trained.losses}
    record = Record.of(NAME, config, metrics, seconds, history=history)
    record.write(folder)
    return record

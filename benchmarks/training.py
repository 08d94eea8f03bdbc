"""Training speed of the graph autoencoder, and what symmetry breaking adds to a step.

Run with one thread: ``OMP_NUM_THREADS=1 python benchmarks/training.py``. All figures of one table come from one
process, measured in turns; quote the ratios.

- ``plain loop``: the same network written straight from its formulas (the two states and the adjacency joined
  for every pair, differences of codes for every pair), one graph per step.
- ``batched``: the library's network, graphs of equal size together.
- overhead: the share of a step spent on drawing g~ and the encoding, forward and backward, taken as the
  difference to the same step with features that are given.
"""

import argparse
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, linear, silu

from sympe.graphs.datasets import erdos_renyi
from sympe_experiments.autoencoder.config import make_config
from sympe_experiments.autoencoder.data import Batch, GraphSet
from sympe_experiments.autoencoder.model import GraphAutoencoder
from sympe_experiments.nets.complete_graph import CompleteGraphLayer
from sympe_experiments.seeding import mixed_generator
from timing import Table, interleave


def plain_layer(layer: CompleteGraphLayer, h: Tensor, adjacency: Tensor) -> Tensor:
    """One layer, pair by pair, of one graph."""
    n, d = h.shape
    s = layer.norm(h)
    joined = torch.cat([s[:, None].expand(n, n, d), s[None].expand(n, n, d), adjacency[..., None]], dim=2)
    weight = torch.cat([layer.receiver.weight, layer.sender.weight, layer.edge[:, None]], dim=1)
    m = silu(layer.message(silu(linear(joined, weight, layer.receiver.bias))))
    received = (m * (1 - torch.eye(n))[..., None]).sum(1) / n
    return h + layer.update_out(silu(layer.update_in(torch.cat([s, received], dim=1))))


def plain_loss(model: GraphAutoencoder, x: Tensor, adjacency: Tensor) -> Tensor:
    """Cross-entropy of one graph, summed over ordered pairs."""
    encoder = model.encoder
    assert encoder.embed is not None
    h = encoder.start + encoder.embed(x)
    for layer in encoder.layers:
        assert isinstance(layer, CompleteGraphLayer)
        h = plain_layer(layer, h, adjacency)
    code = encoder.out(h)
    logits = model.bias + (code[:, None] - code[None]).square() @ model.weight
    loss = binary_cross_entropy_with_logits(logits, adjacency, reduction="none")
    return (loss * (1 - torch.eye(len(h)))).sum()


def training_step(model: GraphAutoencoder, loss: Callable[[], Tensor]) -> Callable[[], None]:
    """Forward, backward and one step of Adam."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step


class Cycle:
    """Batches of all sizes in turn, so that a measurement sees the mix of the data."""

    def __init__(self, data: GraphSet, batch_size: int) -> None:
        self.batches: list[Batch] = [data[n, list(range(batch_size))] for n in data.adjacency]
        self.at = 0

    def __call__(self) -> Batch:
        self.at += 1
        return self.batches[self.at % len(self.batches)]


class Given(nn.Module):
    """Features that cost nothing: the encoding that a step without symmetry breaking would have."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.v = nn.Parameter(torch.randn(1, dim))

    def forward(self, x: object, generator: torch.Generator | None = None) -> Tensor:
        return self.v.expand(x.num_nodes, -1)  # type: ignore[attr-defined]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15, help="measurements of each, in turns")
    repeats = parser.parse_args().repeats
    data = GraphSet(erdos_renyi("train", 1000), num_vectors=6)
    numbers = iter(range(10**9))

    def model_step(method: str, batch_size: int, given: bool = False) -> Callable[[], None]:
        model = GraphAutoencoder(make_config(method, "fast"), 16)
        if given:
            model.breaking = nn.ModuleList([Given(sum(int(e.dim) for e in model.breaking))])
        batches = Cycle(data, batch_size)
        return training_step(model, lambda: model(batches(), mixed_generator(next(numbers))).loss.mean())

    def passes(step: Callable[[], None], count: int) -> Callable[[], None]:
        def run() -> None:
            for _ in range(count):
                step()

        return run

    plain_model = GraphAutoencoder(make_config("haar", "fast"), 16)
    singles = Cycle(data, 1)

    def plain() -> Tensor:
        batch = singles()
        x = plain_model.breaking[0](batch.graphs, mixed_generator(next(numbers)))
        return plain_loss(plain_model, x, batch.adjacency[0])

    # The two write the same function: otherwise the ratio means nothing.
    batch = data[9, [0]]
    x = plain_model.breaking[0](batch.graphs, mixed_generator(0))
    same = plain_model(batch, mixed_generator(0)).loss[0]
    torch.testing.assert_close(plain_loss(plain_model, x, batch.adjacency[0]), same)

    sizes = len(data.adjacency)
    runs = {"plain loop, batch 1": (passes(training_step(plain_model, plain), sizes), sizes)}
    runs |= {f"batched, batch {b}": (passes(model_step("haar", b), sizes), sizes * b) for b in (1, 16, 64)}
    table = Table("training_step", "ms per graph of training, G(n, 1/4) with n = 7..16")
    times = interleave({name: run for name, (run, _) in runs.items()}, repeats)
    table.add_times(
        {name: [1e3 * t / runs[name][1] for t in times[name]] for name in runs}, relative_to="plain loop, batch 1"
    )

    overhead = Table("encoding_overhead", "ms per training step of 64 graphs; beside it the step with given features")
    for method in (
        "noise",
        "haar",
        "laplacian",
        "sympe-labeling",
        "sympe-refinement",
        "sympe-breadth-first",
        "sympe-sort",
    ):
        pair = {f"{method}: given": model_step(method, 64, given=True), method: model_step(method, 64)}
        times = interleave({name: passes(step, sizes) for name, step in pair.items()}, repeats)
        overhead.add_times(
            {name: [1e3 * t / sizes for t in ts] for name, ts in times.items()}, relative_to=f"{method}: given"
        )
    for each in (table, overhead):
        each.print()
        each.write()


if __name__ == "__main__":
    main()

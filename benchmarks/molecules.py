"""Speed of graph diffusion at the published size: training, likelihood, sampling, and memory.

Run with one thread: ``OMP_NUM_THREADS=1 python benchmarks/molecules.py --data FOLDER``. The molecules are drawn from
the training set. All rows of one table are measured in turns, in one process; quote the ratios.

- ``padded``: the same network written straight from its formulas, as the published code has it: molecules of all
  sizes in one batch, padded to the largest; both triangles of the pairs; linear maps and modulations one by one; masks,
  and the assertions that they were kept, after each. It makes pairs symmetric at the end only, as published; that the
  two write the same function is checked with the symmetric update.
- ``ours``: molecules of equal size together, one triangle; full batches, as nearly all of an epoch are.
- ``bf16``: the same with matrix products and activations in bf16, as recipes for GPUs have it; some CPUs can too.
- ``compiled``: the layers of the network through ``torch.compile`` as well (``--compile``; needs minutes at first).

``--batches`` times what workers of the data loader do instead: shuffle, noise and canonicalize a batch.

``--device cuda`` measures a GPU. Batches are then noised beforehand for ``ours``, as workers of the loader do, and
brought to the GPU in each step. One more table tells how much arithmetic of matrix products training does per second,
and as a share of what one large matrix product reaches on the same processor in the same precision.

``NLL`` is one estimate of the bound from one time of diffusion per molecule. ``sampling`` is timed over a few steps and
given for all steps of the process. Memory is the most that a process of its own holds in one step of training.
"""

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import replace
from multiprocessing import get_context
from statistics import median

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear, relu
from torch.utils.flop_counter import FlopCounterMode

from sympe_experiments.molecules.config import Config, make_config
from sympe_experiments.molecules.data import GraphStore, load_splits
from sympe_experiments.molecules.features import chemical_features, count_cycles, spectral_features
from sympe_experiments.molecules.graph_state import GraphState, one_hot
from sympe_experiments.molecules.likelihood import bounds
from sympe_experiments.molecules.model import GraphDiffusion
from sympe_experiments.molecules.training import NoisedBatches
from sympe_experiments.nets import GraphTransformer
from sympe_experiments.nets.graph_transformer import GraphTransformerLayer
from sympe_experiments.seeding import mixed_generator
from timing import Table, gpu_clock, interleave, memory_now, peak_memory

SETS = {"qm9-hydrogens": "paper-hydrogens", "qm9": "paper"}
CPU = torch.device("cpu")
#: Rows and columns of the large matrices; on one core smaller ones take long enough.
LARGE = {"cpu": 1024, "cuda": 8192}


def check_masked(x: Tensor, mask: Tensor) -> Tensor:
    """What is masked must be zero; the published code asks after every map."""
    assert float((x.detach() * (1 - mask)).abs().max()) < 1e-4
    return x


def plain_statistics(module: torch.nn.Module, x: Tensor, mask: Tensor) -> Tensor:
    weight = mask / mask.sum(1, keepdim=True)
    return module(x, weight, mask > 0)


def plain_layer(
    layer: GraphTransformerLayer, x: Tensor, e: Tensor, y: Tensor, mask: Tensor, symmetric: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """One layer on padded nodes and all ordered pairs."""
    nodes = mask[..., None]
    pairs = nodes[:, :, None] * nodes[:, None]
    weights, biases = layer.qkv.weight.chunk(3), layer.qkv.bias.chunk(3)
    q, k, v = (check_masked(linear(x, w, b) * nodes, nodes) for w, b in zip(weights, biases, strict=True))
    logits = q[:, :, None] * k[:, None]
    logits = logits * layer.scale
    check_masked(logits, pairs)
    (w_mul, w_add), (b_mul, b_add) = layer.modulation.weight.chunk(2), layer.modulation.bias.chunk(2)
    e_mul = linear(e, w_mul, b_mul) * pairs
    e_add = linear(e, w_add, b_add) * pairs
    logits = logits * (e_mul + 1) + e_add
    (wx_add, wx_mul, we_add, we_mul), film_bias = layer.film.weight.chunk(4), layer.film.bias.chunk(4)
    x_add, x_mul, e_add_y, e_mul_y = (
        linear(y, w, b) for w, b in zip((wx_add, wx_mul, we_add, we_mul), film_bias, strict=True)
    )
    new_e = (logits + logits.transpose(1, 2)) / 2 if symmetric else logits
    new_e = e_add_y[:, None, None] + (e_mul_y[:, None, None] + 1) * new_e
    new_e = check_masked(layer.edge_out(new_e) * pairs, pairs)
    attention = torch.softmax(logits.masked_fill(nodes[:, None] == 0, -torch.inf), dim=2)
    attended = (attention * v[:, None]).sum(2)
    new_x = x_add[:, None] + (x_mul[:, None] + 1) * attended
    new_x = check_masked(layer.node_out(new_x) * nodes, nodes)
    new_y = layer.graph_in(y) + plain_statistics(layer.node_statistics, x, mask)
    new_y = new_y + plain_statistics(layer.edge_statistics, e.flatten(1, 2), pairs.flatten(1))
    x, e = layer.node_norm(x + new_x), layer.edge_norm(e + new_e)
    y = layer.graph_norm(y + layer.graph_out(new_y))
    return tuple(  # type: ignore[return-value]
        mlp.norm(state + mlp.out(relu(mlp.into(state))))
        for mlp, state in ((layer.node_mlp, x), (layer.edge_mlp, e), (layer.graph_mlp, y))
    )


def plain_network(
    network: GraphTransformer, x: Tensor, e: Tensor, y: Tensor, mask: Tensor, symmetric: bool
) -> tuple[Tensor, Tensor]:
    """Logits of nodes and of all ordered pairs."""
    x, e, y = network.node_in(x), network.edge_in(e), network.graph_in(y)
    e = (e + e.transpose(1, 2)) / 2
    for layer in network.layers:
        assert isinstance(layer, GraphTransformerLayer)
        x, e, y = plain_layer(layer, x, e, y, mask, symmetric)
    edges = network.edge_out(e)
    return network.node_out(x), (edges + edges.transpose(1, 2)) / 2


class Padded:
    """Molecules of all sizes in batches, in random order, and the loss of the published code."""

    def __init__(
        self, model: GraphDiffusion, molecules: list[GraphState], batch_size: int, device: torch.device
    ) -> None:
        self.model = model
        self.batches: list[tuple[Tensor, Tensor, Tensor]] = []
        for at in range(0, len(molecules), batch_size):
            part = molecules[at : at + batch_size]
            n = max(one.num_nodes for one in part)
            nodes, edges, mask = (torch.zeros(len(part), *shape, dtype=torch.long) for shape in ((n,), (n, n), (n,)))
            for k, one in enumerate(part):
                size = one.num_nodes
                nodes[k, :size], edges[k, :size, :size], mask[k, :size] = one.nodes[0], one.matrix()[0], 1
            self.batches.append((nodes.to(device), edges.to(device), mask.float().to(device)))

    def features(self, nodes: Tensor, edges: Tensor, mask: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same features, of padded matrices: what they say of padding does not matter here, their cost does."""
        joined = (edges > 0).float()
        (node_cycles, graph_cycles), (node_spectrum, graph_spectrum) = count_cycles(joined), spectral_features(joined)
        kind = one_hot(nodes, len(self.model.domain.node_law)) * mask[..., None]
        atoms, weight = chemical_features(kind, edges.sum(2).float(), self.model.domain.elements)
        size = mask.sum(1) / self.model.domain.max_nodes
        x = torch.cat([kind, (node_cycles / 10).clamp(max=1), node_spectrum, atoms], dim=2) * mask[..., None]
        y = [torch.stack([t / self.model.steps, size], dim=1), (graph_cycles / 10).clamp(max=1), graph_spectrum, weight]
        return x, one_hot(edges, len(self.model.domain.edge_law)), torch.cat(y, dim=1)

    def loss(self, batch: tuple[Tensor, Tensor, Tensor], generator: torch.Generator) -> Tensor:
        nodes, edges, mask = batch
        t = torch.randint(1, self.model.steps + 1, (len(nodes),), generator=generator, device=generator.device)
        of_nodes, of_edges = self.model.processes(None, nodes.shape[1])
        noisy = of_nodes.noisy(nodes, t, generator) * mask.long()
        upper = of_edges.noisy(edges, t, generator).triu(1)
        noisy_edges = (upper + upper.transpose(1, 2)) * (mask[:, :, None] * mask[:, None]).long()
        x, e, y = self.features(noisy, noisy_edges, mask, t)
        node_logits, edge_logits = plain_network(self.model.network, x, e, y, mask, symmetric=False)
        a, b = node_logits.shape[2], edge_logits.shape[3]
        node_logits, edge_logits = node_logits + x[..., :a], edge_logits + e
        pairs = (mask[:, :, None] * mask[:, None]).triu(1) > 0
        node_loss = cross_entropy(node_logits[mask > 0].view(-1, a), nodes[mask > 0])
        return node_loss + 5 * cross_entropy(edge_logits[pairs].view(-1, b), edges[pairs])


def check_same(model: GraphDiffusion, batch: GraphState) -> None:
    """The two write the same function: otherwise the ratio means nothing."""
    x, e, y = model.describe(batch, torch.full((len(batch),), 7, device=batch.device))
    n = batch.num_nodes
    i, j = torch.triu_indices(n, n, 1)
    full = e.new_zeros(len(batch), n, n, e.shape[2])
    full[:, i, j] = full[:, j, i] = e
    with torch.no_grad():
        nodes, edges = model.network(x, e, y)
        plain_nodes, plain_edges = plain_network(model.network, x, full, y, x.new_ones(len(batch), n), True)
    torch.testing.assert_close(plain_nodes, nodes, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(plain_edges[:, i, j], edges, atol=1e-3, rtol=1e-3)


def config_of(data: str) -> Config:
    """The published size in single precision, not compiled."""
    return replace(make_config("none", SETS[data]), precision="32", compile=False)


def draw(store: GraphStore, count: int, generator: torch.Generator) -> list[GraphState]:
    """Molecules of all sizes, as often as the data have them, shuffled."""
    keys = [(n, k) for n, total in store.counts.items() for k in range(total)]
    chosen = torch.randperm(len(keys), generator=generator)[:count].tolist()
    return [store[keys[c][0], [keys[c][1]]].shuffled(generator) for c in chosen]


def grouped(store: GraphStore, count: int, batch_size: int, generator: torch.Generator) -> list[GraphState]:
    """Full batches of one size each, as an epoch has them; their sizes at even quantiles of those of the data."""
    sizes = torch.tensor([n for n, total in store.counts.items() for _ in range(total)])
    num_batches = count // batch_size
    batches = []
    for k in range(num_batches):
        n = int(sizes[int((k + 0.5) / num_batches * len(sizes))])
        chosen = torch.randint(store.counts[n], (batch_size,), generator=generator).tolist()
        batches.append(store[n, chosen].shuffled(generator))
    return batches


def training(
    model: GraphDiffusion, losses: list[Callable[[], Tensor]], half: bool = False, compiled: bool = False
) -> Callable[[], None]:
    device = next(model.parameters()).device
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6, amsgrad=True, fused=True)
    if compiled:
        model.network.compile_layers()

    def run() -> None:
        for loss in losses:
            optimizer.zero_grad()
            with torch.autocast(device.type, torch.bfloat16, enabled=half):
                value = loss()
            value.backward()
            optimizer.step()

    return run


def size(model: GraphDiffusion) -> str:
    return f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters"


def measure(data: str, count: int, batch_size: int, repeats: int, compiled: bool, device: torch.device) -> None:
    splits = load_splits(data, (10**9, 10**9, 10**9))
    preparing = GraphDiffusion(config_of(data), splits.domain())
    model = deepcopy(preparing).to(device)
    generator = mixed_generator(0)
    here = generator if device == CPU else torch.Generator(device).manual_seed(0)
    store = GraphStore(splits.train)
    molecules, batches = draw(store, count, generator), grouped(store, count, batch_size, generator)
    padded = Padded(model, molecules, batch_size, device)
    check_same(model, batches[0].to(device))

    def ours(batch: GraphState, model: GraphDiffusion = model) -> Callable[[], Tensor]:
        if device == CPU:
            return lambda: model.loss(model.noised(batch, generator)).mean()
        prepared = preparing.noised(batch, generator)
        return lambda: model.loss(prepared.to(device)).mean()

    def plain(batch: tuple[Tensor, Tensor, Tensor]) -> Callable[[], Tensor]:
        return lambda: padded.loss(batch, here)

    @torch.no_grad()
    def nll() -> None:
        for batch in batches:
            bounds(model, batch.to(device), 1, generator)

    @torch.no_grad()
    def padded_forward() -> None:
        for batch in padded.batches:
            padded.loss(batch, here)

    steps = 2

    def sampling() -> None:
        for batch in batches:
            model.sample(len(batch), batch.num_nodes, steps, generator, device)

    losses = [ours(batch) for batch in batches]
    arithmetic = count_arithmetic(losses) / count
    runs: dict[str, Callable[[], object]] = {
        "training, padded": training(model, [plain(batch) for batch in padded.batches]),
        "training, ours": training(model, losses),
        "training, ours, bf16": training(model, losses, half=True),
        "forward pass, padded": padded_forward,
        "NLL, ours": nll,
        "sampling, ours": sampling,
    }
    if compiled:
        other = deepcopy(model)
        runs["training, ours, bf16, compiled"] = training(other, [ours(batch, other) for batch in batches], True, True)
    times = interleave(runs, repeats, clock_of(device))
    times["sampling, ours"] = [t * model.steps / steps for t in times["sampling, ours"]]
    table = Table(
        f"molecules_{data}_{batch_size}{suffix(device)}",
        f"ms per molecule; {count} of {data}, {sum(m.num_nodes for m in molecules) / count:.1f} atoms each, "
        f"batches of {batch_size}, {size(model)}{where(device)}",
    )
    table.add_times(
        {name: [1e3 * t / count for t in ts] for name, ts in times.items()},
        relative_to="training, padded",
        more={name: {"molecules_per_s": round(count / median(ts), 3)} for name, ts in times.items()},
    )
    table.print()
    ways = [name for name in runs if name.startswith("training, ours")]
    for name in ways:
        speedup = median(a / b for a, b in zip(times["training, padded"], times[name], strict=True))
        print(f"{name}: {speedup:.2f} times as fast as padded")
    print(f"written to {table.write()}")
    shares(f"{data}_{batch_size}", {name: count / median(times[name]) for name in ways}, arithmetic, repeats, device)


def clock_of(device: torch.device) -> Callable[[], float]:
    """What times the work of the device."""
    return gpu_clock if device.type == "cuda" else time.process_time


def suffix(device: torch.device) -> str:
    return "" if device == CPU else f"_{device.type}"


def where(device: torch.device) -> str:
    return f", {torch.cuda.get_device_name(device)}" if device.type == "cuda" else ""


def count_arithmetic(losses: list[Callable[[], Tensor]]) -> int:
    """Additions and multiplications of all matrix products of these losses and their gradients."""
    with FlopCounterMode(display=False) as counter:
        for loss in losses:
            loss().backward()
    return counter.get_total_flops()


def shares(name: str, speeds: dict[str, float], arithmetic: float, repeats: int, device: torch.device) -> None:
    """What part of the arithmetic that the processor can do training does, by row and molecules per second."""
    n = LARGE[device.type]
    large = {
        precision: torch.randn(n, n, device=device, dtype=dtype)
        for precision, dtype in (("single", torch.float32), ("bf16", torch.bfloat16))
    }
    times = interleave(
        {precision: lambda m=matrix: m @ m for precision, matrix in large.items()}, repeats, clock_of(device)
    )
    reached = {precision: 2 * n**3 / median(ts) / 1e12 for precision, ts in times.items()}
    table = Table(
        f"molecules_arithmetic_{name}{suffix(device)}",
        f"10^12 operations per second in matrix products, {arithmetic / 1e9:.3f} x 10^9 per molecule of {name}"
        f"{where(device)}",
    )
    table.rows += [{"row": f"one of {n} x {n}, {precision}", "tflops": value} for precision, value in reached.items()]
    for row, speed in speeds.items():
        done = speed * arithmetic / 1e12
        table.rows.append({"row": row, "tflops": done, "share": done / reached["bf16" if "bf16" in row else "single"]})
    table.print()
    print(f"written to {table.write()}")


def measure_batches(data: str, count: int, batch_size: int, repeats: int) -> None:
    """How long a process takes to prepare a batch, by method."""
    splits = load_splits(data, (10**9, 10**9, 10**9))
    store = GraphStore(splits.train)
    n = max(store.counts, key=store.counts.__getitem__)
    keys = [(n, part.tolist()) for part in torch.arange(count).split(batch_size)]

    def preparation(method: str) -> Callable[[], None]:
        batches = NoisedBatches(store, GraphDiffusion(replace(config_of(data), method=method), splits.domain()))

        def run() -> None:
            for place, key in enumerate(keys):
                batches[(0, place, 0), key]

        return run

    methods = ("none", "sympe-refinement-fresh", "sympe-labeling-fresh", "sympe-depth-first-carried")
    times = interleave({method: preparation(method) for method in methods}, repeats)
    table = Table(
        f"molecules_batches_{data}_{batch_size}",
        f"ms per molecule to shuffle, noise and canonicalize; {count} of {data}, {n} atoms, batches of {batch_size}",
    )
    table.add_times({name: [1e3 * t / count for t in ts] for name, ts in times.items()}, relative_to="none")
    table.print()
    print(f"written to {table.write()}")


def memory_of_a_step(data: str, batch_size: int, half: bool, device: torch.device) -> tuple[str, float]:
    """One step of training with molecules of the most frequent size: what is measured, and MB."""
    splits = load_splits(data, (20_000, 10, 10))
    model = GraphDiffusion(config_of(data), splits.domain())
    store = GraphStore(splits.train)
    n = max(store.counts, key=store.counts.__getitem__)
    noised = model.noised(store[n, list(range(batch_size))], mixed_generator(0)).to(device)
    before = memory_now()
    training(model.to(device), [lambda: model.loss(noised).mean()], half)()
    used = torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else peak_memory() - before
    return f"{batch_size} of {data}, {n} atoms each, {size(model)}{where(device)}", used


def memory(data: str, batch_size: int, device: torch.device) -> None:
    """Each in a process of its own: what one step has freed, the allocator may keep."""
    rows = {"single precision": False, "bf16": True}
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        found = {
            row: pool.submit(memory_of_a_step, data, batch_size, half, device).result() for row, half in rows.items()
        }
    title = next(iter(found.values()))[0]
    table = Table(f"molecules_memory_{data}_{batch_size}{suffix(device)}", f"MB for one step of training; {title}")
    table.rows += [{"row": row, "MB": round(used)} for row, (_, used) in found.items()]
    table.print()
    print(f"written to {table.write()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of qm9.npz; SYMPE_DATA if left out")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS), help="what to measure")
    parser.add_argument("--molecules", type=int, default=256, help="size of the sample")
    parser.add_argument("--batch-size", type=int, default=32, help="molecules per batch, in both")
    parser.add_argument("--repeats", type=int, default=3, help="measurements of each row, in turns")
    parser.add_argument("--memory", type=int, help="only measure the memory of one step with so many molecules")
    parser.add_argument("--batches", action="store_true", help="only measure the preparation of batches")
    parser.add_argument("--compile", action="store_true", help="time the compiled network as well")
    parser.add_argument("--device", default="cpu", choices=list(LARGE), help="what to measure on")
    args = parser.parse_args()
    device = torch.device(args.device)
    torch.set_num_threads(1)
    if args.data:
        os.environ["SYMPE_DATA"] = args.data
    for data in args.sets:
        if args.memory:
            memory(data, args.memory, device)
            continue
        if args.batches:
            measure_batches(data, args.molecules, args.batch_size, args.repeats)
            continue
        measure(data, args.molecules, args.batch_size, args.repeats, args.compile, device)
        memory(data, config_of(data).batch_size, device)


if __name__ == "__main__":
    main()

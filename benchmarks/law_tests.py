"""Size and power of the test of equivariance in distribution, by repeating it.

``OMP_NUM_THREADS=1 python benchmarks/law_tests.py`` (needs PyG). Size: laws that are equivariant, tested again and
again with new random numbers; a test of level 0.05 must reject 5 % of the time, and its p-values must be uniform.
Power: laws that are not, whole and diluted, with the settings that the test has by default. A diluted law is wrong in
a share of its draws and right in the rest.
"""

import argparse
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import torch
from scipy import stats
from torch import Tensor, nn

import sympe
from sympe import Graphs
from sympe.actions import Action, TensorRotation
from sympe.canonicalize import Canonicalizer, Constant, Labeling, Sort
from timing import Table

LEVEL = 0.05
RING = sympe.graphs.from_edges([(8, [(i, (i + 1) % 8) for i in range(8)])])
CUBE = torch.tensor(list(product((-1.0, 1.0), repeat=3)), dtype=torch.float64)[None]
#: The settings of a repetition under the hypothesis: small, so that there can be many.
SMALL = {"elements": 10, "draws": 10, "permutations": 199}


class PrincipalAxes(Canonicalizer[Tensor, Tensor]):
    """The frame of the covariance matrix, as a solver returns it."""

    def __init__(self) -> None:
        super().__init__()
        self.action = TensorRotation()

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return torch.linalg.eigh(x.mT @ x)[1]


def frames_with_random_signs(x: Tensor, generator: torch.Generator) -> Tensor:
    """Frame averaging: principal axes, each with a random sign. On a cube any axes are principal."""
    sign = torch.randint(2, (len(x), 1, 3), generator=generator) * 2 - 1
    return (PrincipalAxes()(x) * sign).mT


def pyg_laplacian(x: Graphs, generator: torch.Generator) -> Tensor:
    """PyG's transform, graph by graph; it flips signs by the global generator, which is left as it was."""
    from torch_geometric.transforms import AddLaplacianEigenvectorPE

    transform = AddLaplacianEigenvectorPE(k=2, attr_name=None, is_undirected=True)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(generator.initial_seed())
        return torch.cat([transform(data).x for data in _data_list(x)])


def _data_list(x: Graphs) -> list[Any]:
    from torch_geometric.data import Data

    data = sympe.graphs.to_pyg(x).to_data_list()
    return [Data(edge_index=d.edge_index, num_nodes=d.num_nodes) for d in data]


class EqualScores(nn.Module):
    def forward(self, x: Graphs) -> Tensor:
        return torch.zeros(x.num_nodes)


def ranks(order: Callable[..., Any]) -> Callable[..., Tensor]:
    return lambda x, generator: order(x, generator).rank


def network(x: Graphs, generator: torch.Generator, model: nn.Module, rows: nn.Module) -> Tensor:
    return model(rows(x, generator), x.edge_index)


def sympe_network() -> Callable[..., Tensor]:
    """A network of PyG, untrained, that sees SymPE."""
    from torch_geometric.nn import GIN

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        pe = sympe.SymPE(sympe.InversionKernel(Labeling()), sympe.RankEncoding(dim=8, max_nodes=8))
        return partial(network, model=GIN(8, 16, 2, out_channels=3).eval(), rows=pe)


@dataclass(frozen=True)
class Case:
    """A law, and what it is a law of."""

    law: Callable[..., Tensor]
    x: Any
    action: Action[Any, Any] | None = None

    def test(self, generator: torch.Generator, **settings: Any) -> sympe.auditing.EquivarianceInDistribution:
        return sympe.check_equivariance_in_distribution(
            self.law, self.x, action=self.action, output_action=self.action, generator=generator, **settings
        )


def right_laws() -> dict[str, Case]:
    turning = TensorRotation()
    return {
        "inversion kernel, ranks on an 8-cycle": Case(ranks(sympe.InversionKernel(Labeling())), RING),
        "random permutation, ranks": Case(ranks(sympe.InversionKernel(Constant())), RING),
        "Laplacian, eigenspaces turned": Case(sympe.breaking.Laplacian(2), RING),
        "GIN with SymPE": Case(sympe_network(), RING),
        "random frame of a cube": Case(random_frames, CUBE, turning),
        "noise, in part shared by a batch": Case(shared_noise, RING),
    }


def random_frames(x: Tensor, generator: torch.Generator) -> Tensor:
    return sympe.InversionKernel(Constant(TensorRotation()))(x, generator).mT


def randomized_axes(x: Tensor, generator: torch.Generator) -> Tensor:
    """Principal axes under the kernel: right for exact numbers. But a turned cube is no cube, by the rounding of its
    corners, and without a tolerance its axes are those of the rounding, whatever turns it once more.
    """
    return sympe.InversionKernel(PrincipalAxes())(x, generator).mT


def shared_noise(x: Graphs, generator: torch.Generator) -> Tensor:
    """Not independent between the members of a batch; equivariant nevertheless."""
    own = torch.randn(x.num_nodes, generator=generator)
    return own - own.mean() + torch.randn((), generator=generator)


def wrong_laws() -> dict[str, tuple[Case, Callable[..., Tensor]]]:
    """Each with a right law to dilute it with."""
    right = right_laws()
    return {
        "index tie-break: a stable sort, not randomized": (
            Case(ranks(Sort(EqualScores(), temperature=None)), RING),
            ranks(sympe.InversionKernel(Sort(EqualScores(), temperature=None))),
        ),
        "exact labeling, not randomized": (
            Case(ranks(Labeling()), RING),
            right["inversion kernel, ranks on an 8-cycle"].law,
        ),
        "PyG's AddLaplacianEigenvectorPE on an 8-cycle": (
            Case(pyg_laplacian, RING),
            sympe.breaking.Laplacian(2),
        ),
        "principal axes of a cube, random signs": (
            Case(frames_with_random_signs, CUBE, TensorRotation()),
            random_frames,
        ),
        "principal axes of a cube, randomized but without a tolerance": (
            Case(randomized_axes, CUBE, TensorRotation()),
            random_frames,
        ),
    }


def diluted(wrong: Callable[..., Tensor], right: Callable[..., Tensor], share: float) -> Callable[..., Tensor]:
    """Wrong in a share of the draws of each member, each by itself."""

    def law(x: Any, generator: torch.Generator) -> Tensor:
        first, second = wrong(x, generator), right(x, generator)
        is_wrong = torch.rand(len(x), generator=generator) < share
        rows = is_wrong[x.batch] if isinstance(x, Graphs) else is_wrong
        return torch.where(rows.view(-1, *[1] * (first.dim() - 1)), first, second.to(first.dtype))

    return law


def add_size(table: Table, repetitions: int) -> None:
    for seed, (name, case) in enumerate(right_laws().items()):
        generator = torch.Generator().manual_seed(1000 + seed)
        found = [case.test(generator, level=LEVEL, power=False, **SMALL) for _ in range(repetitions)]
        p = torch.tensor([f.p_value for f in found], dtype=torch.float64)
        # p-values are multiples of 1/200: spread each evenly over its step, then compare with the uniform law.
        spread = p - torch.rand(len(p), generator=generator, dtype=p.dtype) / (1 + SMALL["permutations"])
        table.rows.append(
            {
                "row": name,
                "kernel": found[0].kernel,
                "repetitions": repetitions,
                "rejected_0.05_%": 100 * float((p <= 0.05).double().mean()),
                "rejected_0.01_%": 100 * float((p <= 0.01).double().mean()),
                "uniform_p": float(stats.kstest(spread.numpy(), "uniform").pvalue),
            }
        )


def add_power(table: Table, repetitions: int, shares: tuple[float, ...]) -> None:
    for seed, (name, (case, right)) in enumerate(wrong_laws().items()):
        generator = torch.Generator().manual_seed(2000 + seed)
        row: dict[str, Any] = {"row": name, "repetitions": repetitions}
        for share in shares:
            mixed = Case(diluted(case.law, right, share), case.x, case.action)
            found = [mixed.test(generator, power=False) for _ in range(repetitions)]
            row["kernel"] = found[0].kernel
            row[f"share_{share:g}"] = 100 * sum(f.is_rejected for f in found) / repetitions
        pure = Case(right, case.x, case.action).test(generator)
        row["detectable_%"] = None if pure.detectable is None else 100 * pure.detectable
        table.rows.append(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=1000, help="tests of each law that is right")
    parser.add_argument("--wrong", type=int, default=50, help="tests of each law that is wrong, at each share")
    args = parser.parse_args()
    torch.set_num_threads(1)

    size = Table("law_tests_size", f"% rejected of laws that are equivariant ({args.repetitions} tests each)")
    add_size(size, args.repetitions)
    size.print()
    print(f"written to {size.write()}")

    power = Table("law_tests_power", "% rejected at level 0.001 of laws that are wrong in a share of their draws")
    add_power(power, args.wrong, (0.1, 0.2, 0.3, 0.5, 1.0))
    power.print()
    print(f"written to {power.write()}")


if __name__ == "__main__":
    main()

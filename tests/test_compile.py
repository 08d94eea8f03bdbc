"""Kernels that run on the device are traced by ``torch.compile`` without a graph break, if no generator is given."""

import pytest
import torch
from torch import Tensor, nn

from examples import LARGE, batch_of
from sympe import Graphs, InversionKernel, SinusoidalRankEncoding, SymPE
from sympe.actions import BondFields
from sympe.canonicalize import Constant, NodeOrder, Sort, Template
from sympe.encoding import FieldEncoding, TileEncoding, WaveEncoding
from sympe.encoding.lattice import MovedField
from sympe.groups import Torus


class Degrees(nn.Module):
    def forward(self, x: Graphs) -> Tensor:
        return torch.zeros(x.num_nodes).index_add(0, x.edge_index[1], torch.ones(x.num_edges))


class OfTensors(nn.Module):
    """An encoding called as compiled networks are: on tensors."""

    def __init__(self, canonicalizer: NodeOrder | Constant) -> None:
        super().__init__()
        self.pe = SymPE(InversionKernel(canonicalizer), SinusoidalRankEncoding(4))

    def forward(self, edge_index: Tensor, batch: Tensor, num_graphs: int) -> Tensor:
        return self.pe(Graphs(edge_index, batch, num_graphs=num_graphs))


@pytest.mark.untyped
@pytest.mark.parametrize(
    "canonicalizer", [Constant(), Sort(Degrees(), temperature=None), Sort(Degrees())], ids=["constant", "hard", "soft"]
)
def test_one_graph_without_a_break(canonicalizer: NodeOrder | Constant) -> None:
    x = batch_of({name: LARGE[name][0] for name in ("cycle 8", "petersen")})
    network = OfTensors(canonicalizer)
    torch.compiler.reset()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        compiled = torch.compile(network, fullgraph=True, backend="eager")
        first, second = (compiled(x.edge_index, x.batch, 2) for _ in range(2))
    assert not torch.equal(first, second)
    for moved in (first, second):
        for n, part in zip((8, 10), moved.split((8, 10)), strict=True):
            distance = torch.cdist(part, network.pe.encoding.rows(n)).detach()
            assert sorted(distance.argmin(1).tolist()) == list(range(n))
            assert distance.min(1).values.max() < 1e-4


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("canonicalizer", "encoding"),
    [(Constant, TileEncoding(2)), (Template, FieldEncoding(2, (4, 4))), (Template, WaveEncoding(2))],
    ids=["tile", "field", "waves"],
)
def test_fields_on_a_lattice_without_a_break(
    canonicalizer: type[Constant] | type[Template], encoding: MovedField, generator: torch.Generator
) -> None:
    action = BondFields(Torus("D4", spin_flip=True))
    pe = SymPE(InversionKernel(canonicalizer(action)), encoding)
    x = torch.randn(200, 2, 4, 4, generator=generator)
    torch.compiler.reset()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        compiled = torch.compile(pe, fullgraph=True, backend="eager")
        first, second = compiled(x), compiled(x)
    assert not torch.equal(first, second)
    every = encoding(action.group.elements((4, 4))).flatten(1)
    for moved in (first, second):
        assert bool((moved.flatten(1)[:, None] == every).all(2).any(1).all())


def test_what_is_cached_is_computed_once() -> None:
    x = batch_of({name: LARGE[name][0] for name in ("cycle 8", "petersen")})
    assert x.ptr is x.ptr
    assert x.start is x.start
    assert Graphs.sizes.__doc__ == "Number of rows of each member."

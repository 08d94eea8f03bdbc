"""Kernels of point clouds are traced by ``torch.compile`` without a graph break, if no generator is given."""

import pytest
import torch
from torch import Tensor, nn

from molecules import EXAMPLES
from point_laws import check_matrices, check_same_form, forms, move, species_of
from sympe import InversionKernel
from sympe.canonicalize import Canonicalizer, Frames, JointFrames, LearnedFrames, VectorNetwork, WeightedFrames
from sympe.points import PointClouds

KINDS = {
    "weighted": lambda: WeightedFrames(),
    "learned": lambda: LearnedFrames(VectorNetwork(hidden_dim=8)),
    "joint": lambda: JointFrames(Frames()),
}


class OfTensors(nn.Module):
    """A kernel called as compiled networks are: on tensors."""

    def __init__(self, canonicalizer: Canonicalizer) -> None:
        super().__init__()
        self.kernel = InversionKernel(canonicalizer)

    def forward(self, position: Tensor, batch: Tensor, species: Tensor, count: int) -> Tensor:
        g = self.kernel(PointClouds(position, batch, species, count))
        return g if isinstance(g, Tensor) else torch.cat([g[0].rank.to(g[1].dtype), g[1].flatten()])


@pytest.mark.untyped
@pytest.mark.parametrize("name", KINDS)
def test_one_graph_without_a_break(name: str, generator: torch.Generator) -> None:
    cloud = EXAMPLES["methane"].cloud
    x = move(cloud.select([0] * 8), generator)
    torch.compiler.reset()
    assert x.species is not None
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = OfTensors(KINDS[name]())
        compiled = torch.compile(network, fullgraph=True, backend="eager")
        first, second = (compiled(x.position, x.batch, x.species, 8) for _ in range(2))
    assert not torch.equal(first, second)
    g = first.detach()
    if name == "joint":
        assert first[: x.num_points].view(8, 5).sort(1).values.tolist() == [[0, 1, 2, 3, 4]] * 8
        g = g[x.num_points :].view(-1, 3, 3)
        form = forms(Frames()(cloud), cloud)[0]
        check_same_form(g, x, form, species_of(cloud)[0], 1e-6, name)
    check_matrices(g, x, special=False)

"""A network of e3nn beside a sampled vector: equivariant together, and free to break the symmetry of a square."""

import pytest
import torch
from torch import nn

pytest.importorskip("e3nn")

from e3nn import o3
from e3nn.nn.models.v2106.gate_points_networks import SimpleNetwork

from sympe import InversionKernel, RankEncoding, SymPE
from sympe.actions import PointRotation, wigner_d
from sympe.breaking import POINT_METHODS, for_points
from sympe.canonicalize import Frames, Labeling
from sympe.encoding import IrrepsEncoding
from sympe.integrations.e3nn import joined_irreps, wrap
from sympe.points import from_clouds

IRREPS = "1x1o+1x1e+1x2e"
SQUARE = from_clouds([[[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [-1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]]])


def network(irreps_in: object) -> SimpleNetwork:
    torch.manual_seed(0)
    settings = {"max_radius": 4.0, "num_neighbors": 3.0, "num_nodes": 1.0, "mul": 2, "layers": 1, "lmax": 2}
    return SimpleNetwork(irreps_in, "1x1o", pool_nodes=False, **settings)


def data(clouds: object, width: int = 1) -> dict[str, torch.Tensor]:
    return {"pos": clouds.position, "x": torch.ones(clouds.num_points, width), "batch": clouds.batch}


class Fixed(nn.Module):
    """Returns the vectors that it is told to."""

    def __init__(self, moved: torch.Tensor) -> None:
        super().__init__()
        self.encoding = IrrepsEncoding(IRREPS)
        self.dim, self.moved = self.encoding.dim, moved

    def forward(self, x: object, generator: torch.Generator | None = None) -> torch.Tensor:
        return self.moved


def test_equivariant_in_points_and_vector_together(generator: torch.Generator) -> None:
    """f(h x, h g~ v) = h f(x, g~ v), with an improper h: the irreps here and there must mean the same."""
    with torch.random.fork_rng():
        net = network(joined_irreps("1x0e", IrrepsEncoding(IRREPS)))
    action = PointRotation()
    many = SQUARE.select([0] * 6)
    h = action.group.haar(many, generator)
    assert (torch.linalg.det(h) < 0).any()
    moved = torch.randn(6, 11, generator=generator)
    turned = torch.einsum("bij,bj->bi", wigner_d(h, IRREPS), moved)
    here = wrap(net, Fixed(moved), "1x0e")(data(many))
    there = wrap(net, Fixed(turned), "1x0e")(data(action.act(h, many)))
    assert torch.allclose(there, torch.einsum("nij,nj->ni", h[many.batch], here), atol=1e-4)


@pytest.mark.parametrize("method", POINT_METHODS)
def test_only_breaking_leaves_the_symmetry(method: str, generator: torch.Generator) -> None:
    encoding = for_points(method, IRREPS)
    with torch.random.fork_rng():
        model = wrap(network(joined_irreps("1x0e", encoding)), encoding, "1x0e")
    output = model(data(SQUARE), generator=generator).detach()
    corners = SQUARE.position
    along = (output * corners).sum(1)
    is_symmetric = bool((along - along.mean()).abs().max() < 1e-5)
    assert is_symmetric == (method == "none")


def test_one_cloud_without_batch_and_species_that_count(generator: torch.Generator) -> None:
    pe = SymPE(InversionKernel(Frames()), IrrepsEncoding(IRREPS))
    with torch.random.fork_rng():
        model = wrap(network(joined_irreps("1x0e", pe)), pe, o3.Irreps("1x0e"))
    alone = {"pos": SQUARE.position, "x": torch.ones(4, 1), "z": torch.tensor([6, 7, 8, 9])}
    first, second = model(alone, generator=generator), model(alone)
    assert first.shape == (4, 3)
    # Four species leave the mirror in the plane, which can change a draw, and nothing else.
    assert torch.allclose(first[:, :2], second[:, :2], atol=1e-4)
    assert set(alone) == {"pos", "x", "z"}
    assert alone["x"].shape == (4, 1)


def test_irreps_that_do_not_match() -> None:
    pe = SymPE(InversionKernel(Frames()), IrrepsEncoding(IRREPS))
    with torch.random.fork_rng():
        net = network("1x0e+1x1o")
    with pytest.raises(
        ValueError, match=r"expected a network with irreps_in 1x0e.1x1o.1x1e.1x2e, features and encoding; got"
    ):
        wrap(net, pe, "1x0e")
    with pytest.raises(ValueError, match="expected an encoding in irreps of O"):
        joined_irreps("1x0e", SymPE(InversionKernel(Labeling()), RankEncoding(2, 4)))
    with torch.random.fork_rng():
        model = wrap(network(joined_irreps("1x0e", pe)), pe, "1x0e")
    with pytest.raises(ValueError, match=r"expected features of irreps 1x0e, shape \[N, 1\]; got \[4, 2\]"):
        model(data(SQUARE, width=2))


def test_other_names_and_cells(generator: torch.Generator) -> None:
    pe = for_points("sympe-frames", IRREPS)
    plain = network(joined_irreps("1x0e", pe))

    class Renamed(nn.Module):
        def forward(self, held: dict[str, torch.Tensor]) -> torch.Tensor:
            return plain({"pos": held["positions"], "x": held["node_attrs"], "batch": held["batch"]})

    given = {"positions": SQUARE.position, "node_attrs": torch.ones(4, 1)}
    names = {"pos": "positions", "x": "node_attrs"}
    model = wrap(Renamed(), pe, "1x0e", names)
    usual = wrap(plain, pe, "1x0e")
    renamed, expected = (
        module(held, generator=torch.Generator().manual_seed(0))
        for module, held in ((model, given), (usual, data(SQUARE)))
    )
    assert torch.equal(renamed, expected)
    with pytest.raises(ValueError, match="expected data with 'positions'; got pos, x, batch: see names in wrap"):
        model(data(SQUARE))
    with pytest.raises(ValueError, match="symmetries of a crystal are a space group"):
        usual(data(SQUARE) | {"cell": torch.eye(3)[None]})
    with pytest.raises(ValueError, match="expected names for pos, x, z, batch, cell; got forces"):
        wrap(plain, pe, "1x0e", {"forces": "f"})

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
from sympe.canonicalize import CrystalFrames, Frames, Labeling
from sympe.crystals import edges, from_cells
from sympe.encoding import IrrepsEncoding, SiteIrrepsEncoding
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
    with pytest.raises(ValueError, match="the data have a cell: break symmetry with CrystalFrames"):
        usual(data(SQUARE) | {"cell": torch.eye(3)[None]})
    with pytest.raises(ValueError, match="expected names for pos, x, z, batch, cell, pbc; got forces"):
        wrap(plain, pe, "1x0e", {"forces": "f"})


class Convolution(nn.Module):
    """One equivariant convolution over the edges of the data, periodic ones among them."""

    def __init__(self, irreps_in: object) -> None:
        super().__init__()
        self.irreps_in, self.harmonics = irreps_in, o3.Irreps.spherical_harmonics(2)
        self.product = o3.FullyConnectedTensorProduct(irreps_in, self.harmonics, "1x1o")

    def forward(self, data: dict[str, torch.Tensor]) -> torch.Tensor:
        source, target = data["edge_index"]
        ways = o3.spherical_harmonics(self.harmonics, data["edge_vec"], normalize=True)
        messages = self.product(data["x"][source], ways.to(data["x"].dtype))
        return messages.new_zeros(len(data["x"]), 3).index_add(0, target, messages)


def test_crystals_with_periodic_edges(generator: torch.Generator) -> None:
    """Without breaking no site of a cubic supercell may move; with it sites that a translation exchanges differ."""
    pytest.importorskip("ase")
    corner = torch.cartesian_prod(*[torch.tensor([0.0, 0.5])] * 3)
    crystals = from_cells([6.7 * torch.eye(3)], [corner], [["Po"] * 8], dtype=torch.float32)
    edge_index, edge_vec = edges(crystals, 3.4)
    assert edge_index.shape == (2, 48)
    held = {"pos": crystals.sites.position, "x": torch.ones(8, 1), "z": crystals.species, "cell": crystals.cell,
            "edge_index": edge_index, "edge_vec": edge_vec}  # fmt: skip
    assert Convolution("1x0e")(held).abs().max() < 1e-5
    encoding = SiteIrrepsEncoding("1x0e+1x1o", max_sites=8)
    model = wrap(Convolution("2x0e+1x1o"), SymPE(InversionKernel(CrystalFrames()), encoding), "1x0e")
    output = model(held, generator=generator)
    assert torch.pdist(output).min() > 1e-3
    with pytest.raises(ValueError, match="the data have a cell: break symmetry with CrystalFrames"):
        wrap(Convolution("2x0e+1x1o"), SymPE(InversionKernel(Frames()), IrrepsEncoding("1x0e+1x1o")), "1x0e")(held)


def test_a_network_that_is_called_by_position() -> None:
    pe = for_points("sympe-frames", IRREPS)
    plain = network(joined_irreps("1x0e", pe))

    class ByPosition(nn.Module):
        def forward(self, features: torch.Tensor, pos: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
            return plain({"pos": pos, "x": features, "batch": batch})

    model = wrap(ByPosition(), pe, "1x0e", arguments=("x", "pos", "batch"))
    found, expected = (
        module(data(SQUARE), generator=torch.Generator().manual_seed(0)) for module in (model, wrap(plain, pe, "1x0e"))
    )
    assert torch.equal(found, expected)
    with pytest.raises(ValueError, match=r"called with a mapping; its forward takes \(features.*: name what it takes"):
        wrap(ByPosition(), pe, "1x0e")
    with pytest.raises(ValueError, match="called with x, pos; its forward takes"):
        wrap(ByPosition(), pe, "1x0e", arguments=("x", "pos"))
    with pytest.raises(ValueError, match="expected data with x, edges, batch; got none of edges"):
        wrap(ByPosition(), pe, "1x0e", arguments=("x", "edges", "batch"))(data(SQUARE))

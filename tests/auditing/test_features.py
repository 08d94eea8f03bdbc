"""Irreps at the nodes of networks, and the table of published settings in the documentation."""

from pathlib import Path

import pytest
import torch

import sympe
from sympe.auditing import PUBLISHED, audit_architecture, view
from sympe.auditing.architecture import POINT_GROUPS

DOCS = Path(__file__).parents[2] / "docs" / "crystals.md"


def test_an_e3nn_network_layer_by_layer() -> None:
    pytest.importorskip("e3nn")
    from e3nn.nn.models.v2106.gate_points_networks import SimpleNetwork

    network = SimpleNetwork("1x0e", "1x1o", max_radius=4.0, num_neighbors=3.0, num_nodes=1.0, mul=2, layers=1, lmax=1,
                            pool_nodes=False)  # fmt: skip
    data = {"pos": torch.randn(7, 3), "x": torch.ones(7, 1), "batch": torch.zeros(7, dtype=torch.long)}
    found = audit_architecture(network, data)
    assert found.layers
    assert all({l for _, l, _ in irreps.terms} <= {0, 1} for irreps in found.layers.values())
    name = list(found.layers)[-1]
    assert str(found.layers[name]) == "1x1o"
    assert {v.looks_like for v in found.blind(name)} >= {"Kh", "Cinfv"}
    assert f"{name}: 1x1o" in str(found)


class Layer(torch.nn.Module):
    def __init__(self, irreps: object, rows: int, width: int) -> None:
        super().__init__()
        self.irreps_out, self.rows, self.width = irreps, rows, width

    def forward(self, x: object) -> object:
        y = torch.zeros(self.rows, self.width)
        return {"node_features": y} if isinstance(self.irreps_out, dict) else y


def test_which_layers_count() -> None:
    """Those with a row per node: not those on edges, nor the readout of the whole; NequIP names its fields."""
    layers = {"edges": Layer("1x0e+1x3o", 12, 8), "nodes": Layer("2x0e+1x1o", 4, 5), "energy": Layer("1x0e", 1, 1),
              "nequip": Layer({"node_features": "1x0e+1x2e"}, 4, 6)}  # fmt: skip
    network = torch.nn.ModuleDict(layers)
    network.forward = lambda data: [layer(data) for layer in layers.values()]
    found = audit_architecture(network, {"positions": torch.zeros(4, 3)})
    assert {name: str(irreps) for name, irreps in found.layers.items()} == {
        "nodes": "2x0e+1x1o", "nequip": "1x0e+1x2e"}  # fmt: skip
    assert list(audit_architecture(network, 0, nodes=12).layers) == ["edges"]
    network.hidden = "1x0e+1x1o"
    assert list(audit_architecture(network, attribute="hidden").layers) == ["hidden"]
    with pytest.raises(ValueError, match="expected layers that declare irreps_out, with a row for each of 5 nodes"):
        audit_architecture(network, 0, nodes=5)
    with pytest.raises(ValueError, match="expected an example that the network can be called with"):
        audit_architecture(network)
    with pytest.raises(ValueError, match="irreps must read like"):
        sympe.audit_architecture("MACE")


COLUMNS = ("EGNN", "MACE L = 1", "MACE L = 2", "NequIP l = 2", "EquiformerV2 l = 4", "EquiformerV2 l = 6")


def test_the_table_in_the_documentation() -> None:
    """Every verdict of the published table, and that it lists the 32 point groups once."""
    cells = [line.strip("| ").split(" | ") for line in DOCS.read_text().splitlines() if line.startswith("| ")]
    rows = [row for row in cells if set(row[0].split(", ")) <= set(POINT_GROUPS)]
    sites = [site for row in rows for site in row[0].split(", ")]
    assert sorted(sites) == sorted(POINT_GROUPS)
    for first, *cells, least in rows:
        for column, cell in zip(COLUMNS, cells, strict=True):
            views = [view(site, *PUBLISHED[column]) for site in first.split(", ")]
            verdicts = {"faithful" if v.looks_like == site else v.looks_like
                        for v, site in zip(views, first.split(", "), strict=True)}  # fmt: skip
            assert verdicts == set(cell.split(", ")), (first, column)
        tops = {view(site, "0e+1o").least_degree for site in first.split(", ")}
        assert max(tops) == int(least), (first, tops)

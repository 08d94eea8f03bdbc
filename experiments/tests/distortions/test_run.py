"""Distortions: their domains, the floor, runs from end to end, and how outputs are judged."""

from pathlib import Path

import pytest
import torch

pytest.importorskip("e3nn")
pytest.importorskip("ase")
pytest.importorskip("moyopy")

from sympe.crystals import Crystals, stabilizers
from sympe_experiments.distortions.config import METHODS, Config, make_config, methods
from sympe_experiments.distortions.data import load_distortions
from sympe_experiments.distortions.model import DistortionNetwork
from sympe_experiments.distortions.run import Copies, run
from sympe_experiments.records import read_record

HELD = load_distortions("perovskites")


def test_domains_and_floors() -> None:
    """Titanium moves along one of six axes; the doubled cell in one of four ways, and its mean over them is zero."""
    assert [(one.name, one.group, len(one.targets)) for one in HELD] == [("polar", "P4mm", 6), ("doubled", "Cmcm", 4)]
    assert [stabilizers(one.parent)[0].order for one in HELD] == [48, 32]
    for one in HELD:
        mean = one.targets.mean(0)
        assert mean.abs().max() < 1e-6
        assert one.floor == pytest.approx(float(one.targets[0].square().sum(1).mean()))
        assert torch.cdist(one.targets.flatten(1), one.targets.flatten(1)).fill_diagonal_(9).min() > 0.05
    halves = HELD[1].targets.view(4, 2, 5, 3)
    assert torch.allclose(halves[:, 0], -halves[:, 1], atol=1e-6)


class Perfect(torch.nn.Module):
    """Moves every crystal to its domain of a given number, turned as the crystal is."""

    def __init__(self, numbers: list[int]) -> None:
        super().__init__()
        self.numbers = numbers

    def forward(self, crystals: Crystals, generator: torch.Generator, joined: tuple) -> torch.Tensor:
        turn = torch.linalg.solve(HELD[0].parent.cell.float().expand(len(crystals), 3, 3), crystals.cell)
        return (HELD[0].targets.float()[self.numbers] @ turn).flatten(0, 1)


def test_perfect_answers_are_right_and_counted(generator: torch.Generator) -> None:
    many = Copies(HELD[0], 6, 3.0)
    for numbers in ([0, 1, 2, 3, 4, 5], [3] * 6):
        distance, domain = many.nearest(many.displaced(Perfect(numbers), generator, turned=True))
        assert distance.max() < 1e-8
        assert domain.tolist() == numbers


@pytest.mark.parametrize("method", ["none", "sympe-frames"])
def test_the_network_is_equivariant_but_for_the_encoding(method: str, generator: torch.Generator) -> None:
    """Without an encoding turned copies get turned answers; with one, draws differ."""
    network = DistortionNetwork(make_config(method, "smoke"), HELD)
    many = Copies(HELD[1], 3, 3.0)
    plain = many.displaced(network, generator, turned=False)
    turned = many.displaced(network, generator, turned=True)
    assert torch.allclose(plain, turned, atol=1e-5) == (method == "none")
    # The parent has no direction at its sites that symmetry allows.
    assert (plain.abs().max() < 1e-5) == (method == "none")


@pytest.mark.parametrize("method", METHODS)
def test_smoke(method: str, tmp_path: Path) -> None:
    record = run(make_config(method, "smoke", data="polar"), tmp_path)
    assert read_record(tmp_path / "record.json") == record
    assert record.metrics["floor"] == pytest.approx(HELD[0].floor)
    assert record.metrics["best"] <= record.metrics["error"] + 1e-6
    if method == "none":
        assert record.metrics["error"] == pytest.approx(HELD[0].floor, rel=1e-4)
    is_exact = method in ("sympe-frames", "symmetry-breaking-set")
    assert record.metrics["excess_nats"] == (0 if is_exact else None)
    assert record.metrics["excess_is_infinite"] == (method in ("noise", "haar"))


def test_only_breaking_gets_below_the_floor(tmp_path: Path) -> None:
    config = make_config("sympe-frames", "smoke", data="polar", steps=50, multiplicity=4)
    metrics = run(config, tmp_path).metrics
    assert metrics["error"] < 0.1 * metrics["floor"]


def test_bad_configurations() -> None:
    with pytest.raises(ValueError, match="unknown method 'laplacian'; choose one of none, noise, "):
        Config(method="laplacian")
    with pytest.raises(ValueError, match="unknown data 'cube'; choose one of perovskites, polar, doubled"):
        make_config("sympe-frames", data="cube")
    with pytest.raises(ValueError, match="draws in groups of best_of"):
        make_config("sympe-frames", draws=15)
    assert set(methods(None)) == set(METHODS)

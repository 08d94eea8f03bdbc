"""What symmetry promises of any weights, trained or not: the law of the spins, and their energy."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from laws import THRESHOLD, ChiSquare
from sympe.actions import ScalarFields
from sympe.breaking import SymPE
from sympe.groups import Torus
from sympe_experiments.ising.config import METHODS, Config, make_config
from sympe_experiments.ising.evaluation import to_spins
from sympe_experiments.ising.hamiltonian import NEAREST, mirror
from sympe_experiments.ising.model import SpinNetwork
from sympe_experiments.training import build_from_seed

#: Couplings with the symmetry of a rectangle, of a square (twice), and along one axis only.
COUPLINGS = torch.tensor([[0.7, -0.4], [-0.5, -0.5], [0.6, 0.6], [0.0, 0.3]], dtype=torch.float64)


def untrained(method: str, **changes: object) -> SpinNetwork:
    """Random weights, in double precision; v is large, so that it shows."""
    config = replace(make_config(method, "smoke"), field_start=1.0, **changes)  # type: ignore[arg-type]
    return build_from_seed(lambda: SpinNetwork(config), 3).double().eval()


@pytest.mark.parametrize(
    "method",
    [
        "sympe-template",
        "sympe-template-field",
        "sympe-template-field-plain",
        "sympe-template-frozen",
        "sympe-template-field-frozen",
    ],
)
@pytest.mark.parametrize("group", ["p4m", "p4"])
def test_energy_is_the_same_for_every_draw(method: str, group: str, generator: torch.Generator) -> None:
    """Draws for one input differ by an element that leaves the input, and so its energies, as they are."""
    model = untrained(method, group=group)
    for couplings in COUPLINGS:
        several = couplings.expand(64, -1)
        with torch.no_grad():
            logits = model(several, 4, generator)
        energy = NEAREST.energy(several, torch.tanh(logits))
        assert float(energy.max() - energy.min()) < 1e-12
        assert len(torch.unique(patterns(logits).flatten(1), dim=0)) > 1, "the draws themselves differ"


@pytest.mark.parametrize("method", ["haar", "gcnn-noise"])
def test_more_randomness_does_not_keep_the_energy(method: str, generator: torch.Generator) -> None:
    """The check above is no matter of course: with g~ outside the coset, or noise, energies differ."""
    model = untrained(method)
    several = COUPLINGS[0].expand(64, -1)
    with torch.no_grad():
        energy = NEAREST.energy(several, torch.tanh(model(several, 4, generator)))
    assert float(energy.max() - energy.min()) > 1e-6


def patterns(logits: Tensor) -> Tensor:
    """Which sites are above the average of their lattice: untrained spins are mostly all alike, these are not."""
    return to_spins(logits - logits.mean((1, 2), keepdim=True))


def copies(model: SpinNetwork, couplings: Tensor, size: int, count: int, generator: torch.Generator) -> np.ndarray:
    """How often each symmetric copy of the first draw comes up in ``count`` further draws."""
    group = Torus("D4" if float(couplings[0]) == float(couplings[1]) else "D2")
    with torch.no_grad():
        first = patterns(model(couplings[None], size, generator))
        draws = patterns(model(couplings.expand(count, -1), size, generator)).flatten(1)
    g = group.elements((size, size))
    orbit = torch.unique(ScalarFields(group).act(g, first.expand(len(g), -1, -1)).flatten(1), dim=0)
    place = (draws[:, None] == orbit).all(-1)
    assert bool(place.any(1).all()), "every draw is a symmetric copy of every other"
    return np.bincount(place.int().argmax(1).numpy(), minlength=len(orbit))


@pytest.mark.parametrize("method", ["sympe-template", "sympe-template-field"])
def test_configurations_are_uniform_over_symmetric_copies(method: str, generator: torch.Generator) -> None:
    model = untrained(method)
    pooled = ChiSquare()
    for k, couplings in enumerate(COUPLINGS):
        counts = copies(model, couplings, 4, 2000, generator)
        assert len(counts) > 1
        pooled.fit(f"couplings {k}", counts)
    assert pooled.p_value > THRESHOLD


def test_a_lopsided_law_is_rejected(generator: torch.Generator) -> None:
    """The same test, on g~ that is the identity twice as often as it should be."""
    model = untrained("sympe-template")
    assert isinstance(model.breaking, SymPE)
    group, draw = Torus("D4"), model.breaking.kernel.forward

    def lopsided(x: Tensor, generator: torch.Generator | None = None):  # type: ignore[no-untyped-def]
        g = draw(x, generator)
        half = torch.arange(len(g)) % 5 == 0
        g.shift[half] = group.identity(x).shift[half]
        return g

    model.breaking.kernel.forward = lopsided  # type: ignore[method-assign]
    pooled = ChiSquare()
    pooled.fit("couplings", copies(model, COUPLINGS[0], 4, 2000, generator))
    assert pooled.p_value < THRESHOLD


@pytest.mark.parametrize("method", [name for name, m in METHODS.items() if m.network == "gcnn"])
def test_the_law_is_equivariant(method: str, generator: torch.Generator) -> None:
    """Mirrored couplings have mirrored configurations, in law."""
    model = untrained(method, hidden_dim=1, num_layers=1, vector_dim=1)
    couplings = torch.tensor([[0.8, -0.3]], dtype=torch.float64).expand(1500, -1)
    with torch.no_grad():
        ours = patterns(model(mirror(couplings), 4, generator)).transpose(1, 2).flatten(1)
        theirs = patterns(model(couplings, 4, generator)).flatten(1)
    pooled = ChiSquare()
    pooled.compare(method, ours[:, :6].numpy(), theirs[:, :6].numpy())
    assert pooled.freedom == 0 or pooled.p_value > THRESHOLD


def test_without_breaking_all_spins_are_alike(generator: torch.Generator) -> None:
    model = untrained("gcnn")
    with torch.no_grad():
        logits = model(COUPLINGS, 4)
    assert float((logits - logits[:, :1, :1]).abs().max()) < 1e-12
    assert model.breaking is None
    assert model.vector is None


def test_the_vector_lies_alike_at_all_sizes(generator: torch.Generator) -> None:
    """A tile gives the same energies on lattices of all sizes: its direction must not depend on the size."""
    model = untrained("sympe-template")
    with torch.no_grad():
        energies = [NEAREST.energy(COUPLINGS, torch.tanh(model(COUPLINGS, L, generator))) for L in (4, 8, 10, 16, 20)]
    for other in energies[1:]:
        torch.testing.assert_close(other, energies[0], atol=1e-10, rtol=0)


@pytest.mark.parametrize("method", ["sympe-template", "gcnn-noise", "gcnn", "sympe-template-field"])
def test_bonds_of_their_own(method: str, generator: torch.Generator) -> None:
    """Uniform couplings may as well be given bond by bond; moved bonds give moved spins, in law."""
    model = untrained(method)
    seeds = [torch.Generator().manual_seed(5) for _ in range(2)]
    bonds = COUPLINGS[..., None, None].expand(-1, -1, 4, 4)
    torch.testing.assert_close(model(COUPLINGS, 4, seeds[0]), model.on_bonds(bonds, seeds[1]))
    random = torch.randn(1, 2, 4, 4, dtype=torch.float64, generator=generator)
    assert model.on_bonds(random, generator).shape == (1, 4, 4)


def test_bonds_without_symmetry_are_answered_alike(generator: torch.Generator) -> None:
    """Random bonds leave one g~: no chance is left, and moved bonds give moved spins."""
    model = untrained("sympe-template")
    bonds = torch.randn(1, 2, 4, 4, dtype=torch.float64, generator=generator)
    with torch.no_grad():
        first = model.on_bonds(bonds, generator)
        torch.testing.assert_close(model.on_bonds(bonds, generator), first)
        shifted = model.on_bonds(bonds.roll((1, 2), (2, 3)), generator)
    torch.testing.assert_close(shifted, first.roll((1, 2), (1, 2)))


@pytest.mark.parametrize("method", [name for name, m in METHODS.items() if m.network in ("mlp", "cnn", "gcnn")])
def test_every_method_trains_and_is_read_back(method: str, tmp_path, generator: torch.Generator) -> None:  # type: ignore[no-untyped-def]
    config = make_config(method, "smoke", group="p4m")
    model = build_from_seed(lambda: SpinNetwork(config), 0)
    couplings = NEAREST.sample(3, generator)
    model(couplings, 4, generator).square().sum().backward()
    learned = {name for name, p in model.named_parameters() if p.grad is not None}
    assert learned == {name for name, _ in model.named_parameters()}
    assert any(name.startswith("breaking.") for name in learned) == (
        METHODS[method].vector in ("tile", "field", "plain field")
    )

    path = tmp_path / "weights.safetensors"
    path.write_bytes(model.to_bytes())
    again = SpinNetwork.load(path)
    assert again.config == config
    seeds = [torch.Generator().manual_seed(1) for _ in range(2)]
    torch.testing.assert_close(again(couplings, 4, seeds[0]), model(couplings, 4, seeds[1]))
    assert again.to_bytes() == model.to_bytes()


def test_damaged_weights_are_named(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "w.safetensors"
    for content in (b"", b"junk" * 10, SpinNetwork(make_config("gcnn", "smoke")).to_bytes()[:-9]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"w\.safetensors does not hold the weights of an Ising network"):
            SpinNetwork.load(path)


def test_sizes_that_do_not_fit() -> None:
    couplings = torch.ones(1, 2)
    with pytest.raises(ValueError, match="a tile of 2 x 2 sites does not fit a lattice of 5 x 5"):
        SpinNetwork(make_config("sympe-template", "smoke"))(couplings, 5)
    with pytest.raises(ValueError, match="v is a field of 4 x 4 sites, the lattice has 6 x 6"):
        SpinNetwork(make_config("sympe-template-field", "smoke"))(couplings, 6)
    with pytest.raises(ValueError, match="the mlp serves 4 x 4 sites alone; got 6 x 6"):
        SpinNetwork(make_config("mlp", "smoke"))(couplings, 6)
    with pytest.raises(ValueError, match="D4 needs a square lattice; got 4 x 6"):
        SpinNetwork(make_config("sympe-template", "smoke"))(couplings, (4, 6))
    with pytest.raises(ValueError, match="couplings for each bond need weights of nearest or bonds; these are of j1j2"):
        SpinNetwork(make_config("sympe-template", "smoke", model="j1j2")).on_bonds(torch.ones(1, 2, 4, 4))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 5, "transfer": ()}, "a tile of period 2 needs lattices whose size it divides; got L = 5"),
        ({"transfer": (20, 7)}, "got L = 4, 20, 7"),
        ({"size": 1}, "L must be at least 2; got 1"),
        ({"filter_width": 2}, "filter_width must be odd; got 2"),
        ({"group": "p6"}, "unknown group 'p6'; choose one of p4m, p4, p1"),
        ({"model": "xy"}, "unknown model 'xy'; choose one of nearest, j1j2"),
        ({"seed": -1}, r"seed must be from 0 to 2\^63 - 1; got -1"),
        ({"temperature": 0.0}, "temperature must be positive; got 0.0"),
        ({"model": "j1j2", "size": 6}, "periods up to 4, which must divide the sizes"),
    ],
)
def test_values_that_cannot_be(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_config("sympe-template" if changes.get("size") != 6 else "gcnn", "smoke", **changes)


def test_unknown_names() -> None:
    with pytest.raises(ValueError, match="unknown method 'magic'; choose one of mlp, cnn, gcnn"):
        make_config("magic", "fast")
    with pytest.raises(ValueError, match="unknown recipe 'tasty'; choose one of smoke, fast, best"):
        make_config("gcnn", "tasty")
    with pytest.raises(ValueError, match="unknown method 'magic'"):
        Config("magic")

import pytest
import torch
from torch import nn

from lattice_laws import LATTICES, one
from sympe import InversionKernel, SymPE
from sympe.actions import ScalarFields
from sympe.canonicalize import Constant, LexicographicMinimum
from sympe.encoding import BaseFieldEncoding, FieldEncoding, TileEncoding, WaveEncoding
from sympe.encoding.lattice import MovedField
from sympe.groups import LatticeSymmetry, Torus


class MovedBackwards(FieldEncoding):
    """A right action."""

    def forward(self, g: LatticeSymmetry) -> torch.Tensor:
        return super().forward(Torus("D4").inverse(g))


def encodings(size: tuple[int, int], frozen: bool = False) -> list[MovedField]:
    tiles = [p for p in ((1, 1), (2, 2), (3, 3), (1, 2), size) if size[0] % p[0] == 0 and size[1] % p[1] == 0]
    made: list[MovedField] = [TileEncoding(3, period, frozen) for period in tiles]
    made += [WaveEncoding(3, frozen=frozen), WaveEncoding(1, 1, frozen), BaseFieldEncoding(2, frozen)]
    return [*made, FieldEncoding(3, size, frozen)]


def check(encoding: MovedField, group: Torus, size: tuple[int, int], generator: torch.Generator) -> None:
    action, like = ScalarFields(group), torch.zeros(50, 1, *size)
    g, h = group.haar(like, generator), group.haar(like, generator)
    moved = encoding(group.compose(h, g))
    assert moved.shape == (50, encoding.dim, *size)
    assert torch.equal(moved, action.act(h, encoding(g))), "expected encoding(h g) = h encoding(g)"
    assert torch.equal(encoding(group.identity(like)), one(encoding.field(size)[None], 50))


@pytest.mark.parametrize("spin_flip", [False, True])
@pytest.mark.parametrize(("name", "size"), LATTICES)
def test_laws(name: str, size: tuple[int, int], spin_flip: bool, generator: torch.Generator) -> None:
    for encoding in encodings(size):
        check(encoding, Torus(name, spin_flip), size, generator)


def test_the_check_rejects_a_right_action(generator: torch.Generator) -> None:
    with pytest.raises(AssertionError, match="expected encoding"):
        check(MovedBackwards(2, (4, 4)), Torus("D4"), (4, 4), generator)


def test_a_tile_repeats_and_serves_every_lattice_that_it_divides() -> None:
    tile = TileEncoding(2, period=(2, 3))
    for size in ((2, 3), (4, 6), (8, 3)):
        v = tile.field(size)
        assert torch.equal(v.roll(2, 1), v)
        assert torch.equal(v.roll(3, 2), v)
        assert torch.equal(v[:, :2, :3], tile.v)
    assert TileEncoding(2, 3).v.shape == (2, 3, 3)


def test_waves_are_the_same_on_every_lattice() -> None:
    """They are samples of one function on the torus: those of 4 x 4 sites are every other one of 8 x 8."""
    waves = WaveEncoding(3, max_periods=2)
    assert torch.allclose(waves.field((8, 8))[:, ::2, ::2], waves.field((4, 4)), atol=1e-5)
    assert torch.allclose(waves.field((8, 3))[:, ::2], waves.field((4, 3)), atol=1e-5)
    spectrum = torch.fft.fft2(waves.field((9, 9))).abs()
    low = torch.tensor([0, 1, 2, 7, 8])
    assert spectrum[:, low][:, :, low].sum() > 0.9999 * spectrum.sum()
    assert spectrum[:, 0, 0].max() < 1e-4


@pytest.mark.parametrize(("name", "size"), LATTICES)
def test_a_base_leaves_no_symmetry(name: str, size: tuple[int, int]) -> None:
    """As many different fields as there are ways to move the sites."""
    group = Torus(name, spin_flip=True)
    encoding = BaseFieldEncoding(1)
    assert int((encoding.field(size) != 0).sum()) == len({0, 1 % size[1], size[1] * (1 % size[0])})
    g = group.elements(size)
    ways = torch.cat([g.preimage.flatten(1), g.sign[:, None]], dim=1).unique(dim=0)  # type: ignore[index]
    assert len(encoding(g).detach().flatten(1).unique(dim=0)) == len(ways)


@pytest.mark.parametrize("frozen", [False, True])
def test_only_what_is_not_frozen_is_learned_and_all_is_saved(frozen: bool) -> None:
    for first, second in zip(encodings((6, 6), frozen), encodings((6, 6), frozen), strict=True):
        assert isinstance(first, nn.Module)
        assert len(list(first.parameters())) == (0 if frozen else 1)
        assert list(first.state_dict()) == ["v"]
        assert not torch.equal(first.field((6, 6)), second.field((6, 6)))
        second.load_state_dict(first.state_dict())
        assert torch.equal(first.field((6, 6)), second.field((6, 6)))


def test_gradients_reach_the_vector(generator: torch.Generator) -> None:
    pe = SymPE(InversionKernel(Constant(ScalarFields(Torus("D4")))), TileEncoding(2, 2))
    pe(torch.zeros(3, 1, 4, 4), generator).sum().backward()
    assert pe.encoding.v.grad.flatten().tolist() == pytest.approx([3 * 16 / 4] * 8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("encoding", [FieldEncoding(2, (4, 4)), BaseFieldEncoding(2)], ids=["field", "base"])
def test_symmetry_breaking_as_channels(encoding: MovedField, dtype: torch.dtype, generator: torch.Generator) -> None:
    """The encoding of a uniform field is as much of v as the input hides: all of it."""
    pe = SymPE(InversionKernel(LexicographicMinimum(ScalarFields(Torus("D4")))), encoding).to(dtype)
    x = torch.zeros(2000, 1, 4, 4, dtype=dtype)
    joined = torch.cat([x, pe(x, generator)], dim=1)
    assert joined.shape == (2000, 3, 4, 4)
    assert joined.dtype == dtype
    assert len(joined.flatten(1).unique(dim=0)) == 128


def test_bad_input() -> None:
    g = Torus("D4").elements((5, 5))
    message = "a tile of 2 x 2 sites does not fit a lattice of 5 x 5: its period must divide the size"
    with pytest.raises(ValueError, match=message):
        TileEncoding(1)(g)
    with pytest.raises(ValueError, match=r"v is a field of 4 x 4 sites, the lattice has 5 x 5; TileEncoding and Wave"):
        FieldEncoding(1, (4, 4))(g)
    with pytest.raises(ValueError, match="dim must be at least 1; got 0"):
        FieldEncoding(0, (4, 4))
    with pytest.raises(ValueError, match="rows must be at least 1; got 0"):
        TileEncoding(1, 0)
    with pytest.raises(ValueError, match="max_periods must be at least 1; got 0"):
        WaveEncoding(1, 0)

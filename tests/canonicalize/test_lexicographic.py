from itertools import product

import pytest
import torch
from torch import Tensor

from lattice_laws import LATTICES, fields, one
from sympe.actions import BondFields, DirectionFields, LatticeAction, RegularFields, ScalarFields
from sympe.canonicalize import LexicographicMinimum
from sympe.canonicalize import lexicographic as module
from sympe.groups import Torus


def least_image(action: LatticeAction, x: Tensor) -> tuple[list[float], int]:
    """By brute force: the least of all images of one field, read row by row, and how many of them are equal to it."""
    every = action.group.elements((x.shape[-2], x.shape[-1]))
    images = action.act(action.group.inverse(every), one(x, len(every)))
    listed = sorted(image.reshape(-1, x.shape[-2] * x.shape[-1]).T.flatten().tolist() for image in images)
    return listed[0], listed.count(listed[0])


def check(action: LatticeAction, x: Tensor) -> None:
    tau = LexicographicMinimum(action)
    form, order = action.act(action.group.inverse(tau(x)), x), tau.stabilizer_order(x)
    for place in range(len(x)):
        least, count = least_image(action, x[place : place + 1])
        found = form[place].reshape(-1, x.shape[-2] * x.shape[-1]).T.flatten().tolist()
        assert found == least, "expected the least image"
        assert int(order[place]) == count, "expected the order of the stabilizer"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("name", "size"), LATTICES)
def test_least_of_all_images(name: str, size: tuple[int, int], dtype: torch.dtype, generator: torch.Generator) -> None:
    for kind, channels in ((ScalarFields, ()), (BondFields, (2,))):
        examples = torch.cat(list(fields(channels, size, generator).values())).to(dtype)
        check(kind(Torus(name)), examples)


def test_other_kinds_of_fields_and_the_flip_of_spins(generator: torch.Generator) -> None:
    for spin_flip, size in product((False, True), ((1, 1), (2, 2), (3, 3))):
        group = Torus("D4", spin_flip)
        for action, channels in (
            (ScalarFields(group), (3,)),
            (ScalarFields(group, odd=False), (2,)),
            (DirectionFields(group), (4,)),
            (DirectionFields(group), (4, 3)),
            (BondFields(group), (2, 2)),
            (RegularFields(group), (8,)),
        ):
            check(action, torch.cat(list(fields(channels, size, generator).values())))


def test_signs_and_opposite_signs_by_the_thousand(generator: torch.Generator) -> None:
    """Fields of +1 and -1 and their opposites: equal canonical forms just where brute force finds one orbit."""
    for action, channels in ((ScalarFields(Torus("D4")), (1,)), (BondFields(Torus("D4")), (2,))):
        x = torch.randn(400, *channels, 4, 4, generator=generator).sign()
        # Structured ones, which a shift or a turn may take to their opposites.
        block = torch.randn(400, *channels, 2, 2, generator=generator).sign()
        x = torch.cat([x, block.repeat(1, 1, 2, 2), torch.cat([block, -block], 3).repeat(1, 1, 2, 1)])
        tau, group = LexicographicMinimum(action), action.group
        form, opposite = (action.act(group.inverse(tau(y)), y) for y in (x, -x))
        same = (form == opposite).flatten(1).all(1)
        every = group.elements((4, 4))
        images = action.act(group.element(torch.arange(len(every)).repeat(len(x)), (4, 4)), x.repeat_interleave(128, 0))
        expected = (images.view(len(x), 128, -1) == -x.view(len(x), 1, -1)).all(2).any(1)
        assert torch.equal(same, expected)
        assert 0.1 < same.float().mean() < 0.9


@pytest.mark.parametrize(("limit", "many"), [(2**20, 2**12), (2**14, 2**6)])
def test_names_are_ranked_when_they_become_too_large(
    limit: int, many: int, monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    """With lower limits the small lattices of these tests go through every branch."""
    monkeypatch.setattr(module, "_LIMIT", limit)
    monkeypatch.setattr(module, "_MANY", many)
    for few in (0, 1, 5):
        monkeypatch.setattr(module, "_FEW", few)
        for kind, channels in ((ScalarFields, ()), (ScalarFields, (2,)), (BondFields, (2,))):
            examples = torch.cat(list(fields(channels, (6, 6), generator).values()))
            check(kind(Torus("D4")), torch.cat([examples, examples[:7] + 0.25]) if few == 5 else examples + few / 4)


def test_large_lattices(generator: torch.Generator) -> None:
    """Too large for brute force: images of one field have one form, and the orders are known."""
    group = Torus("D4")
    action = BondFields(group)
    tau = LexicographicMinimum(action)
    base = torch.randn(4, 2, 64, 64, generator=generator).sign()
    base[1] = base[1, :, :, :16].repeat(1, 1, 4)
    base[2] = base[2, :, :8, :8].repeat(1, 8, 8)
    base[3] = 0
    base[3, 0, 5, 7] = 1
    x = base.repeat(6, 1, 1, 1)
    x = action.act(group.haar(x, generator), x)
    form = action.act(group.inverse(tau(x)), x).view(6, 4, -1)
    assert (form == form[0]).all()
    assert tau.stabilizer_order(x).view(6, 4).tolist() == [[1, 4, 64, 4]] * 6


def test_zero_has_no_sign() -> None:
    action = ScalarFields(Torus("D4"))
    zeros = torch.tensor([0.0, -0.0]).repeat(8).view(1, 4, 4)
    assert LexicographicMinimum(action).stabilizer_order(zeros).tolist() == [128]


def test_values_are_compared_as_numbers(generator: torch.Generator) -> None:
    """Of all sizes and signs, subnormal ones too; integers and booleans as well."""
    values = torch.tensor([-1e300, -2.5, -1e-310, 0.0, 5e-324, 1.0, 1e17, 1e17 + 16, 1.7e308], dtype=torch.float64)
    x = values[torch.randperm(9, generator=generator)].view(1, 3, 3)
    check(ScalarFields(Torus("D4")), x)
    for dtype in (torch.bfloat16, torch.float16, torch.float64):  # differences of integers are rounded in the first
        check(ScalarFields(Torus("D4")), torch.tensor([[[256, 255, -255], [-254, 3, 256], [0, -255, 1]]], dtype=dtype))
    integers = torch.tensor([[[2**60 + 1, 2**60], [-(2**62), 2**60]]])
    check(ScalarFields(Torus("D4")), integers)
    assert LexicographicMinimum(ScalarFields(Torus("D4"))).stabilizer_order(integers).tolist() == [4]
    booleans = torch.tensor([[[True, False], [False, True]]])
    assert LexicographicMinimum(ScalarFields(Torus("D4"))).stabilizer_order(booleans).tolist() == [16]


@pytest.mark.parametrize("max_memory", [2**31, 40_000])
def test_company_and_parts_do_not_matter(max_memory: int, generator: torch.Generator) -> None:
    action = BondFields(Torus("D4"))
    x = torch.cat(list(fields((2,), (5, 5), generator).values())).repeat(3, 1, 1, 1)
    tau = LexicographicMinimum(action, max_memory=max_memory)
    together, order = tau(x), tau.stabilizer_order(x)
    for place in range(len(x)):
        alone = tau(x[place : place + 1])
        assert alone.point[0] == together.point[place]
        assert torch.equal(alone.shift[0], together.shift[place])
        assert tau.stabilizer_order(x[place : place + 1])[0] == order[place]


def test_resolution_overlooks_rounding_errors(generator: torch.Generator) -> None:
    """A wave is symmetric on paper, not in floating-point numbers."""
    action = ScalarFields(Torus("D4"))
    site = torch.arange(6)
    wave = torch.cos(2 * torch.pi * (site[:, None] + site) / 6)[None] + 1e-6 * torch.rand(6, 6, generator=generator)
    assert LexicographicMinimum(action).stabilizer_order(wave).tolist() == [1]
    # Shifts along a diagonal, and the reflections at both diagonals with their product.
    assert LexicographicMinimum(action, resolution=0.01).stabilizer_order(wave + 0.003).tolist() == [24]


def test_not_enough_memory() -> None:
    tau = LexicographicMinimum(BondFields(Torus("D4")))
    huge = torch.zeros(1).expand(1, 2, 8192, 8192)
    message = "a field of 8192 x 8192 sites needs about 69 GB of memory; max_memory allows 2.1 GB"
    with pytest.raises(ValueError, match=message):
        tau(huge)
    with pytest.raises(ValueError, match=message):
        tau.stabilizer_order(huge)


def test_bad_input() -> None:
    tau = LexicographicMinimum(BondFields(Torus("D4")))
    x = torch.zeros(3, 2, 4, 4)
    for value in (torch.nan, torch.inf):
        x[1, 0, 2, 3] = value
        for call in (tau, tau.stabilizer_order):
            with pytest.raises(ValueError, match=rf"fields must be finite; got {value} at \[1, 0, 2, 3\]"):
                call(x)
    with pytest.raises(ValueError, match=r"expected a field of shape \[B, 2, ..., L1, L2\]; got shape \[1, 3, 4, 4\]"):
        tau(torch.zeros(1, 3, 4, 4))
    with pytest.raises(ValueError, match="D4 needs a square lattice; got 4 x 6"):
        tau(torch.zeros(1, 2, 4, 6))
    for resolution in (0.0, -1.0, torch.nan):
        with pytest.raises(ValueError, match="resolution must be positive and finite; got"):
            LexicographicMinimum(BondFields(Torus("D4")), resolution=resolution)

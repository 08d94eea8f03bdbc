import pytest
import torch
from torch import nn

from lattice_laws import LATTICES, check_field_inversion_kernel, check_field_kernel, code, fields, index_of, one
from sympe import InversionKernel
from sympe.actions import BondFields, DirectionFields, LatticeAction, ScalarFields
from sympe.canonicalize import LexicographicMinimum, Template
from sympe.groups import Torus

KINDS: list[tuple[type[LatticeAction], tuple[int, ...]]] = [
    (ScalarFields, ()),
    (ScalarFields, (2,)),
    (DirectionFields, (4,)),
    (BondFields, (2,)),
    (BondFields, (2, 3)),
]


@pytest.mark.parametrize(("name", "size"), LATTICES)
def test_scores_are_inner_products(name: str, size: tuple[int, int], generator: torch.Generator) -> None:
    """With the template moved, and with the field moved back, one element at a time."""
    for spin_flip in (False, True):
        for kind, channels in KINDS:
            action = kind(Torus(name, spin_flip))
            every = action.group.elements(size)
            weight = torch.randn(*channels, *size, generator=generator, dtype=torch.float64)
            x = torch.randn(2, *channels, *size, generator=generator, dtype=torch.float64)
            tau = Template(action, weight)
            scores = tau.scores(x)
            moved = action.act(every, one(weight[None], len(every)))
            assert torch.allclose(scores, torch.einsum("gn,bn->bg", moved.flatten(1), x.flatten(1)), atol=1e-10)
            for place in range(2):
                back = action.act(action.group.inverse(every), one(x[place : place + 1], len(every)))
                assert torch.allclose(scores[place], (back * weight).flatten(1).sum(1), atol=1e-10)
            assert (index_of(action.group, tau(x)) == scores.argmin(1).numpy()).all()


def test_a_small_template_is_filled_up_with_zeros(generator: torch.Generator) -> None:
    action = BondFields(Torus("D4"))
    weight = torch.randn(2, 2, 3, generator=generator)
    padded = nn.functional.pad(weight, (0, 2, 0, 3))
    x = torch.randn(3, 2, 5, 5, generator=generator)
    assert torch.equal(Template(action, weight).scores(x), Template(action, padded).scores(x))


def test_one_canonicalizer_serves_all_sizes_and_seeds_choose_the_template(generator: torch.Generator) -> None:
    action = ScalarFields(Torus("D4"))
    tau, again, other = Template(action), Template(action), Template(action, seed=1)
    for size in (3, 5, 8):
        x = torch.randn(20, 1, size, size, generator=generator)
        assert (code(tau(x)) == code(again(x))).all()
        assert (code(tau(x)) != code(other(x))).any()
    assert list(tau.state_dict()) == []


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_large_lattices(dtype: torch.dtype, generator: torch.Generator) -> None:
    """Images of one field have one form, in both precisions, on a large offset and beside a large defect."""
    action = BondFields(Torus("D4"))
    base = torch.randn(4, 2, 48, 48, generator=generator, dtype=dtype)
    base[1] = base[1].sign()
    base[2] += 1000
    base[3, 0, 0, 0] = 1e6
    x = base.repeat(8, 1, 1, 1)
    x = action.act(action.group.haar(x, generator), x)
    form = action.act(action.group.inverse(Template(action)(x)), x).view(8, 4, -1)
    assert (form == form[0]).all()


def test_resolution_overlooks_rounding_errors(generator: torch.Generator) -> None:
    """A field that is constant but for noise in its last digits: 36 shifts with it, hardly any without."""
    action = ScalarFields(Torus("C1"))
    x = one(0.7 + 1e-6 * torch.rand(1, 1, 6, 6, generator=generator), 2000)
    drawn = {
        resolution: len(set(map(tuple, code(InversionKernel(Template(action, resolution=resolution))(x, generator)))))
        for resolution in (None, 0.01)
    }
    assert drawn == {None: 1, 0.01: 36}


def test_a_field_at_the_limit_of_two_multiples_still_has_an_equivariant_law(generator: torch.Generator) -> None:
    action = ScalarFields(Torus("D4"))
    limit = 0.5 + 1e-6 * torch.randn(1, 1, 3, 3, generator=generator)
    x = {"limit": limit, "far from it": 0 * limit}
    for tau in (Template(action, resolution=1.0), LexicographicMinimum(action, resolution=1.0)):
        check_field_kernel(InversionKernel(tau), action, x, generator)


def test_a_poor_template_costs_randomness_and_no_symmetry(generator: torch.Generator) -> None:
    """A single site as template looks for the least value only."""
    action = ScalarFields(Torus("D4"))
    examples = fields((1,), (3, 3), generator)
    kernel = InversionKernel(Template(action, torch.ones(1, 1, 1)))
    check_field_kernel(kernel, action, examples, generator)
    with pytest.raises(AssertionError, match="images differ in their canonical forms"):
        check_field_inversion_kernel(kernel, action, {"signs": examples["signs"]}, generator)


def test_a_learned_template_has_gradients_and_is_saved(generator: torch.Generator) -> None:
    action = BondFields(Torus("D4"))
    tau = Template(action, nn.Parameter(torch.randn(2, 4, 4, generator=generator)))
    x = torch.randn(5, 2, 4, 4, generator=generator)
    before = tau.scores(x).min(1).values
    tau.scores(x).min(1).values.mean().backward()
    with torch.no_grad():
        tau.weight -= 0.1 * tau.weight.grad
    after = tau.scores(x).min(1).values
    assert after.mean() < before.mean()
    assert list(tau.state_dict()) == ["weight"]
    assert list(Template(action, torch.zeros(2, 4, 4)).state_dict()) == ["weight"]
    assert list(Template(action, torch.zeros(2, 4, 4)).parameters()) == []


@pytest.mark.parametrize("max_memory", [2**31, 100_000])
def test_company_and_parts_do_not_matter(max_memory: int, generator: torch.Generator) -> None:
    action = BondFields(Torus("D4"))
    x = torch.randn(40, 2, 5, 5, generator=generator)
    tau = Template(action, max_memory=max_memory)
    alone = [code(tau(x[place : place + 1]))[0].tolist() for place in range(len(x))]
    assert code(tau(x)).tolist() == alone


def test_bad_input() -> None:
    tau = Template(BondFields(Torus("D4")))
    x = torch.zeros(3, 2, 4, 4)
    x[2, 1, 0, 3] = torch.nan
    with pytest.raises(ValueError, match=r"fields must be finite; got nan at \[2, 1, 0, 3\]"):
        tau(x)
    with pytest.raises(ValueError, match=r"expected a field of shape \[B, 2, ..., L1, L2\]; got shape \[1, 1, 4, 4\]"):
        tau(torch.zeros(1, 1, 4, 4))
    with pytest.raises(ValueError, match="D4 needs a square lattice; got 4 x 6"):
        tau(torch.zeros(1, 2, 4, 6))
    with pytest.raises(ValueError, match=r"8192 x 8192 sites needs about 34 GB of memory; max_memory allows 2\.1 GB"):
        tau(torch.zeros(1).expand(1, 2, 8192, 8192))
    for shape in ((1, 4, 4), (2, 5, 4), (2, 4, 5), (2, 1, 4, 4)):
        message = r"expected a template of shape \[2, 4, 4\], or of fewer sites; got \[" + str(shape)[1]
        with pytest.raises(ValueError, match=message):
            Template(BondFields(Torus("D4")), torch.zeros(shape))(torch.zeros(1, 2, 4, 4))

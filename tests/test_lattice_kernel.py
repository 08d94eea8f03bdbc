"""The inversion kernel on periodic lattices, under every canonicalizer: its law, by counting the whole group."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lattice_laws import (
    LATTICES,
    FieldKernel,
    check_field_inversion_kernel,
    check_field_kernel,
    code,
    fields,
    one,
)
from laws import THRESHOLD, ChiSquare
from sympe import InversionKernel
from sympe.actions import BondFields, DirectionFields, LatticeAction, RegularFields, ScalarFields
from sympe.canonicalize import Canonicalizer, Constant, FieldCanonicalizer, LexicographicMinimum, Template
from sympe.groups import LatticeSymmetry, Torus

CANONICALIZERS: dict[str, Callable[[LatticeAction], Canonicalizer]] = {
    "constant": Constant,
    "template": Template,
    "lexicographic": LexicographicMinimum,
}
EXACT = ("template", "lexicographic")

#: Kinds of fields, each with the axes between batch and lattice; the law is tested for each on a lattice of its own.
KINDS: list[tuple[type[LatticeAction], tuple[int, ...], str, tuple[int, int]]] = [
    (ScalarFields, (1,), "D4", (4, 4)),
    (ScalarFields, (2,), "D2", (2, 5)),
    (DirectionFields, (4,), "D4", (3, 3)),
    (DirectionFields, (4, 2), "C4", (3, 3)),
    (BondFields, (2,), "D4", (4, 4)),
    (BondFields, (2,), "C2", (3, 4)),
    (RegularFields, (8,), "D4", (3, 3)),
]


class NotRandomized(nn.Module):
    """A canonicalizer taken at its word: of several equal images, that which comes first in storage."""

    def __init__(self, canonicalizer: FieldCanonicalizer) -> None:
        super().__init__()
        self.canonicalizer = canonicalizer

    def forward(self, x: Tensor, generator: torch.Generator) -> LatticeSymmetry:
        return self.canonicalizer(x, generator)


class RarelyNotRandomized(NotRandomized):
    """The kernel, but for one draw in ten."""

    def forward(self, x: Tensor, generator: torch.Generator) -> LatticeSymmetry:
        fair, unfair = InversionKernel(self.canonicalizer)(x, generator), self.canonicalizer(x)
        is_unfair = torch.rand(len(x), generator=generator) < 0.1
        shift = torch.where(is_unfair[:, None], unfair.shift, fair.shift)
        return LatticeSymmetry(shift, torch.where(is_unfair, unfair.point, fair.point), fair.size)


class FirstOfTheLargest(FieldCanonicalizer):
    """Shifts the largest value to the corner: ties go by index, and points are not looked at."""

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> LatticeSymmetry:
        group = Torus("C1")
        return group.element(x[:, 0].flatten(1).argmax(1), (x.shape[-2], x.shape[-1]))

    def bytes_per_field(self, x: Tensor) -> int:
        return 1


class TurnedByCompany(LexicographicMinimum):
    """Looks for the least image, or the largest if the batch holds fields that differ."""

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> LatticeSymmetry:
        values = x.flatten(1).sort(1).values
        return super().forward(x if bool((values == values[0]).all()) else -x)


class CollidingHash(FieldCanonicalizer):
    """The least image by a hash of its values in pairs, the same for x and -x."""

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> LatticeSymmetry:
        group, size = self.action.group, (x.shape[-2], x.shape[-1])
        every = group.elements(size)
        weight = torch.randn(x[0].numel(), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        best = []
        for field in x:
            images = self.action.act(group.inverse(every), one(field[None], len(every))).flatten(1)
            best.append(((images * images.roll(1, 1)).double() @ weight).round(decimals=9).argmin())
        return group.element(torch.stack(best), size)

    def bytes_per_field(self, x: Tensor) -> int:
        return 1


@pytest.mark.parametrize("name", CANONICALIZERS)
@pytest.mark.parametrize(("kind", "channels", "points", "size"), KINDS, ids=lambda v: getattr(v, "__name__", str(v)))
def test_law_moves_with_the_input(
    name: str,
    kind: type[LatticeAction],
    channels: tuple[int, ...],
    points: str,
    size: tuple[int, int],
    generator: torch.Generator,
) -> None:
    action = kind(Torus(points))
    check_field_kernel(
        InversionKernel(CANONICALIZERS[name](action)), action, fields(channels, size, generator), generator
    )


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize(("points", "size"), LATTICES)
def test_exact_canonicalizers_give_the_inversion_kernel(
    name: str, points: str, size: tuple[int, int], generator: torch.Generator
) -> None:
    for kind, channels in ((ScalarFields, (1,)), (BondFields, (2,))):
        action = kind(Torus(points))
        kernel = InversionKernel(CANONICALIZERS[name](action))
        check_field_inversion_kernel(kernel, action, fields(channels, size, generator), generator)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("odd", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_with_the_flip_of_spins(name: str, odd: bool, dtype: torch.dtype, generator: torch.Generator) -> None:
    """Odd fields: the images of x and -x are one orbit. Couplings: every draw comes with a random sign."""
    group = Torus("D4", spin_flip=True)
    for action, channels in ((ScalarFields(group, odd=odd), (2,)), (BondFields(group), (2,))):
        kernel = InversionKernel(CANONICALIZERS[name](action))
        examples = {key: x.to(dtype) for key, x in fields(channels, (4, 4), generator).items()}
        check_field_inversion_kernel(kernel, action, examples, generator)
        some = {key: examples[key] for key in ("checkerboard", "signs", "random")}
        check_field_kernel(kernel, action, some, generator)


@pytest.mark.parametrize("name", EXACT)
def test_remaining_kinds_of_fields(name: str, generator: torch.Generator) -> None:
    for kind, channels, points, size in KINDS:
        action = kind(Torus(points))
        kernel = InversionKernel(CANONICALIZERS[name](action))
        check_field_inversion_kernel(kernel, action, fields(channels, size, generator), generator)


@pytest.mark.parametrize("tau", [Template, LexicographicMinimum, FirstOfTheLargest])
def test_the_checkers_reject_a_kernel_without_the_shuffle(
    tau: type[FieldCanonicalizer], generator: torch.Generator
) -> None:
    action = ScalarFields(Torus("D4"))
    examples = fields((1,), (3, 3), generator)
    wrong = NotRandomized(tau(action))
    with pytest.raises(AssertionError, match=r"law\(g~ \| k x\) = law\(k g~ \| x\)"):
        check_field_kernel(wrong, action, {"stripes": examples["stripes"]}, generator)
    if tau is not FirstOfTheLargest:
        with pytest.raises(AssertionError, match="uniform on the coset"):
            check_field_inversion_kernel(wrong, action, {"stripes": examples["stripes"]}, generator)


def test_the_checkers_reject_a_slight_bias(generator: torch.Generator) -> None:
    action = ScalarFields(Torus("D4"))
    wrong = RarelyNotRandomized(LexicographicMinimum(action))
    examples = fields((1,), (3, 3), generator)
    symmetric = {name: examples[name] for name in ("stripes", "one defect", "rows alike", "mirrored")}
    with pytest.raises(AssertionError, match=r"law\(g~ \| k x\) = law\(k g~ \| x\)"):
        check_field_kernel(wrong, action, symmetric, generator)
    with pytest.raises(AssertionError, match="uniform on the coset"):
        check_field_inversion_kernel(wrong, action, symmetric, generator, draws_per_element=40)


def test_the_exactness_checker_rejects_a_loose_kernel(generator: torch.Generator) -> None:
    action = ScalarFields(Torus("D4"))
    examples = fields((1,), (3, 3), generator)
    for loose in (Constant(action), FirstOfTheLargest(action)):
        with pytest.raises(AssertionError, match="images differ in their canonical forms"):
            check_field_inversion_kernel(InversionKernel(loose), action, {"random": examples["random"]}, generator)


def test_the_exactness_checker_rejects_a_form_that_depends_on_the_batch(generator: torch.Generator) -> None:
    action = ScalarFields(Torus("C1"))
    examples = fields((1,), (3, 3), generator)
    crowd = {name: examples[name] for name in ("stripes", "random")}
    with pytest.raises(AssertionError, match="depends on the rest of the batch"):
        check_field_inversion_kernel(InversionKernel(TurnedByCompany(action)), action, crowd, generator)


def test_the_checker_rejects_a_hash_that_takes_a_field_for_its_opposite(generator: torch.Generator) -> None:
    """On a field that is moved to its opposite by a shift, half of the draws do not invert."""
    action = ScalarFields(Torus("C1"))
    board = {"board": fields((1,), (4, 4), generator)["checkerboard"] * 2 - 1}
    with pytest.raises(AssertionError, match="images differ in their canonical forms"):
        check_field_inversion_kernel(InversionKernel(CollidingHash(action)), action, board, generator)
    for tau in (Template, LexicographicMinimum):
        check_field_inversion_kernel(InversionKernel(tau(action)), action, board, generator)


def test_the_checker_rejects_the_global_generator(generator: torch.Generator) -> None:
    action = ScalarFields(Torus("D4"))
    kernel = InversionKernel(Template(action))

    def wrong(x: Tensor, _: torch.Generator) -> LatticeSymmetry:
        return kernel(x)

    with pytest.raises(AssertionError, match="expected equal draws from equal seeds"):
        check_field_kernel(wrong, action, fields((1,), (3, 3), generator), generator)


def test_a_constant_canonicalizer_gives_haar_measure(generator: torch.Generator) -> None:
    group = Torus("D4", spin_flip=True)
    kernel = InversionKernel(Constant(ScalarFields(group)))
    order = group.order((3, 3))
    x = one(torch.randn(1, 1, 3, 3, generator=generator), 20 * order)
    _, counts = torch.unique(torch.from_numpy(code(kernel(x, generator))), dim=0, return_counts=True)
    test = ChiSquare()
    test.fit("", torch.nn.functional.pad(counts, (0, order - len(counts))).numpy())
    assert test.p_value > THRESHOLD


@pytest.mark.parametrize("name", CANONICALIZERS)
def test_no_fields_and_a_single_site(name: str, generator: torch.Generator) -> None:
    for kind, channels in ((ScalarFields, ()), (ScalarFields, (2,)), (DirectionFields, (4,)), (BondFields, (2,))):
        action: LatticeAction = kind(Torus("D4", spin_flip=True))
        kernel: FieldKernel = InversionKernel(CANONICALIZERS[name](action))
        assert len(kernel(torch.zeros(0, *channels, 5, 5), generator)) == 0
        x = torch.randn(1, *channels, 1, 1, generator=generator)
        if name in EXACT:
            check_field_inversion_kernel(kernel, action, {"site": x, "zero": 0 * x}, generator)
        check_field_kernel(kernel, action, {"site": x}, generator)

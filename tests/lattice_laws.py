r"""Laws of everything that lives on a periodic lattice, by enumeration of the whole group.

The same laws as in :mod:`laws`, for fields in place of graphs. What stabilizers and least images are is found by
moving a field by every element of the group, with loops over sites that know nothing of the library's tables.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from laws import ChiSquare, check_reproducible
from sympe.actions import LatticeAction
from sympe.groups import LatticeSymmetry, Torus

#: A law of group elements given fields.
FieldKernel = Callable[[Tensor, torch.Generator], LatticeSymmetry]

POINT_GROUPS = ("C1", "C2", "C4", "D2", "D4")
SQUARE = [(3, 3), (4, 4), (5, 5), (6, 6)]
OBLONG = [(3, 4), (6, 4), (2, 5), (1, 4)]
#: Every point group on the lattices of 3 to 6 rows that it allows, and on some that are not square.
LATTICES = [(name, size) for name in POINT_GROUPS for size in SQUARE] + [
    (name, size) for name in ("C1", "C2", "D2") for size in OBLONG
]


def code(g: LatticeSymmetry) -> NDArray:
    """One row of integers per element."""
    sign = torch.ones_like(g.point) if g.sign is None else g.sign
    return torch.cat([g.point[:, None], g.shift, sign[:, None]], dim=1).numpy()


def index_of(group: Torus, g: LatticeSymmetry) -> NDArray:
    """The place of each element in ``group.elements``, found by search."""
    every = {tuple(row): place for place, row in enumerate(code(group.elements(g.size)).tolist())}
    return np.array([every[tuple(row)] for row in code(g).tolist()])


def one(x: Tensor, count: int) -> Tensor:
    """One field, many times."""
    return x.expand(count, *x.shape[1:])


def fields(channels: tuple[int, ...], size: tuple[int, int], generator: torch.Generator) -> dict[str, Tensor]:
    """Fields with many, few and no symmetries, each as a batch of one: the same in all channels unless they say so."""
    i, j = torch.arange(size[0])[:, None], torch.arange(size[1])
    plain = {
        "zero": 0 * (i + j),
        "constant": 1 + 0 * (i + j),
        "stripes": i % 2 + 0 * j,
        "other stripes": j % 3 + 0 * i,
        "checkerboard": (i + j) % 2,
        "one defect": ((i == size[0] - 1) & (j == 0)).long(),
        "two defects": ((i == 0) & ((j == 0) | (j == size[1] // 2))).long(),
    }
    found = {name: x.float().expand(1, *channels, *size).clone() for name, x in plain.items()}
    shape = (1, *channels, *size)
    found["random"] = torch.randn(shape, generator=generator)
    signs = torch.randn(shape, generator=generator).sign()
    found |= {"signs": signs, "opposite signs": -signs}
    stripe = torch.randn((1, *channels, 1, size[1]), generator=generator).sign()
    found |= {"rows alike": stripe.expand(shape).clone(), "opposite rows alike": -stripe.expand(shape)}
    half = torch.randn((1, *channels, size[0], 1), generator=generator)
    found["mirrored"] = half + half.flip(-2) + found["one defect"].roll(1, -1)
    first = torch.zeros(shape)
    first[:, 0] = 1
    found["one channel"] = first
    return found


def check_field_kernel(
    kernel: FieldKernel,
    action: LatticeAction,
    examples: dict[str, Tensor],
    generator: torch.Generator,
    draws_per_element: int = 12,
) -> None:
    """The law of g~ moves with the input, law(g~ | k x) = law(k g~ | x), counted over all group elements.

    On the right x stands in a batch among other fields, on the left k x stands alone.
    """
    group = action.group
    test = ChiSquare()
    together = torch.cat(list(examples.values()))
    draws = max(400, draws_per_element * group.order((together.shape[-2], together.shape[-1])))
    drawn = kernel(together.repeat(draws, *[1] * (together.ndim - 1)), generator)
    for place, (name, x) in enumerate(examples.items()):
        some = slice(place, None, len(examples))
        sign = None if drawn.sign is None else drawn.sign[some]
        here = LatticeSymmetry(drawn.shift[some], drawn.point[some], drawn.size, sign)
        k = group.haar(x, generator)
        there = kernel(one(action.act(k, x), draws), generator)
        test.compare(name, code(group.compose(repeated(k, draws), here)), code(there))
    test.require("law(g~ | k x) = law(k g~ | x)")
    check_reproducible(lambda seeded: torch.from_numpy(code(kernel(together, seeded))))


def check_field_inversion_kernel(
    kernel: FieldKernel,
    action: LatticeAction,
    examples: dict[str, Tensor],
    generator: torch.Generator,
    draws_per_element: int = 8,
) -> None:
    """Every draw inverts to one form, for every image of a field, and g~ is uniform on the coset of the stabilizer."""
    group = action.group
    test = ChiSquare()
    forms = {}
    for name, x in examples.items():
        size = (x.shape[-2], x.shape[-1])
        every = group.elements(size)
        images = action.act(every, one(x, len(every)))
        order = int((images == x).flatten(1).all(1).sum())
        form = action.act(group.inverse(kernel(images, generator)), images)
        assert (form == form[0]).all(), f"{name}: images differ in their canonical forms"
        forms[name] = form[:1]

        many = one(x, max(40, draws_per_element * order))
        drawn = kernel(many, generator)
        assert (action.act(group.inverse(drawn), many) == form[0]).all(), f"{name}: a draw does not invert"
        counts = np.unique(code(drawn), axis=0, return_counts=True)[1]
        assert len(counts) <= order, f"{name}: {len(counts)} elements drawn; the coset has {order}"
        test.fit(name, np.concatenate([counts, np.zeros(order - len(counts))]))
    together = torch.cat(list(examples.values()))
    form = action.act(group.inverse(kernel(together, generator)), together)
    for place, name in enumerate(examples):
        assert (form[place] == forms[name][0]).all(), f"{name}: the canonical form depends on the rest of the batch"
    test.require("g~ is uniform on the coset of the stabilizer")


def repeated(g: LatticeSymmetry, count: int) -> LatticeSymmetry:
    """One element, many times."""
    sign = None if g.sign is None else g.sign.expand(count)
    return LatticeSymmetry(g.shift.expand(count, 2), g.point.expand(count), g.size, sign)


def move_site(g: LatticeSymmetry, site: tuple[int, int]) -> tuple[int, int]:
    """Where the first element of a batch takes a site, by walking: turns, then the reflection, then the shift."""
    i, j = site
    for _ in range(int(g.point[0]) % 4):
        i, j = j, -i
    if int(g.point[0]) >= 4:
        i = -i
    return (i + int(g.shift[0, 0])) % g.size[0], (j + int(g.shift[0, 1])) % g.size[1]

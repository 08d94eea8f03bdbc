r"""The lexicographically least image of a field, by prefix doubling.

The images of a field under translations are its readings, row by row with periodic borders, from each site; points add
the readings of the rotated and reflected fields. To compare all readings, name their prefixes by integers in the same
order. Given names for prefixes of m sites, those of 2 m sites are pairs: the name at a site and the name m sites
further on. So rows have names after :math:`\log_2 L_2` steps, and whole images after :math:`\log_2 L_1` more (R. Karp,
R. Miller, A. Rosenberg, *Rapid identification of repeated patterns in strings, trees and arrays*, STOC 1972). If fewer
than m sites are missing, the second part overlaps the first. The image with the least name is the least; if it occurs
several times, its places form the coset of the stabilizer.

The pair of names a and b, both below K, is :math:`a K + b`; only when that would overflow 64 bits are names replaced by
their ranks among those present, by sorting. By then most fields are decided: a single prefix is the least, or only a
few tie, and these images are compared site by site. Nothing is hashed, so different blocks never share a name. Only the
order of field values matters: integers in a narrow range are their own names, other values are replaced by their ranks
if the least value of all has not decided.
"""

import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from sympe.canonicalize.lattice import FieldCanonicalizer
from sympe.groups import LatticeSymmetry

#: Upper bounds of all names, of those that 32 bits hold, of those that a table ranks, and of values that are names.
_LIMIT, _SHORT, _MANY, _NARROW = 2**62, 2**31, 2**20, 2**10
#: Up to this many candidates are compared site by site.
_FEW = 16


class LexicographicMinimum(FieldCanonicalizer):
    """The symmetry that takes the least image of a field, read row by row, all channels of a site together, to it.

    Exact: under the kernel the draws are uniform on a coset of the stabilizer for every field. The arguments are those
    of :class:`~sympe.canonicalize.lattice.FieldCanonicalizer`.

    Example:
        >>> import sympe
        >>> action = sympe.actions.ScalarFields(sympe.groups.Torus("D4"))
        >>> tau = LexicographicMinimum(action)
        >>> stripes = torch.tensor([0.0, 1.0, 1.0]).expand(1, 1, 3, 3)
        >>> action.act(action.group.inverse(tau(stripes)), stripes)
        tensor([[[[0., 0., 0.],
                  [1., 1., 1.],
                  [1., 1., 1.]]]])
        >>> tau.stabilizer_order(stripes)  # three shifts along the stripes, two reflections, a half turn
        tensor([12])
    """

    cached = 2**25  # measured: parts of one field take longer

    def forward(self, x: Shaped[Tensor, "B *c L1 L2"], generator: torch.Generator | None = None) -> LatticeSymmetry:
        group, size = self.action.group, (x.shape[-2], x.shape[-1])
        index, _ = self._least_of_parts(x)
        # The least image is a rotated field shifted back by u: undo the shift first, then the rotation.
        found = group.element(index, size)
        turn = LatticeSymmetry(torch.zeros_like(found.shift), found.point, size, found.sign)
        shift = LatticeSymmetry(found.shift, torch.zeros_like(found.point), size)
        return group.compose(turn, shift)

    def is_exact(self, x: Shaped[Tensor, "B *c L1 L2"]) -> Bool[Tensor, "B"]:
        return torch.full((len(x),), self.resolution is None, device=x.device)

    def stabilizer_order(self, x: Shaped[Tensor, "B *c L1 L2"]) -> Int[Tensor, "B"]:
        """The number of group elements that fix each field."""
        return self._least_of_parts(x)[1]

    def bytes_per_field(self, x: Tensor) -> int:
        # Several copies of the names of all readings, while they are paired and ranked, and the ranks of the values.
        channels, values = 1 if self.action.image is None else self.action.image.shape[1], x.shape[1:-2].numel()
        return 8 * x.shape[-2:].numel() * ((6 + 3 * channels) * self._readings + 16 * values)

    @property
    def _readings(self) -> int:
        """Number of fields read from every site: points, times two if signs matter."""
        group = self.action.group
        return len(group.points) * (2 if group.spin_flip and self.action.odd else 1)

    def _least_of_parts(self, x: Tensor) -> list[Int[Tensor, "B"]]:
        """What :meth:`_least` returns, for parts that fit into memory."""
        parts = self.parts(x)
        source = self._source(x)
        return [torch.cat(found) for found in zip(*(self._least(part, source) for part in parts), strict=True)]

    def _source(self, x: Tensor) -> Int[Tensor, "r n L1 L2"]:
        """For each value at each site of each field that is read, where it is stored: in x, or in x and -x."""
        points, sites = torch.tensor(self.action.group.points, device=x.device), x.shape[-2:].numel()
        turns = LatticeSymmetry(points.new_zeros(len(points), 2), points, (x.shape[-2], x.shape[-1]))
        source = self.action.source(self.action.group.inverse(turns))
        # Points permute channels, and the features of a channel stay together.
        channel, features = source[:, :, :1, :1] // sites, x.shape[1:-2].numel() // source.shape[1]
        more = channel * (features - 1) + torch.arange(features, device=x.device)
        source = source[:, :, None] + sites * more.view(len(points), -1, features, 1, 1)
        signs = range(self._readings // len(points))
        return torch.cat([source.flatten(1, 2) + sign * x.shape[1:].numel() for sign in signs])

    def _least(self, x: Tensor, source: Tensor) -> tuple[Int[Tensor, "B"], Int[Tensor, "B"]]:
        """The place of the least image in ``group.elements``, and the number of group elements that lead to it."""
        group, x = self.action.group, (x if x.is_floating_point() else x.long()).flatten(1)
        x = torch.cat([x, -x], dim=1) if len(source) > len(group.points) else x
        names, bound = _narrow(x)
        place, count = torch.zeros(2, len(x), dtype=torch.long, device=x.device)
        if bound == 1:
            count += source[:, 0].numel()  # all images are equal
        if not bound:
            place, count = _compare(x, source, (1, 1), *_least_places(_read(x, source[:, 0])))
            names, bound = _ranks(_integers(x[count == 0]))
        if len(left := (count == 0).nonzero()[:, 0]):
            place[left], count[left] = _search(*_site_names(names, bound, source), (1, 1))
        return place, count * 2 if group.spin_flip and not self.action.odd else count


def _narrow(x: Shaped[Tensor, "B m"]) -> tuple[Int[Tensor, "B m"], int]:
    """Integers from 0 in the order of the values, and their upper bound: 0 unless they are integers in a narrow range."""
    low, high = (end.item() for end in x.aminmax()) if x.numel() else (0, 0)
    if low == high:
        return torch.zeros_like(x, dtype=torch.int32), 1
    is_narrow = high - low < 2 * _NARROW and max(high, -low) < 2**31
    if not is_narrow or (x.is_floating_point() and not torch.equal(x, x.round())):
        return x, 0
    return _ranks((x.long() - int(low)).int(), int(high - low) + 1)


def _integers(x: Shaped[Tensor, "*n"]) -> Int[Tensor, "*n"]:
    """Integers in the order of the values, which sort faster: the bits of floating-point numbers."""
    if not x.is_floating_point():
        return x
    bits = (x + 0.0).view(torch.int64) if x.dtype == torch.float64 else (x.float() + 0.0).view(torch.int32)
    return torch.where(bits < 0, bits ^ torch.iinfo(bits.dtype).max, bits)  # -0.0 + 0.0 is 0.0


def _site_names(
    values: Int[Tensor, "B m"], bound: int, source: Int[Tensor, "r n L1 L2"]
) -> tuple[Int[Tensor, "B r L1 L2"], int]:
    """Names for the values at each site of each field that is read, and their upper bound."""
    first, *more = source.unbind(1)
    names, names_bound = _read(values, first), bound
    for places in more:
        names, names_bound = _pair(names, names_bound, _read(values, places), bound)
    return names, names_bound


def _read(values: Shaped[Tensor, "B m"], places: Int[Tensor, "*r"]) -> Shaped[Tensor, "B *r"]:
    return values.gather(1, places.flatten().expand(len(values), -1)).unflatten(1, places.shape)


def _search(
    names: Int[Tensor, "B r L1 L2"], bound: int, known: tuple[int, int]
) -> tuple[Int[Tensor, "B"], Int[Tensor, "B"]]:
    """Where the least image of each field begins first, and how often it occurs, from names of this many sites."""
    flat, size = names.flatten(1), names.shape[2:]
    if known == size:
        place = flat.argmin(1)
        return place, flat.shape[1] - (flat - flat.gather(1, place[:, None])).count_nonzero(1)
    if bound**2 <= _MANY:
        return _search(*_double(names, bound, known))
    field, first = _least_places(names)
    if known[1] < size[1] and (is_left := field.bincount(minlength=len(names)) == 0).any():
        others, other = _after_background(names, bound, known)
        field, first = torch.cat([field, others[is_left[others]]]), torch.cat([first, other[is_left[others]]])
        field, order = field.sort(stable=True)
        first = first[order]
    itself = torch.arange(flat.shape[1], device=names.device).view(-1, 1, *size)
    place, count = _compare(flat, itself, known, field, first)
    if len(left := (count == 0).nonzero()[:, 0]):
        names = names[left]
        if bound <= _MANY or bound**2 > _LIMIT:
            names, bound = _ranks(names, bound)
        place[left], count[left] = _search(*_double(names, bound, known))
    return place, count


def _double(
    names: Int[Tensor, "*b L1 L2"], bound: int, known: tuple[int, int]
) -> tuple[Int[Tensor, "*b L1 L2"], int, tuple[int, int]]:
    """Names of twice as many columns, or of twice as many rows if all columns are known; or of as many as there are."""
    rows, columns = known
    axis = -1 if columns < names.shape[-1] else -2
    size = names.shape[axis]
    step = min(known[axis], size - known[axis])
    names = names if bound**2 <= _SHORT else names.long()
    pairs = torch.empty_like(names)
    for start, length, other in ((0, size - step, step), (size - step, step, 0)):  # faster than roll
        first, second = names.narrow(axis, start, length), names.narrow(axis, other, length)
        torch.add(second, first, alpha=bound, out=pairs.narrow(axis, start, length))
    return pairs, bound**2, (rows, columns + step) if axis == -1 else (rows + step, columns)


def _pair(
    first: Int[Tensor, "*n"], first_bound: int, second: Int[Tensor, "*n"], second_bound: int
) -> tuple[Int[Tensor, "*n"], int]:
    """Names of pairs, if possible in place of the second, and their bound; the first may be replaced by their ranks."""
    if first_bound * second_bound > _LIMIT:
        first, first_bound = _ranks(first)
    bound = first_bound * second_bound
    if bound > _SHORT:
        second = second.long()
    return second.add_(first, alpha=second_bound), bound


def _ranks(names: Shaped[Tensor, "*n"], bound: int = _LIMIT) -> tuple[Int[Tensor, "*n"], int]:
    """The rank of each name among those present, and the number of ranks."""
    if bound <= _MANY:  # faster than sorting
        ranks = names.flatten().bincount().sign().cumsum(0, dtype=torch.int32)
        return (ranks - 1).index_select(0, names.flatten()).view(names.shape), int(ranks[-1])
    present, inverse = torch.unique(names, return_inverse=True)
    return inverse.int(), len(present)


def _least_places(names: Shaped[Tensor, "B r L1 L2"]) -> tuple[Int[Tensor, "k"], Int[Tensor, "k"]]:
    """Fields in which the least name occurs a few times, and where."""
    in_row = names.amin(3)
    least = in_row.amin((1, 2), keepdim=True)
    few = (in_row == least).sum((1, 2), keepdim=True) <= _FEW
    field, reading, row = ((in_row == least) & few).nonzero(as_tuple=True)
    start = (reading * names.shape[2] + row) * names.shape[3]
    return _few_equal(names[field, reading, row], least.flatten(), field, start)


def _after_background(
    names: Int[Tensor, "B r L1 L2"], bound: int, known: tuple[int, int]
) -> tuple[Int[Tensor, "k"], Int[Tensor, "k"]]:
    """Candidates of fields in which whole rows hold nothing but the least name: fields, and places.

    The least image begins with as many such rows as possible; then comes the least of all rotations of next rows.
    """
    rows, columns = names.shape[2:]
    is_row = names.amax(3) > names.amin((1, 2, 3), keepdim=True)[..., 0]
    # How many rows of background begin at each row.
    twice = torch.arange(2 * rows, device=names.device)
    other = torch.where(is_row.repeat(1, 1, 2), twice, 2 * rows).flip(2).cummin(2)[0].flip(2)
    number = (other - twice)[..., :rows]
    most = number.amax((1, 2), keepdim=True)
    field, reading, row = ((number == most) & (most > 0) & (most < rows)).nonzero(as_tuple=True)
    next_rows, known = names[field, reading, (row + most.flatten()[field]) % rows][:, None], (1, known[1])
    while known[1] < columns and len(field):
        if bound**2 > _LIMIT:
            next_rows, bound = _ranks(next_rows)
        next_rows, bound, known = _double(next_rows, bound, known)
    least = field.new_full((len(names),), _LIMIT).scatter_reduce_(0, field, next_rows.amin((1, 2)).long(), "amin")
    return _few_equal(next_rows[:, 0], least, field, (reading * rows + row) * columns)


def _few_equal(
    rows: Shaped[Tensor, "m L2"], least: Shaped[Tensor, "B"], field: Int[Tensor, "m"], start: Int[Tensor, "m"]
) -> tuple[Int[Tensor, "k"], Int[Tensor, "k"]]:
    """Fields with a few names that are the least, and where, if rows of these fields start at these places."""
    at, column = (rows == least[field, None]).nonzero(as_tuple=True)
    field, place = field[at], start[at] + column
    few = (field.bincount() <= _FEW)[field]
    return field[few], place[few]


def _compare(
    values: Shaped[Tensor, "B m"],
    source: Int[Tensor, "r n L1 L2"],
    known: tuple[int, int],
    field: Int[Tensor, "k"],
    place: Int[Tensor, "k"],
) -> tuple[Int[Tensor, "B"], Int[Tensor, "B"]]:
    """Which of the images that begin at these places is the first least, and how many equal it; 0 for other fields."""
    number = field.bincount(minlength=len(values))
    end, where, count = number.cumsum(0), torch.zeros_like(number), number.clone()
    where[field.flip(0)] = place.flip(0)
    # A reflection may keep the first row: two rows decide nearly always, all if they do not.
    for rows in (2, source.shape[2]) if known == (1, 1) else (source.shape[2],):
        if len(tied := (count > 1).nonzero()[:, 0]):
            # One row per field, padded with its last candidate.
            last = number[tied, None] - 1
            order = torch.arange(int(last.max()) + 1, device=last.device)
            places = place[end[tied, None] - 1 - last + torch.minimum(order, last)]
            images = _images(values, source, known, tied, places, rows)
            where[tied], count[tied] = _least_image(images, places, order <= last)
    return where, count


def _least_image(
    images: Shaped[Tensor, "F k s"], places: Int[Tensor, "F k"], counts: Bool[Tensor, "F k"]
) -> tuple[Int[Tensor, "F"], Int[Tensor, "F"]]:
    """The place of the first least image of each field, and how many of those that count equal it."""
    if bool((images == images[:, :1]).all()):
        return places[:, 0], counts.sum(1)
    least, where, count = images[:, 0], places[:, :1], counts[:, :1].long()
    for k in range(1, images.shape[1]):
        image = images[:, k]
        differs = (image != least).view(torch.uint8).argmax(1, keepdim=True)  # the first that does, if any
        a, b = image.gather(1, differs), least.gather(1, differs)
        is_less = a < b
        count = torch.where(is_less, 1, count + ((a == b) & counts[:, k : k + 1]))
        where = torch.where(is_less, places[:, k : k + 1], where)
        least = torch.where(is_less, image, least)
    return where[:, 0], count[:, 0]


def _images(
    values: Shaped[Tensor, "B m"],
    source: Int[Tensor, "r n L1 L2"],
    known: tuple[int, int],
    field: Int[Tensor, "F"],
    places: Int[Tensor, "F k"],
    count: int,
) -> Shaped[Tensor, "F k s"]:
    """The first rows of images that begin at these places, as values or names that overlap as little as possible."""
    rows, columns = source.shape[2:]
    down = torch.arange(0, count, known[0], device=places.device).clamp(max=rows - known[0])
    across = torch.arange(0, columns, known[1], device=places.device).clamp(max=columns - known[1])
    place = places[..., None, None]
    i, j = (place // columns + down[:, None]) % rows, (place + across) % columns
    index = source.movedim(1, 3)[place // (rows * columns), i, j].flatten(2)
    return values[field[:, None, None], index]

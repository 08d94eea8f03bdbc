r"""The lexicographically least image of a field, by prefix doubling.

The images of a field under translations are its readings, row by row with periodic borders, from each site; points add
the readings of the rotated and reflected fields. To compare all readings, name their prefixes by integers in the same
order. Given names for prefixes of m sites, those of 2 m sites are pairs: the name at a site and the name m sites
further on. So rows have names after :math:`\log_2 L_2` steps, and whole images after :math:`\log_2 L_1` more (R. Karp,
R. Miller, A. Rosenberg, *Rapid identification of repeated patterns in strings, trees and arrays*, STOC 1972). If fewer
than m sites are missing, the second part overlaps the first. The image with the least name is the least; if it occurs
several times, its places form the coset of the stabilizer.

The pair of names a and b, both below K, is :math:`a K + b`. When that becomes large, most fields are decided: the least
name occurs a few times, and these images are compared. Only for the others are names replaced by their ranks among
those present, by a table or, if they are many, by sorting. Nothing is hashed, so different blocks never share a name.
Only the order of field values matters: integers in a narrow range are named by their ranks. Of other values the least
of all is looked for first, since the least image begins with it; only fields that hold it often need ranks.
"""

import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from sympe.canonicalize.lattice import FieldCanonicalizer
from sympe.groups import LatticeSymmetry

#: Upper bounds of all names, of those that 32 bits hold, of those that a table ranks, and of the range of integers.
_LIMIT, _SHORT, _MANY, _NARROW = 2**62, 2**31, 2**20, 2**11
#: Up to this many candidates are compared.
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

    cached = 2**25  # measured: smaller parts take longer

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
        # Several copies of the names of all readings, while they are paired and ranked, and of the values; where each
        # value that is read is stored.
        values = x.shape[1:-2].numel()
        return 8 * x.shape[-2:].numel() * ((6 + 3 * values) * self._readings + 16 * values)

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
        source = (source[:, :, None] + sites * more.transpose(2, 3)[..., None]).flatten(1, 2)
        signs = range(self._readings // len(points))
        return torch.cat([source + sign * x.shape[1:].numel() for sign in signs])

    def _least(self, x: Tensor, source: Tensor) -> tuple[Int[Tensor, "B"], Int[Tensor, "B"]]:
        """The place of the least image in ``group.elements``, and the number of group elements that lead to it."""
        group, x = self.action.group, (x if x.is_floating_point() else x.long()).flatten(1)
        x = torch.cat([x, -x], dim=1) if len(source) > len(group.points) else x
        low, high = (end.item() for end in x.aminmax()) if x.numel() else (0, 0)
        is_narrow = high - low < _NARROW and max(high, -low) < _SHORT
        if low == high:  # all images are equal
            place, count = torch.tensor([[0], [source[:, 0].numel()]], device=x.device).repeat(1, len(x))
        elif is_narrow and (not x.is_floating_point() or torch.equal(x, x.round())):
            place, count = _search(*_site_names(*_ranks((x.long() - int(low)).int(), int(high - low) + 1), source))
        else:
            place, count = _compare(x, source, (1, 1), *_least_places(_read(x, source[:, 0])))
            if len(left := (count == 0).nonzero()[:, 0]):
                place[left], count[left] = _search(*_site_names(*_ranks(_integers(x[left])), source))
        return place, count * 2 if group.spin_flip and not self.action.odd else count


def _integers(x: Shaped[Tensor, "*n"]) -> Int[Tensor, "*n"]:
    """Integers in the order of the values, which sort faster: the bits of floating-point numbers."""
    if not x.is_floating_point():
        return x
    bits = (x + 0.0).view(torch.int64) if x.dtype == torch.float64 else (x.float() + 0.0).view(torch.int32)
    integers: Tensor = torch.where(bits < 0, bits ^ torch.iinfo(bits.dtype).max, bits)  # -0.0 + 0.0 is 0.0
    return integers


def _read(values: Shaped[Tensor, "B m"], places: Int[Tensor, "*r"]) -> Shaped[Tensor, "B *r"]:
    """The values of each field that are stored at these places."""
    return values.gather(1, places.flatten().expand(len(values), -1)).view(-1, *places.shape)


def _site_names(
    values: Int[Tensor, "B m"], bound: int, source: Int[Tensor, "r n L1 L2"]
) -> tuple[Int[Tensor, "B r L1 L2"], int]:
    """Names for the values at each site of each field that is read, and their upper bound."""
    first, *more = source.unbind(1)
    names, names_bound = _read(values, first), bound
    for places in more:
        names, names_bound = _pair(names, names_bound, _read(values, places), bound)
    return names, names_bound


def _search(names: Int[Tensor, "B r L1 L2"], bound: int) -> tuple[Int[Tensor, "B"], Int[Tensor, "B"]]:
    """Where the least image of each field begins first, and how often it occurs, from names of sites."""
    place, count = torch.zeros(2, len(names), dtype=torch.long, device=names.device)
    left, known, size = torch.arange(len(names), device=names.device), (1, 1), names.shape[2:]
    while known != size:
        if bound**2 > _MANY:
            place[left], count[left] = _decide(names, bound, known)
            is_open = count[left] == 0
            left, names = left[is_open], names[is_open]
            if not len(left):
                return place, count
            if bound <= _MANY or bound**2 > _LIMIT:
                names, bound = _ranks(names, bound)
        names, bound, known = _double(names, bound, known)
    names = names.flatten(1)
    place[left] = names.argmin(1)
    count[left] = (names == names.gather(1, place[left, None])).sum(1)
    return place, count


def _decide(
    names: Int[Tensor, "B r L1 L2"], bound: int, known: tuple[int, int]
) -> tuple[Int[Tensor, "B"], Int[Tensor, "B"]]:
    """What :func:`_search` finds, for fields with few candidates; 0 for others."""
    field, place = _least_places(names)
    if known[1] < names.shape[3] and (is_left := field.bincount(minlength=len(names)) == 0).any():
        others, other = _after_background(names, bound, known)
        field, order = torch.cat([field, others[is_left[others]]]).sort(stable=True)
        place = torch.cat([place, other[is_left[others]]])[order]
    itself = torch.arange(names[0].numel(), device=names.device).view(-1, 1, *names.shape[2:])
    return _compare(names.flatten(1), itself, known, field, place)


def _double(
    names: Int[Tensor, "*b L1 L2"], bound: int, known: tuple[int, int]
) -> tuple[Int[Tensor, "*b L1 L2"], int, tuple[int, int]]:
    """Names of twice as many columns, or of twice as many rows if all columns are known; or of as many as there are."""
    axis = -1 if known[1] < names.shape[-1] else -2
    step = min(known[axis], names.shape[axis] - known[axis])
    names, bound = _pair(names, bound, names.roll(-step, axis), bound)
    return names, bound, (known[0], known[1] + step) if axis == -1 else (known[0] + step, known[1])


def _pair(
    first: Int[Tensor, "*n"], first_bound: int, second: Int[Tensor, "*n"], second_bound: int
) -> tuple[Int[Tensor, "*n"], int]:
    """Names of pairs, in place of the second if they fit, and their bound; ranks replace the first if necessary."""
    if first_bound * second_bound > _LIMIT:
        first, first_bound = _ranks(first)
    bound = first_bound * second_bound
    return (second if bound <= _SHORT else second.long()).add_(first, alpha=second_bound), bound


def _ranks(names: Int[Tensor, "B *n"], bound: int = _LIMIT) -> tuple[Int[Tensor, "B *n"], int]:
    """The rank of each name among those present, in its field or in all, and an upper bound of the ranks."""
    if bound > _MANY:
        present, names = torch.unique(names, return_inverse=True)
        names, bound = names.int(), len(present)
    tables = len(names) if len(names) * bound <= _MANY else 1
    start = bound * torch.arange(tables, dtype=torch.int32, device=names.device)
    index = (names.view(tables, -1) + start[:, None]).flatten()
    ranks = (index.bincount(minlength=tables * bound) > 0).view(tables, bound).cumsum(1, dtype=torch.int32)
    return (ranks - 1).flatten().index_select(0, index).view(names.shape), int(ranks[:, -1].max())


def _least_places(names: Shaped[Tensor, "B r L1 L2"]) -> tuple[Int[Tensor, "k"], Int[Tensor, "k"]]:
    """Fields in which the least name occurs a few times, and where."""
    in_row = names.amin(3)
    least = in_row.amin((1, 2), keepdim=True)
    is_least = in_row == least
    field, reading, row = (is_least & (is_least.sum((1, 2), keepdim=True) <= _FEW)).nonzero(as_tuple=True)
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
    next_rows, known = names[field, reading, (row + most.flatten()[field]) % rows][None], (1, known[1])
    while known[1] < columns and len(field):
        if bound**2 > _LIMIT:
            next_rows, bound = _ranks(next_rows)
        next_rows, bound, known = _double(next_rows, bound, known)
    least = field.new_full((len(names),), _LIMIT).scatter_reduce_(0, field, next_rows[0].amin(1).long(), "amin")
    return _few_equal(next_rows[0], least, field, (reading * rows + row) * columns)


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
    """Of the images that begin at these places, where the first least is, and how many equal it; 0 for other fields.

    The values, in which these sources are read, are those of single sites or names of as many as are known.
    """
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
            images = _images(values[tied], source, known, places, rows)
            where[tied], count[tied] = _least_image(images, places, order <= last)
    return where, count


def _images(
    values: Shaped[Tensor, "F m"],
    source: Int[Tensor, "r n L1 L2"],
    known: tuple[int, int],
    places: Int[Tensor, "F k"],
    count: int,
) -> Shaped[Tensor, "F k s"]:
    """The first rows of the images that begin at these places, by as few names as cover them."""
    rows, columns = source.shape[2:]
    down = torch.arange(0, count, known[0], device=places.device).clamp(max=rows - known[0])
    across = torch.arange(0, columns, known[1], device=places.device).clamp(max=columns - known[1])
    place = places[..., None, None]
    i, j = (place // columns + down[:, None]) % rows, (place + across) % columns
    index = source.movedim(1, 3)[place // (rows * columns), i, j]
    return values.gather(1, index.flatten(1)).view(*places.shape, -1)


def _least_image(
    images: Shaped[Tensor, "F k s"], places: Int[Tensor, "F k"], counts: Bool[Tensor, "F k"]
) -> tuple[Int[Tensor, "F"], Int[Tensor, "F"]]:
    """The place of the first least image of each field, and how many of those that count equal it."""
    if bool((images == images[:, :1]).all()):
        return places[:, 0], counts.sum(1)
    least, where, count = images[:, 0], places[:, :1], counts[:, :1].long()
    for k in range(1, images.shape[1]):
        image = images[:, k]
        differs = (image != least).byte().argmax(1, keepdim=True)  # the first that does, if any
        a, b = image.gather(1, differs), least.gather(1, differs)
        count = torch.where(a < b, 1, count + ((a == b) & counts[:, k, None]))
        where = torch.where(a < b, places[:, k, None], where)
        least = torch.where(a < b, image, least)
    return where[:, 0], count[:, 0]

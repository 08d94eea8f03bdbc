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

#: Upper bounds of all names, of those that 32 bits hold, and of values that are their own names.
_LIMIT, _SHORT, _NARROW = 2**62, 2**31, 2**10
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

    cached = 2**23  # measured: parts of one field take longer

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

    def _source(self, x: Tensor) -> Int[Tensor, "p n L1 L2"]:
        """For each point, channel and site of a field that is read, where its value is stored."""
        points = torch.tensor(self.action.group.points, device=x.device)
        turns = LatticeSymmetry(points.new_zeros(len(points), 2), points, (x.shape[-2], x.shape[-1]))
        return self.action.source(self.action.group.inverse(turns))

    def _least(self, x: Tensor, source: Tensor) -> tuple[Int[Tensor, "B"], Int[Tensor, "B"]]:
        """The place of the least image in ``group.elements``, and the number of group elements that lead to it."""
        at_site, bound = self._site_names(x, source)
        names, undecided = at_site, torch.arange(len(x), device=x.device)
        place, count = undecided.new_zeros(2, len(x))
        for dim in (3, 2):
            known, length = 1, names.shape[dim]
            # With a single name all images are equal.
            while known < length and bound > 1:
                if bound**2 > _LIMIT:
                    # Sorting is the most expensive step: continue only with the fields that need it.
                    left = _decide(at_site, undecided, _least_places(names), place, count)
                    undecided, names = undecided[left], names[left]
                    if len(undecided):
                        left = _decide(at_site, undecided, _after_background(at_site[undecided]), place, count)
                        undecided, names = undecided[left], names[left]
                    names, bound = _ranks(names)
                step = min(known, length - known)
                names, bound = _pair(names, bound, names.roll(-step, dim), bound)
                known += step
        candidates = _least_places(names)
        place[undecided], count[undecided] = candidates.byte().argmax(1), candidates.count_nonzero(1)
        group = self.action.group
        return place, count * 2 if group.spin_flip and not self.action.odd else count

    def _site_names(self, x: Tensor, source: Tensor) -> tuple[Int[Tensor, "B r L1 L2"], int]:
        """Names for the values at each site of each field that is read, and their upper bound."""
        size = x.shape[-2], x.shape[-1]
        x = x if x.is_floating_point() else x.long()
        signs = [x, -x] if self._readings > len(source) else [x]
        values, bound = _integers(torch.stack(signs, dim=1))
        channels = source.shape[1]
        features = x.shape[1:-2].numel() // channels
        ranks = values.view(len(x), len(signs), channels, features, size[0] * size[1])
        if bound > _LIMIT and channels * features > 1:
            ranks, bound = _ranks(ranks)
        # Points permute channels, and the features of a channel stay together.
        names, names_bound = ranks[:, :, :, 0], bound
        for feature in range(1, features):
            names, names_bound = _pair(names, names_bound, ranks[:, :, :, feature], bound)
        if names_bound**2 > _LIMIT and channels > 1:
            names, names_bound = _ranks(names)
        names = names.flatten(2)
        turned = [names.gather(2, place.flatten().expand(*names.shape[:2], -1)) for place in source.unbind(1)]
        at_site, at_site_bound = turned[0], names_bound
        for channel in turned[1:]:
            at_site, at_site_bound = _pair(at_site, at_site_bound, channel, names_bound)
        return at_site.view(len(x), self._readings, *size), at_site_bound


def _pair(
    first: Int[Tensor, "*n"], first_bound: int, second: Int[Tensor, "*n"], second_bound: int
) -> tuple[Int[Tensor, "*n"], int]:
    """Names of pairs, and their bound; the first names are replaced by their ranks if necessary."""
    if first_bound * second_bound > _LIMIT:
        first, first_bound = _ranks(first)
    bound = first_bound * second_bound
    return torch.add(second, first if bound < _SHORT else first.long(), alpha=second_bound), bound


def _integers(x: Tensor) -> tuple[Int[Tensor, "*n"], int]:
    """Integers in the order of the values, and their upper bound: from 0 if the values are integers in a narrow range.

    Otherwise the bits of floating-point numbers, adjusted for negative ones.
    """
    low, high = (float(end) for end in x.aminmax()) if x.numel() else (0.0, 0.0)
    is_float = x.is_floating_point()
    if high - low < 2 * _NARROW and max(high, -low) < 2**31 and (not is_float or torch.equal(x, x.round())):
        return (x.long() - int(low)).int(), int(high - low) + 1
    if not is_float:
        return x.long(), 2**64
    bits = (x.double() + 0.0).view(torch.int64)  # -0.0 + 0.0 is 0.0
    return torch.where(bits < 0, bits ^ (2**63 - 1), bits), 2**64


def _ranks(names: Int[Tensor, "*n"]) -> tuple[Int[Tensor, "*n"], int]:
    """The rank of each name among those present, and the number of ranks."""
    present, ranks = torch.unique(names, return_inverse=True)
    return ranks.int(), len(present)


def _least_places(names: Int[Tensor, "B r L1 L2"]) -> Bool[Tensor, "B n"]:
    """Where the least name of each field is."""
    names = names.flatten(1)
    return names == names.aminmax(dim=1, keepdim=True)[0]  # faster than amin


def _decide(at_site: Tensor, fields: Tensor, candidates: Bool[Tensor, "b n"], place: Tensor, count: Tensor) -> Tensor:
    """Write down what :func:`_compare` finds for fields of few candidates; which fields are left."""
    number = candidates.count_nonzero(1)
    few = (number > 0) & (number <= _FEW)
    decided = fields[few]
    if len(decided):
        place[decided], count[decided] = _compare(at_site, decided, candidates[few])
    return ~few


def _after_background(at_site: Int[Tensor, "b r L1 L2"]) -> Bool[Tensor, "b n"]:
    """Candidates of fields in which whole rows hold nothing but the least name; none for others.

    The least image begins with as many such rows as possible; then comes the least of all rotations of next rows.
    """
    rows, columns = at_site.shape[2:]
    low, high = at_site.aminmax(dim=3)
    is_row = high > low.amin((1, 2), keepdim=True)
    # How many rows of background precede each other row.
    twice = torch.arange(2 * rows, device=at_site.device)
    last = torch.where(is_row.repeat(1, 1, 2), twice, -1).cummax(2)[0]
    before = (twice[rows:] - 1 - last[..., rows - 1 : -1]) * is_row
    most = before.amax((1, 2), keepdim=True)
    field, reading, row = ((before == most) & (most > 0)).nonzero(as_tuple=True)
    names, known, bound = at_site[field, reading, row], 1, 0
    while known < columns and len(field):
        names, bound = _ranks(names)
        step = min(known, columns - known)
        names, known = _pair(names, bound, names.roll(-step, 1), bound)[0], known + step
    least = field.new_full((len(at_site),), _LIMIT).scatter_reduce_(0, field, names.amin(1).long(), "amin")
    at, column = (names == least[field, None]).nonzero(as_tuple=True)
    candidates = torch.zeros_like(at_site, dtype=torch.bool)
    candidates[field[at], reading[at], (row - most.flatten()[field])[at] % rows, column] = True
    return candidates.flatten(1)


def _compare(
    at_site: Int[Tensor, "B r L1 L2"], chosen: Int[Tensor, "b"], candidates: Bool[Tensor, "b n"]
) -> tuple[Int[Tensor, "b"], Int[Tensor, "b"]]:
    """Where the least image of each field begins, by comparing the candidates site by site, and how often it occurs."""
    field, place = candidates.nonzero(as_tuple=True)
    number = candidates.count_nonzero(1)
    first = number.cumsum(0) - number
    if len(field) == len(number):
        return place, number
    # One row per field, padded with its first candidate.
    column = torch.arange(len(field), device=field.device) - first[field]
    places = place[first][:, None].repeat(1, int(number.max())).index_put((field, column), place)
    is_candidate = torch.arange(places.shape[1], device=place.device) < number[:, None]

    # A reflection may keep the first row: two rows decide nearly always, all sites if they do not.
    sites, rows = at_site[0, 0].numel(), 2 * at_site.shape[3]
    images = _images(at_site, chosen, places, min(rows, sites))
    where, is_least = _least_image(images, places)
    is_least &= is_candidate
    number = is_least.count_nonzero(1)
    if sites > rows and len(tied := (number > 1).nonzero()[:, 0]):
        places = torch.where(is_least, places, where[:, None])[tied]
        where[tied], still = _least_image(_images(at_site, chosen[tied], places, sites), places)
        number[tied] = (still & is_least[tied]).count_nonzero(1)
    return where, number


def _least_image(
    images: Int[Tensor, "B k s"], places: Int[Tensor, "B k"]
) -> tuple[Int[Tensor, "B"], Bool[Tensor, "B k"]]:
    """The place of the least image of each field, and which images equal it, compared two by two in a knock-out."""
    least, where = images, places
    while least.shape[1] > 1:
        half = (least.shape[1] + 1) // 2
        other, where_other = least[:, half:], where[:, half:]
        this, where_this = least[:, : other.shape[1]], where[:, : other.shape[1]]
        differs = (this != other).byte().argmax(2, keepdim=True)  # the first site that does, if any
        is_less = other.gather(2, differs) < this.gather(2, differs)
        least = torch.cat([torch.where(is_less, other, this), least[:, other.shape[1] : half]], dim=1)
        where_less = torch.where(is_less[..., 0], where_other, where_this)
        where = torch.cat([where_less, where[:, other.shape[1] : half]], dim=1)
    return where[:, 0], (images == least).sum(2) == images.shape[2]  # faster than all(2)


def _images(
    at_site: Int[Tensor, "B r L1 L2"], chosen: Int[Tensor, "b"], places: Int[Tensor, "b k"], count: int
) -> Int[Tensor, "b k count"]:
    """The first sites of the images of chosen fields that begin at these places, read row by row."""
    readings, rows, columns = at_site.shape[1:]
    i = (places // columns % rows)[..., None] + torch.arange(-(-count // columns), device=places.device)
    j = (places % columns)[..., None] + torch.arange(columns, device=places.device)
    first = (chosen[:, None] * readings + places // (rows * columns)) * rows
    index = ((first[..., None] + i % rows) * columns)[..., None] + (j % columns)[..., None, :]
    return at_site.flatten()[index.flatten(2)[..., :count]]

r"""Frames of labeled point clouds: which rotation takes the canonical form to the cloud.

Each cloud has an equivariant set of candidate frames (:mod:`sympe.points.candidates`). In the frame :math:`F` the
cloud has the form :math:`F^{-1} x`. The canonical form minimizes

.. math:: \Phi_1(F) = \frac 1 {\sqrt n} \sum_i \cos\bigl(\omega_1 \cdot F^{-1} x_i + \theta_1(s_i)\bigr)

with ties broken by :math:`\Phi_2` and so on, for fixed frequencies :math:`\omega_k` and a fixed phase
:math:`\theta_k` per species. A sum over points does not depend on their order. Candidates that differ by a symmetry of
the cloud have equal :math:`\Phi`; others do not (barring a coincidence in all :math:`\Phi_k` at once). What remains is
one coset of the stabilizer, each of its frames equally often, and one is drawn at random.

Storage must not break that tie, and the kernel's rotation cannot: unlike the shuffle of graphs it leaves the points in
their places, so the first of several tied candidates stays first however the cloud is rotated. Rounding errors do
choose among them, but not uniformly. Hence the explicit draw among all that tie to within the tolerance.

A single cloud is so little work that calls into PyTorch would take most of the time: NumPy does the same for it,
unless a gradient is asked for.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from sympe.actions import PointRotation
from sympe.canonicalize.base import Canonicalizer
from sympe.points import PointClouds
from sympe.points.candidates import Candidates, candidates, dot, greatest, place_of_greatest
from sympe.precision import at_least_single
from sympe.ragged import rows_of
from sympe.seeding import drawing_device
from sympe.settings import require_positive

#: Directions of the frequencies, their lengths in units of the inverse greatest distance from the centroid, and the
#: phase per unit of species. High frequencies distinguish mirror images of round solids: a snub dodecahedron has its
#: handedness in spherical harmonics of degree 15 and above, to which a frequency of length 4 is blind.
_DIRECTIONS = ((0.62, 0.55, 0.56), (-0.81, 0.47, 0.35), (0.28, -0.83, 0.48), (0.43, 0.39, -0.81), (-0.49, -0.22, -0.84))
_LENGTHS = (4.0, 7.0, 10.0, 13.0, 17.0)
_PHASES = (2.399963, 1.094213, 5.083203, 3.570796, 0.618034)
_NUMBERS = np.array([_LENGTHS, _PHASES])
_WAVES = np.array(_DIRECTIONS).T * _LENGTHS


class Frames(Canonicalizer[Tensor, PointClouds]):
    """Exact frames for O(3) or SO(3), and in the plane for O(2) or SO(2); batched, on any device.

    Under the kernel g~ is uniform on a coset of the stabilizer for every cloud: the point group of a molecule, a
    circle if it is linear, the whole group for a single point. With ``special=False`` mirror images share an orbit, so
    a chiral molecule has the same canonical form as its mirror image; with rotations only they do not.

    Args:
        dimension: 3 or 2, that of the clouds.
        special: Rotations only.
        ordered: Whether the order of the points identifies them, so that only motions that fix each point are
            symmetries. By default points of one species are alike, as atoms are.
        tolerance: In angstrom. Distances that differ by less are equal, and a cloud this close to a line or a point
            counts as one. Deviations from a symmetry are ignored below about a quarter of it and detected above
            about ten times; in between, the law of g~ is still equivariant, but may be uniform on neither coset.

    Raises:
        ValueError: If the tolerance is not positive; for a cloud that is empty, not finite, or of another dimension.

    Example:
        >>> import sympe
        >>> from sympe.points import from_clouds
        >>> tau = Frames(special=True)
        >>> carbon_monoxide = from_clouds([[[0.0, 0.0, 0.0], [1.1, 0.0, 0.0]]], species=[[6, 8]])
        >>> g = sympe.InversionKernel(tau)(carbon_monoxide, torch.Generator().manual_seed(0))
        >>> g.shape, round(float(torch.linalg.det(g[0])), 6)
        (torch.Size([1, 3, 3]), 1.0)
    """

    def __init__(
        self, dimension: int = 3, special: bool = False, ordered: bool = False, tolerance: float = 1e-2
    ) -> None:
        super().__init__()
        require_positive(tolerance=tolerance)
        self.action = PointRotation(dimension, special)
        self.dimension = dimension
        self.special = special
        self.ordered = ordered
        self.tolerance = tolerance

    def forward(self, x: PointClouds, generator: torch.Generator | None = None) -> Float[Tensor, "B d d"]:
        if x.dimension != self.dimension:
            raise ValueError(f"expected clouds in {self.dimension} dimensions; got {x.dimension}")
        if not torch.compiler.is_compiling():
            x.check_finite()
            if len(x) == 1 and not (x.position.requires_grad and torch.is_grad_enabled()):
                frames = self.tied_alone(x)
                drawn = int(_keys(len(frames), x.device, generator).argmax())
                return torch.from_numpy(frames[drawn : drawn + 1]).to(x.device, at_least_single(x.dtype))
        tied = self.tied(x)
        chosen = tied.select(draw_one(tied.cloud, len(x), generator))
        return chosen.frames(x.centered.double()).to(at_least_single(x.dtype))

    def equally_likely(self, x: PointClouds) -> tuple[PointClouds, Float[Tensor, "m d d"]]:
        """The coset of the stabilizer, in double precision."""
        matrices = self.tied(x).frames(x.centered.double())
        return x.select([0] * len(matrices)).to(dtype=torch.float64), matrices

    def tied(self, x: PointClouds) -> Candidates:
        """The frames that show the canonical form, one coset of the stabilizer."""
        with torch.no_grad():
            found = candidates(x, self.special, self.tolerance)
            position = x.centered.double()
            farthest = greatest(position.norm(dim=1), x.batch, len(x)).clamp(min=self.tolerance)
            scaled = position / farthest[x.batch, None]
            label = torch.arange(x.num_points, device=x.device) - x.start if self.ordered else x.species
            for direction, length, phase in zip(_DIRECTIONS, _LENGTHS, _PHASES, strict=True):
                frequency = length * position.new_tensor(direction[: self.dimension])
                angle = torch.zeros_like(scaled[:, 0]) if label is None else label.double() * phase
                value = _form_value(found, scaled, angle, frequency, x)
                least = -greatest(-value, found.cloud, len(x))
                bound = (least + 2 * length * self.tolerance / farthest).index_select(0, found.cloud)
                found = found.select((value <= bound).nonzero()[:, 0])
                if not torch.compiler.is_compiling() and len(found.cloud) == len(x):
                    break
            return found

    def tied_alone(self, x: PointClouds) -> NDArray[np.float64]:
        """The same frames for a batch of one, as matrices ``[m, d, d]``."""
        position, d = x.position.detach().cpu().double().numpy(), self.dimension
        position = position - position.sum(0) / len(position)
        frames, span, farthest = _candidates_alone(position, self.tolerance)
        if not self.special:
            frames = np.repeat(frames, 2, axis=0)
            frames[1::2, :, -1] *= -1
        label = None if x.species is None else x.species.cpu().numpy()
        label = np.arange(len(position)) if self.ordered else label
        farthest = max(farthest, self.tolerance)
        waves = _WAVES[:d] / farthest
        if span < 2:
            waves[span:] = 0
        bounds = 2 * _NUMBERS[0] * self.tolerance / farthest * len(position) ** 0.5
        for some in (slice(0, 1), slice(1, None)):  # the first form decides for most clouds
            turned = (frames.reshape(-1, d) @ waves[:, some]).reshape(len(frames), d, -1).transpose(1, 2, 0)
            angle = (position @ turned.reshape(d, -1)).reshape(len(position), *turned.shape[1:])
            if label is not None:
                angle += (label[:, None] * _NUMBERS[1, some])[:, :, None]
            value = torch.from_numpy(angle).cos_().sum(0).numpy()  # many times faster than in numpy
            kept = np.arange(len(frames))
            for form, bound in zip(value, bounds[some], strict=True):
                left = form[kept]
                kept = kept[left <= left.min() + bound]
            frames = frames[kept]
            if len(frames) == 1:
                break
        return frames


def _form_value(
    found: Candidates,
    position: Float[Tensor, "N d"],
    angle: Float[Tensor, "N"],
    frequency: Float[Tensor, "d"],
    clouds: PointClouds,
) -> Float[Tensor, "C"]:
    """Phi of each candidate; rotates the frequency into the cloud instead of the cloud into the frame."""
    # For a cloud that counts as a line, only the coordinate along it matters.
    span = found.span.index_select(0, found.cloud)[:, None]
    counts = (torch.arange(len(frequency), device=span.device) < span) | (span == 2)
    wave = (found.frames(position) @ (frequency * counts)[:, :, None])[:, :, 0]
    place, point = rows_of(found.cloud, clouds.ptr)
    turned = dot(position.index_select(0, point), wave.index_select(0, place))
    summand = (turned + angle.index_select(0, point)).cos()
    total = position.new_zeros(len(wave)).index_add(0, place, summand)
    return total / clouds.sizes[found.cloud].to(total.dtype).sqrt()


def draw_one(owner: Int[Tensor, "C"], count: int, generator: torch.Generator | None) -> Int[Tensor, "count"]:
    """A uniformly random place of the list for each owner, among its own; every owner must have one."""
    return place_of_greatest(_keys(len(owner), owner.device, generator), owner, count)


def _keys(count: int, device: torch.device, generator: torch.Generator | None) -> Float[Tensor, "count"]:
    # Under torch.compile, torch.rand with a generator does not accept data-dependent sizes.
    key = torch.empty(count, device=drawing_device(generator, device), dtype=torch.float64)
    return key.uniform_(generator=generator).to(device)


def _candidates_alone(position: NDArray[np.float64], tolerance: float) -> tuple[NDArray[np.float64], int, float]:
    """The candidate frames of one cloud, with determinant 1, what it spans, and the greatest distance.

    The rules are those of :mod:`sympe.points.candidates`.
    """
    radius, d = _lengths(position), position.shape[1]
    farthest = float(radius.max())
    first = np.flatnonzero(radius >= max(farthest - tolerance, farthest / 2))
    span = (4 - d) if farthest > tolerance else 0
    axis = position[first] / radius[first, None] if span else np.broadcast_to(np.eye(d)[0], (len(first), d))
    if d == 2:
        return np.stack([axis, np.stack([-axis[:, 1], axis[:, 0]], axis=1)], axis=2), span, farthest
    across = position - (axis @ position.T)[:, :, None] * axis[:, None]
    height = _lengths(across)
    tallest = float(height.max())
    if tallest > tolerance:
        row, second = (height >= max(tallest - 2 * tolerance, tallest / 2)).nonzero()
        axis, side, span = axis[row], across[row, second], span + 1
    else:
        side = np.eye(3)[abs(axis).argmin(1)]
    for _ in range(2):  # after strong cancellation the first difference is not quite orthogonal
        side = side - np.einsum("mi,mi->m", side, axis)[:, None] * axis
        side = side / _lengths(side)[:, None]
    frames = np.empty((len(axis), 3, 3))
    frames[:, :, 0], frames[:, :, 1] = axis, side
    for last, after, before in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):  # np.cross takes as long as all the rest
        frames[:, last, 2] = axis[:, after] * side[:, before] - axis[:, before] * side[:, after]
    return frames, span, farthest


def _lengths(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths: NDArray[np.float64] = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return lengths

r"""The image of a field that has the least inner product with a template, by Fourier transform.

For a template w, a field of the same shape as x, take

.. math:: \tau(x) = \operatorname{argmin}_g \, \langle w, g^{-1} x \rangle
                  = \operatorname{argmin}_g \, \langle g w, x \rangle .

For all translations at once, this is the cross-correlation of x with w moved by each point: one Fourier transform of x
and one back for each point. As scores are real, the transform back of one complex field, :math:`a + i b`, gives those
of two points: four are enough for the eight of D4.

**Exact?** For almost all templates, different images of x have different scores. Equal images have equal scores up to
rounding, which may choose among them: each leads to the same canonical form, and the kernel's shuffle makes the choice
uniform. Rounding must not choose between different images. Scores are computed in float64 with a relative error of
about :math:`10^{-15}`, and the two lowest typically differ by a tenth of their size, so the risk is negligible unless
a few values are many orders of magnitude above the others.
:class:`~sympe.canonicalize.lexicographic.LexicographicMinimum` has no such risk.
"""

import torch
from jaxtyping import Complex, Float, Int, Shaped
from torch import Tensor, nn

from sympe.actions.lattice import LatticeAction
from sympe.canonicalize.lattice import FieldCanonicalizer
from sympe.groups import LatticeSymmetry
from sympe.settings import require_seed


class Template(FieldCanonicalizer):
    """The symmetry whose inverse takes a field to its image of least inner product with a template.

    Further arguments are those of :class:`~sympe.canonicalize.lattice.FieldCanonicalizer`.

    Args:
        weight: The template, shaped like one field; a smaller lattice is padded with zeros. A parameter can be
            learned through :meth:`scores`. By default a Gaussian field is drawn from ``seed`` for each shape of field,
            so that one canonicalizer serves lattices of all sizes.
        seed: Seed of the Gaussian templates.

    Raises:
        ValueError: If the seed is not from 0 to 2^63 - 1.

    Example:
        >>> import sympe
        >>> action = sympe.actions.ScalarFields(sympe.groups.Torus("D4"))
        >>> tau = Template(action)
        >>> x = torch.zeros(2, 1, 5, 5)
        >>> x[0, 0, 1, 2] = x[1, 0, 4, 0] = 1.0
        >>> form = action.act(action.group.inverse(tau(x)), x)
        >>> torch.equal(form[0], form[1])
        True
    """

    weight: Tensor | None

    def __init__(
        self,
        action: LatticeAction,
        weight: Float[Tensor, "*c k1 k2"] | None = None,
        seed: int = 0,
        resolution: float | None = None,
        max_memory: int = 2**31,
    ) -> None:
        super().__init__(action, resolution, max_memory)
        if isinstance(weight, nn.Parameter):
            self.weight = weight
        else:
            self.register_buffer("weight", weight)
        require_seed(seed)
        self.seed = seed
        self._drawn: dict[tuple[tuple[int, ...], torch.device], Tensor] = {}

    def forward(self, x: Shaped[Tensor, "B *c L1 L2"], generator: torch.Generator | None = None) -> LatticeSymmetry:
        with torch.no_grad():
            index = torch.cat([self._least(part) for part in self.parts(x)])
        return self.action.group.element(index, (x.shape[-2], x.shape[-1]))

    def scores(self, x: Shaped[Tensor, "B *c L1 L2"]) -> Float[Tensor, "B order"]:
        r""":math:`\langle g w, x \rangle` for all g, in the order of ``group.elements``; differentiable."""
        size = (x.shape[-2], x.shape[-1])
        if not len(x):
            return x.new_zeros(0, self.action.group.order(size), dtype=torch.float64)
        pairs = self._pairs(x)
        scores = torch.cat([pairs.real, pairs.imag], dim=1)[:, : len(self.action.group.points) * size[0] * size[1]]
        if not self.action.group.spin_flip:
            return scores
        return torch.cat([scores, -scores if self.action.odd else scores], dim=1)

    def _least(self, x: Shaped[Tensor, "B *c L1 L2"]) -> Int[Tensor, "B"]:
        """The place of the least score of each field."""
        if not len(x) or self.action.group.spin_flip or len(self.action.group.points) == 1:
            return self.scores(x).argmin(1)
        pairs = self._pairs(x)  # in place: real parts and imaginary parts alternate
        place = torch.view_as_real(pairs).flatten(1).min(1).indices
        return place % 2 * pairs.shape[1] + place // 2

    def _pairs(self, x: Shaped[Tensor, "B *c L1 L2"]) -> Complex[Tensor, "B n"]:
        """Scores a + i b, where a are those of the first half of the points, and b those of the second half.

        The group of translations alone has no second point, and b = 0.
        """
        size = (x.shape[-2], x.shape[-1])
        channels = torch.fft.fft2(x.reshape(len(x), 1, -1, *size).double())
        template = self._template(x)
        spectrum = channels[:, :, 0] * template[:, 0]
        for channel in range(1, template.shape[1]):
            spectrum = torch.addcmul(spectrum, channels[:, :, channel], template[:, channel])
        scores: Tensor = torch.fft.ifft2(spectrum).flatten(1)
        return scores

    def bytes_per_field(self, x: Tensor) -> int:
        # Per point: three numbers per channel (template, its transform, the product) and the scores, twice.
        return 8 * x.shape[-2:].numel() * (3 * x.shape[1:-2].numel() + 2) * len(self.action.group.points)

    def _template(self, x: Tensor) -> Complex[Tensor, "h c L1 L2"]:
        """What takes the Fourier transform of x to that of a + i b, for points of the first and second half."""
        if self.weight is None:
            return self._draw(tuple(x.shape[1:]), x.device)
        return self._transform(self.weight.double(), tuple(x.shape[1:]))

    def _draw(self, shape: tuple[int, ...], device: torch.device) -> Complex[Tensor, "h c L1 L2"]:
        if (shape, device) not in self._drawn:
            generator = torch.Generator().manual_seed(self.seed)
            with torch.inference_mode(False):  # the cached template may need gradients later
                weight = torch.randn(shape, generator=generator, dtype=torch.float64).to(device)
                self._drawn[shape, device] = self._transform(weight, shape)
        return self._drawn[shape, device]

    # As torch.compiler.assume_constant_result does; the decorator itself would load the compiler on import.
    _draw._dynamo_marked_constant = True  # type: ignore[attr-defined]

    def _transform(self, weight: Float[Tensor, "*c k1 k2"], shape: tuple[int, ...]) -> Complex[Tensor, "h c L1 L2"]:
        padding = [n - k for n, k in zip(shape[:-3:-1], weight.shape[:-3:-1], strict=True)]
        if weight.shape[:-2] != shape[:-2] or min(padding) < 0:
            raise ValueError(f"expected a template of shape {list(shape)}, or of fewer sites; got {list(weight.shape)}")
        weight = nn.functional.pad(weight, (0, padding[0], 0, padding[1]))
        group = self.action.group
        points = torch.tensor(group.points, device=weight.device)
        turns = LatticeSymmetry(points.new_zeros(len(points), 2), points, (shape[-2], shape[-1]))
        turned = self.action.act(turns, weight.expand(len(points), *weight.shape))
        first, *second = turned.reshape(len(points), -1, *turned.shape[-2:]).chunk(2)
        b = second[0] if second else torch.zeros_like(first)
        conjugate: Tensor = torch.fft.fft2(torch.complex(first, -b)).conj()
        return conjugate.resolve_conj()

r"""Is a law equivariant in distribution, :math:`p(hy \mid hx) = p(y \mid x)`? A test with one p-value.

The map is sampled at :math:`hx` for several random (Haar) elements h, and each sample y is moved back,
:math:`h^{-1} y`. If the law is equivariant, all of these have the same law for every h. The test, of
:mod:`sympe.auditing.equivariance.discrepancy`, asks whether samples of one h are more alike than samples of different
h. With two elements it is a two-sample test; with more, it pools all samples and still gives one p-value.

Each call of the map samples once at every h, and the test permutes elements within calls. So the p-value is exact for
every sample size, even if the members of a batch depend on each other (batch normalization, shared noise), as long as
calls are independent and the map treats all members of a batch alike: "Testing a law" in docs/theory.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sympe.actions import Action
from sympe.actions.base import copies
from sympe.auditing.equivariance.copies import action_on_inputs, action_on_outputs, as_output
from sympe.auditing.equivariance.discrepancy import compare


@dataclass(frozen=True)
class EquivarianceInDistribution:
    """Result of :func:`check_equivariance_in_distribution`.

    Attributes:
        p_value: Probability of a statistic at least this large if the law is equivariant.
        mmd2: Unbiased estimate of the squared distance between the laws at two random group elements: about 0 if the
            law is equivariant, and at most 2 for Gaussian kernels.
        kernel: ``"gaussian"``, ``"chi-square"`` or ``"hamming"``.
        elements: Number of random group elements.
        draws: Samples per element.
        level: Significance level: the law is rejected if ``p_value`` is at most this.
        detectable: Smallest share of draws in which a sampler may return one fixed output per group element and still
            be rejected with probability 0.9; an index tie-break does so in all draws. Simulated from the samples. None
            if all outputs are equal, if not even a share of 1 is detected, or if not requested.
        distinct: Number of distinct outputs.
    """

    p_value: float
    mmd2: float
    kernel: str
    elements: int
    draws: int
    level: float
    detectable: float | None
    distinct: int

    @property
    def is_rejected(self) -> bool:
        return self.p_value <= self.level

    def require(self) -> None:
        """Raise ``AssertionError`` with the full report if equivariance in distribution is rejected."""
        if self.is_rejected:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        verdict = "not equivariant" if self.is_rejected else "no evidence against equivariance"
        lines = [
            f"{verdict} in distribution: p = {self.p_value:.2g} (level {self.level:g}), MMD^2 = {self.mmd2:.2g} "
            f"({self.kernel}), {self.draws} draws at each of {self.elements} group elements"
        ]
        if self.distinct == 1:
            lines.append("all outputs are equal: the map is deterministic here and keeps all symmetries of its input")
        elif self.detectable is not None:
            lines.append(
                "power: a sampler that returns one fixed output per group element in "
                f"{100 * self.detectable:.0f} % of its draws would be rejected with probability 0.9"
            )
        return "\n".join(lines)


def check_equivariance_in_distribution(
    map: Callable[..., Any],
    x: Any,
    *,
    action: Action[Any, Any] | None = None,
    output_action: Action[Any, Any] | None = None,
    elements: int = 20,
    draws: int = 20,
    permutations: int = 1999,
    level: float = 0.001,
    batched: bool = True,
    power: bool = True,
    generator: torch.Generator | None = None,
) -> EquivarianceInDistribution:
    """Test whether samples of the map at ``act(h, x)`` have the law of ``act(h, y)`` for samples y at ``x``.

    Calls of the map must be independent: it gets a new generator each time, as ``map(x, generator=...)``, and must draw
    from it, or from global randomness that it does not seed.

    Args:
        map: From data and a generator to a tensor, one sample per member of the batch. Test a kernel of group elements
            by its effect: ``lambda x, generator: kernel(x, generator).rank``.
        x: The input. A batch counts as one input, with the outputs of all members as its output.
        action: The action on inputs; by default relabeling for graphs.
        output_action: The action on outputs; for graphs inferred from the shape if only one fits.
        elements: Number of random group elements h.
        draws: Samples per element.
        permutations: Number B of random permutations; the smallest p-value is 1 / (1 + B).
        level: Significance level: the probability of rejecting an equivariant law.
        batched: Sample at all elements in one call, on a batch of copies of ``x``. False, e.g. for data that cannot be
            copied: one call per sample.
        power: Whether to compute ``detectable``.
        generator: Source of all randomness here; by default seeded with 0.

    Raises:
        ValueError: If there are fewer than two elements or draws, there are too few permutations for the level, an
            action cannot be inferred, or an output is empty, not a finite tensor, or changes shape.

    Example:
        >>> import sympe
        >>> ring = sympe.graphs.from_edges([(6, [(i, (i + 1) % 6) for i in range(6)])])
        >>> noise = sympe.breaking.Noise(dim=2)
        >>> check_equivariance_in_distribution(noise, ring).is_rejected
        False
    """
    if elements < 2 or draws < 2:
        raise ValueError(f"elements and draws must be at least 2; got {elements} and {draws}")
    if not 1 / (1 + permutations) <= level < 1:
        least = f"1 / (1 + permutations) = {1 / (1 + permutations):.2g}"
        raise ValueError(f"level must be below 1 and at least {least}; got {level}")
    generator = torch.Generator().manual_seed(0) if generator is None else generator
    pairs = compare(_samples(map, x, action_on_inputs(x, action), output_action, elements, draws, batched, generator))
    p_value = pairs.p_value(permutations, generator)
    detectable = pairs.detectable_share(permutations, level, generator) if power and pairs.distinct > 1 else None
    return EquivarianceInDistribution(
        p_value, pairs.mmd2, pairs.name, elements, draws, level, detectable, pairs.distinct
    )


def _samples(
    map: Callable[..., Any],
    x: Any,
    moves: Action[Any, Any],
    output_action: Action[Any, Any] | None,
    elements: int,
    draws: int,
    batched: bool,
    generator: torch.Generator,
) -> Tensor:
    """Samples moved back, ``[elements, draws, numbers]``."""
    at_once = elements if batched else 1
    inputs = copies(x, elements) if batched else x
    drawn = []
    for _ in range(elements // at_once):
        h = moves.group.haar(inputs, generator)
        moved, back = moves.act(h, inputs), moves.group.inverse(h)
        for _ in range(draws):
            # A new generator for each call: the number of its draws does not affect other calls.
            seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
            y = as_output(map(moved, generator=torch.Generator(generator.device).manual_seed(seed)))
            on_outputs = action_on_outputs(inputs, y, output_action)
            if batched and (y.dim() < 1 or y.shape[0] % elements):
                raise ValueError(
                    f"expected outputs with the rows of {elements} copies of x one after another; "
                    f"got shape {list(y.shape)}"
                )
            drawn.append(on_outputs.act(back, y).reshape(at_once, y.numel() // at_once))
    sizes = sorted({y.shape[1] for y in drawn})
    if len(sizes) > 1:
        raise ValueError(f"expected outputs of one shape; got {sizes[0]} and {sizes[1]} numbers")
    if not sizes[0]:
        raise ValueError("expected outputs that hold numbers; got empty ones")
    return torch.stack(drawn, dim=1).view(elements, draws, -1)

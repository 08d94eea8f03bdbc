r"""Is a law equivariant in distribution, :math:`p(hy \mid hx) = p(y \mid x)`? A test with one p-value.

For several random (Haar) elements h the map is sampled at :math:`hx`, and each sample y is moved back,
:math:`h^{-1} y`. If the law is equivariant, all of these have one law, whatever h is. The test asks whether samples of
one h are more alike than samples of different h, by :mod:`sympe.auditing.equivariance.discrepancy`. With two elements
it is a two-sample test; with more, all samples serve in all comparisons, and there is one p-value.

Each call of the map samples once at every h, and the elements are permuted within calls. So the p-value is exact for
every sample size, also where the members of one call depend on each other (batch normalization, noise shared by a
batch), as long as calls are independent and a batch has no favorite member: "Testing a law" in docs/theory.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sympe.actions import Action
from sympe.auditing.equivariance.copies import action_on_inputs, action_on_outputs, as_output, copies
from sympe.auditing.equivariance.discrepancy import compare


@dataclass(frozen=True)
class EquivarianceInDistribution:
    """What :func:`check_equivariance_in_distribution` found.

    Attributes:
        p_value: Probability of a statistic as large as the one found, if the law is equivariant.
        mmd2: Unbiased estimate of the squared distance between the laws at two random group elements; about 0 if the
            law is equivariant. For Gaussian kernels at most 2.
        kernel: ``"gaussian"``, ``"chi-square"`` or ``"hamming"``.
        elements: Number of random group elements.
        draws: Samples at each.
        level: Significance level: the law is rejected if ``p_value`` is at most this.
        detectable: Smallest share of draws in which a sampler could return one fixed output for each group element,
            in place of a sample, and would be rejected with probability 0.9; an index tie-break does so in all of
            its draws. Found by simulation from the samples at hand. None if all outputs are equal (there is nothing
            to confuse), if not even a share of 1 is detected, or if not asked for.
        distinct: Number of different outputs.
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
        """Raise ``AssertionError`` with the whole report if equivariance in distribution is rejected."""
        if self.is_rejected:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        verdict = (
            "not equivariant in distribution" if self.is_rejected else "no sign against equivariance in distribution"
        )
        lines = [
            f"{verdict}: p = {self.p_value:.2g} (level {self.level:g}), MMD^2 = {self.mmd2:.2g} ({self.kernel}), "
            f"{self.draws} draws at each of {self.elements} group elements"
        ]
        if self.distinct == 1:
            lines.append("all outputs are equal: the map is deterministic here, and as symmetric as its input")
        elif self.detectable is not None:
            lines.append(
                "power: a sampler that returns one fixed output for each group element in "
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
    """Test whether samples at ``act(h, x)`` have the law of ``act(h, .)`` of samples at ``x``.

    The map is called as ``map(x, generator=...)``, with a new generator in each call, and must take everything random
    from it or from global randomness that it does not seed: calls must be independent.

    Args:
        map: From data and a generator to a tensor, one sample for each member of the batch. A kernel of group
            elements is tested by what it does, ``lambda x, generator: kernel(x, generator).rank``.
        x: The input. A batch is tested as one input: the outputs of its members together.
        action: How the group moves inputs; relabeling if ``x`` holds graphs.
        output_action: How it moves outputs; for graphs told from the shape, if only one fits.
        elements: Number of random group elements h.
        draws: Samples at each of them.
        permutations: Number B of random permutations; the smallest p-value is 1 / (1 + B).
        level: Significance level: the probability to reject a law that is equivariant.
        batched: Sample at all elements in one call, on a batch of copies of ``x``. If False, or for data without
            copies, each sample is a call of its own.
        power: Whether to find out what would be detected.
        generator: Source of everything random here; seeded with 0 if left out.

    Raises:
        ValueError: If there are fewer than two elements or draws, the level cannot be reached with so few permutations,
            the action cannot be told, or the outputs are no tensors, empty, not finite, or change their shape.

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
    sample = _sample_together if batched else _sample_one_by_one
    y = sample(map, x, action_on_inputs(x, action), output_action, elements, draws, generator)
    pairs = compare(y)
    p_value = pairs.p_value(permutations, generator)
    detectable = pairs.detectable_share(permutations, level, generator) if power and pairs.distinct > 1 else None
    return EquivarianceInDistribution(
        p_value=p_value,
        mmd2=pairs.mmd2,
        kernel=pairs.name,
        elements=elements,
        draws=draws,
        level=level,
        detectable=detectable,
        distinct=pairs.distinct,
    )


def _sample_together(
    map: Callable[..., Any],
    x: Any,
    moves: Action[Any, Any],
    output_action: Action[Any, Any] | None,
    elements: int,
    draws: int,
    generator: torch.Generator,
) -> Tensor:
    """Samples moved back, ``[elements, draws, numbers]``: one call of the map for each draw at all elements."""
    together = copies(x, elements)
    h = moves.group.haar(together, generator)
    moved, back = moves.act(h, together), moves.group.inverse(h)
    drawn = []
    for _ in range(draws):
        y = as_output(map(moved, generator=_spawn(generator)))
        on_outputs = action_on_outputs(together, y, output_action)
        if y.dim() < 1 or y.shape[0] % elements:
            raise ValueError(
                f"expected outputs with the rows of {elements} copies of x one after another; got shape {list(y.shape)}"
            )
        drawn.append(on_outputs.act(back, y).reshape(elements, -1))
    return torch.stack(_alike(drawn), dim=1)


def _sample_one_by_one(
    map: Callable[..., Any],
    x: Any,
    moves: Action[Any, Any],
    output_action: Action[Any, Any] | None,
    elements: int,
    draws: int,
    generator: torch.Generator,
) -> Tensor:
    """The same with a call of the map for each draw at each element."""
    drawn = []
    for _ in range(elements):
        h = moves.group.haar(x, generator)
        moved, back = moves.act(h, x), moves.group.inverse(h)
        for _ in range(draws):
            y = as_output(map(moved, generator=_spawn(generator)))
            drawn.append(action_on_outputs(x, y, output_action).act(back, y).reshape(-1))
    return torch.stack(_alike(drawn)).view(elements, draws, -1)


def _alike(drawn: list[Tensor]) -> list[Tensor]:
    shapes = sorted({tuple(y.shape) for y in drawn})
    if len(shapes) > 1:
        raise ValueError(f"expected outputs of one shape; got {list(shapes[0])} and {list(shapes[1])} numbers")
    if not drawn[0].numel():
        raise ValueError("expected outputs that hold numbers; got empty ones")
    return drawn


def _spawn(generator: torch.Generator) -> torch.Generator:
    """A generator of its own for one call: however much it draws, no other call is shifted."""
    seed = torch.randint(2**62, (), generator=generator, device=generator.device)
    return torch.Generator(generator.device).manual_seed(int(seed))

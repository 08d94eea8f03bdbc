r"""Are the samples of a data set aligned in space? A classifier tells x from :math:`h x`, or it cannot.

If the law of the data is invariant, :math:`x \sim h x`, nothing tells samples from samples moved by random (Haar)
elements h. A linear classifier learns on one quarter of the samples as they are and on another that is moved; of the
rest a coin decides which are moved, and it is asked. If samples are independent and the law is invariant, each answer
is right with probability 1/2, whatever the classifier. So the number of right ones is binomial, and a p-value that
breaks its ties at random is exactly uniform (D. Lopez-Paz, M. Oquab, *Revisiting Classifier Two-Sample Tests*, ICLR
2017). The reverse does not hold: data may be aligned in ways that these features do not see.

The classifier sees features of orientation: for points and crystals sums of spherical harmonics of degrees 1 to 4, of
the directions from the centroid, or to neighbors; for fields their values. Squares of features come besides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sympe.actions import Action, CrystalMotion, PointMotion
from sympe.actions.irreps import spherical_harmonics
from sympe.crystals import Crystals, edges
from sympe.points import PointClouds

_DEGREES = (1, 2, 3, 4)
#: Neighbors of crystals count up to this distance, in angstrom.
_CUTOFF = 5.0
_SHARES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
_SIMULATIONS = 60


@dataclass(frozen=True)
class Alignment:
    """Result of :func:`check_alignment`.

    Attributes:
        p_value: Uniform if the law of the data is invariant; small if a classifier tells samples from moved ones.
        accuracy: Share of right predictions on samples it has not learned from; about 0.5 if nothing is aligned.
        samples: Number of samples.
        level: Significance level.
        detectable: Smallest share of samples that, left as they are while all others are moved, is found with
            probability 0.9, simulated; None if not even all samples are.
    """

    p_value: float
    accuracy: float
    samples: int
    level: float
    detectable: float | None

    @property
    def is_aligned(self) -> bool:
        return self.p_value <= self.level

    def __str__(self) -> str:
        found = "aligned" if self.is_aligned else "no evidence of alignment"
        power = (
            "even samples that are all left in place would rarely be noticed"
            if self.detectable is None
            else f"samples left in place would be noticed if they were {100 * self.detectable:.0f} % or more"
        )
        return (
            f"{found}: a classifier tells {100 * self.accuracy:.1f} % of {self.samples:,} samples from moved ones, "
            f"p = {self.p_value:.2g} (level {self.level:g}); {power}"
        )


def check_alignment(
    data: Any,
    action: Action[Any, Any] | None = None,
    features: Callable[[Any], Float[Tensor, "B f"]] | None = None,
    generator: torch.Generator | None = None,
    level: float = 0.01,
) -> Alignment:
    """Test whether samples are aligned in space, or on a lattice.

    Args:
        data: Point clouds, crystals, or a tensor of fields; independent samples, at least 40.
        action: How the group moves them; by default rotations and reflections of points and crystals.
        features: Rows that a classifier learns from; by default as stated at the top.
        generator: Source of moves and splits.
        level: Significance level.

    Raises:
        ValueError: If there are too few samples, one is not finite, or fields come without an action.

    Example:
        >>> from sympe.points import from_clouds
        >>> rods = torch.tensor([[0.0, 0, 1], [0, 0, -1], [0.3, 0, 0]]) + 0.1 * torch.randn(200, 3, 3)
        >>> check_alignment(from_clouds(rods), generator=torch.Generator().manual_seed(0)).is_aligned
        True
    """
    if action is None:
        if not isinstance(data, PointClouds | Crystals):
            raise ValueError("expected an action for fields, such as ScalarFields(Torus('D4'))")
        action = CrystalMotion() if isinstance(data, Crystals) else PointMotion(data.dimension)
    if len(data) < 40:
        raise ValueError(f"expected 40 samples or more; got {len(data)}")
    seen = features or _orientation
    with torch.no_grad():
        rows = [seen(x) for x in (data, *(action.act(action.group.haar(data, generator), data) for _ in range(2)))]
        still, moved, other = (row.detach().cpu().double() for row in rows)
        if not bool(still.isfinite().all()):
            raise ValueError(f"expected finite samples; sample {int((~still.isfinite()).any(1).nonzero()[0])} is not")
        accuracy, p_value = _tested(still, moved, generator)
        shares = (s for s in _SHARES if _power(still, moved, other, s, level, generator) >= 0.9)
    return Alignment(p_value, accuracy, len(data), level, next(shares, None))


def _tested(
    still: Float[Tensor, "n f"], moved: Float[Tensor, "n f"], generator: torch.Generator | None
) -> tuple[float, float]:
    """Accuracy and p-value of the classifier of the rows of one against other rows of the other."""
    from scipy.stats import binom

    n, device = len(still), "cpu" if generator is None else generator.device
    order = torch.randperm(n, generator=generator, device=device).cpu()
    quarter = n // 4
    learn = torch.cat([still[order[:quarter]], moved[order[quarter : 2 * quarter]]])
    # A coin decides which version of each other sample is shown, so that every answer is right with probability 1/2.
    is_still = torch.rand(n - 2 * quarter, generator=generator, device=device).cpu() < 0.5
    rest = order[2 * quarter :]
    check = torch.where(is_still[:, None], still[rest], moved[rest])
    mean, scale = learn.mean(0), learn.std(0).clamp(min=1e-9)
    known, asked = (torch.cat([z, z**2 - 1], dim=1) for z in ((learn - mean) / scale, (check - mean) / scale))
    label = torch.tensor([1.0, -1.0], dtype=known.dtype).repeat_interleave(quarter)
    ridge = (0.1 * len(known)) * torch.eye(known.shape[1], dtype=known.dtype)
    score = asked @ torch.linalg.solve(known.T @ known + ridge, known.T @ label)
    # A score of exactly 0, as of constant features, is a guess.
    guess = torch.rand(score.shape, generator=generator, device=device).cpu() < 0.5
    right, total = int((torch.where(score == 0, guess, score > 0) == is_still).sum()), len(score)
    law = binom(total, 0.5)
    tie = float(torch.rand((), generator=generator, device=device))
    return right / total, float(law.sf(right) + tie * law.pmf(right))


def _power(
    still: Float[Tensor, "n f"],
    moved: Float[Tensor, "n f"],
    other: Float[Tensor, "n f"],
    share: float,
    level: float,
    generator: torch.Generator | None,
) -> float:
    """How often the test finds a share of samples that stay in place, the rest being moved."""
    found = 0
    device = "cpu" if generator is None else generator.device
    for _ in range(_SIMULATIONS):
        stays = torch.rand(len(still), 1, generator=generator, device=device).cpu() < share
        found += _tested(torch.where(stays, still, moved), other, generator)[1] <= level
    return found / _SIMULATIONS


def _orientation(x: PointClouds | Crystals | Tensor) -> Float[Tensor, "B f"]:
    if isinstance(x, Tensor):
        return x.flatten(1)
    if isinstance(x, Crystals):
        (source, target), vector = edges(x, _CUTOFF)
        owner, kind = x.batch[source], x.species[source].double() + 0.618 * x.species[target].double()
    else:
        vector, owner = x.centered, x.batch
        kind = torch.zeros_like(x.batch) if x.species is None else x.species
    vector, kind = vector.double().cpu(), kind.double().cpu()
    length = vector.norm(dim=1, keepdim=True)
    if vector.shape[1] == 2:
        vector = torch.cat([vector, torch.zeros_like(length)], dim=1)
    directions = (vector / length.clamp(min=1e-9)).numpy()
    waves = torch.from_numpy(np.concatenate([spherical_harmonics(l, directions) for l in _DEGREES], axis=1))
    # Two weights, one of which tells species apart: like atoms in opposite places do not cancel unlike ones.
    weights = torch.cat([length, length * (1.3 * kind[:, None]).cos()], dim=1)
    rows = (weights[:, :, None] * waves[:, None]).flatten(1)
    total = rows.new_zeros(len(x), rows.shape[1]).index_add(0, owner.cpu(), rows)
    return total / total.new_zeros(len(x), 1).index_add(0, owner.cpu(), length).clamp(min=1e-9)

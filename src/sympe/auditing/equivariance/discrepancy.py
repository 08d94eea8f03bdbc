r"""Do several groups of samples have the same law? Maximum mean discrepancy, with an exact permutation test.

Samples form a table: one row per group, one column per call, which samples each group once. For a kernel k,

.. math:: \mathrm{MMD}^2 = 2\,\bigl(\operatorname{mean}_{\text{one group}} k(y, y')
          - \operatorname{mean}_{\text{two groups}} k(y, y')\bigr),

over pairs from different calls, is an unbiased estimate of the squared distance between the laws of two random groups
(A. Gretton et al., *A kernel two-sample test*, JMLR 13, 2012). The p-value compares the sum T over pairs within groups
with the sums :math:`T_b` after B random permutations of the groups within each call,

.. math:: p = \frac{1 + \#\{b : T_b \ge T\}}{1 + B} .

**Kernels.** Floating-point samples: the mean of Gaussian kernels of width 1/4, 1/2, 1 and 2 times the median distance;
samples within rounding are equal. Integers: if samples repeat, equality divided by the share of the value, which makes
the statistic Pearson's chi-square up to constants; otherwise the mean of :math:`e^{-d/w}`, where d counts the entries
that differ. Kernels depend on the pooled samples, never on the groups, so the test is exact.
"""

from bisect import bisect_left
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from sympe.auditing.equivariance.copies import resolution, root_mean_square

WIDTHS = (0.25, 0.5, 1.0, 2.0)  # of the kernels, in units of the median distance
REPEATS = 5  # mean number of repeats from which discrete samples are compared as categories
SIMULATIONS, STEPS = 300, 64  # simulations per point of the power curve, and points on it
CHUNK = 250  # permutations evaluated at once
ROUNDING = 1e-9  # relative difference below which statistics are equal: sums depend on the order of their terms


@dataclass(frozen=True)
class Pairs:
    """Kernel values of all pairs of samples, in row-major order of the table.

    Attributes:
        kernel: The values.
        name: ``"gaussian"``, ``"chi-square"`` or ``"hamming"``.
        groups, calls: Rows and columns of the table.
        distinct: Number of distinct samples.
    """

    kernel: Float[Tensor, "m m"]
    name: str
    groups: int
    calls: int
    distinct: int

    @property
    def mmd2(self) -> float:
        """Unbiased estimate of the squared distance between the laws of two groups."""
        blocks = self.kernel.view(self.groups, self.calls, self.groups, self.calls)
        other_call = ~torch.eye(self.calls, dtype=torch.bool)
        same_group = torch.eye(self.groups, dtype=torch.bool)
        mean = (blocks * other_call[:, None, :]).sum((1, 3)) / (self.calls * (self.calls - 1))
        return float(2 * (mean[same_group].mean() - mean[~same_group].mean()))

    def p_value(self, permutations: int, generator: torch.Generator) -> float:
        """p-value of the hypothesis that all groups have the same law."""
        observed = float(self._within(torch.arange(len(self.kernel)).view(1, self.groups, self.calls)))
        reached = 0
        for start in range(0, permutations, CHUNK):
            size = min(CHUNK, permutations - start), self.calls, self.groups
            group = torch.rand(size, generator=generator, device=generator.device).cpu().argsort(2).transpose(1, 2)
            statistic = self._within(group * self.calls + torch.arange(self.calls))
            reached += int((statistic >= observed - ROUNDING * abs(observed)).sum())
        return (1 + reached) / (1 + permutations)

    def detectable_share(self, permutations: int, level: float, generator: torch.Generator) -> float | None:
        """Smallest share of one fixed sample per group that is detected with probability 0.9; None if there is none.

        Simulated by resampling from the pooled samples, with and without this defect.
        """
        device = generator.device

        def simulate(share: float, count: int) -> Float[Tensor, "count"]:
            found = []
            for start in range(0, count, CHUNK):
                shape = min(CHUNK, count - start), self.groups, self.calls
                index = torch.randint(len(self.kernel), shape, generator=generator, device=device)
                fixed = torch.randint(len(self.kernel), (*shape[:2], 1), generator=generator, device=device)
                is_fixed = torch.rand(shape, generator=generator, device=device) < share
                found.append(self._above_expectation(torch.where(is_fixed, fixed, index).cpu()))
            return torch.cat(found)

        critical = torch.quantile(simulate(0.0, max(permutations, SIMULATIONS)), 1 - level)

        def is_detected(share: float) -> bool:
            return float((simulate(share, SIMULATIONS) > critical).double().mean()) >= 0.9

        if not is_detected(1.0):
            return None
        return bisect_left(range(STEPS), True, lo=1, key=lambda step: is_detected(step / STEPS)) / STEPS

    def _within(self, index: Int[Tensor, "b groups calls"]) -> Float[Tensor, "b"]:
        """Sum over pairs within groups. Pairs of a sample with itself add the same to every permutation."""
        return self.kernel[index[:, :, :, None], index[:, :, None, :]].sum((1, 2, 3))

    def _above_expectation(self, index: Int[Tensor, "b groups calls"]) -> Float[Tensor, "b"]:
        """:meth:`_within` minus its expected share of all pairs, to compare tables with different samples."""
        times = torch.zeros(len(index), len(self.kernel), dtype=self.kernel.dtype)
        times.scatter_add_(1, index.flatten(1), torch.ones_like(index, dtype=times.dtype).flatten(1))
        with_itself = self.kernel.diagonal()[index].sum((1, 2))
        all_pairs = ((times @ self.kernel) * times).sum(1) - with_itself
        share = (self.calls - 1) / (self.groups * self.calls - 1)
        return self._within(index) - with_itself - share * all_pairs


def compare(samples: Shaped[Tensor, "groups calls d"]) -> Pairs:
    """Kernel values of all pairs of samples."""
    groups, calls, _ = samples.shape
    rows = samples.flatten(0, 1).cpu()
    if rows.is_complex():
        rows = torch.view_as_real(rows).flatten(1)
    if rows.is_floating_point():
        distance = torch.cdist(rows.double(), rows.double(), compute_mode="donot_use_mm_for_euclid_dist")
        rounding = resolution(rows) * float(root_mean_square(rows)) * rows.shape[1] ** 0.5
        distance = torch.where(distance <= rounding, 0.0, distance)
        distinct = int((~(distance == 0).tril(-1).any(1)).sum())
        return Pairs(_mixture(distance, 2), "gaussian", groups, calls, distinct)
    _, value, count = torch.unique(rows, dim=0, return_inverse=True, return_counts=True)
    if len(rows) >= REPEATS * len(count):
        same = (value[:, None] == value).double()
        return Pairs(same * (len(rows) / count[value].double()), "chi-square", groups, calls, len(count))
    return Pairs(_mixture(torch.cdist(rows.double(), rows.double(), p=0), 1), "hamming", groups, calls, len(count))


def _mixture(distance: Float[Tensor, "m m"], power: int) -> Float[Tensor, "m m"]:
    """Mean of exp(-(d / w)^power / power) over widths w, in units of the median nonzero distance."""
    apart = distance[distance > 0]
    if not len(apart):
        return torch.ones_like(distance)
    unit = float(apart.median())
    return torch.stack([torch.exp(-((distance / (width * unit)) ** power) / power) for width in WIDTHS]).mean(0)

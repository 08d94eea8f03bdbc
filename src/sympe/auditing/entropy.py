r"""Entropy of a law in nats, with a confidence interval, from counts of its values.

Inserting observed frequencies into :math:`-\sum p \log p` is biased downwards. The estimator

.. math:: \hat H = \sum_c \frac{n_c}{n} \bigl(\psi(n) - \psi(n_c)\bigr) + R(f_1, f_2)

is that of A. Chao, Y. T. Wang, L. Jost, *Entropy and the species accumulation curve*, Methods in Ecology and Evolution
4, 2013, eq. 6, for n draws, :math:`n_c` of them with value c. R estimates the contribution of unseen values from the
numbers :math:`f_1, f_2` of values seen once and twice. The mean of the first term alone (Z. Zhang, *Entropy estimation
in Turing's perspective*, Neural Computation 24, 2012) never exceeds H.

The interval runs from the first term minus z standard errors to :math:`\hat H + R` plus z standard errors plus the
entropy of whether a draw has one of the values that the sample may have missed. It is wide for small samples.
"""

import math
from statistics import NormalDist

import numpy as np
import torch
from jaxtyping import Int


def entropy(counts: Int[np.ndarray, "m"], z: float) -> tuple[float, float, float]:
    """Estimate in nats and its interval of z standard errors, from how often each observed value occurs.

    If no value occurs twice, the estimate is the first term alone, too low on average, and the upper end is infinite.

    Example:
        >>> estimate, low, high = entropy(np.array([500, 500]), 2.0)
        >>> round(estimate, 2), low < math.log(2) < high
        (0.69, True)
    """
    n = int(counts.sum())
    share = counts / n
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    psi = torch.digamma(torch.tensor([n, *counts.tolist()], dtype=torch.float64)).numpy()
    seen = float((share * (psi[0] - psi[1:])).sum())
    variance = max(float((share * np.log(share) ** 2).sum() - (share * np.log(share)).sum() ** 2), 0.0) / n
    # For a uniform law the first term vanishes and the second is the variance (G. P. Basharin, 1959).
    error = math.sqrt(variance + (len(counts) - 1) / (2 * n**2))
    low = max(seen - z * error, 0.0)
    if once == n:
        return seen, low, math.inf
    unseen = _unseen(n, once, twice)
    missed = min(-math.log(2 * NormalDist().cdf(-z)) / n, 0.5)
    binary = -missed * math.log(missed) - (1 - missed) * math.log1p(-missed)
    return seen + unseen, low, seen + 2 * unseen + z * error + binary


def _unseen(n: int, once: int, twice: int) -> float:
    if not once:
        return 0.0
    a = 2 * twice / ((n - 1) * once + 2 * twice) if twice else 2 / ((n - 1) * (once - 1) + 2)
    if a >= 1:
        return 0.0
    if a * n < 1:
        r = np.arange(1, n)
        return once / n * (1 - a) ** (1 - n) * float(-math.log(a) - np.sum((1 - a) ** r / r))
    # The tail of the series from r = n: the difference above would cancel.
    r = np.arange(n, n + math.ceil(40 / a))
    return once / n * float(np.sum(np.exp((r + 1 - n) * math.log1p(-a)) / r))

r"""How much more random is a kernel than necessary? :math:`H(\tilde g \mid x) - \log|\mathrm{Stab}(x)|` in nats.

By Theorem 3 of docs/theory.md this is the entropy of the form :math:`c = \tilde g^{-1} x`, for every equivariant kernel
of a finite group; the stabilizer need not be known. For each input, the first method that applies:

- *closed form*: the canonicalizer's ``excess_nats``, e.g. 0 if it is exact and the log of the orbit's size for Haar
  measure;
- *enumeration*: the exact law of c, by running a deterministic canonicalizer on all group elements, if these are no
  more than the draws, or from the elements that the canonicalizer lists as ``equally_likely``;
- *choices*: :math:`H(\tilde g \mid x)` is the mean of minus the canonicalizer's ``log_probability`` over draws;
- *forms*: the entropy of c, estimated from draws.

Forms of point clouds and crystals are compared at a resolution of 0.001 angstrom, as sets if the group does not permute
points: a structure that is symmetric only roughly should be symmetrized first. Two crystals are alike if some generic
sums over pairs of sites, images included, agree; these depend neither on the cell nor on the origin.
:mod:`sympe.auditing.entropy` estimates entropies; if no form occurs twice, it gives only a lower bound.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from statistics import NormalDist
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from sympe.actions import Action, PointRotation
from sympe.actions.base import copies
from sympe.auditing.entropy import entropy
from sympe.auditing.equivariance.copies import action_on_inputs
from sympe.breaking import SymmetryBreaking
from sympe.canonicalize import Canonicalizer
from sympe.crystals import Crystals, edges
from sympe.crystals.bases import across, reduced
from sympe.graphs import Graphs
from sympe.graphs.bliss import log_automorphisms
from sympe.groups import Permutation
from sympe.kernel import InversionKernel
from sympe.points import PointClouds

#: Resolution of positions in angstrom, and a shift of the grid off the round coordinates of symmetric clouds.
_RESOLUTION, _SHIFT = 1e-3, 0.3819660113


@dataclass(frozen=True)
class ExcessRandomness:
    """Excess randomness of a kernel at each member of a batch.

    Attributes:
        nats: The excess in nats: exact, an estimate, or a lower bound.
        low: Lower end of the confidence interval.
        high: Upper end; infinite for a lower bound.
        method: ``"closed form"`` or ``"enumeration"`` (exact), ``"choices"``, ``"forms"``, or ``"lower bound"``.
    """

    nats: Float[Tensor, "B"]
    low: Float[Tensor, "B"]
    high: Float[Tensor, "B"]
    method: tuple[str, ...]

    @property
    def mean(self) -> float:
        """Mean over the batch; a lower bound if any value is."""
        return float(self.nats.mean()) if len(self.nats) else 0.0

    def __str__(self) -> str:
        rows = zip(self.nats.tolist(), self.low.tolist(), self.high.tolist(), self.method, strict=True)
        return "\n".join(
            f"{nats:.3f} nats{'' if low == high else f' [{low:.3f}, {high:.3f}]'} ({method})"
            for nats, low, high, method in rows
        )


_Value = tuple[float, float, float]  # an estimate and its interval


def excess_randomness(
    kernel: Callable[..., Any],
    x: Any,
    *,
    action: Action[Any, Any] | None = None,
    elements: Any = None,
    draws: int = 5040,
    confidence: float = 0.95,
    generator: torch.Generator | None = None,
) -> ExcessRandomness:
    """Excess randomness of a kernel at each member of a batch.

    Args:
        kernel: An :class:`~sympe.InversionKernel`, or any ``kernel(x, generator)`` that returns group elements with an
            equivariant law. (For other laws the entropy of the forms is not the excess.)
        x: The inputs.
        action: The action on inputs; by default that of the kernel's canonicalizer, or relabeling for graphs.
        elements: All elements of a finite group, each once, as a batch with a length; not needed for graphs.
        draws: Draws per input, and the order of the largest group to enumerate (5040 = 7!).
        confidence: Probability that an interval covers the value.
        generator: Source of the draws; by default seeded with 0.

    Raises:
        ValueError: If there are fewer than two draws, the confidence is not between 0 and 1, or the action is unknown.

    Example:
        >>> import sympe
        >>> path = sympe.graphs.from_edges([(5, [(0, 1), (1, 2), (2, 3), (3, 4)])])
        >>> kernel = sympe.InversionKernel(sympe.canonicalize.DepthFirst())
        >>> print(excess_randomness(kernel, path))
        1.332 nats (enumeration)
    """
    name = type(kernel).__name__
    if isinstance(kernel, Canonicalizer):
        wrapped = f"InversionKernel({name}(...))"
        raise ValueError(f"expected a kernel: {name} alone follows the order of storage; wrap it as {wrapped}")
    if not callable(kernel):
        raise ValueError(f"expected a kernel first and inputs second; got {name} first")
    if draws < 2:
        raise ValueError(f"draws must be at least 2; got {draws}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; got {confidence}")
    if action is None and isinstance(kernel, InversionKernel):
        action = kernel.canonicalizer.action
    action = action_on_inputs(x, action)
    generator = torch.Generator().manual_seed(0) if generator is None else generator
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    members = (x[i : i + 1] if isinstance(x, Tensor) else x.select([i]) for i in range(len(x)))
    with torch.no_grad():
        found = [_excess(kernel, one, action, elements, draws, z, generator) for one in members]
    nats, low, high = torch.tensor([value for value, _ in found], dtype=torch.float64).reshape(-1, 3).unbind(1)
    return ExcessRandomness(nats, low, high, tuple(method for _, method in found))


def excess_of_model(model: nn.Module, x: Any) -> dict[str, float | None]:
    """Mean excess randomness of the :class:`~sympe.InversionKernel` inside a model, for records of runs.

    Returns:
        ``excess_nats``, ``excess_nats_low`` and ``excess_nats_high``: means over the batch of the value and of the ends
        of its interval; None if infinite, or if the model has no kernel. ``excess_is_infinite``: 1 if draws have
        infinite entropy, as Gaussian noise has, else 0.
    """
    names = ("excess_nats", "excess_nats_low", "excess_nats_high")
    kernel = next((part for part in model.modules() if isinstance(part, InversionKernel)), None)
    if kernel is None:
        is_infinite = any(isinstance(part, SymmetryBreaking) and part.is_continuous for part in model.modules())
        return dict.fromkeys(names) | {"excess_is_infinite": int(is_infinite)}
    found = excess_randomness(kernel, x)
    means = [float(each.mean()) for each in (found.nats, found.low, found.high)]
    known = {name: mean if math.isfinite(mean) else None for name, mean in zip(names, means, strict=True)}
    return known | {"excess_is_infinite": int(math.isinf(means[0]))}


def _excess(
    kernel: Any, x: Any, action: Action[Any, Any], elements: Any, draws: int, z: float, generator: torch.Generator
) -> tuple[_Value, str]:
    many = copies(x, draws)
    if isinstance(kernel, InversionKernel):
        tau = kernel.canonicalizer
        exact = float(tau.excess_nats(x))
        if not math.isnan(exact):
            return (exact, exact, exact), "closed form"
        counts = _enumerated(tau, x, action, elements, draws, generator)
        if counts is None and (likely := tau.equally_likely(x)) is not None:
            counts = _count_forms(action, likely[1], likely[0], len(likely[0]))
        if counts is not None:
            share = counts / counts.sum()
            exact = abs(float((share * np.log(share)).sum()))
            return (exact, exact, exact), "enumeration"
        if isinstance(x, Graphs) and not bool(tau.log_probability(x, action.group.identity(x)).isnan()):
            cost = -tau.log_probability(many, kernel(many, generator)) - float(log_automorphisms(x))
            mean, error = float(cost.mean()), z * float(cost.std()) / draws**0.5
            return (max(mean, 0.0), max(mean - error, 0.0), max(mean + error, 0.0)), "choices"
    counts = _count_forms(action, kernel(many, generator), many, draws)
    return entropy(counts, z), "lower bound" if len(counts) == draws else "forms"


def _enumerated(
    tau: Canonicalizer[Any, Any], x: Any, action: Action[Any, Any], elements: Any, most: int, generator: torch.Generator
) -> NDArray[np.int64] | None:
    """Counts of forms over all elements; None if these are unknown, more than ``most``, or not all randomness."""
    if elements is None and isinstance(x, Graphs) and math.lgamma(x.num_nodes + 1) <= math.log(most) + 1e-9:
        images = torch.tensor(list(permutations(range(x.num_nodes))), dtype=torch.long, device=x.device)
        many = copies(x, len(images))
        h = Permutation.trusted(images.reshape(-1) + many.start, many)
    elif elements is not None and len(elements) <= most:
        many, h = copies(x, len(elements)), elements
    else:
        return None
    noise = torch.Generator(generator.device).manual_seed(0)
    before = noise.get_state()
    g = action.group.compose(action.group.inverse(h), tau(action.act(h, many), noise))
    is_random = not torch.equal(noise.get_state(), before)
    return None if is_random else _count_forms(action, g, many, len(many) // len(x))


def _count_forms(action: Action[Any, Any], g: Any, many: Any, count: int) -> NDArray[np.int64]:
    """How often each form ``act(g^-1, x)`` occurs."""
    rows = _rows(action.act(action.group.inverse(g), many), count, isinstance(action, PointRotation))
    return np.unique(rows.detach().cpu().numpy(), axis=0, return_counts=True)[1]


def _rows(data: Any, count: int, are_sets: bool) -> Tensor:
    """One row of numbers per copy that determines it, sorted for sets of points."""
    if isinstance(data, Tensor):
        return data.reshape(count, -1)
    if isinstance(data, Graphs):
        # The action sorts edges by their ends and labels.
        ends = data.edge_index - data.start[data.edge_index[0]]
        parts = [ends.view(2, count, -1).transpose(0, 1), data.edge_label, data.node_label, data.x]
        return torch.cat([part.reshape(count, -1).double() for part in parts if part is not None], dim=1)
    if isinstance(data, PointClouds):
        # One integer per point for its position and species.
        place = (data.centered.double() / _RESOLUTION + _SHIFT).floor()
        kinds = torch.zeros_like(data.batch) if data.species is None else data.species
        points: Tensor = torch.cat([place, kinds[:, None].double()], dim=1).unique(dim=0, return_inverse=True)[1]
        return points.view(count, -1).sort(1).values if are_sets else points.view(count, -1)
    if isinstance(data, Crystals):
        return _sums(data, count)
    raise ValueError(f"expected a tensor, graphs, point clouds or crystals; got {type(data).__name__}")


def _sums(data: Crystals, count: int) -> Float[Tensor, "count k"]:
    """Generic sums over pairs of sites, and the vectors of sites, of copies of one crystal."""
    one = data.select([0]).to(dtype=torch.float64)
    # No site of a reduced cell is farther from all images of another than the longest vector.
    longest = reduced(one.cell[0][one.pbc[0]][None])[0].norm(dim=1).max()
    cutoff = float(1.05 * longest + 2 * across(one).norm(dim=1).max())
    (source, target), vector = edges(data, cutoff)
    vector, rank = vector.double(), torch.arange(len(data.batch), device=data.device) - data.start
    generic = torch.randn(7, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(data.device)
    known = torch.stack([rank[source], rank[target], data.species[source], data.species[target]], dim=1).double()
    weight = (1 - (vector.norm(dim=1, keepdim=True) / cutoff) ** 2) ** 2  # continuous where the sum ends
    terms = weight * (torch.cat([vector, known], dim=1) @ generic).cos()
    sums = terms.new_zeros(count, 4).index_add(0, data.batch[source], terms) * (count / len(terms)) ** 0.5
    rows = torch.cat([sums, *(held.double().reshape(count, -1) for held in data.vectors().values())], dim=1)
    floored: Tensor = (rows / _RESOLUTION + _SHIFT).floor()
    return floored

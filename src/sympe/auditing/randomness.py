r"""How much more random is a kernel than it has to be? :math:`H(\tilde g \mid x) - \log|\mathrm{Stab}(x)|` in nats.

By Theorem 3 of docs/theory.md this is the entropy of the form :math:`c = \tilde g^{-1} x` in which a draw sees the
input, for every equivariant kernel of a finite group. The stabilizer need not be known. Per input, the first that
applies:

- *closed form*: the canonicalizer's own ``excess_nats``: 0 where it is exact, the log of the size of the orbit for Haar
  measure;
- *enumeration*: a deterministic canonicalizer runs on every element of the group, if there are no more of them than
  draws; one that names the elements it draws from (``equally_likely``) has each of them counted once: the exact law
  of c;
- *choices*: the mean of minus the canonicalizer's own ``log_probability`` over draws estimates
  :math:`H(\tilde g \mid x)`;
- *forms*: the entropy of c is estimated from draws.

Forms of point clouds are read to 0.001 angstrom, as sets of points where the group does not move their order.
Entropies are estimated by :mod:`sympe.auditing.entropy`; if no form comes twice there is only a lower bound.
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
from sympe.auditing.entropy import entropy
from sympe.auditing.equivariance.copies import action_on_inputs, copies, member
from sympe.breaking import SymmetryBreaking
from sympe.graphs import Graphs
from sympe.graphs.bliss import log_automorphisms
from sympe.groups import Permutation
from sympe.kernel import InversionKernel
from sympe.points import PointClouds

#: Resolution of positions in angstrom. The grid is shifted: points of symmetric clouds lie on round numbers.
_RESOLUTION, _SHIFT = 1e-3, 0.3819660113


@dataclass(frozen=True)
class ExcessRandomness:
    """Excess randomness of a kernel, for every member of a batch.

    Attributes:
        nats: The excess in nats: exact, an estimate, or a lower bound.
        low: Lower end of the confidence interval.
        high: Upper end; infinite where there is a lower bound only.
        method: How each was found: ``"closed form"``, ``"enumeration"``, ``"choices"``, ``"forms"``, or
            ``"lower bound"`` if no form came twice.
    """

    nats: Float[Tensor, "B"]
    low: Float[Tensor, "B"]
    high: Float[Tensor, "B"]
    method: tuple[str, ...]

    @property
    def is_exact(self) -> bool:
        """Whether all values are exact."""
        return set(self.method) <= {"closed form", "enumeration"}

    @property
    def mean(self) -> float:
        """Mean over the batch; a lower bound if one of the values is."""
        return float(self.nats.mean()) if len(self.nats) else 0.0

    def __str__(self) -> str:
        lines = []
        ends = zip(self.nats.tolist(), self.low.tolist(), self.high.tolist(), self.method, strict=True)
        for nats, low, high, method in ends:
            interval = "" if low == high else f" [{low:.3f}, {high:.3f}]"
            lines.append(f"{nats:.3f} nats{interval} ({method})")
        return "\n".join(lines)


#: Estimate and interval.
_Value = tuple[float, float, float]


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
        kernel: An :class:`~sympe.InversionKernel`, or any ``kernel(x, generator)`` with an equivariant law of group
            elements. (If its law is not equivariant, the entropy of the forms is not the excess.)
        x: The inputs.
        action: How the group moves inputs; that of the kernel's canonicalizer, or relabeling for graphs.
        elements: All elements of a finite group, each once, as one batch with a length, to enumerate; permutations of
            graphs need not be given.
        draws: Draws for each input; also the largest group that is enumerated (5040 is 7!).
        confidence: Probability that an interval covers the value.
        generator: Source of the draws; seeded with 0 if left out.

    Raises:
        ValueError: If there are fewer than two draws, or the action cannot be told.

    Example:
        >>> import sympe
        >>> path = sympe.graphs.from_edges([(5, [(0, 1), (1, 2), (2, 3), (3, 4)])])
        >>> kernel = sympe.InversionKernel(sympe.canonicalize.DepthFirst())
        >>> print(excess_randomness(kernel, path))
        1.332 nats (enumeration)
    """
    if draws < 2:
        raise ValueError(f"draws must be at least 2; got {draws}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; got {confidence}")
    if action is None and isinstance(kernel, InversionKernel):
        action = kernel.canonicalizer.action
    action = action_on_inputs(x, action)
    generator = torch.Generator().manual_seed(0) if generator is None else generator
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    found: list[tuple[_Value, str]] = []
    with torch.no_grad():
        for index in range(len(x)):
            found.append(_excess(kernel, member(x, index), action, elements, draws, z, generator))
    nats, low, high = torch.tensor([value for value, _ in found], dtype=torch.float64).reshape(-1, 3).unbind(1)
    return ExcessRandomness(nats, low, high, tuple(method for _, method in found))


def excess_of_model(model: nn.Module, x: Any) -> dict[str, float | None]:
    """Mean excess randomness of the kernel inside a model, by the names that records of runs have for it.

    Args:
        model: Any module that holds an :class:`~sympe.InversionKernel`, or none.
        x: The inputs, as a batch.

    Returns:
        ``excess_nats``, ``excess_nats_low`` and ``excess_nats_high``: the means over the batch of the value and of the
        ends of its interval, equal where it is exact; None for what is infinite, and for a model without a kernel.
        ``excess_is_infinite``: 1 if draws have infinite entropy, as Gaussian noise has, else 0.
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
    kernel: Callable[..., Any],
    x: Any,
    action: Action[Any, Any],
    elements: Any,
    draws: int,
    z: float,
    generator: torch.Generator,
) -> tuple[_Value, str]:
    many = copies(x, draws)
    if isinstance(kernel, InversionKernel):
        exact = float(kernel.canonicalizer.excess_nats(x))
        if not math.isnan(exact):
            return (exact, exact, exact), "closed form"
        counts = _enumerated(kernel, x, action, _all_elements(x, elements, draws), generator)
        counts = _over_coset(kernel, x, action) if counts is None else counts
        if counts is not None:
            exact = _entropy_of_all(counts)
            return (exact, exact, exact), "enumeration"
        if isinstance(x, Graphs) and not bool(
            kernel.canonicalizer.log_probability(x, action.group.identity(x)).isnan()
        ):
            return _by_choices(kernel, many, float(log_automorphisms(x)), z, generator), "choices"
    counts = _count_forms(action, kernel(many, generator), many, draws)
    return entropy(counts, z), "lower bound" if len(counts) == draws else "forms"


def _all_elements(x: Any, elements: Any, most: int) -> tuple[Any, Any] | None:
    """As many copies of x as the group has elements, and the elements; None if they are too many, or unknown."""
    if elements is not None:
        return (copies(x, len(elements)), elements) if len(elements) <= most else None
    if not isinstance(x, Graphs) or math.lgamma(x.num_nodes + 1) > math.log(most) + 1e-9:
        return None
    images = torch.tensor(list(permutations(range(x.num_nodes))), dtype=torch.long, device=x.device)
    many = copies(x, len(images))
    return many, Permutation.trusted(images.reshape(-1) + many.start, many)


def _enumerated(
    kernel: InversionKernel[Any, Any],
    x: Any,
    action: Action[Any, Any],
    enumeration: tuple[Any, Any] | None,
    generator: torch.Generator,
) -> NDArray[np.int64] | None:
    """Forms over all elements, by the lines of the kernel; None for a canonicalizer with noise."""
    if enumeration is None:
        return None
    many, h = enumeration
    noise = torch.Generator(generator.device).manual_seed(0)
    before = noise.get_state()
    g = action.group.compose(action.group.inverse(h), kernel.canonicalizer(action.act(h, many), noise))
    if not torch.equal(noise.get_state(), before):
        return None
    return _count_forms(action, g, many, len(many) // len(x))


def _over_coset(kernel: InversionKernel[Any, Any], x: Any, action: Action[Any, Any]) -> NDArray[np.int64] | None:
    """Forms over all elements that a draw may be, if the canonicalizer names them."""
    found = kernel.canonicalizer.equally_likely(x)
    return None if found is None else _count_forms(action, found[1], found[0], len(found[0]))


def _entropy_of_all(counts: NDArray[np.int64]) -> float:
    """Of the uniform law over everything that was counted."""
    share = counts / counts.sum()
    return abs(float((share * np.log(share)).sum()))


def _count_forms(action: Action[Any, Any], g: Any, many: Any, count: int) -> NDArray[np.int64]:
    """How often each form ``act(g^-1, x)`` comes."""
    form = action.act(action.group.inverse(g), many)
    are_sets = isinstance(action, PointRotation)
    rows = _point_rows(form, count, are_sets) if isinstance(form, PointClouds) else _rows(form, count)
    return np.unique(rows, axis=0, return_counts=True)[1]


def _rows(data: Any, count: int) -> NDArray[Any]:
    """One row of numbers for each copy that holds all there is to know of it.

    Raises:
        ValueError: If the data are none of a tensor, graphs and point clouds.
    """
    if isinstance(data, Tensor):
        return data.detach().reshape(count, -1).cpu().numpy()
    if isinstance(data, Graphs):
        # The action lists edges in one order, by their ends and labels.
        ends = data.edge_index - data.start[data.edge_index[0]]
        parts = [ends.view(2, count, -1).transpose(0, 1), data.edge_label, data.node_label, data.x]
        return torch.cat([part.reshape(count, -1).double() for part in parts if part is not None], dim=1).cpu().numpy()
    raise ValueError(f"expected a tensor, graphs or point clouds; got {type(data).__name__}")


def _point_rows(data: PointClouds, count: int, are_sets: bool) -> NDArray[Any]:
    """The points of each copy by numbers of their places and species, in ascending order if they are a set."""
    place = (data.centered.double() / _RESOLUTION + _SHIFT).floor()
    kinds = torch.zeros_like(data.batch) if data.species is None else data.species
    points = torch.cat([place, kinds[:, None].double()], dim=1).unique(dim=0, return_inverse=True)[1].view(count, -1)
    rows: NDArray[Any] = (points.sort(1).values if are_sets else points).cpu().numpy()
    return rows


def _by_choices(
    kernel: InversionKernel[Any, Any], many: Any, log_stabilizer: float, z: float, generator: torch.Generator
) -> _Value:
    cost = -kernel.canonicalizer.log_probability(many, kernel(many, generator)) - log_stabilizer
    mean, error = float(cost.mean()), float(cost.std()) / len(cost) ** 0.5
    return max(mean, 0.0), max(mean - z * error, 0.0), max(mean + z * error, 0.0)

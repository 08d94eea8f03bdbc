r"""Is a map equivariant, :math:`f(hx) = h f(x)`, and if not, which layer breaks it?

For random (Haar) elements h the two sides are compared entry by entry, relative to the root mean square of the output.
By default, errors below the square root of the machine epsilon (3e-4 in 32 bits, 1.5e-8 in 64) count as rounding.
:mod:`sympe.auditing.equivariance.layers` finds the layer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sympe.actions import Action
from sympe.auditing.equivariance.copies import action_on_inputs, action_on_outputs, as_output, resolution
from sympe.auditing.equivariance.layers import LayerAction, LayerError, Trace, by_shape_of, relative_error


@dataclass(frozen=True)
class Equivariance:
    """Result of :func:`check_equivariance`.

    Attributes:
        max_error: Largest error over entries and group elements, relative to the root mean square of the output.
        mean_error: Mean relative error over entries and elements.
        repeat_error: Largest relative difference between two calls at the same x; nonzero for random maps.
        tolerance: Largest error that passes.
        elements: Number of random group elements.
        layers: One entry per call of a submodule, in the order of their returns; empty if not requested.
    """

    max_error: float
    mean_error: float
    repeat_error: float
    tolerance: float
    elements: int
    layers: tuple[LayerError, ...] = ()

    @property
    def is_equivariant(self) -> bool:
        return self.max_error <= self.tolerance

    @property
    def culprit(self) -> LayerError | None:
        """The first submodule with correct inputs and wrong outputs, or None."""
        broken = (layer for layer in self.layers if (layer.max_error or 0.0) > self.tolerance)
        return next((layer for layer in broken if (layer.input_error or 0.0) <= self.tolerance), None)

    def require(self) -> None:
        """Raise ``AssertionError`` with the full report if the map is not equivariant."""
        if not self.is_equivariant:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        verdict = "equivariant" if self.is_equivariant else "not equivariant"
        lines = [
            f"{verdict}: relative error at most {self.max_error:.1e}, mean {self.mean_error:.1e} "
            f"(tolerance {self.tolerance:.1e}, {self.elements} group elements)"
        ]
        if self.repeat_error > self.tolerance:
            lines.append(
                f"the map is random: two calls at the same input differ by {self.repeat_error:.1e}; "
                "use check_equivariance_in_distribution, or model.eval() if the cause is dropout"
            )
        if (culprit := self.culprit) is not None:
            lines.append(f"broken by {culprit.name} ({culprit.kind})")
        width = max((len(layer.name) for layer in self.layers), default=0)
        for layer in self.layers:
            error = "not compared" if layer.max_error is None else f"{layer.max_error:.1e}"
            note = "  <- breaks it" if layer is culprit else ""
            if (layer.input_error or 0.0) > self.tolerance:
                note = "  (inputs already broken)"
            lines.append(f"  {layer.name:{width}}  {error}{note}")
        return "\n".join(lines)


def check_equivariance(
    map: Callable[[Any], Any],
    x: Any,
    *,
    action: Action[Any, Any] | None = None,
    output_action: Action[Any, Any] | None = None,
    elements: int = 8,
    tolerance: float | None = None,
    scale: float | None = None,
    layers: bool | nn.Module = False,
    layer_action: LayerAction | None = None,
    generator: torch.Generator | None = None,
) -> Equivariance:
    """Compare ``map(act(h, x))`` with ``act(h, map(x))`` for random group elements h.

    Call ``eval()`` on a network first: in training mode dropout breaks equivariance, and running statistics change.

    Args:
        map: From data to a tensor. For graphs: ``lambda graphs: gnn(graphs.x, graphs.edge_index)``.
        x: The input, a batch; each member is moved by its own element.
        action: The action on inputs; by default relabeling for graphs.
        output_action: The action on outputs. For graphs it is inferred from the shape if only one fits: one row per
            node, edge or graph (invariant), or padded ``[G, n, d]`` and ``[G, n, n]``.
        elements: Number of random elements h.
        tolerance: Largest relative error that passes; by default set by the precision of the output.
        scale: Scale of the errors, for outputs that are zero up to rounding; by default the root mean square of the
            output.
        layers: Whether to check the submodules of ``map``; if ``map`` is not a module, the module that it calls.
        layer_action: The action on inputs and outputs of submodules; by default inferred from the shape for graphs, and
            ``output_action`` where it applies for other data.
        generator: Source of the elements; by default seeded with 0.

    Raises:
        ValueError: If an action cannot be inferred, ``layers`` is true for a map that is not a module, or an output is
            not a finite tensor or changes shape under h.

    Example:
        >>> import sympe
        >>> ring = sympe.graphs.from_edges([(5, [(i, (i + 1) % 5) for i in range(5)])])
        >>> degree = lambda graphs: torch.bincount(graphs.edge_index[0], minlength=graphs.num_nodes).float()
        >>> check_equivariance(degree, ring, output_action=sympe.actions.NodeRelabeling()).max_error
        0.0
    """
    if elements < 1:
        raise ValueError(f"elements must be at least 1; got {elements}")
    module = layers if isinstance(layers, nn.Module) else map if layers else None
    if not isinstance(module, nn.Module | None):
        got = type(map).__name__
        raise ValueError(f"layers=True needs a map that is a module; got {got}: pass the module as layers")
    moves, trace = action_on_inputs(x, action), Trace()
    y = trace.run(map, x, module)
    on_outputs = action_on_outputs(x, y, output_action)
    layer_action = layer_action or by_shape_of(x, on_outputs)
    tolerance = resolution(y) if tolerance is None else tolerance
    repeat_error, _ = relative_error(y, _same_shape(y, as_output(map(x)), "in a second call"), scale)
    largest, means = 0.0, 0.0
    generator = torch.Generator().manual_seed(0) if generator is None else generator
    for _ in range(elements):
        h, moved = moves.group.haar(x, generator), Trace()
        there = moved.run(map, moves.act(h, x), module)
        error, mean = relative_error(on_outputs.act(h, y), _same_shape(y, there, "at h x"), scale)
        largest, means = max(largest, error), means + mean
        trace.compare(moved, h, layer_action)
    return Equivariance(largest, means / elements, repeat_error, tolerance, elements, trace.errors())


def _same_shape(y: Tensor, other: Tensor, where: str) -> Tensor:
    if other.shape != y.shape:
        raise ValueError(f"expected outputs of one shape; got {list(y.shape)} at x and {list(other.shape)} {where}")
    return other

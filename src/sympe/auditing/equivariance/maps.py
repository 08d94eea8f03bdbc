r"""Is a map equivariant, :math:`f(hx) = h f(x)`, and if not, which layer breaks it?

For random (Haar) elements h the two sides are compared entry by entry, relative to the root mean square of the
output. Errors below the square root of the spacing of its numbers (3e-4 in 32 bits, 1.5e-8 in 64) are taken for
rounding.

Which layer breaks it is told by :mod:`sympe.auditing.equivariance.layers`.
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
    """What :func:`check_equivariance` found.

    Attributes:
        max_error: Largest error of any entry over all elements, relative to the root mean square of the output.
        mean_error: Mean error over entries and elements, relative to the same.
        repeat_error: Largest relative difference of two calls at one and the same x; a map that is random is to be
            checked in distribution.
        tolerance: Largest error that passes.
        elements: Number of random group elements.
        layers: One entry per call of a submodule, in the order in which they ended; empty if not asked for.
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
        """The first submodule with right inputs and wrong outputs; None if there is none."""
        for layer in self.layers:
            broken = layer.max_error is not None and layer.max_error > self.tolerance
            if broken and (layer.input_error is None or layer.input_error <= self.tolerance):
                return layer
        return None

    def require(self) -> None:
        """Raise ``AssertionError`` with the whole report if the map is not equivariant."""
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
                f"the map is random: two calls at one input differ by {self.repeat_error:.1e}; "
                "use check_equivariance_in_distribution, or model.eval() if that is dropout"
            )
        culprit = self.culprit
        if culprit is not None:
            lines.append(f"broken by {culprit.name} ({culprit.kind})")
        width = max((len(layer.name) for layer in self.layers), default=0)
        for layer in self.layers:
            error = "not compared" if layer.max_error is None else f"{layer.max_error:.1e}"
            note = "" if layer is not culprit else "  <- breaks it"
            if layer.input_error is not None and layer.input_error > self.tolerance:
                note = "  (inputs broken before)"
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

    The map is called as it is: put a network into ``eval()`` first, or its dropout is found (and its running
    statistics are updated).

    Args:
        map: From data to a tensor. For graphs: ``lambda graphs: gnn(graphs.x, graphs.edge_index)``.
        x: The input, a batch; every member is moved by an element of its own.
        action: How the group moves inputs; relabeling if ``x`` holds graphs.
        output_action: How it moves outputs. For graphs it can be told from the shape, if only one fits: one row per
            node, edge or graph (invariant), or padded ``[G, n, d]`` and ``[G, n, n]``.
        elements: How many h to try.
        tolerance: Largest relative error that passes; by the precision of the output if left out.
        scale: What errors are relative to, where the output may be zero but for rounding; the root mean square of
            the output if left out.
        layers: Whether to look into the submodules of ``map``; if ``map`` is not a module itself, the module in it.
        layer_action: How the group moves what submodules get and return. If left out, by the shape for graphs, and
            for other data by ``output_action`` where it can be applied.
        generator: Source of the elements; seeded with 0 if left out.

    Raises:
        ValueError: If the action cannot be told, ``layers`` is true for a map that is no module, or the outputs are no
            tensors, not finite, or change their shape under h.

    Example:
        >>> import sympe
        >>> ring = sympe.graphs.from_edges([(5, [(i, (i + 1) % 5) for i in range(5)])])
        >>> degree = lambda graphs: torch.bincount(graphs.edge_index[0], minlength=graphs.num_nodes).float()
        >>> check_equivariance(degree, ring, output_action=sympe.actions.NodeRelabeling()).max_error
        0.0
    """
    if elements < 1:
        raise ValueError(f"elements must be at least 1; got {elements}")
    moves = action_on_inputs(x, action)
    module = _module(map, layers)
    trace = Trace()
    with trace.watching(module):
        y = as_output(map(x))
    on_outputs = action_on_outputs(x, y, output_action)
    if layer_action is None:
        layer_action = by_shape_of(x, on_outputs)
    tolerance = resolution(y) if tolerance is None else tolerance
    repeat_error = float(relative_error(y, _same_shape(y, as_output(map(x)), "in a second call"), scale).max)
    largest, means = 0.0, 0.0
    generator = torch.Generator().manual_seed(0) if generator is None else generator
    for _ in range(elements):
        h = moves.group.haar(x, generator)
        moved = Trace()
        with moved.watching(module):
            there = as_output(map(moves.act(h, x)))
        error = relative_error(on_outputs.act(h, y), _same_shape(y, there, "at h x"), scale)
        largest, means = max(largest, error.max), means + error.mean
        trace.compare(moved, h, layer_action)
    return Equivariance(largest, means / elements, repeat_error, tolerance, elements, trace.errors())


def _same_shape(y: Tensor, other: Tensor, where: str) -> Tensor:
    if other.shape != y.shape:
        raise ValueError(f"expected outputs of one shape; got {list(y.shape)} at x and {list(other.shape)} {where}")
    return other


def _module(map: Any, layers: bool | nn.Module) -> nn.Module | None:
    if isinstance(layers, nn.Module):
        return layers
    if not layers:
        return None
    if isinstance(map, nn.Module):
        return map
    raise ValueError(f"layers=True needs a map that is a module; got {type(map).__name__}: give the module as layers")

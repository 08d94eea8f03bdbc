r"""Which submodule of a network breaks the symmetry?

Hooks record what each submodule gets and returns for x and for hx. A submodule *breaks* the symmetry if
its inputs are moved by h as they should be and its outputs are not. Submodules after it get broken inputs and are not
to blame; a module whose own code breaks the symmetry, outside of its submodules, is found as well, because it ends
after all of them and its inputs were right.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from sympe.actions import Action
from sympe.auditing.equivariance.copies import fitting_action, root_mean_square
from sympe.graphs import Graphs

#: Tells the action that moves a tensor which the named submodule gets or returns, or None not to compare it.
LayerAction = Callable[[str, Tensor], Action[Any, Any] | None]


@dataclass(frozen=True)
class LayerError:
    """How far one submodule, in one of its calls, is from equivariance.

    Attributes:
        name: The submodule's name, with ``#2``, ``#3``, ... for later calls of the same one.
        kind: Class of the submodule.
        max_error: Largest relative error of its outputs; None if none could be compared.
        input_error: The same of its inputs: what earlier layers did wrong.
    """

    name: str
    kind: str
    max_error: float | None
    input_error: float | None


@dataclass(frozen=True)
class RelativeError:
    max: float
    mean: float


def relative_error(expected: Tensor, found: Tensor, scale: float | Tensor | None) -> RelativeError:
    """Errors relative to ``scale``, or to the root mean square of both sides."""
    if not expected.numel():
        return RelativeError(0.0, 0.0)
    wide = torch.complex128 if expected.is_complex() else torch.float64
    # Equal infinities (a masked attention) are equal; anything else that is not finite is an error.
    difference = torch.where(expected == found, 0, (expected.to(wide) - found.to(wide)).abs())
    difference = torch.nan_to_num(difference, torch.inf, torch.inf)
    unit = float(root_mean_square(expected, found) if scale is None else scale)
    if unit == 0:
        return RelativeError(0.0, 0.0) if not bool(difference.any()) else RelativeError(torch.inf, torch.inf)
    return RelativeError(float(difference.max()) / unit, float(difference.mean()) / unit)


def by_shape_of(x: Any, on_outputs: Action[Any, Any]) -> LayerAction:
    def by_shape(name: str, tensor: Tensor) -> Action[Any, Any] | None:
        if not isinstance(x, Graphs):
            return on_outputs
        fitting = fitting_action(x, tensor)
        return None if fitting is None else fitting[1]

    return by_shape


@dataclass
class Call:
    """What one call of a submodule got and returned, and the errors found so far."""

    kind: str
    inputs: list[Tensor]
    outputs: list[Tensor]
    input_error: float | None = None
    max_error: float | None = None


@dataclass
class Trace:
    """The calls of all submodules in one call of the map, by name, in the order in which they ended."""

    calls: dict[str, Call] = field(default_factory=dict)

    @contextmanager
    def watching(self, module: nn.Module | None) -> Iterator[None]:
        handles = []
        for name, submodule in [] if module is None else module.named_modules():
            handles.append(submodule.register_forward_hook(self._recorder(name), with_kwargs=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _recorder(self, name: str) -> Callable[..., None]:
        def record(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            kind = type(module).__name__
            key, count = name or kind, 1
            while key in self.calls:
                count += 1
                key = f"{name or kind}#{count}"
            self.calls[key] = Call(kind, list(_numbers((args, kwargs))), list(_numbers(output)))

        return record

    def compare(self, moved: "Trace", h: Any, layer_action: LayerAction) -> None:
        for name, call in self.calls.items():
            there = moved.calls.get(name)
            if there is None:
                continue
            # Outputs that are zero but for rounding, as of a normalization, are measured by what came in.
            unit = max(float(root_mean_square(*side)) for side in (call.inputs, call.outputs))
            for what in ("inputs", "outputs"):
                error = "input_error" if what == "inputs" else "max_error"
                for here, other in zip(getattr(call, what), getattr(there, what), strict=False):
                    found = _moved_error(name, here, other, h, layer_action, unit)
                    if found is not None:
                        setattr(call, error, max(getattr(call, error) or 0.0, found))

    def errors(self) -> tuple[LayerError, ...]:
        return tuple(LayerError(name, c.kind, c.max_error, c.input_error) for name, c in self.calls.items())


def _moved_error(
    name: str, here: Tensor, there: Tensor, h: Any, layer_action: LayerAction, unit: float
) -> float | None:
    """How far ``there`` is from ``here`` moved by h; None where that cannot be said."""
    action = layer_action(name, here)
    if action is None or here.shape != there.shape:
        return None
    try:
        expected = action.act(h, here)
    except (ValueError, IndexError, RuntimeError):  # not data of the kind that this action moves
        return None
    return relative_error(expected, there, unit).max if expected.shape == there.shape else None


def _numbers(value: Any) -> Iterator[Tensor]:
    """Tensors of floating-point numbers in nested arguments, copied: a layer may change its argument in place."""
    if isinstance(value, Tensor):
        if value.is_floating_point() or value.is_complex():
            yield value.detach().clone()
    elif isinstance(value, dict):
        for part in value.values():
            yield from _numbers(part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _numbers(part)

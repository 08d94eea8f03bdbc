r"""Which submodule of a network breaks the symmetry?

Hooks record the inputs and outputs of each submodule for x and for hx. A submodule *breaks* the symmetry if h moves its
inputs correctly but not its outputs. Later submodules get broken inputs and are not to blame. A module whose own code
breaks the symmetry, outside its submodules, is found too: its inputs are correct, and it returns after all of them.
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

#: The action on a tensor that the named submodule gets or returns; None not to compare it.
LayerAction = Callable[[str, Tensor], Action[Any, Any] | None]


@dataclass(frozen=True)
class LayerError:
    """Equivariance error of one call of a submodule.

    Attributes:
        name: Name of the submodule, with ``#2``, ``#3``, ... for repeated calls.
        kind: Class of the submodule.
        max_error: Largest relative error of its outputs; None if none could be compared.
        input_error: Largest relative error of its inputs, caused by earlier layers.
    """

    name: str
    kind: str
    max_error: float | None
    input_error: float | None


def relative_error(expected: Tensor, found: Tensor, scale: float | None) -> tuple[float, float]:
    """Largest and mean error relative to ``scale``; by default to the root mean square of both tensors."""
    if not expected.numel():
        return 0.0, 0.0
    wide = torch.complex128 if expected.is_complex() else torch.float64
    # Equal infinities (masked attention) are equal; other non-finite values are errors.
    difference = torch.where(expected == found, 0, (expected.to(wide) - found.to(wide)).abs())
    difference = torch.nan_to_num(difference, torch.inf, torch.inf)
    unit = float(root_mean_square(expected, found)) if scale is None else scale
    if unit == 0:
        return (torch.inf, torch.inf) if bool(difference.any()) else (0.0, 0.0)
    return float(difference.max()) / unit, float(difference.mean()) / unit


def by_shape_of(x: Any, on_outputs: Action[Any, Any]) -> LayerAction:
    """For graphs the action that fits the shape of a tensor, otherwise the action on outputs."""
    return lambda name, tensor: fitting_action(x, tensor) if isinstance(x, Graphs) else on_outputs


@dataclass
class Call:
    """Inputs and outputs of one call of a submodule, and the errors found so far."""

    kind: str
    inputs: list[Tensor]
    outputs: list[Tensor]
    input_error: float | None = None
    max_error: float | None = None


@dataclass
class Trace:
    """All calls of submodules during one call of the map, by name, in the order of their returns."""

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
            # Outputs may be zero up to rounding (after a normalization): then the inputs set the scale.
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
    """Error of ``there`` relative to ``here`` moved by h; None if they cannot be compared."""
    action = layer_action(name, here)
    if action is None or here.shape != there.shape:
        return None
    try:
        expected = action.act(h, here)
    except (ValueError, IndexError, RuntimeError):  # the action does not apply to this tensor
        return None
    return relative_error(expected, there, unit)[0] if expected.shape == there.shape else None


def _numbers(value: Any) -> Iterator[Tensor]:
    """Copies of the floating-point tensors in nested arguments: layers may work in place."""
    if isinstance(value, Tensor):
        if value.is_floating_point() or value.is_complex():
            yield value.detach().clone()
    elif isinstance(value, dict):
        for part in value.values():
            yield from _numbers(part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _numbers(part)

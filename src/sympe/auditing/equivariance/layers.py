r"""Which submodule of a network breaks the symmetry?

Hooks record the inputs and outputs of each submodule for x and for hx. A submodule *breaks* the symmetry if h moves its
inputs correctly but not its outputs. Later submodules get broken inputs and are not to blame. A module whose own code
breaks the symmetry, outside its submodules, is found too: its inputs are correct, and it returns after all of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count
from typing import Any

import torch
from torch import Tensor, nn

from sympe.actions import Action
from sympe.auditing.equivariance.copies import as_output, fitting_action, root_mean_square
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
    """The tensors that one call of a submodule gets and returns, and the largest error of either so far."""

    kind: str
    sides: tuple[list[Tensor], list[Tensor]]
    errors: list[float | None] = field(default_factory=lambda: [None, None])


class Trace(dict[str, Call]):
    """All calls of submodules during one call of the map, by name, in the order of their returns."""

    def run(self, map: Callable[[Any], Any], x: Any, module: nn.Module | None) -> Tensor:
        """The output of the map, recording the calls inside a module."""
        parts = [] if module is None else module.named_modules()
        handles = [part.register_forward_hook(partial(self._record, name), with_kwargs=True) for name, part in parts]
        try:
            return as_output(map(x))
        finally:
            for handle in handles:
                handle.remove()

    def _record(self, name: str, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        kind = type(module).__name__
        names = chain([name or kind], (f"{name or kind}#{number}" for number in count(2)))
        key = next(key for key in names if key not in self)
        self[key] = Call(kind, (list(_numbers((args, kwargs))), list(_numbers(output))))

    def compare(self, moved: "Trace", h: Any, layer_action: LayerAction) -> None:
        for name in self.keys() & moved.keys():
            call = self[name]
            # Outputs may be zero up to rounding (after a normalization): then the inputs set the scale.
            unit = max(float(root_mean_square(*side)) for side in call.sides)
            for k, (here, there) in enumerate(zip(call.sides, moved[name].sides, strict=True)):
                errors = [_moved_error(layer_action(name, x), h, x, y, unit) for x, y in zip(here, there, strict=False)]
                call.errors[k] = max((e for e in (call.errors[k], *errors) if e is not None), default=None)

    def errors(self) -> tuple[LayerError, ...]:
        return tuple(LayerError(name, call.kind, call.errors[1], call.errors[0]) for name, call in self.items())


def _moved_error(action: Action[Any, Any] | None, h: Any, here: Tensor, there: Tensor, unit: float) -> float | None:
    """Error of ``there`` relative to ``here`` moved by h; None if they cannot be compared."""
    if action is None or here.shape != there.shape:
        return None
    try:
        expected = action.act(h, here)
    except (ValueError, IndexError, RuntimeError):  # the action does not apply to this tensor
        return None
    return relative_error(expected, there, unit)[0] if expected.shape == there.shape else None


def _numbers(value: Any) -> Iterator[Tensor]:
    """Copies of the floating-point tensors in nested arguments: layers may work in place."""
    if isinstance(value, Tensor) and (value.is_floating_point() or value.is_complex()):
        yield value.detach().clone()
    elif isinstance(value, dict | tuple | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _numbers(part)

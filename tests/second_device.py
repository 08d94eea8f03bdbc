"""A second device without hardware: what code for a GPU must respect, on a machine that has none.

Its tensors keep their numbers on the CPU, and operations refuse what CUDA refuses: tensors of two devices, a generator
of the CPU for numbers drawn on the device, and to be read by NumPy. It is PyTorch's device for backends written in
Python, registered once per process under a name that no module has an attribute of.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from lightning.pytorch.accelerators import Accelerator
from torch import Tensor
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map_only

if not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"):
    pytest.skip("needs a PyTorch that takes devices written in Python", allow_module_level=True)

NAME = "emulated"
aten = torch.ops.aten

#: These go from device to device.
_BETWEEN = (aten.copy_.default, aten._to_copy.default)
#: These take indices, their second argument, from the CPU too.
_INDEXED = (aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default)
#: Views that only set a bit, which is not looked at below; what they mean, computed.
_PHYSICAL = {aten._conj.default: aten._conj_physical.default, aten._neg_view.default: aten.neg.default}


class _Backend:
    """What PyTorch asks about the device: there is none outside of :func:`second_device`, so other tests see none."""

    is_there = False

    def is_available(self) -> bool:
        return self.is_there

    def device_count(self) -> int:
        return int(self.is_there)

    def is_initialized(self) -> bool:
        return self.is_there

    def current_device(self) -> int:
        return 0

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        pass

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


# A process has one such device, whatever this module is imported as.
if not hasattr(torch, NAME):
    backend_registration._setup_privateuseone_for_python_backend(NAME, _Backend())
_BACKEND: Any = getattr(torch, NAME)
DEVICE = torch.device(NAME, 0)


class Held(Tensor):
    """A tensor of the device.

    Attributes:
        held: Its numbers, on the CPU.
    """

    held: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: Tensor) -> "Held":
        return Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, held.size(), held.stride(), held.storage_offset(), dtype=held.dtype, device=DEVICE
        )

    def __init__(self, held: Tensor) -> None:
        self.held = held

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _perform(func, args, kwargs or {})

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"Held({self.held!r})"

    def __format__(self, spec: str) -> str:
        return format(self.held, spec)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.held.__reduce_ex__(protocol)

    def tolist(self) -> Any:
        return self.held.tolist()


def _perform(func: Any, args: Any, kwargs: Any) -> Any:
    """Do one operation on whichever device it belongs to."""
    device, generator = kwargs.get("device"), kwargs.get("generator")
    has_ours = any(isinstance(x, Held) for x in tree_leaves((args, kwargs)))
    is_ours = has_ours if device is None else torch.device(device).type == NAME
    if not has_ours and not is_ours:
        return func(*args, **kwargs)
    func = _PHYSICAL.get(func, func)
    if has_ours and func not in _BETWEEN:
        bound = (args[0], *args[2:]) if func in _INDEXED else args
        for x in tree_leaves((bound, kwargs)):
            if isinstance(x, Tensor) and not isinstance(x, Held) and x.dim() > 0:
                raise RuntimeError(f"expected all tensors to be on one device; {func} got {NAME} and {x.device}")
    if is_ours and generator is not None:
        raise RuntimeError(f"expected a generator of the device {NAME}; {func} got one of {generator.device}")
    held_args, held_kwargs = tree_map_only(Held, lambda x: x.held, (args, kwargs))
    if device is not None:
        held_kwargs["device"] = "cpu"
    found = func(*held_args, **held_kwargs)
    if func is aten.copy_.default:
        return args[0]
    if not is_ours:
        return found
    wrapped = tree_map_only(Tensor, Held, found)
    return return_and_correct_aliasing(func, args, kwargs, wrapped) if has_ours else wrapped


class _Watch(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _perform(func, args, kwargs or {})


@contextmanager
def second_device() -> Iterator[torch.device]:
    """The device, for as long as the context lasts."""
    before = torch._C._only_lift_cpu_tensors()
    # Without it torch.tensor(..., device=DEVICE) would look for a kernel in C++.
    torch._C._set_only_lift_cpu_tensors(True)
    _BACKEND.is_there = True
    try:
        with _Watch():
            yield DEVICE
    finally:
        _BACKEND.is_there = False
        torch._C._set_only_lift_cpu_tensors(before)


class SecondAccelerator(Accelerator):
    """The device for a trainer of Lightning."""

    def setup_device(self, device: torch.device) -> None:
        pass

    def get_device_stats(self, device: str | torch.device) -> dict[str, Any]:
        return {}

    def teardown(self) -> None:
        pass

    @staticmethod
    def parse_devices(devices: Any) -> Any:
        return [0]

    @staticmethod
    def get_parallel_devices(devices: Any) -> Any:
        return [DEVICE]

    @staticmethod
    def auto_device_count() -> int:
        return 1

    @staticmethod
    def is_available() -> bool:
        return True

    @staticmethod
    def name() -> str:
        return NAME

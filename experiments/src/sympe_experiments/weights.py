"""Weights of models in safetensors files, each with a description of the model beside them.

The description holds a checksum of itself and of the weights; files made before version 0.1 have none.
"""

import hashlib
import json
import math
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from sympe.atomic import require_regular

CHECKSUM = "sha256"

#: Tensors, and numbers (40 MB), that a model may have whatever is in the file.
_FEW = (5000, 10**7)

M = TypeVar("M", bound=nn.Module)


def to_bytes(model: nn.Module, described: Mapping[str, Any]) -> bytes:
    """The file of a model's weights; equal models give equal bytes.

    Args:
        model: The model.
        described: What it takes to build the model again, as plain values.
    """
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    # One entry: safetensors writes several in random order.
    metadata = {"model": json.dumps({**described, CHECKSUM: _checksum(described, state)})}
    return save(state, metadata=metadata)


def load(path: Path | str, what: str, build: Callable[[dict[str, Any]], M]) -> M:
    """Read a model from such a file.

    Args:
        path: The file.
        what: What the model is, for messages.
        build: Makes the model from its description. Its initial weights do not matter.

    Raises:
        ValueError: If the file holds no such model; the message names the file.
    """
    try:
        described, state = _read(path)
        with _Bounded(state), torch.random.fork_rng(devices=[]):
            model = build(described)
        load_state(model, state)
    except KeyError as error:
        raise ValueError(f"{path} does not hold the weights of {what}: no {error} in it") from error
    except (OSError, SafetensorError, ArithmeticError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(f"{path} does not hold the weights of {what}: {' '.join(str(error).split())}") from error
    return model


def is_whole(path: Path) -> bool:
    """Whether there is such a file, with the weights that were written."""
    try:
        _read(path)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, AttributeError, RuntimeError):
        return False
    return True


def _read(path: Path | str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Description and weights."""
    require_regular(Path(path), os.stat(path).st_mode)
    with safe_open(str(path), framework="pt") as file:
        described = json.loads((file.metadata() or {})["model"])
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    due = described.pop(CHECKSUM, None)
    if due is None:
        warnings.warn(f"{path} has no checksum: what it holds is taken as it is", stacklevel=3)
    elif due != _checksum(described, state):
        raise ValueError("it is damaged: the checksum is not that of what it holds")
    return described, state


def _checksum(described: Mapping[str, Any], state: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for name, value in sorted(state.items()):
        digest.update(f"{name} {value.dtype} {[*value.shape]}".encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


class _Bounded(TorchDispatchMode):
    """Refuse to build a model far larger than its weights, before its numbers are allocated."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.tensors = max(_FEW[0], 8 * len(state))
        self.numbers = max(_FEW[1], 8 * sum(value.numel() for value in state.values()))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if args and isinstance(args[0], list | tuple) and all(isinstance(size, int) for size in args[0]):
            self.tensors, self.numbers = self.tensors - 1, self.numbers - math.prod(args[0])
            if min(self.tensors, self.numbers) < 0:
                raise ValueError("its description is of a larger model")
        return func(*args, **(kwargs or {}))


def load_state(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Give a model its weights.

    Raises:
        ValueError: If a name or a shape is not that of the model, or a number is not finite.
    """
    expected = model.state_dict()
    for name in sorted(expected.keys() | state.keys()):
        due, got = (f"shape {[*x[name].shape]}" if name in x else "no tensor" for x in (expected, state))
        if due != got:
            raise ValueError(f"{name}: expected {due}; got {got}")
        if not bool(state[name].isfinite().all()):
            raise ValueError(f"{name} holds numbers that are not finite")
    model.load_state_dict(dict(state))

"""Weights of models in safetensors files, each with a description of the model beside them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


def to_bytes(model: nn.Module, described: Mapping[str, Any]) -> bytes:
    """The file of a model's weights; equal models give equal bytes.

    Args:
        model: The model.
        described: What it takes to build the model again, as plain values.
    """
    # One entry: safetensors writes several in random order.
    metadata = {"model": json.dumps(described)}
    return save({name: value.contiguous() for name, value in model.state_dict().items()}, metadata=metadata)


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
        with safe_open(str(path), framework="pt") as file:
            described = json.loads((file.metadata() or {})["model"])
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        with torch.random.fork_rng(devices=[]):
            model = build(described)
        load_state(model, state)
    except KeyError as error:
        raise ValueError(f"{path} does not hold the weights of {what}: no {error} in it") from error
    except (OSError, SafetensorError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(f"{path} does not hold the weights of {what}: {' '.join(str(error).split())}") from error
    return model


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

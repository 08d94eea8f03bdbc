r"""Average a model over a frame, or over the symmetries of its input.

The canonicalizer lists the elements :math:`g_1 \dots g_m` that take the canonical form to x, a coset of the stabilizer.

- Over the frame: :math:`\frac 1 m \sum_k g_k\, f(g_k^{-1} x)` is equivariant for *any* model f (O. Puny et al., *Frame
  averaging for invariant and equivariant network design*, ICLR 2022). It calls the model m times for each input.
- Over the stabilizer: :math:`\frac 1 m \sum_k h_k\, f(x)` with :math:`h_k = g_k g_1^{-1}` gives the output the
  symmetries of the input: forces of a potential that is only roughly equivariant then keep them exactly. One call.
"""

from collections.abc import Callable
from typing import Any, Generic, Literal

import torch
from torch import Tensor, nn

from sympe.actions import Action
from sympe.actions.base import Data, Element
from sympe.canonicalize.base import Canonicalizer, check_action
from sympe.crystals import Crystals
from sympe.crystals.bases import across
from sympe.points import PointClouds

#: Points this close to a line, in angstrom, are on it.
_THIN = 1e-2


class Averaged(nn.Module, Generic[Element, Data]):
    """A model whose outputs are averaged; deterministic, and differentiable in the parameters of the model.

    Args:
        model: From a batch to a tensor with rows for each of its members, one member after the other.
        canonicalizer: An exact one that lists its elements: ``Frames``, ``JointFrames`` or ``CrystalFrames``.
        output_action: How elements move the outputs.
        over: ``frame`` or ``stabilizer``.

    Raises:
        ValueError: If this is not a canonicalizer or not an action; on a call, if the canonicalizer cannot list the
            elements, as for a linear molecule.

    Example:
        >>> from sympe.actions import TensorRotation
        >>> from sympe.canonicalize import Frames
        >>> from sympe.points import from_clouds
        >>> x = from_clouds([[[0.0, 0.0, 1.0], [0.0, 1.0, -0.5], [0.0, -1.0, -0.5]]], species=[[8, 1, 1]])
        >>> dipole = Averaged(lambda x: x.position[::3] + torch.tensor([0.3, 0.2, 0.0]), Frames(), TensorRotation(1))
        >>> dipole(x).abs().argmax().item()  # along the axis
        2
    """

    def __init__(
        self,
        model: Callable[[Data], Tensor],
        canonicalizer: Canonicalizer[Element, Data],
        output_action: Action[Any, Tensor],
        over: Literal["frame", "stabilizer"] = "frame",
    ) -> None:
        super().__init__()
        if not isinstance(canonicalizer, Canonicalizer):
            raise ValueError(f"expected a canonicalizer such as Frames(); got {canonicalizer!r}")
        check_action(output_action)
        if over not in ("frame", "stabilizer"):
            raise ValueError(f"over must be frame or stabilizer; got {over!r}")
        self.model, self.canonicalizer, self.output_action, self.over = model, canonicalizer, output_action, over

    def forward(self, x: Data) -> Tensor:
        taken: Any = self.canonicalizer.action.take(x)
        return torch.cat([self._of_one(taken.select([index])) for index in range(len(taken))])

    def _of_one(self, x: Any) -> Tensor:
        action, group = self.canonicalizer.action, self.canonicalizer.action.group
        with torch.no_grad():
            found: Any = None if _is_line(x) else self.canonicalizer.equally_likely(x)
        if found is None:
            name = type(self.canonicalizer).__name__
            raise ValueError(
                f"expected finitely many symmetries and an exact canonicalizer; {name} cannot list them here"
            )
        copies, count = found[0].to(dtype=x.dtype), len(found[0])
        g = _of_type(found[1], x.dtype)
        back = group.inverse(g)
        if self.over == "frame":
            seen = self.model(action.act(back, copies))
        else:
            y = self.model(x)
            first = self.output_action.act(back, _repeated(y, count))[: len(y)]
            seen = _repeated(first, count)
        averaged: Tensor = self.output_action.act(g, seen).unflatten(0, (count, -1)).mean(0)
        return averaged


def _repeated(y: Tensor, count: int) -> Tensor:
    return y.repeat(count, *[1] * (y.dim() - 1))


def _of_type(g: Any, dtype: torch.dtype) -> Any:
    if isinstance(g, tuple):
        return tuple(_of_type(part, dtype) for part in g)
    return g.to(dtype) if isinstance(g, Tensor) and g.is_floating_point() else g


def _is_line(x: Any) -> bool:
    """Whether all points of a cloud or chain are on one line, so that it has infinitely many symmetries."""
    if isinstance(x, PointClouds) and x.dimension == 3:
        spread = torch.linalg.svdvals(x.centered.double())
        return len(spread) < 2 or float(spread[1]) < _THIN
    if isinstance(x, Crystals) and int(x.pbc.sum()) == 1:
        return float(across(x).norm(dim=1).max()) < _THIN
    return False

r"""Messages between all pairs of nodes, summed at their receivers.

.. math:: R_i = \sum_{j \ne i} \sigma\bigl(W\, \sigma(r_i + s_j + a_{ij} e) + b\bigr), \qquad
          \sigma(x) = x / (1 + e^{-x}) .

Written down as tensors of all pairs, a step of training with many graphs waits for memory: every elementwise operation
reads and writes B n n d numbers. :class:`_InCache` takes some graphs at a time through all of them, and keeps for the
backward pass only what goes into the two nonlinearities.
"""

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import linear, silu

silu_backward = torch.ops.aten.silu_backward

#: Numbers in a tensor of pairs from which on it is cut, and in each of its parts: a megabyte in single precision.
_PART = 2**18


def sum_messages(
    receiver: Float[Tensor, "B n d"],
    sender: Float[Tensor, "B n d"],
    adjacency: Float[Tensor, "B n n"],
    edge: Float[Tensor, "d"],
    weight: Float[Tensor, "d d"],
    bias: Float[Tensor, "d"],
) -> Float[Tensor, "B n d"]:
    """The sum of what each node receives from all others.

    Args:
        receiver: What the receiver contributes, r.
        sender: What the sender contributes, s.
        adjacency: Edges, a.
        edge: What an edge contributes, e.
        weight: The second linear map, W.
        bias: Its offset, b.
    """
    many = adjacency.numel() * receiver.shape[2] > _PART
    special = adjacency.requires_grad or torch.is_autocast_enabled("cpu")
    if many and receiver.device.type == "cpu" and not special:
        received, _, _ = _InCache.apply(receiver, sender, adjacency, edge, weight, bias)
        return received
    first = receiver[:, :, None] + sender[:, None] + adjacency[..., None] * edge
    message = silu(linear(silu(first), weight, bias))
    return message.sum(2) - message.diagonal(dim1=1, dim2=2).transpose(1, 2)


class _InCache(torch.autograd.Function):
    @staticmethod
    def forward(
        receiver: Tensor, sender: Tensor, adjacency: Tensor, edge: Tensor, weight: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        count, n, d = receiver.shape
        received = torch.empty_like(receiver)
        first, second = receiver.new_empty(count, n, n, d), receiver.new_empty(count, n, n, d)
        for part in _parts(first):
            one, two = first[part], second[part]
            torch.add(receiver[part][:, :, None], sender[part][:, None], out=one)
            hidden = silu(one.addcmul_(adjacency[part][..., None], edge))
            torch.addmm(bias, hidden.view(-1, d), weight.t(), out=two.view(-1, d))
            message = silu(two)
            message.diagonal(dim1=1, dim2=2).zero_()
            torch.sum(message, 2, out=received[part])
        return received, first, second

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
        _, _, adjacency, _, weight, _ = inputs
        _, first, second = output
        ctx.mark_non_differentiable(first, second)
        ctx.set_materialize_grads(False)  # no zeros for what is not differentiable
        ctx.save_for_backward(adjacency, weight, first, second)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        adjacency, weight, first, second = ctx.saved_tensors
        d = len(weight)
        grad_receiver, grad_sender = torch.empty_like(grad), torch.empty_like(grad)
        grad_edge, grad_weight, grad_bias = grad.new_zeros(d), torch.zeros_like(weight), grad.new_zeros(d)
        for part in _parts(first):
            one, two = first[part], second[part]
            here = silu_backward(grad[part][:, :, None].expand_as(two), two)
            here.diagonal(dim1=1, dim2=2).zero_()
            flat = here.view(-1, d)
            grad_weight.addmm_(flat.t(), silu(one).view(-1, d))
            grad_bias += flat.sum(0)
            here = silu_backward((flat @ weight).view_as(one), one)
            torch.sum(here, 2, out=grad_receiver[part])
            torch.sum(here, 1, out=grad_sender[part])
            grad_edge += adjacency[part].reshape(-1) @ here.view(-1, d)
        return grad_receiver, grad_sender, None, grad_edge, grad_weight, grad_bias


def _parts(pairs: Float[Tensor, "B n n d"]) -> Iterator[slice]:
    """Graphs to be taken together."""
    size = max(1, _PART // pairs[0].numel())
    return (slice(start, start + size) for start in range(0, len(pairs), size))

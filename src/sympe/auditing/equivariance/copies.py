"""Batches of copies of an input, and the action on the output of a map."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.actions import Action, DenseRelabeling, GraphRelabeling, Invariant, NodeRelabeling
from sympe.graphs import Graphs


def member(x: Any, index: int) -> Any:
    """One member of a batch, as a batch of one."""
    return x[index : index + 1] if isinstance(x, Tensor) else x.select([index])


def action_on_inputs(x: Any, action: Action[Any, Any] | None) -> Action[Any, Any]:
    """The given action on inputs, or by default relabeling for graphs.

    Raises:
        ValueError: If no action is given and the inputs are not graphs.
    """
    if action is not None:
        return action
    if isinstance(x, Graphs):
        return GraphRelabeling()
    raise ValueError(f"expected an action on inputs of type {type(x).__name__}; got none")


def fitting_action(x: Graphs, y: Tensor) -> Action[Any, Any] | None:
    """The only action on outputs that fits the shape of ``y``; None if none or several fit."""
    fitting: list[Action[Any, Any]] = []
    shape, n = tuple(y.shape), x.max_nodes
    if shape[:1] == (x.num_nodes,):
        fitting.append(NodeRelabeling())
    if shape[:1] == (len(x),):
        if shape[1:3] == (n, n):
            fitting.append(DenseRelabeling(2))
        elif shape[1:2] == (n,) and len(shape) > 2:
            fitting.append(DenseRelabeling(1))
        else:
            fitting.append(Invariant())
            if shape[1:] == (n,):
                fitting.append(DenseRelabeling(1))
    if shape[:1] == (x.num_edges,):
        fitting.append(EdgeRelabeling(x))
    return fitting[0] if len(fitting) == 1 else None


def action_on_outputs(x: Any, y: Tensor, action: Action[Any, Any] | None) -> Action[Any, Any]:
    """The given action on outputs, or by default the only one that fits the shape of ``y``.

    Raises:
        ValueError: If no action is given, and none or several fit.
    """
    if action is not None:
        return action
    fitting = fitting_action(x, y) if isinstance(x, Graphs) else None
    if fitting is None:
        raise ValueError(f"cannot infer the action on outputs from their shape {list(y.shape)}; give output_action")
    return fitting


class EdgeRelabeling(Action[Any, Tensor]):
    """Left action on one row per directed edge, in the order of the edges of the given graphs."""

    def __init__(self, graphs: Graphs) -> None:
        self.graphs = graphs
        self.relabeling = GraphRelabeling()
        self.group = self.relabeling.group  # type: ignore[assignment]  # draws need the graphs, not the rows

    def act(self, g: Any, x: Tensor) -> Tensor:
        number = torch.arange(self.graphs.num_edges, device=self.graphs.device)
        graphs = self.graphs
        numbered = Graphs(graphs.edge_index, graphs.batch, edge_label=number, num_graphs=graphs.num_graphs)
        order = self.relabeling.act(g, numbered).edge_label
        assert order is not None, "edges keep their labels"
        return x[order]


def as_output(y: Any, name: str = "the map") -> Tensor:
    """The output, detached, if it is a tensor of finite numbers.

    Raises:
        ValueError: If it is not.
    """
    if not isinstance(y, Tensor):
        raise ValueError(f"{name} must return a tensor; got {type(y).__name__}")
    if not bool(torch.isfinite(y).all()):
        bad = y[~torch.isfinite(y)].flatten()[0].item()
        raise ValueError(f"{name} must return finite numbers; got {bad} in an output of shape {list(y.shape)}")
    return y.detach()


def resolution(y: Tensor) -> float:
    """Relative differences below this count as rounding: the square root of the machine epsilon."""
    return float(torch.finfo(y.dtype).eps ** 0.5) if y.is_floating_point() or y.is_complex() else 0.0


def root_mean_square(*tensors: Tensor) -> Float[Tensor, ""]:
    """Root mean square of all entries; 0 if there are none. Entries that are not finite count as 0."""
    square = [torch.nan_to_num(t.abs().double(), 0, 0, 0).square().sum() for t in tensors]
    return (sum(square, torch.zeros(())) / max(sum(t.numel() for t in tensors), 1)).sqrt()

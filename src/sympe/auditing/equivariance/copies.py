"""The actions on inputs and outputs of a map, and the size of its outputs."""

from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from sympe.actions import Action, DenseRelabeling, GraphRelabeling, Invariant, NodeRelabeling
from sympe.graphs import Graphs


def action_on_inputs(x: Any, action: Action[Any, Any] | None) -> Action[Any, Any]:
    """The given action on inputs, or relabeling for graphs; a ``ValueError`` for other inputs without an action."""
    if action is None and not isinstance(x, Graphs):
        raise ValueError(f"expected an action on inputs of type {type(x).__name__}; got none")
    return GraphRelabeling() if action is None else action


def fitting_action(x: Graphs, y: Tensor) -> Action[Any, Any] | None:
    """The only action on outputs that fits the shape of ``y``; None if none or several fit."""
    shape, n = tuple(y.shape), x.max_nodes
    of_graphs, of_pairs, of_nodes = shape[:1] == (len(x),), shape[1:3] == (n, n), shape[1:2] == (n,)
    fits: dict[Action[Any, Any], bool] = {
        NodeRelabeling(): shape[:1] == (x.num_nodes,),
        EdgeRelabeling(x): shape[:1] == (x.num_edges,),
        DenseRelabeling(2): of_graphs and of_pairs,
        DenseRelabeling(1): of_graphs and of_nodes and not of_pairs,
        Invariant(): of_graphs and not of_pairs and not (of_nodes and len(shape) > 2),
    }
    fitting = [action for action, fit in fits.items() if fit]
    return fitting[0] if len(fitting) == 1 else None


def action_on_outputs(x: Any, y: Tensor, action: Action[Any, Any] | None) -> Action[Any, Any]:
    """The given action on outputs, or the one that fits the shape of ``y``; a ``ValueError`` if none or several do."""
    if action is None and isinstance(x, Graphs):
        action = fitting_action(x, y)
    if action is None:
        raise ValueError(f"cannot infer the action on outputs from their shape {list(y.shape)}; give output_action")
    return action


class EdgeRelabeling(Action[Any, Tensor]):
    """Left action on one row per directed edge, in the order of the edges of the given graphs."""

    def __init__(self, graphs: Graphs) -> None:
        self.graphs = graphs
        self.relabeling = GraphRelabeling()
        self.group = self.relabeling.group  # type: ignore[assignment]  # draws need the graphs, not the rows

    def act(self, g: Any, x: Tensor) -> Tensor:
        number = torch.arange(self.graphs.num_edges, device=self.graphs.device)
        order = self.relabeling.act(g, replace(self.graphs, node_label=None, edge_label=number, x=None)).edge_label
        assert order is not None, "edges keep their labels"
        return x[order]


def as_output(y: Any) -> Tensor:
    """The output, detached; a ``ValueError`` if it is not a tensor of finite numbers."""
    if not isinstance(y, Tensor):
        raise ValueError(f"the map must return a tensor; got {type(y).__name__}")
    if not bool(torch.isfinite(y).all()):
        bad = y[~torch.isfinite(y)].flatten()[0].item()
        raise ValueError(f"the map must return finite numbers; got {bad} in an output of shape {list(y.shape)}")
    return y.detach()


def resolution(y: Tensor) -> float:
    """Relative differences below this count as rounding: the square root of the machine epsilon."""
    return float(torch.finfo(y.dtype).eps ** 0.5) if y.is_floating_point() or y.is_complex() else 0.0


def root_mean_square(*tensors: Tensor) -> Float[Tensor, ""]:
    """Root mean square of all entries; 0 if there are none. Entries that are not finite count as 0."""
    square = [torch.nan_to_num(t.abs().double(), 0, 0, 0).square().sum() for t in tensors]
    return (sum(square, torch.zeros(())) / max(sum(t.numel() for t in tensors), 1)).sqrt()

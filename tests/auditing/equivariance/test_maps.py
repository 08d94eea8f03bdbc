"""Tests of maps, tried on maps that are equivariant and on those that are not: the layer to blame is found."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from examples import LARGE, SMALL, batch_of, ring, single
from sympe import Graphs, check_equivariance
from sympe.actions import Action, DenseRelabeling, Invariant, NodeRelabeling
from sympe.auditing.equivariance.copies import EdgeRelabeling
from sympe.graphs import concatenate, from_edges, to_dense
from sympe.groups import Group
from sympe_experiments.nets import CompleteGraphNetwork

#: Nodes, edges and graphs in different numbers, none of them a width below.
GRAPHS = concatenate([LARGE["cycle 8"][0], LARGE["petersen"][0], SMALL["bull"]])
FEATURES = replace(GRAPHS, x=torch.randn(GRAPHS.num_nodes, 4, generator=torch.Generator().manual_seed(3)))


class Messages(nn.Module):
    """Sum over neighbors, and a linear map on edges before it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.on_edges = nn.Linear(2 * width, width)
        self.on_nodes = nn.Linear(2 * width, width)

    def forward(self, h: Tensor, edge_index: Tensor) -> Tensor:
        source, target = edge_index
        message = self.on_edges(torch.cat([h[source], h[target]], dim=1)).tanh()
        return self.on_nodes(torch.cat([h, torch.zeros_like(h).index_add(0, target, message)], dim=1))


class IndexWeights(nn.Module):
    """Positional weights: node i of the batch is scaled by a number of its own."""

    def forward(self, h: Tensor, edge_index: Tensor) -> Tensor:
        return h * (1 + 0.1 * torch.arange(len(h))[:, None] / len(h))


class NormOverNodes(nn.Module):
    """A LayerNorm with weights over the nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(GRAPHS.num_nodes)
        with torch.no_grad():
            self.norm.weight.copy_(torch.linspace(0.5, 1.5, GRAPHS.num_nodes))

    def forward(self, h: Tensor, edge_index: Tensor) -> Tensor:
        return self.norm(h.T).T


class Dropped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.3)

    def forward(self, h: Tensor, edge_index: Tensor) -> Tensor:
        return self.drop(h)


class Sorted(nn.Module):
    def forward(self, h: Tensor, edge_index: Tensor) -> Tensor:
        return h.sort(0).values


class RightThirdLayer(nn.Module):
    def forward(self, h: Tensor, edge_index: Tensor) -> Tensor:
        return torch.relu_(h.clone())


class Network(nn.Module):
    """Five layers, the third of which is given; optionally a step of its own that breaks the symmetry between two."""

    def __init__(self, third: nn.Module, own_step: bool = False) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layers = nn.ModuleList([Messages(4), Messages(4), third, Messages(4), Messages(4)])
        self.own_step = own_step

    def forward(self, graphs: Graphs) -> Tensor:
        assert graphs.x is not None
        h = graphs.x
        for index, layer in enumerate(self.layers):
            h = layer(h, graphs.edge_index)
            if self.own_step and index == 2:
                h = h + torch.arange(len(h))[:, None] / len(h)
        return h


BROKEN = {
    "index weights": (IndexWeights(), "layers.2"),
    # The norm itself sees a transposed matrix, of which nobody can say how it moves.
    "norm over nodes": (NormOverNodes(), "layers.2"),
    "dropout": (Dropped(), "layers.2.drop"),
    "sort": (Sorted(), "layers.2"),
}


def test_an_equivariant_network_passes_with_all_its_layers() -> None:
    report = check_equivariance(Network(RightThirdLayer()), FEATURES, layers=True)
    report.require()
    assert report.is_equivariant
    assert report.culprit is None
    assert report.repeat_error == 0
    assert 0 < report.mean_error < report.max_error < 1e-5
    names = [layer.name for layer in report.layers]
    assert names[:3] == ["layers.0.on_edges", "layers.0.on_nodes", "layers.0"]
    assert names[-1] == "Network"
    assert all(layer.max_error is not None and layer.max_error < 1e-5 for layer in report.layers)


@pytest.mark.parametrize("name", BROKEN)
def test_the_layer_that_breaks_it_is_found(name: str) -> None:
    third, culprit = BROKEN[name]
    report = check_equivariance(Network(third), FEATURES, layers=True)
    assert not report.is_equivariant
    assert report.culprit is not None
    assert report.culprit.name == culprit
    assert f"broken by {culprit} ({report.culprit.kind})" in str(report)
    later = [layer for layer in report.layers if layer.name.startswith("layers.3")]
    assert len(later) == 3
    assert all(layer.input_error > report.tolerance for layer in later)
    with pytest.raises(AssertionError, match="not equivariant: relative error at most"):
        report.require()


def test_code_between_submodules_is_found() -> None:
    """The fourth layer gets broken inputs from its parent's own code: the parent is to blame."""
    report = check_equivariance(Network(RightThirdLayer(), own_step=True), FEATURES, layers=True)
    assert report.culprit is not None
    assert report.culprit.name == "Network"


def test_a_random_map_is_called_random() -> None:
    report = check_equivariance(Network(Dropped()), FEATURES)
    assert report.repeat_error > 0.1
    assert "the map is random" in str(report)
    assert check_equivariance(Network(Dropped()).eval(), FEATURES).is_equivariant


def test_a_module_inside_of_a_function() -> None:
    network = Network(IndexWeights())
    report = check_equivariance(lambda graphs: network(graphs) * 2, FEATURES, layers=network)
    assert report.culprit is not None
    assert report.culprit.name == "layers.2"
    with pytest.raises(ValueError, match=r"layers=True needs a map that is a module; got function"):
        check_equivariance(lambda graphs: network(graphs), FEATURES, layers=True)


def test_a_layer_called_twice_has_two_entries() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.ReLU(inplace=True)

        def forward(self, graphs: Graphs) -> Tensor:
            return self.layer(self.layer(graphs.x - 1) - 1)

    report = check_equivariance(Twice(), FEATURES, layers=True)
    assert [layer.name for layer in report.layers] == ["layer", "layer#2", "Twice"]


def test_hooks_are_gone_afterwards_even_after_an_error() -> None:
    network = Network(RightThirdLayer())
    check_equivariance(network, FEATURES, layers=True)
    with pytest.raises(ValueError, match="must return finite numbers; got nan"):
        check_equivariance(lambda graphs: network(graphs) * torch.nan, FEATURES, layers=network)
    assert not any(module._forward_hooks for module in network.modules())


def test_a_normalization_of_equal_features_is_not_blamed_for_rounding() -> None:
    """On a graph whose nodes are all alike a norm leaves nothing but rounding, which it magnifies."""

    class Normed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.norm = Messages(4), nn.BatchNorm1d(4)

        def forward(self, graphs: Graphs) -> Tensor:
            h = self.first(graphs.x, graphs.edge_index)
            return self.norm(h) + h

    torch.manual_seed(1)
    alike = replace(LARGE["petersen"][0], x=torch.full((10, 4), 0.7))
    report = check_equivariance(Normed().eval(), alike, layers=True)
    assert report.culprit is None
    assert report.is_equivariant


def pair_network(graphs: Graphs) -> Tensor:
    torch.manual_seed(0)
    adjacency, _ = to_dense(graphs)
    network = CompleteGraphNetwork(0, 3, hidden_dim=7, num_layers=2)
    z = network(torch.zeros(*adjacency.shape[:2], 0), adjacency.float())
    return z @ z.mT


def test_kinds_of_outputs_are_told_from_their_shapes() -> None:
    edge_code = torch.arange(7.0)

    def on_edges(graphs: Graphs) -> Tensor:
        degree = torch.bincount(graphs.edge_index[0], minlength=graphs.num_nodes)
        return degree[graphs.edge_index[0]] * edge_code[degree[graphs.edge_index[1]]]

    def on_graphs(graphs: Graphs) -> Tensor:
        return torch.stack([graphs.sizes, torch.bincount(graphs.batch[graphs.edge_index[0]])], dim=1)

    equal_sizes = concatenate([SMALL["bull"], SMALL["kite"]])
    for right in (on_edges, on_graphs):
        assert check_equivariance(right, GRAPHS).max_error == 0
    assert check_equivariance(pair_network, equal_sizes).is_equivariant

    def first_node(graphs: Graphs) -> Tensor:
        return graphs.x[graphs.ptr[:-1]]

    def upper(graphs: Graphs) -> Tensor:
        return pair_network(graphs).triu()

    def own_edge(graphs: Graphs) -> Tensor:
        return on_edges(graphs) + torch.arange(graphs.num_edges)

    assert not check_equivariance(first_node, FEATURES).is_equivariant
    assert not check_equivariance(upper, equal_sizes).is_equivariant
    assert not check_equivariance(own_edge, GRAPHS).is_equivariant


def test_a_shape_that_fits_twice_needs_an_action() -> None:
    one_node = from_edges([(1, []), (1, [])])
    with pytest.raises(
        ValueError, match=r"cannot infer the action on outputs from their shape \[2\]; give output_action"
    ):
        check_equivariance(lambda graphs: graphs.sizes.float(), one_node)
    assert check_equivariance(lambda graphs: graphs.sizes.float(), one_node, output_action=Invariant()).max_error == 0


def test_edges_move_with_parallel_ones_and_labels(generator: torch.Generator) -> None:
    x = SMALL["edge labels on a cycle"]
    action = EdgeRelabeling(x)
    h = action.group.haar(x, generator)
    moved = action.relabeling.act(h, x)
    assert torch.equal(action.act(h, x.edge_label), moved.edge_label)
    assert torch.equal(h.image[action.act(h, x.edge_index.T).T], moved.edge_index)


def test_float32_rounding_passes_and_a_small_break_does_not() -> None:
    network = Network(RightThirdLayer())

    def slightly(graphs: Graphs) -> Tensor:
        return network(graphs) * (1 + 2e-3 * (torch.arange(graphs.num_nodes) == 0))[:, None]

    assert not check_equivariance(slightly, FEATURES).is_equivariant
    double = replace(FEATURES, x=FEATURES.x.double())
    report = check_equivariance(network.double(), double)
    assert report.max_error < 1e-13
    assert report.tolerance < 1e-7


def test_an_output_that_is_zero_needs_a_scale(generator: torch.Generator) -> None:
    def nearly_zero(graphs: Graphs) -> Tensor:
        return 1e-9 * torch.arange(graphs.num_nodes)

    assert not check_equivariance(nearly_zero, GRAPHS).is_equivariant
    assert check_equivariance(nearly_zero, GRAPHS, scale=1.0).is_equivariant
    assert check_equivariance(lambda graphs: torch.zeros(graphs.num_nodes), GRAPHS).max_error == 0


def test_graphs_without_nodes() -> None:
    empty = from_edges([(0, []), (0, [])])
    report = check_equivariance(lambda graphs: torch.zeros(graphs.num_nodes, 3), empty, output_action=NodeRelabeling())
    assert report.max_error == 0


class CyclicShifts(Group[Tensor]):
    """Shifts of a sequence, as whole numbers."""

    def identity(self, like: Tensor) -> Tensor:
        return torch.zeros(len(like), dtype=torch.long)

    def compose(self, g: Tensor, h: Tensor) -> Tensor:
        return g + h

    def inverse(self, g: Tensor) -> Tensor:
        return -g

    def haar(self, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return torch.randint(like.shape[-1], (len(like),), generator=generator)


class Shifting(Action[Tensor, Tensor]):
    """``[B, channels, n]``, moved along the last axis."""

    def __init__(self) -> None:
        self.group = CyclicShifts()

    def act(self, g: Tensor, x: Tensor) -> Tensor:
        if x.dim() != 3:
            raise ValueError(f"expected [B, channels, n]; got {list(x.shape)}")
        places = (torch.arange(x.shape[2]) - g[:, None]) % x.shape[2]
        return x.gather(2, places[:, None].expand_as(x))


@pytest.mark.parametrize(("padding", "right"), [("circular", True), ("zeros", False)])
def test_another_group(padding: str, right: bool, generator: torch.Generator) -> None:
    """Shifts of a sequence under convolutions: zero padding breaks them, in the second layer here."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv1d(2, 5, 3, padding=1, padding_mode="circular"),
        nn.Conv1d(5, 5, 3, padding=1, padding_mode=padding),
        nn.ReLU(),
        nn.Flatten(0, 1),
        nn.Unflatten(0, (3, 5)),
    )
    x = torch.randn(3, 2, 11, generator=generator)
    shifting = Shifting()
    report = check_equivariance(network, x, action=shifting, output_action=shifting, layers=True)
    assert report.is_equivariant == right
    assert (None if report.culprit is None else report.culprit.name) == (None if right else "1")
    assert report.layers[3].max_error is None
    assert "3           not compared" in str(report)
    no_layers = check_equivariance(
        network, x, action=shifting, output_action=shifting, layers=True, layer_action=lambda name, y: None
    )
    assert all(layer.max_error is None for layer in no_layers.layers)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (lambda graphs: [1.0], "the map must return a tensor; got list"),
        (lambda graphs: torch.full((graphs.num_nodes,), torch.inf), "finite numbers; got inf in an output of shape"),
        (lambda graphs: torch.zeros(7, 9), "cannot infer the action on outputs"),
    ],
)
def test_bad_outputs(output: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_equivariance(output, GRAPHS)  # type: ignore[arg-type]


def test_outputs_of_varying_shape_and_other_bad_input() -> None:
    def varying(graphs: Graphs) -> Tensor:
        return torch.zeros(int(graphs.edge_index[1, 0]) + 1, 2)

    with pytest.raises(ValueError, match=r"expected outputs of one shape; got \[\d+, 2\] at x and \[\d+, 2\] at h x"):
        check_equivariance(varying, LARGE["cycle 8"][0], output_action=Invariant())
    with pytest.raises(ValueError, match="expected an action on inputs of type Tensor; got none"):
        check_equivariance(lambda x: x, torch.zeros(3))
    with pytest.raises(ValueError, match="elements must be at least 1; got 0"):
        check_equivariance(lambda x: x.sizes, GRAPHS, elements=0)


def test_the_input_and_the_global_generator_are_left_alone() -> None:
    state, x = torch.get_rng_state(), batch_of({"a": single(5, ring(5)), "b": SMALL["bull"]})
    before = x.edge_index.clone()
    check_equivariance(lambda graphs: graphs.sizes, x)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(before, x.edge_index)


def test_dense_outputs_by_a_given_action() -> None:
    equal_sizes = concatenate([SMALL["bull"], SMALL["kite"]])
    assert check_equivariance(pair_network, equal_sizes, output_action=DenseRelabeling(2)).is_equivariant
    assert not check_equivariance(pair_network, equal_sizes, output_action=Invariant()).is_equivariant

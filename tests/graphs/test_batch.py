import copy
import pickle
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from examples import SMALL, batch_of, crowds
from laws import same_graphs
from random_graphs import batches
from sympe import Graphs, InversionKernel
from sympe.canonicalize import Labeling, Refinement
from sympe.graphs import concatenate, from_edges

NO_EDGES = torch.zeros(2, 0, dtype=torch.long)
BATCHES = [batch_of(crowd) for crowd in crowds(SMALL)]


@given(batches(), st.data())
def test_select_takes_each_graph_with_all_it_has(graphs: Graphs, data: st.DataObject) -> None:
    indices = data.draw(st.lists(st.integers(0, max(len(graphs) - 1, 0)), max_size=6)) if len(graphs) else []
    chosen = graphs.select(indices).validate()
    assert len(chosen) == len(indices)
    ptr = graphs.ptr.tolist()
    for place, index in enumerate(indices):
        nodes = torch.arange(ptr[index], ptr[index + 1])
        mine = graphs.batch[graphs.edge_index[0]] == index
        expected = Graphs(
            graphs.edge_index[:, mine] - ptr[index],
            torch.zeros(len(nodes), dtype=torch.long),
            None if graphs.node_label is None else graphs.node_label[nodes],
            None if graphs.edge_label is None else graphs.edge_label[mine],
            None if graphs.x is None else graphs.x[nodes],
            num_graphs=1,
        )
        assert same_graphs(chosen.select([place]), expected)


@given(batches())
def test_a_batch_is_the_concatenation_of_its_graphs(graphs: Graphs) -> None:
    if len(graphs):
        assert same_graphs(concatenate([graphs.select([i]) for i in range(len(graphs))]), graphs)
    both = concatenate([graphs, graphs])
    assert same_graphs(both.select(range(len(graphs))), graphs)
    assert same_graphs(both.select(range(len(graphs), 2 * len(graphs))), graphs)


@given(batches())
def test_sizes_and_positions(graphs: Graphs) -> None:
    assert graphs.sizes.sum() == graphs.num_nodes
    assert graphs.ptr.tolist() == [0, *graphs.sizes.cumsum(0).tolist()]
    assert graphs.max_nodes == max(graphs.sizes.tolist(), default=0)
    for position, owner in enumerate(graphs.batch.tolist()):
        assert graphs.start[position] == graphs.ptr[owner] <= position < graphs.ptr[owner + 1]


@given(batches())
def test_one_graph_is_taken_as_among_several_and_holds_no_others(graphs: Graphs) -> None:
    for index, one in enumerate(graphs.split()):
        assert same_graphs(one.validate(), graphs.select([index, index]).select(torch.tensor([1])))
        for values in (one.edge_index, one.batch, one.node_label, one.edge_label, one.x):
            assert values is None or values.untyped_storage().nbytes() == values.nbytes


def test_empty_graphs_count() -> None:
    graphs = Graphs(NO_EDGES, torch.tensor([1, 1, 4]), num_graphs=7).validate()
    assert graphs.sizes.tolist() == [0, 2, 0, 0, 1, 0, 0]
    assert len(graphs.select([6, 0, 4])) == 3
    assert graphs.select([6, 1, 0]).sizes.tolist() == [0, 2, 0]
    assert len(concatenate([graphs, graphs])) == 14


def test_the_number_of_graphs_is_read_off_the_batch() -> None:
    assert len(Graphs(NO_EDGES, torch.tensor([0, 0, 2]))) == 3
    assert len(Graphs(NO_EDGES, torch.zeros(0, dtype=torch.long))) == 0


def test_what_is_cached_does_not_survive_a_replacement() -> None:
    graphs = from_edges([(3, [(0, 1)]), (2, [])])
    assert graphs.ptr.tolist() == [0, 3, 5]
    assert graphs.start.tolist() == [0, 0, 0, 3, 3]
    assert graphs.max_nodes == 3
    other = replace(graphs, batch=torch.tensor([0, 1, 1, 1, 1]), edge_index=NO_EDGES)
    assert other.ptr.tolist() == [0, 1, 5]
    assert other.start.tolist() == [0, 1, 1, 1, 1]
    assert other.max_nodes == 4
    assert graphs.ptr.tolist() == [0, 3, 5]
    assert len(replace(graphs, x=torch.zeros(5, 1))) == 2


@pytest.mark.parametrize("graphs", BATCHES)
def test_copies_for_other_processes(graphs: Graphs) -> None:
    assert graphs.max_nodes > 0
    for copied in (pickle.loads(pickle.dumps(graphs)), copy.deepcopy(graphs)):
        assert same_graphs(copied, graphs)
        assert torch.equal(copied.ptr, graphs.ptr)


def test_graphs_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        SMALL["path 3"].num_graphs = 2  # type: ignore[misc]


@pytest.mark.parametrize("graphs", BATCHES)
def test_to_another_device(graphs: Graphs) -> None:
    assert graphs.sizes.device.type == "cpu"
    moved = graphs.to("meta")
    assert moved.device.type == "meta"
    assert len(moved) == len(graphs)
    assert moved.sizes.device.type == "meta"
    for name in ("edge_index", "batch", "node_label", "edge_label", "x"):
        value = getattr(graphs, name)
        assert (getattr(moved, name) is None) == (value is None)
        if value is not None:
            assert getattr(moved, name).device.type == "meta"
            assert getattr(moved, name).shape == value.shape
    assert same_graphs(graphs.to("cpu"), graphs)


@pytest.mark.untyped  # annotations leave unsigned integers out
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32])
def test_narrow_integers_are_taken(dtype: torch.dtype) -> None:
    graphs = from_edges([(3, [(0, 1), (1, 2)])], node_label=[1, 2, 1], edge_label=[3, 3])
    held = ("edge_index", "batch", "node_label", "edge_label")
    narrow = Graphs(**{name: getattr(graphs, name).to(dtype) for name in held}).validate()
    assert all(getattr(narrow, name).dtype == torch.int64 for name in held)
    assert same_graphs(narrow, graphs)
    for order in (Labeling(), Refinement()):
        kernel = InversionKernel(order)
        first, second = (kernel(x, torch.Generator().manual_seed(0)) for x in (narrow, graphs))
        assert torch.equal(first.image, second.image)


PAIR = torch.tensor([[0, 1], [1, 0]])
TWO = torch.tensor([0, 0])


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"edge_index": torch.zeros(3, 2, dtype=torch.long)}, r"edge_index must have shape \[2, E\]; got \[3, 2\]"),
        ({"edge_index": torch.zeros(2, dtype=torch.long)}, r"edge_index must have shape \[2, E\]; got \[2\]"),
        ({"edge_index": PAIR.float()}, "edge_index must hold integers; got torch.float32"),
        ({"edge_index": PAIR.bool()}, "edge_index must hold integers; got torch.bool"),
        ({"edge_index": PAIR.to(torch.complex64)}, "edge_index must hold integers; got torch.complex64"),
        ({"batch": torch.zeros(2, 1, dtype=torch.long)}, r"batch must have shape \[N\]; got \[2, 1\]"),
        ({"batch": TWO.float()}, "batch must hold integers; got torch.float32"),
        ({"node_label": torch.zeros(3, dtype=torch.long)}, r"node_label must have 2 rows; got shape \[3\]"),
        ({"node_label": torch.zeros(2, 1, dtype=torch.long)}, r"node_label must have 1 dimension; got shape \[2, 1\]"),
        ({"node_label": torch.zeros(2)}, "node_label must hold integers; got torch.float32"),
        ({"edge_label": torch.zeros(1, dtype=torch.long)}, r"edge_label must have 2 rows; got shape \[1\]"),
        ({"x": torch.zeros(3, 4)}, r"x must have 2 rows; got shape \[3, 4\]"),
        ({"x": torch.zeros(2)}, r"x must have 2 dimensions; got shape \[2\]"),
        ({"x": torch.zeros(2, 1, dtype=torch.long)}, "x must hold floating-point numbers; got torch.int64"),
        ({"x": torch.zeros(2, 1, device="meta")}, r"all tensors must be on one device; got \['cpu', 'meta'\]"),
        ({"edge_index": PAIR.to("meta")}, r"all tensors must be on one device; got \['cpu', 'meta'\]"),
    ],
)
def test_tensors_must_fit_together(given: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Graphs(**{"edge_index": PAIR, "batch": TWO, **given})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch": [1, 0]}, "batch must be non-decreasing and start at 0 or above"),
        ({"batch": [-1, 0]}, "batch must be non-decreasing and start at 0 or above"),
        ({"batch": [0, 3], "num_graphs": 2}, "batch names graph 3; there are 2 graphs"),
        ({"edge_index": [[0, 2], [1, 0]]}, r"edges must join nodes 0\.\.1; got nodes 0\.\.2"),
        ({"edge_index": [[0, 1], [1, -1]]}, r"edges must join nodes 0\.\.1; got nodes -1\.\.1"),
        ({"batch": [0, 1]}, "edge 0 joins graph 0 to graph 1"),
        ({"x": [[0.0, 0.0], [1.0, torch.nan]]}, r"node features must be finite; got \[1\.0, nan\] at node 1"),
        ({"x": [[torch.inf], [1.0]]}, r"node features must be finite; got \[inf\] at node 0"),
    ],
)
def test_values_are_checked(given: dict[str, list], message: str) -> None:
    arguments = {"edge_index": PAIR, "batch": TWO} | {
        name: value if isinstance(value, int) else torch.tensor(value) for name, value in given.items()
    }
    with pytest.raises(ValueError, match=message):
        Graphs(**arguments).validate()


def test_edges_without_nodes() -> None:
    with pytest.raises(ValueError, match="edges must join nodes"):
        Graphs(PAIR, torch.zeros(0, dtype=torch.long)).validate()


@pytest.mark.untyped
@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([-1], r"indices must lie in 0\.\.1; got -1\.\.-1"),
        ([0, 2], r"indices must lie in 0\.\.1; got 0\.\.2"),
        ([True, False], r"indices must be one row of integers; got torch.bool \[2\]"),
        ([0.0], r"indices must be one row of integers; got torch.float32 \[1\]"),
        (torch.zeros(1, 1, dtype=torch.long), r"indices must be one row of integers; got torch.int64 \[1, 1\]"),
    ],
)
def test_select_checks_its_indices(indices: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_edges([(2, [(0, 1)]), (1, [])]).select(indices)


def test_concatenate_needs_parts_that_carry_the_same() -> None:
    with pytest.raises(ValueError, match="expected at least one batch of graphs; got none"):
        concatenate([])
    with pytest.raises(ValueError, match="either all batches carry node_label or none does; 1 of 2 do"):
        concatenate([SMALL["cycle 4"], SMALL["node labels on a cycle"]])
    with pytest.raises(ValueError, match=r"x of one width; got widths \[1, 2\]"):
        concatenate([Graphs(NO_EDGES, TWO, x=torch.zeros(2, 1)), Graphs(NO_EDGES, TWO, x=torch.zeros(2, 2))])

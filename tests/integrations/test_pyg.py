"""PyG: transforms that are equivariant in law and reproducible in workers, and the module that joins them."""

import copy
import pickle

import pytest
import torch

pytest.importorskip("torch_geometric")

from torch_geometric.data import Batch, Data
from torch_geometric.loader import DataLoader
from torch_geometric.nn import GIN
from torch_geometric.transforms import AddLaplacianEigenvectorPE, Compose

from examples import LARGE, SMALL, ring
from laws import ChiSquare, check_features_law, copies
from sympe import Graphs, InversionKernel, RankEncoding, SymPE
from sympe.actions import GraphRelabeling
from sympe.breaking import Noise, Nothing
from sympe.canonicalize import Constant, Labeling
from sympe.graphs import from_edges, to_pyg
from sympe.integrations.pyg import AddLaplacianPE, AddSymPE, BreakSymmetry

CYCLE = from_edges([(8, ring(8))])


def cycle(number: int = 0) -> Data:
    return Data(edge_index=CYCLE.edge_index, num_nodes=8, x=torch.ones(8, 1), idx=number)


def ranks(loader: DataLoader) -> list[list[int]]:
    return [row for batch in loader for row in batch.sympe_rank.view(-1, 8).tolist()]


def test_stored_ranks_follow_the_kernel(generator: torch.Generator) -> None:
    """Uniform on the 16 orders of a ring of eight that are alike."""
    transform = AddSymPE(Labeling(), seed=3)
    many = copies(CYCLE, 1600)
    drawn = transform(Data(edge_index=many.edge_index, batch=many.batch, num_nodes=many.num_nodes)).sympe_rank.view(
        -1, 8
    )
    _, counts = drawn.unique(dim=0, return_counts=True)
    assert len(counts) == 16
    test = ChiSquare()
    test.fit("ring of eight", counts.numpy())
    test.require("uniform on the coset")


def test_laplacian_law_moves_with_the_input(generator: torch.Generator) -> None:
    transform = AddLaplacianPE(2, seed=0)

    def draw(x: Graphs, seeded: torch.Generator) -> torch.Tensor:
        transform.draws._stream, transform.draws._origin = seeded, (0,)
        return transform(Data(edge_index=x.edge_index, num_nodes=x.num_nodes, batch=x.batch)).laplacian_eigenvector_pe

    check_features_law(draw, {"cycle 8": LARGE["cycle 8"][0], "path 4": SMALL["path 4"]}, generator, draws=1000)


def test_the_transform_of_pyg_depends_on_the_storage_of_a_ring(generator: torch.Generator) -> None:
    """What ours is for: relabel a ring of eight, undo it in the answer, and PyG's has changed beyond its signs."""
    action = GraphRelabeling()
    peers = AddLaplacianEigenvectorPE(2, attr_name="pe", is_undirected=True)
    spread = 0.0
    for _ in range(5):
        g = action.group.haar(CYCLE, generator)
        here = peers(Data(edge_index=CYCLE.edge_index, num_nodes=8)).pe.abs()
        there = peers(Data(edge_index=action.act(g, CYCLE).edge_index, num_nodes=8)).pe.abs()
        spread = max(spread, float((there[g.image] - here).abs().max()))
    assert spread > 0.2

    # Second moments of ours are those of the eigenspace, the same for every relabeling.
    many, transform = copies(CYCLE, 3000), AddLaplacianPE(2, seed=1)
    g = action.group.haar(CYCLE, generator)
    moments = []
    for x in (CYCLE, action.act(g, CYCLE)):
        batch = Data(edge_index=copies(x, 3000).edge_index, num_nodes=many.num_nodes, batch=many.batch)
        pe = transform(batch).laplacian_eigenvector_pe.view(3000, 8, 2)
        moments.append(torch.einsum("cik,cjk->ij", pe, pe) / 3000)
    assert (moments[1][g.image][:, g.image] - moments[0]).abs().max() < 0.15


@pytest.mark.parametrize("workers", [0, 2])
def test_seeded_draws_are_reproducible_and_all_different(workers: int) -> None:
    def epochs() -> list[list[list[int]]]:
        transform = AddSymPE(Constant(), seed=7)
        data = [cycle(i) for i in range(8)]
        loader = DataLoader(
            Transformed(data, transform), batch_size=2, num_workers=workers, generator=torch.Generator().manual_seed(1)
        )
        return [ranks(loader) for _ in range(2)]

    first, again = epochs(), epochs()
    assert first == again
    everything = [tuple(row) for epoch in first for row in epoch]
    assert len(set(everything)) == 16  # two of 8! orders agree with probability 0.3 %


class Transformed(torch.utils.data.Dataset):
    def __init__(self, data: list[Data], transform: object) -> None:
        self.data, self.transform = data, transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> Data:
        return self.transform(self.data[index])


def test_draws_with_a_key_do_not_depend_on_workers_or_order() -> None:
    transform = AddSymPE(Constant(), seed=7, key="idx")
    data = [cycle(i) for i in range(6)]
    alone = [transform(d).sympe_rank.tolist() for d in data]
    assert [transform(d).sympe_rank.tolist() for d in reversed(data)] == alone[::-1]
    assert ranks(DataLoader(Transformed(data, transform), batch_size=3, num_workers=2)) == alone
    transform.epoch = 1
    assert transform(data[0]).sympe_rank.tolist() != alone[0]
    assert len({tuple(row) for row in alone}) == 6


def test_without_a_seed_the_default_generator_decides() -> None:
    transform = AddSymPE(Constant())
    with torch.random.fork_rng():
        torch.manual_seed(5)
        first = transform(cycle()).sympe_rank
        second = transform(cycle()).sympe_rank
        torch.manual_seed(5)
        assert torch.equal(transform(cycle()).sympe_rank, first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_transforms_can_be_copied(duplicate: object) -> None:
    transform = AddSymPE(Labeling(), seed=2)
    fresh = duplicate(transform)
    first = transform(cycle()).sympe_rank
    assert torch.equal(fresh(cycle()).sympe_rank, first)
    assert repr(Compose([transform, AddLaplacianPE(2)]))


def test_the_data_are_left_as_they_were() -> None:
    data = cycle()
    AddSymPE(Labeling(), seed=0)(data)
    AddLaplacianPE(2, attr_name=None)(data)
    BreakSymmetry(Noise(2))(data)
    assert sorted(data.keys()) == ["edge_index", "idx", "num_nodes", "x"]
    assert data.x.shape == (8, 1)


def test_a_batch_with_stored_ranks(generator: torch.Generator) -> None:
    """Looking up what workers have drawn is the same as moving v by the draw."""
    pe = SymPE(InversionKernel(Labeling()), RankEncoding(4, 16))
    transform = AddSymPE(Labeling(), seed=0)
    graphs = [SMALL["path 3"], CYCLE, SMALL["one node"], SMALL["star 5"]]
    batch = Batch.from_data_list([transform(to_pyg(g)[0]) for g in graphs])
    joined = BreakSymmetry(pe)(batch)
    assert torch.equal(joined.x, pe.encoding.v[batch.sympe_rank])
    again = BreakSymmetry(pe)(batch, generator)
    assert torch.equal(again.x, joined.x)
    joined.x.sum().backward()
    assert pe.encoding.v.grad is not None


def test_a_batch_without_ranks_draws_here(generator: torch.Generator) -> None:
    pe = SymPE(InversionKernel(Constant()), RankEncoding(4, 16))
    batch = Batch.from_data_list([cycle(), cycle()])
    joined = BreakSymmetry(pe)(batch, generator)
    assert joined.x.shape == (16, 5)
    assert torch.equal(joined.x[:, :1], batch.x)
    assert not torch.equal(joined.x[:8], joined.x[8:])
    assert torch.equal(joined.batch, batch.batch)
    assert BreakSymmetry(Nothing())(batch).x.shape == (16, 1)


def test_a_network_of_pyg_tells_nodes_apart(generator: torch.Generator) -> None:
    pe = SymPE(InversionKernel(Labeling()), RankEncoding(4, 16))
    network = GIN(5, 8, 2)
    data = BreakSymmetry(pe)(Batch.from_data_list([cycle()]), generator)
    output = network(data.x, data.edge_index)
    assert (output - output[0]).abs().max() > 1e-3


def test_labels_by_any_name(generator: torch.Generator) -> None:
    labeled = Data(
        edge_index=CYCLE.edge_index, num_nodes=8, z=torch.tensor([6, 7] * 4), kind=torch.zeros(16, dtype=torch.long)
    )
    drawn = torch.stack(
        [AddSymPE(Labeling(), node_label="z", edge_label="kind", seed=s)(labeled).sympe_rank for s in range(100)]
    )
    assert len(drawn.unique(dim=0)) == 8
    with pytest.raises(ValueError, match="expected data with the attribute 'charge', the node label; got none"):
        AddSymPE(Labeling(), node_label="charge")(labeled)


def test_one_node_and_no_edges() -> None:
    data = Data(edge_index=torch.zeros(2, 0, dtype=torch.long), num_nodes=1)
    assert AddSymPE(Labeling(), seed=0)(data).sympe_rank.tolist() == [0]
    assert AddLaplacianPE(3)(data).laplacian_eigenvector_pe.tolist() == [[0, 0, 0]]


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="seed must be at least 0; got -1"):
        AddSymPE(Labeling(), seed=-1)
    with pytest.raises(ValueError, match="key 'idx' needs a seed"):
        AddSymPE(Labeling(), key="idx")
    with pytest.raises(ValueError, match="expected one number as attribute 'number' of each graph; got None"):
        AddSymPE(Labeling(), seed=0, key="number")(cycle())
    pe = SymPE(InversionKernel(Labeling()), RankEncoding(4, 16))
    data = cycle()
    data.x = torch.ones(8, 1, dtype=torch.long)
    for join in (BreakSymmetry(pe), AddLaplacianPE(2, attr_name=None)):
        with pytest.raises(ValueError, match="x must hold floating-point numbers, not to round the draw; got torch"):
            join(data)
    data = cycle()
    data.sympe_rank = torch.arange(7)
    with pytest.raises(ValueError, match=r"expected one rank for each of 8 nodes; got shape \[7\]"):
        BreakSymmetry(pe)(data)
    data.sympe_rank = torch.tensor([0, 1, 2, 3, 4, 5, 6, 6])
    with pytest.raises(ValueError, match=r"expected ranks 0 .. n-1 in each graph"):
        BreakSymmetry(pe)(data)

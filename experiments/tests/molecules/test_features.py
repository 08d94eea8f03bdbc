"""Extra features against plain definitions, and their equivariance on symmetric graphs."""

import math

import networkx
import pytest
import torch

from examples import LARGE
from sympe import Graphs
from sympe.graphs import to_dense
from sympe_experiments.molecules.features import chemical_features, count_cycles, spectral_features

RANDOM = [networkx.gnp_random_graph(n, p, seed=n) for n in (1, 2, 5, 8) for p in (0.3, 0.5, 0.9)]


def matrix(graph: networkx.Graph) -> torch.Tensor:
    return torch.tensor(networkx.to_numpy_array(graph), dtype=torch.float32)[None]


@pytest.mark.parametrize("graph", [*RANDOM, networkx.petersen_graph(), networkx.cycle_graph(6)])
def test_cycles_are_counted(graph: networkx.Graph) -> None:
    cycles = [cycle for cycle in networkx.simple_cycles(graph, length_bound=6) if len(cycle) > 2]
    nodes, graphs = count_cycles(matrix(graph))
    for at, length in enumerate((3, 4, 5, 6)):
        of_length = [cycle for cycle in cycles if len(cycle) == length]
        assert graphs[0, at] == pytest.approx(len(of_length), abs=1e-3)
        if length < 6:
            through = [sum(node in cycle for cycle in of_length) for node in graph]
            assert nodes[0, :, at].tolist() == pytest.approx(through, abs=1e-3)


@pytest.mark.parametrize("name", [*LARGE])
def test_spectral_features_of_symmetric_graphs_are_equivariant(name: str, generator: torch.Generator) -> None:
    x = LARGE[name][0]
    dense = to_dense(Graphs(x.edge_index, x.batch))[0].float()
    a = torch.maximum(dense, dense.transpose(1, 2)).clamp(max=1)
    a = a * (1 - torch.eye(a.shape[1]))
    order = torch.randperm(a.shape[1], generator=generator)
    nodes, graphs = spectral_features(a)
    moved_nodes, moved_graphs = spectral_features(a[:, order][:, :, order])
    torch.testing.assert_close(moved_nodes, nodes[:, order], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(moved_graphs, graphs, atol=1e-4, rtol=1e-4)


def test_spectrum_of_a_cycle_and_a_path() -> None:
    """A component of four in a cycle, with eigenvalues 2, 2, 4, and one of three in a path, with 1 and 3."""
    a = matrix(networkx.disjoint_union(networkx.cycle_graph(4), networkx.path_graph(3)))
    nodes, graphs = spectral_features(a)
    assert graphs[0].tolist() == pytest.approx([2 / 7, 1, 2, 2, 3, 4], abs=1e-5)
    assert nodes[0, :, 0].tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert nodes[0, :, 1].tolist() == pytest.approx([0, 0, 0, 0, 3.5, 0, 3.5], abs=1e-4)
    assert nodes[0, :, 2].tolist() == pytest.approx([3.5] * 4 + [0] * 3, abs=1e-4)


def test_a_long_path_is_one_component() -> None:
    """Its lowest eigenvalue above 0 is 7e-4, its eigenvectors are cosines."""
    n = 120
    nodes, graphs = spectral_features(matrix(networkx.path_graph(n)))
    expected = [2 - 2 * math.cos(math.pi * k / n) for k in range(1, 6)]
    assert graphs[0].tolist() == pytest.approx([1 / n, *expected], abs=1e-5)
    for k in (1, 2):
        wave = [2 * math.cos(math.pi * k * (i + 0.5) / n) ** 2 for i in range(n)]
        assert nodes[0, :, k].tolist() == pytest.approx(wave, abs=1e-3)


def test_valences() -> None:
    """Formaldehyde with a hydrogen too few."""
    kind = torch.eye(3)[[1, 2, 0]][None]
    order = torch.tensor([[3.0, 2.0, 1.0]])
    nodes, weight = chemical_features(kind, order, ("H", "C", "O"))
    assert nodes[0].tolist() == [[3, 1], [2, 0], [1, 0]]
    assert weight[0, 0] == pytest.approx(0.29018, abs=1e-5)

"""Few eigenvectors of large graphs against dense ones: the law of an encoding depends only on whole eigenspaces."""

from typing import Any

import networkx
import numpy as np
import pytest
import scipy.sparse.linalg
import torch
from torch import Tensor

from examples import from_nx
from sympe import Graphs
from sympe.graphs import concatenate, laplacian_spectrum, spectrum

GRAPHS = {
    "torus": networkx.grid_2d_graph(24, 24, periodic=True),
    "grid": networkx.grid_2d_graph(23, 23),
    "path": networkx.path_graph(600),
    "cycle": networkx.cycle_graph(601),
    "hypercube": networkx.hypercube_graph(10),
    "random regular": networkx.random_regular_graph(4, 700, seed=0),
    "tree of equal branches": networkx.balanced_tree(3, 6),
    "three equal grids": networkx.disjoint_union_all([networkx.grid_2d_graph(15, 15)] * 3),
    "two paths and a point": networkx.disjoint_union_all([networkx.path_graph(n) for n in (300, 300, 1)]),
    "many parts": networkx.disjoint_union_all([networkx.cycle_graph(6)] * 100),
    "star": networkx.star_graph(600),
}


def projectors(x: Graphs, count: int) -> list[tuple[float, Tensor]]:
    """Each eigenvalue with the projector on its eigenspace."""
    found = laplacian_spectrum(x, count, dtype=torch.float64)
    spaces, dims = torch.unique_consecutive(found.space[0], return_counts=True)
    assert len(spaces) == len(spaces.unique())
    values, blocks = found.values[0].split(dims.tolist()), found.vectors.split(dims.tolist(), dim=1)
    return [(float(value[0]), block @ block.T / x.num_nodes) for value, block in zip(values, blocks, strict=True)]


def check(x: Graphs, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sparse = projectors(x, count)
    monkeypatch.setattr(spectrum, "_LARGE", 10**6)
    dense = projectors(x, count)
    assert len(sparse) == len(dense)
    for (value, space), (expected, whole) in zip(sparse, dense, strict=True):
        assert value == pytest.approx(expected, abs=1e-9)
        assert torch.allclose(space, whole, atol=1e-6)


@pytest.mark.parametrize("name", GRAPHS)
def test_eigenspaces_are_those_of_the_dense_matrix(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(from_nx(GRAPHS[name]), 6, monkeypatch)


def test_eigenvalues_of_a_long_path_are_told_apart() -> None:
    """They differ by 10^-7, and no symmetry mixes their vectors."""
    found = laplacian_spectrum(from_nx(networkx.path_graph(20_000)), 4, dtype=torch.float64)
    exact = 4 * torch.sin(torch.arange(1, 5, dtype=torch.float64) * torch.pi / 40_000) ** 2
    assert torch.allclose(found.values[0], exact, rtol=1e-5, atol=0)
    assert found.space.tolist() == [[0, 1, 2, 3]]


def test_what_a_first_search_misses_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first search returns a space of four without one vector, and the next eigenvector in its place."""
    eigsh, calls = scipy.sparse.linalg.eigsh, []

    def forgetful(operator: Any, k: int, **options: Any) -> tuple[np.ndarray, np.ndarray]:
        calls.append(k)
        if len(calls) > 1:
            return eigsh(operator, k, **options)
        values, vectors = eigsh(operator, k + 4, **options)
        return values[-k - 1 : -1], vectors[:, -k - 1 : -1]

    monkeypatch.setattr(scipy.sparse.linalg, "eigsh", forgetful)
    check(from_nx(GRAPHS["torus"]), 6, monkeypatch)
    assert len(calls) > 2


def test_large_and_small_graphs_share_a_batch() -> None:
    parts = [from_nx(networkx.cycle_graph(n)) for n in (5, 601, 3, 700)]
    together = laplacian_spectrum(concatenate(parts), 4)
    assert together.vectors.shape == (1309, 4)
    for index, part in enumerate(parts):
        alone = laplacian_spectrum(part, 4)
        assert torch.allclose(together.values[index], alone.values[0], atol=1e-6)
        mine = together.vectors[together.batch == index]
        assert torch.allclose(mine @ mine.T, alone.vectors @ alone.vectors.T, atol=1e-3)
    drawn = together.rotate(torch.Generator().manual_seed(0))
    assert torch.allclose(drawn.square().sum(0), torch.tensor([1309.0, 1309.0, 1306.0, 1306.0]), rtol=1e-4)

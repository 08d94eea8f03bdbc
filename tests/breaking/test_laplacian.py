"""Laplacian encodings: the exact law of every eigenspace, and what it is a law of."""

import networkx
import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from examples import LARGE, SMALL, batch_of, from_nx, ring, shuffle_edges, single
from laws import ChiSquare, check_features_law, copies
from sympe import Graphs
from sympe.actions import GraphRelabeling
from sympe.breaking import Laplacian
from sympe.graphs import Spectrum, concatenate, laplacian_spectrum, to_dense, to_networkx

#: Eigenspaces of dimension 1 (paths), 2 (cycles), 3 and more (complete, cube), and of disconnected graphs.
SPECTRA = {name: SMALL[name] for name in ("path 4", "complete 4", "cycle 5", "two edges", "no edges", "bull")} | {
    name: LARGE[name][0] for name in ("cycle 8", "cube", "two triangles", "triangle and path", "petersen")
}


class SignFlips(Laplacian):
    """Eigenvectors as the solver returns them, each with a random sign: not enough where eigenvalues repeat."""

    def forward(self, x: Graphs, generator: torch.Generator | None = None, spectrum: Spectrum | None = None) -> Tensor:
        spectrum = self.spectrum(x)
        sign = torch.randint(2, spectrum.values.shape, generator=generator) * 2 - 1
        return (spectrum.vectors * sign[x.batch])[:, : self.dim]


def eigenspaces(x: Graphs) -> list[tuple[float, np.ndarray]]:
    """Eigenvalues above the constant vector and orthonormal bases, by numpy from networkx's matrix."""
    n = x.num_nodes
    laplacian = networkx.laplacian_matrix(to_networkx(x)[0], nodelist=range(n)).toarray().astype(float)
    # The constant vector is moved out of the way; it would mix with the rest of the kernel if disconnected.
    values, vectors = np.linalg.eigh(laplacian + 3 * n * np.ones((n, n)) / n)
    cuts = np.flatnonzero(np.diff(values[:-1]) > 1e-6) + 1
    blocks = np.split(np.arange(n - 1), cuts)
    return [(float(values[block[0]]), vectors[:, block]) for block in blocks]


def check_exact_law(draw: Laplacian, examples: dict[str, Graphs], generator: torch.Generator) -> None:
    """Each eigenspace of dimension m is turned by Haar's measure, seen from a basis of our own.

    The first vector's direction in that basis is uniform on the sphere: each coordinate c has c^2 ~ Beta(1/2, (m-1)/2).
    In two dimensions the angle is tested, in one the sign. Draws are for random relabelings of the graph.
    """
    test = ChiSquare()
    count, bins = 2000, 16
    action = GraphRelabeling()
    for name, x in examples.items():
        many = copies(x, count)
        g = action.group.haar(many, generator)
        moved = shuffle_edges(action.act(g, many), generator)
        drawn = draw(moved, generator)[g.image].view(count, x.num_nodes, -1).double().numpy()
        column = 0
        for value, basis in eigenspaces(x):
            dim = basis.shape[1]
            direction = drawn[:, :, column] @ basis / np.sqrt(x.num_nodes)
            assert np.allclose((direction**2).sum(1), 1, atol=1e-4), f"{name}: not in the eigenspace of {value}"
            if dim == 1:
                uniform = direction[:, 0] > 0
                test.fit(f"{name} {value:.2f}", np.bincount(uniform, minlength=2))
            elif dim == 2:
                angle = np.arctan2(direction[:, 1], direction[:, 0]) / (2 * np.pi) % 1
                test.fit(f"{name} {value:.2f}", np.bincount((angle * bins).astype(int) % bins, minlength=bins))
            else:
                level = stats.beta.cdf(np.minimum(direction[:, 0] ** 2, 1), 0.5, (dim - 1) / 2)
                half = (level + (direction[:, 0] > 0)) / 2
                test.fit(
                    f"{name} {value:.2f}", np.bincount((half * bins).astype(int).clip(max=bins - 1), minlength=bins)
                )
            column += dim
    test.require("every eigenspace is turned by Haar's measure")


def test_every_eigenspace_is_turned_by_haar(generator: torch.Generator) -> None:
    check_exact_law(Laplacian(9), SPECTRA, generator)


@pytest.mark.parametrize("name", ["complete 4", "cycle 8"])
def test_the_checker_rejects_sign_flips(name: str, generator: torch.Generator) -> None:
    with pytest.raises(AssertionError, match="turned by Haar"):
        check_exact_law(SignFlips(7), {name: SPECTRA[name]}, generator)


def test_sign_flips_are_right_where_no_eigenvalue_repeats(generator: torch.Generator) -> None:
    check_exact_law(SignFlips(7), {"path 7": LARGE["path 7"][0], "bull": SMALL["bull"]}, generator)


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_law_moves_with_the_input(dim: int, generator: torch.Generator) -> None:
    """Also where an eigenspace straddles the cut, and among graphs of other sizes."""
    check_features_law(Laplacian(dim), SMALL | {name: SPECTRA[name] for name in ("cycle 8", "cube")}, generator)


def test_the_checker_rejects_sign_flips_in_law(generator: torch.Generator) -> None:
    with pytest.raises(AssertionError, match=r"law\(f\(k x\)\) = law\(k f\(x\)\)"):
        check_features_law(SignFlips(2), {"cycle 8": SPECTRA["cycle 8"], "path 4": SMALL["path 4"]}, generator)


@pytest.mark.parametrize("dim", [1, 3, 4])
def test_second_moments_of_a_space_cut_in_two(dim: int, generator: torch.Generator) -> None:
    """K_5 has one eigenspace of dimension 4: any vectors kept have E[u u^T] = (n / 4) P, P its projector."""
    x, count = from_nx(networkx.complete_graph(5)), 4000
    drawn = Laplacian(dim)(copies(x, count), generator).view(count, 5, dim).double()
    moments = torch.einsum("cik,cjk->kij", drawn, drawn) / count
    projector = torch.eye(5) - torch.full((5, 5), 0.2)
    # Entries of u u^T have a standard deviation below 2: five standard errors of the mean.
    assert (moments - 5 / 4 * projector).abs().max() < 5 * 2 / count**0.5
    across = torch.einsum("cik,cil->kl", drawn, drawn) / count
    assert torch.allclose(across, 5 * torch.eye(dim, dtype=torch.double), atol=1e-4)


@pytest.mark.parametrize("name", SPECTRA)
def test_vectors_solve_the_eigenvalue_problem(name: str, generator: torch.Generator) -> None:
    x = SPECTRA[name]
    n = x.num_nodes
    spectrum = laplacian_spectrum(x, n - 1, dtype=torch.float64)
    u = spectrum.rotate(generator)
    adjacency = to_dense(x)[0][0].double()
    laplacian = adjacency.sum(1).diag() - adjacency
    assert torch.allclose(laplacian @ u, u * spectrum.values[0], atol=1e-9)
    assert torch.allclose(u.T @ u, n * torch.eye(n - 1, dtype=torch.double), atol=1e-9)
    assert torch.allclose(u.sum(0), torch.zeros(n - 1, dtype=torch.double), atol=1e-9)
    expected = np.concatenate([[value] * basis.shape[1] for value, basis in eigenspaces(x)])
    assert np.allclose(spectrum.values[0].numpy(), expected, atol=1e-9)
    sizes = [basis.shape[1] for _, basis in eigenspaces(x)]
    assert torch.unique_consecutive(spectrum.space[0], return_counts=True)[1].tolist() == sizes


def test_an_eigenspace_at_the_cut_is_kept_whole() -> None:
    spectrum = laplacian_spectrum(from_nx(networkx.complete_graph(5)), 2)
    assert spectrum.vectors.shape == (5, 4)
    assert Laplacian(2)(from_nx(networkx.complete_graph(5))).shape == (5, 2)


def test_smaller_graphs_are_padded_with_zeros(generator: torch.Generator) -> None:
    crowd = concatenate([SMALL["one node"], SMALL["path 3"], LARGE["cycle 8"][0]])
    drawn = Laplacian(4)(crowd, generator)
    assert drawn[0].tolist() == [0, 0, 0, 0]
    assert (drawn[1:4, :2].square().sum(0) - 3).abs().max() < 1e-5
    assert (drawn[1:4, 2:] == 0).all()
    assert (drawn[4:].square().sum(0) - 8).abs().max() < 1e-5
    alone = Laplacian(4)(SMALL["path 3"], generator)
    assert alone.shape == (3, 4)
    assert (alone[:, 2:] == 0).all()


@pytest.mark.parametrize(("batch", "num_graphs"), [([], 0), ([], 3), ([0], 1), ([1, 1, 4], 7)])
def test_empty_graphs_and_no_graphs(batch: list[int], num_graphs: int, generator: torch.Generator) -> None:
    none = torch.zeros(2, 0, dtype=torch.long)
    x = Graphs(none, torch.tensor(batch, dtype=torch.long), num_graphs=num_graphs)
    drawn = Laplacian(3)(x, generator)
    assert drawn.shape == (len(batch), 3)
    assert drawn.isfinite().all()


def test_directions_labels_loops_and_parallel_edges_are_left_aside() -> None:
    plain = Graphs(torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), torch.zeros(3, dtype=torch.long))
    other = Graphs(
        torch.tensor([[0, 0, 2, 2], [1, 1, 1, 2]]),
        torch.zeros(3, dtype=torch.long),
        edge_label=torch.tensor([0, 4, 5, 6]),
    )
    assert torch.equal(laplacian_spectrum(plain, 2).values, laplacian_spectrum(other, 2).values)


def test_a_spectrum_can_be_computed_once(generator: torch.Generator) -> None:
    x = batch_of({name: SPECTRA[name] for name in ("cycle 8", "cube")})
    laplacian = Laplacian(3)
    first = laplacian(x, torch.Generator().manual_seed(5))
    again = laplacian.rotated(laplacian.spectrum(x), torch.Generator().manual_seed(5))
    assert torch.equal(first, again)


def test_spectra_of_equal_sizes_can_be_selected() -> None:
    cycle, cube = SPECTRA["cycle 8"], SPECTRA["cube"]
    both = laplacian_spectrum(concatenate([cycle, cube]), 7).select([1, 0, 1])
    expected = laplacian_spectrum(concatenate([cube, cycle, cube]), 7)
    assert torch.equal(both.space, expected.space)
    assert torch.equal(both.batch, expected.batch)
    assert torch.allclose(both.values, expected.values, atol=1e-6)


@pytest.mark.parametrize("dim", [0, -1])
def test_dim_must_be_positive(dim: int) -> None:
    with pytest.raises(ValueError, match=f"dim must be at least 1; got {dim}"):
        Laplacian(dim)
    with pytest.raises(ValueError, match=f"num_vectors must be at least 1; got {dim}"):
        laplacian_spectrum(single(3, ring(3)), dim)

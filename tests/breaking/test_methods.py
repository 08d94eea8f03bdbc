"""Every method by its name: shapes, laws, and the controls that have none."""

import pytest
import torch

from examples import SMALL
from laws import check_features_law, check_reproducible
from sympe import Graphs, RankEncoding
from sympe.actions import GraphRelabeling, PointRotation, wigner_d
from sympe.breaking import GRAPH_METHODS, POINT_METHODS, IrrepsNoise, Nothing, Unmoved, for_graphs, for_points
from sympe.canonicalize import PrincipalAxes
from sympe.encoding import IrrepsEncoding
from sympe.points import from_clouds

SQUARE = from_clouds([[[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [-1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]]])
BENT = from_clouds([[[1.0, 0.2, 0.0], [0.0, -1.3, 0.4], [-0.5, 0.0, 0.9], [0.1, 0.8, -2.0]]])
IRREPS = "1x0e+1x1o+1x2e"


@pytest.mark.parametrize("method", GRAPH_METHODS)
def test_graph_methods(method: str, generator: torch.Generator) -> None:
    module = for_graphs(method, 4, 8)
    some = {name: SMALL[name] for name in ("cycle 4", "path 3", "two edges")}
    for x in some.values():
        assert module(x, generator).shape == (x.num_nodes, module.dim)
    if method == "none":
        return
    assert module.dim == 4

    def draw(x: Graphs, seeded: torch.Generator) -> torch.Tensor:
        with torch.no_grad():
            return module(x, seeded)

    check_features_law(draw, some, generator, draws=500)


@pytest.mark.parametrize("method", POINT_METHODS)
def test_point_methods(method: str, generator: torch.Generator) -> None:
    module = for_points(method, IRREPS)
    drawn = module(SQUARE.select([0] * 6), generator)
    assert drawn.shape == (6, module.dim)
    assert module.dim == (0 if method == "none" else 9)
    assert drawn.isfinite().all()
    if method not in ("none", "unmoved"):
        check_reproducible(lambda seeded: module(SQUARE.select([0] * 6), seeded).detach())


def test_an_input_without_symmetry_fixes_the_vector(generator: torch.Generator) -> None:
    action = PointRotation()
    g = action.group.haar(BENT, generator)
    for method in ("sympe-frames", "symmetry-breaking-set"):
        module = for_points(method, IRREPS)
        first, again, turned = module(BENT), module(BENT), module(action.act(g, BENT))
        assert torch.allclose(first, again, atol=1e-4)
        assert torch.allclose(first @ wigner_d(g[0], IRREPS).T, turned, atol=1e-4)


def test_a_vector_that_is_not_moved_is_not_equivariant(generator: torch.Generator) -> None:
    action = PointRotation()
    g = action.group.haar(BENT, generator)
    module = for_points("unmoved", IRREPS)
    assert torch.equal(module(BENT), module(action.act(g, BENT)))
    ranks = Unmoved(RankEncoding(3, 8), GraphRelabeling())
    assert torch.equal(ranks(SMALL["cycle 4"]), ranks.encoding.v[:4])


def test_noise_in_irreps(generator: torch.Generator) -> None:
    drawn = IrrepsNoise(IRREPS)(SQUARE.select([0] * 4000), generator).double()
    covariance = drawn.T @ drawn / 4000
    # Five standard errors of a variance of one.
    assert (covariance - torch.eye(9)).abs().max() < 5 * (2 / 4000) ** 0.5


def test_nothing_has_no_width() -> None:
    assert Nothing()(SMALL["cycle 4"]).shape == (4, 0)
    assert Nothing(per_node=False)(SQUARE).shape == (1, 0)


@pytest.mark.parametrize("special", [False, True])
def test_principal_axes(special: bool, generator: torch.Generator) -> None:
    axes = PrincipalAxes(special=special)
    many = BENT.select([0] * 50)
    action = PointRotation(special=special)
    g = action.group.haar(many, generator)
    found = axes(action.act(g, many))
    assert torch.allclose(found @ found.mT, torch.eye(3).expand(50, -1, -1), atol=1e-5)
    if special:
        assert torch.allclose(torch.linalg.det(found), torch.ones(50), atol=1e-5)
    # Up to signs the axes move with the cloud.
    assert torch.allclose((g.mT @ found).abs(), axes(BENT).abs().expand(50, -1, -1), atol=1e-4)


def test_unknown_names() -> None:
    with pytest.raises(ValueError, match="unknown method 'pca'; choose one of none, noise, "):
        for_graphs("pca", 4, 8)
    with pytest.raises(ValueError, match="unknown method 'laplacian'; choose one of none, noise, "):
        for_points("laplacian", IRREPS)


def test_irreps_are_checked() -> None:
    with pytest.raises(ValueError, match="irreps must read like"):
        for_points("sympe-frames", "2x1x")
    assert IrrepsEncoding("1x1o").dim == 3

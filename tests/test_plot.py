"""Pictures for users: alike nodes look alike, and what is drawn is what the kernel drew."""

import networkx
import pytest
import torch

import sympe
from sympe import plot
from sympe.auditing.drawing import color_of, layout, orbit_names
from sympe.seeding import sequence_generator

SQUARE = torch.tensor([[1.0, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]])


def test_alike_nodes_share_a_number_and_a_color() -> None:
    figure = plot.orbits(networkx.path_graph(5))
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["1", "2", "", "2", "1"]
    colors = axes.collections[0].get_facecolors()
    assert (colors[0] == colors[4]).all()
    assert (colors[0] != colors[1]).any()


def test_points_in_space_are_drawn_by_their_point_group() -> None:
    chiral = torch.tensor([[1.0, 0, 0.2], [0, 1, -0.2], [-1, 0, 0.2], [0, -1, -0.2], [0, 0, 2], [0.3, 0.1, -1]])
    for cloud, expected in ((SQUARE, ["1"] * 4), (chiral, [""] * 6)):
        (axes,) = plot.orbits(sympe.points.as_clouds(cloud)).axes
        assert [text.get_text() for text in axes.texts] == expected


def test_draws_are_those_of_the_kernel() -> None:
    kernel = sympe.InversionKernel(sympe.canonicalize.Labeling())
    graph = sympe.graphs.as_graphs(networkx.petersen_graph())
    figure = plot.draws(kernel, graph, 3, generator=sequence_generator(0))
    shown = [[int(text.get_text()) for text in axes.texts] for axes in figure.axes]
    generator = sequence_generator(0)
    assert shown == [kernel(graph, generator).rank.tolist() for _ in range(3)]


def test_frames_point_where_the_axes_go() -> None:
    kernel = sympe.InversionKernel(sympe.canonicalize.Frames())
    figure = plot.frames(kernel, SQUARE, 2, generator=sequence_generator(0))
    assert len(figure.axes) == 2
    assert [text.get_text() for text in figure.axes[0].texts if text.get_text()] == ["x", "y", "z"]


def test_what_cannot_be_drawn_is_refused() -> None:
    labels = sympe.InversionKernel(sympe.canonicalize.Labeling())
    frames = sympe.InversionKernel(sympe.canonicalize.Frames())
    with pytest.raises(ValueError, match="expected a graph or points in space; expected"):
        plot.orbits(3)
    with pytest.raises(ValueError, match=r"expected sympe\.PointClouds; got Graphs"):
        plot.draws(frames, networkx.cycle_graph(3))
    with pytest.raises(ValueError, match="got 0"):
        plot.draws(labels, networkx.cycle_graph(3), 0)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 40])
def test_layouts_fit_into_the_unit_disk(n: int) -> None:
    for edges in ([], [(i, i + 1) for i in range(n - 1)]):
        places = layout(n, edges, None)
        assert places.shape == (n, 2)
        assert abs(places).max(initial=0) <= 1
        assert (places == layout(n, edges, None)).all()


def test_the_largest_orbit_comes_first_and_what_is_alone_has_no_number() -> None:
    assert orbit_names([7, 3, 3, 5, 3, 5]) == [None, 1, 1, 2, 1, 2]
    assert color_of(1) == color_of(11) != color_of(2) != color_of(None)

import pytest

from sympe_experiments.autoencoder.figures import (
    error_by_method,
    learning_curves,
    pictures,
    single_and_best,
)
from sympe_experiments.report.canvas import LogRange, plain
from sympe_experiments.report.statistics import group_records


def test_log_range_leaves_room_for_zeros() -> None:
    without, with_zero = LogRange.of([0.1, 2.0]), LogRange.of([0.1, 0.0, 2.0])
    assert 0 < with_zero.low < without.low < 0.1 < 2 < without.high
    assert with_zero.place(0.0) == with_zero.low
    assert with_zero.place(0.5) == 0.5
    assert 0 < LogRange.of([0.0]).low < LogRange.of([]).high


def test_every_seed_mean_floor_and_poster_figure_is_drawn(make, floor) -> None:
    records = [make("sympe-sort", 0.5 + seed, seed) for seed in range(3)] + [make("zigzag", 0.3), floor]
    (group,) = group_records(records[:-1])
    picture = error_by_method(group, records, "error")
    assert picture is not None
    (axes,) = picture.figure.axes
    marks = {(line.get_marker(), float(line.get_xdata()[0])) for line in axes.lines if len(line.get_xdata()) == 1}
    assert marks == {("o", 0.5), ("o", 1.5), ("o", 2.5), ("|", 1.5), ("D", 0.77), ("^", 0.3), ("|", 0.3)}
    assert sorted(line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 2) == [0.7504, 1.1969]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["SymPE: sort by a learned scalar", "zigzag"]
    assert axes.get_xscale() == "log"


def test_zero_is_marked_at_the_end_of_the_axis(make) -> None:
    (group,) = group_records([make("sympe-sort", 0.5, best=0.0), make("none", 3.0, best=3.0)])
    picture = single_and_best(group, "best")
    assert picture is not None
    (axes,) = picture.figure.axes
    low = axes.get_xlim()[0]
    arrows = [float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "<"]
    assert arrows == pytest.approx([low])
    assert [text.get_text() for text in axes.texts].count("0") == 1
    assert "no error left for 1" in picture.alt


def test_learning_curves_are_means_of_seeds(make) -> None:
    errors = ([4.0, 1.0], [2.0, 0.0])
    records = [
        make(seed=s, history={"validation_epoch": [4, 8], "validation_error_percent": e}) for s, e in enumerate(errors)
    ]
    (group,) = group_records(records)
    picture = learning_curves(group, "learning")
    assert picture is not None
    (line,) = [line for line in picture.figure.axes[0].lines if "0.500 %" in str(line.get_label())]
    assert list(line.get_xdata()) == [4, 8]
    assert list(line.get_ydata()) == [3, 0.5]


def test_groups_have_figures_of_their_own(make) -> None:
    found = pictures([make(), make(recipe="best"), make(data="qm9", history={})])
    names = [picture.name for picture in found]
    assert len(names) == len(set(names)) == 8


def test_figures_are_the_same_bytes_each_time(make) -> None:
    first, second = ([(p.png(), p.svg()) for p in pictures([make()])] for _ in range(2))
    assert first == second
    assert all(png.startswith(b"\x89PNG") and svg.startswith("<svg") for png, svg in first)


def test_the_users_own_settings_do_not_show(make) -> None:
    import matplotlib

    usual = pictures([make()])[0].png()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 20}):
        assert pictures([make()])[0].png() == usual


def test_names_are_not_read_as_mathematics() -> None:
    assert plain("$x$") == r"\$x\$"
    assert plain("a" * 200) == "a" * 30 + "..." + "a" * 30


def test_methods_labeled_as_sympe_are_drawn_as_such() -> None:
    from sympe_experiments.programs.config import METHODS

    roles = {name: METHODS.role(name) for name in METHODS}
    assert {name for name in roles if "SymPE" in METHODS.label(name)} == {n for n in roles if roles[n] == "ours"}
    assert roles["orbit-ranks"] == "ours"
    assert (roles["haar"], roles["none"], roles["uniform"]) == ("control", "none", "other")

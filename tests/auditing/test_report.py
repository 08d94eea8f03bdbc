"""Audits of data in memory: rows, summary, verdict."""

import math

import networkx
import numpy as np
import pytest
import torch

import sympe
from examples import LARGE, SMALL, ring, single
from molecules import EXAMPLES
from sympe.auditing import Execution, Options
from sympe.graphs import concatenate, from_edges, from_networkx, to_pyg
from sympe.graphs.datasets import erdos_renyi

NAMES = ["petersen", "frucht", "star 6", "cycle 8"]
GRAPHS = concatenate([LARGE[name][0] for name in NAMES])


def test_rows_and_summary_without_a_target() -> None:
    report = sympe.audit(GRAPHS)
    rows = list(report.samples())
    assert [tuple(row) for row in rows] == [
        ("index", "n", "stabilizer_order", "log_stabilizer", "point_group", "irreducible_error")
    ] * 4
    orders = [LARGE[name][1] for name in NAMES]
    assert [row["stabilizer_order"] for row in rows] == orders
    assert [row["index"] for row in rows] == [0, 1, 2, 3]
    assert [row["n"] for row in rows] == GRAPHS.sizes.tolist()
    assert {row["irreducible_error"] for row in rows} == {row["point_group"] for row in rows} == {None}
    logs = np.log(orders)
    summary = report.summary
    assert (summary.samples, summary.symmetric, summary.symmetric_share) == (4, 3, 0.75)
    assert summary.mean_log_stabilizer == pytest.approx(logs.mean())
    expected = {f"q{q}": pytest.approx(np.quantile(logs, q / 100)) for q in (0, 25, 50, 75, 95, 100)}
    assert summary.log_stabilizer == expected
    sizes = [math.lgamma(n + 1) for n in GRAPHS.sizes.tolist()]
    assert summary.mean_log_orbit == pytest.approx(np.mean(sizes) - logs.mean())
    assert report.needed is None
    assert summary.verdict.startswith("It depends on the target: 3 of 4 samples (75 %) are symmetric")
    assert "Name the target" in str(report)
    assert repr(report) == f"AuditReport({summary.verdict!r})"


def test_a_target_that_breaks_symmetries(generator: torch.Generator) -> None:
    """One marked node in each graph: only frucht's can be told from the rest."""
    marked = torch.zeros(GRAPHS.num_nodes, dtype=torch.long)
    marked[GRAPHS.ptr[:-1]] = 1
    report = sympe.audit(GRAPHS, target=marked)
    errors = [row["irreducible_error"] for row in report.samples()]
    assert errors[1] == 0
    assert errors[0] == pytest.approx(1 / 10)
    summary = report.summary
    assert summary.loss == "zero-one"
    assert summary.entries == GRAPHS.num_nodes
    total = sum(e * n for e, n in zip(errors, GRAPHS.sizes.tolist(), strict=True))
    assert summary.irreducible_error == pytest.approx(total / GRAPHS.num_nodes)
    assert summary.irreducible_error_of_samples == pytest.approx(np.mean(errors))
    offenders = sorted(((e, -i) for i, e in enumerate(errors) if e), reverse=True)
    assert summary.offenders == [(-i, e) for e, i in offenders]
    assert [row["index"] for row in report.worst()] == [-i for _, i in offenders]
    assert report.needed is True
    assert f"Needed: in {len(offenders)} of 4 samples" in summary.verdict
    assert "sympe.SymPE" in summary.advice
    assert "wrong entries" in str(report)


def test_no_symmetry_no_need() -> None:
    frucht = LARGE["frucht"][0]
    assert sympe.audit(frucht).summary.verdict.startswith("Not needed: no sample has a symmetry")
    report = sympe.audit(frucht, target=torch.randn(12))
    assert report.needed is False
    assert report.summary.verdict.startswith("Not needed: no sample has a symmetry")
    assert "as it is" in report.summary.advice


def test_the_floors_of_the_autoencoder() -> None:
    graphs = erdos_renyi("test")
    for bottleneck, wrong, percent in (
        ("node-codes", 484, 0.750),
        ("node-differences", 772, 1.197),
    ):
        report = sympe.audit(graphs, target="adjacency", options=Options(bottleneck=bottleneck))
        summary = report.summary
        assert round(100 * summary.irreducible_error, 3) == percent
        assert summary.entries == 64_500
        assert round(100 * summary.symmetric_share, 1) == 47.0
        pairs = graphs.sizes * (graphs.sizes - 1)
        of_samples = [row["irreducible_error"] * n for row, n in zip(report.samples(), pairs.tolist(), strict=True)]
        assert sum(of_samples) == pytest.approx(wrong)
        assert summary.violations == sum(value > 0 for value in of_samples)
        assert f"{bottleneck} have a symmetry that the target lacks" in summary.verdict
    assert sympe.audit(graphs, target="adjacency").needed is False


def test_differences_of_codes_share_one_answer_over_all_samples() -> None:
    """Nine triangles and one edgeless graph: inside orbits most pairs are edges, so the edgeless graph pays."""
    graphs = concatenate([single(3, ring(3))] * 9 + [from_edges([(3, [])])])
    report = sympe.audit(graphs, target="adjacency", options=Options(bottleneck="node-differences"))
    assert [row["irreducible_error"] for row in report.samples()] == [0] * 9 + [1]
    assert report.summary.violations == 1


def test_pairs_of_codes_see_less_than_pairs_of_nodes(generator: torch.Generator) -> None:
    """A hexagon's distances follow from the graph, and not from two codes that are all alike."""
    hexagon = networkx.cycle_graph(6)
    distance = torch.from_numpy(networkx.floyd_warshall_numpy(hexagon)).long()
    assert sympe.audit([(hexagon, distance)]).needed is False
    report = sympe.audit([(hexagon, distance)], options=Options(bottleneck="node-codes"))
    assert report.summary.irreducible_error == pytest.approx(1 - 12 / 36)


def test_every_way_to_hand_over_a_graph() -> None:
    whole = sympe.audit(GRAPHS)
    ways = {
        "one by one": [GRAPHS.select([i]) for i in range(4)],
        "PyG": to_pyg(GRAPHS).to_data_list(),
        "a generator": (GRAPHS.select([i]) for i in range(4)),
    }
    for way, data in ways.items():
        assert list(sympe.audit(data).samples()) == list(whole.samples()), way
    some = [networkx.petersen_graph(), networkx.frucht_graph()]
    assert [row["stabilizer_order"] for row in sympe.audit(some).samples()] == [120, 1]


def test_the_kind_of_a_target_is_found_from_its_shape() -> None:
    graph = from_networkx([networkx.star_graph(3)])  # 4 nodes, 6 directed edges
    marked = [
        (torch.tensor([0, 1, 0, 0]), "node", 1 / 4),
        (torch.tensor([[0, 1], [1, 0], [0, 0], [0, 0]]), "node", 1 / 8),
        (torch.arange(16).view(4, 4), "pair", 11 / 16),
        (torch.tensor([1, 0, 0, 0, 0, 0]), "edge", 1 / 6),
        (torch.tensor([3.5, 2.0]), "sample", 0),
        (3.5, "sample", 0),
    ]
    for y, per, expected in marked:
        report = sympe.audit([(graph, y)])
        summary = report.summary
        assert summary.irreducible_error == pytest.approx(expected), y
        assert (summary.target, summary.per) == ("y", per)
        assert f" y per {per}, " in str(report)
    assert sympe.audit([(graph, torch.tensor([0, 1, 0, 0]))], per="sample").summary.irreducible_error == 0


def test_bad_samples_are_skipped_and_counted() -> None:
    good, looped = SMALL["path 3"], SMALL["loop on a path"]
    report = sympe.audit([good, looped, good, looped, good], target=None)
    assert report.summary.samples == 5
    data = [(good, torch.zeros(3)), (good, torch.zeros(4)), (good, torch.tensor([0.0, 0.0, torch.nan]))]
    report = sympe.audit(data + data, per="node")
    assert report.summary.samples == 2
    assert report.summary.skipped == 4
    assert [index for index, _ in report.skipped()] == [1, 2, 4, 5]
    assert report.summary.skipped_reasons == {
        "expected a target per node of a graph of 3 nodes and 4 directed edges": 2,
        "targets must be finite": 2,
    }
    report = sympe.audit(concatenate([good, looped]), target="adjacency", options=Options(bottleneck="node-codes"))
    assert report.summary.skipped_reasons == {"expected simple graphs without self-loops": 1}
    assert [row["index"] for row in report.samples()] == [0]
    assert "1 skipped" in str(report)


@pytest.mark.parametrize(
    ("data", "asked", "message"),
    [
        (GRAPHS, {"group": "o3"}, "expected points for this group; got graphs"),
        (GRAPHS, {"group": "sl2"}, "group must be auto or one of sn, torus, o3, so3"),
        (GRAPHS, {"loss": "huber"}, "loss must be one of"),
        (GRAPHS, {"options": {"bottleneck": "codes"}}, "bottleneck must be one of node-codes, node-differences"),
        (GRAPHS, {"options": {"bottleneck": "node-codes"}}, "needs a target, e.g. adjacency"),
        (
            GRAPHS,
            {"options": {"bottleneck": "node-differences"}, "target": torch.zeros(36)},
            "for the target adjacency only",
        ),
        (GRAPHS, {"target": torch.zeros(5)}, "expected one target for each of 36 nodes"),
        (GRAPHS, {"target": "y"}, "expected a tensor as the target"),
        (GRAPHS, {"options": {"split": "test"}}, "expected files for a split; got data in memory"),
        (GRAPHS, {"execution": {"engine": "dask"}}, "engine must be one of local, ray"),
        (GRAPHS, {"execution": {"workers": 0}}, "workers must be at least 1"),
        (GRAPHS, {"options": {"heavy_atoms": True}}, "expected molecules with elements"),
        (torch.zeros(2, 4, 4), {"target": "adjacency"}, "expected graphs to have an adjacency"),
        (torch.zeros(2, 4, 4), {"target": torch.zeros(3, 4, 4)}, "expected 2 targets, one per field; got 3"),
        ([], {}, "expected samples to audit; got none"),
        (from_edges([]), {}, "expected samples to audit; got none"),
        ([object()], {}, "expected a graph, a field, points or a crystal; got object"),
        (
            [GRAPHS.select([0])],
            {"group": "torus"},
            "a field must hold numbers of at most 64 bits, .*; got Graphs",
        ),
        (3, {}, "expected graphs, fields, points, pairs"),
        (GRAPHS, {"target": 1.0}, "expected targets in rows; got the number 1.0"),
        (EXAMPLES["water"].cloud, {"target": torch.zeros(2)}, "expected 1 targets, one per sample; got 2"),
        (
            EXAMPLES["water"].cloud,
            {"target": torch.zeros(3), "per": "node"},
            "no targets per node",
        ),
    ],
)
def test_questions_that_do_not_fit(data, asked, message: str) -> None:
    kinds = {"options": Options, "execution": Execution}
    with pytest.raises(ValueError, match=message):
        sympe.audit(data, **{name: kinds[name](**v) if name in kinds else v for name, v in asked.items()})

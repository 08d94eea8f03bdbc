import pytest

from sympe.breaking import GRAPH_METHODS, POINT_METHODS
from sympe_experiments.catalog import tables_of
from sympe_experiments.independent_sets import tables as independent_sets
from sympe_experiments.independent_sets.config import METHODS as OF_SETS
from sympe_experiments.records import Record
from sympe_experiments.shapes import tables as shapes
from sympe_experiments.shapes.config import METHODS as OF_SHAPES


def record(experiment: str, method: str, seed: int, error: float, **metrics: float | None) -> Record:
    values = {"error": error, "step_ms": 2.5, "excess_nats": None} | metrics
    return Record(experiment, method, "full", "data", seed, {"steps": 5}, values, 1.0, environment={})


def test_every_method_has_a_name() -> None:
    assert all(method.label for method in (*OF_SETS.values(), *OF_SHAPES.values()))
    assert set(POINT_METHODS) <= OF_SHAPES.keys()
    assert OF_SETS.keys() - {"canonicalized"} <= set(GRAPH_METHODS)


def test_rows_and_spread() -> None:
    records = [
        record("independent-set", "sympe-labeling", s, e, excess_nats=0.0, best_of_draws_error=0.0)
        for s, e in ((0, 1.0), (1, 3.0))
    ]
    records += [record("independent-set", "noise", 0, 5.0, best_of_draws_error=1.5)]
    [table] = independent_sets.tables(records)
    rows = [dict(zip([c.header for c in table.columns], table.cells(row), strict=True)) for row in table.blocks[0].rows]
    assert [row["method"] for row in rows] == ["noise", "SymPE: exact labeling"]
    assert rows[1]["single draw"] == "2.000 ± 1.414"
    assert rows[1]["excess nats"] == "0"
    assert rows[0]["excess nats"] == "∞"
    assert rows[0]["ms per step"] == "2.5"
    assert rows[0]["seeds"] == "1"


def test_measurements_that_are_missing() -> None:
    [table] = shapes.tables([record("shapes", "none", 0, 0.18, floor=0.18, right_percent=0.0, coverage_p=None)])
    cells = table.cells(table.blocks[0].rows[0])
    assert cells == ["no symmetry breaking", "0.180", "0.180", "0", "-", "-", "-", "2.5", "1"]


@pytest.mark.parametrize(
    ("method", "nats", "low", "high", "shown"),
    [
        ("sympe-frames", 0.0, 0.0, 0.0, "0"),
        ("symmetry-breaking-set", 25.588, 25.588, 25.588, "25.59"),
        ("partial", -2.0794, -2.0794, -2.0794, "-2.08"),
        ("sympe-weighted-frames", 1.234, 1.201, 1.267, "1.23 [1.20, 1.27]"),
        ("sympe-depth-first", 9.7, 7.54, None, "≥ 7.54"),
        ("sympe-principal-axes", 8.9, 8.8, None, "∞"),
        ("unmoved", None, None, None, "-"),
    ],
)
def test_randomness_says_how_well_it_is_known(
    method: str, nats: float | None, low: float | None, high: float | None, shown: str
) -> None:
    values = {"excess_nats": nats, "excess_nats_low": low, "excess_nats_high": high}
    [table] = shapes.tables([record("shapes", method, seed, 0.1, **values) for seed in (0, 1)])
    assert table.cells(table.blocks[0].rows[0])[-3] == shown


def test_verdicts_go_by_wrong_answers() -> None:
    """Differences of errors that are all right say nothing; three seeds on both sides are asked for."""
    right = {"sympe-frames": (100, 100, 99.9), "haar": (4, 6, 5), "canonicalized": (100, 99.9, 100), "noise": (50, 51)}
    records = [
        record("shapes", method, seed, 1e-7 if method == "canonicalized" else 4e-7, right_percent=float(value))
        for method, values in right.items()
        for seed, value in enumerate(values)
    ]
    [table] = shapes.tables(records)
    assert table.blocks[0].notes == (
        "SymPE: exact frames beats Haar measure; ties with perceptron on the canonical form; "
        "not decided against noise.",
    )
    [table] = shapes.tables([r for r in records if r.method != "sympe-frames"])
    assert table.blocks[0].notes == ()


def test_both_experiments_have_tables_of_their_own() -> None:
    records = [record("shapes", "none", 0, 0.18), record("independent-set", "none", 0, 100.0)]
    assert [table.title.split(":")[0] for table in tables_of(records)] == ["Maximal independent sets", "Shapes"]

import io
import json

import pytest
from rich.console import Console

from sympe_experiments.autoencoder.tables import autoencoder_table, verdict_table
from sympe_experiments.catalog import tables_of
from sympe_experiments.report.runs import metrics_table, runs_table
from sympe_experiments.report.table import Table, mean_and_spread, number


def printed(table: Table, width: int = 160) -> str:
    file = io.StringIO()
    table.print(Console(file=file, width=width, color_system=None))
    return file.getvalue()


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0"), (0.0004, "<0.001"), (0.0016, "0.002"), (25.1132, "25.113"), (-0.5, "-0.500")],
)
def test_number(value: float | None, text: str) -> None:
    assert number(value) == text


def test_mean_and_spread() -> None:
    assert mean_and_spread(0.25, 0.0123) == "0.250 ± 0.012"
    assert mean_and_spread(0.25, None) == "0.250"
    assert mean_and_spread(0.0, 0.0) == "0 ± 0"
    assert mean_and_spread(None, None) == "-"


def test_the_poster_stands_beside_ours(make, floor) -> None:
    records = [make("sympe-sort", 0.5 + seed, seed) for seed in range(3)] + [
        make("none", 4.0),
        make("zigzag", 1.0),
        floor,
    ]
    (block,) = autoencoder_table(records).blocks
    none, sympe, unknown = block.rows
    assert [none["method"], sympe["method"], unknown["method"]] == ["none", "sympe-sort", "zigzag"]
    assert (none["poster_percent"], sympe["poster_percent"], unknown["poster_percent"]) == (3.9, 0.77, None)
    assert (sympe["error_percent"], sympe["error_spread"], sympe["seeds"]) == (1.5, 1.0, 3)
    assert (sympe["best_percent"], sympe["best_spread"], sympe["draws"]) == (0.75, 0.5, 10)
    assert (sympe["epochs"], sympe["seconds"]) == (8, 61)
    assert (none["error_spread"], unknown["label"]) == (None, "zigzag")
    assert autoencoder_table(records).cells(sympe)[1:] == ["0.77", "1.500 ± 1.000", "3", "0.750 ± 0.500", "8", "61"]


def test_the_poster_says_nothing_of_other_data(make) -> None:
    (block,) = autoencoder_table([make(data="qm9")]).blocks
    assert block.rows[0]["poster_percent"] is None


def test_methods_come_in_order(make) -> None:
    names = ["zzz", "laplacian-sympe-sort", "sympe-sort", "aaa", "laplacian", "haar", "noise", "none"]
    (block,) = autoencoder_table([make(name) for name in names]).blocks
    rows = [row["method"] for row in block.rows]
    assert rows == ["none", "noise", "haar", "laplacian", "sympe-sort", "laplacian-sympe-sort", "aaa", "zzz"]
    assert "(control)" in block.rows[2]["label"]


def test_floors_are_shown_for_the_graphs_they_belong_to(make, floor) -> None:
    few = make(recipe="smoke", metrics={"test_error_percent": 24.0, "test_pairs": 5160})
    table = autoencoder_table([make(), few, floor])
    notes = {block.title: " ".join(block.notes) for block in table.blocks}
    assert "0.750 %" in notes["erdos-renyi, recipe fast"]
    assert "1.197 %" in notes["erdos-renyi, recipe fast"]
    assert "25.11 %" in notes["erdos-renyi, recipe fast"]
    assert notes["erdos-renyi, recipe smoke"] == ""
    assert "figures mean nothing" in printed(table)
    apart = autoencoder_table([few, floor]).blocks[-1]
    assert (apart.title, apart.rows) == ("erdos-renyi, 64,500 test pairs", ())
    assert "Floor" not in printed(autoencoder_table([make()]))


def test_best_of_other_numbers_of_draws_says_so(make) -> None:
    few = make("none", metrics={"test_error_percent": 1.0, "best_of_2_error_percent": 0.5}, config={"draws": 2})
    text = printed(autoencoder_table([make("sympe-sort", best=0.25), few]))
    assert "best of 10" in text
    assert "0.500 (of 2)" in text


def test_verdicts(make) -> None:
    errors = {"laplacian": 0.30, "laplacian-noise": 0.11, "laplacian-haar": 0.10, "laplacian-sympe-sort": 0.20}
    jitter = (-0.01, 0.0, 0.01)
    records = [make(m, e + j, s, best=1.0) for m, e in errors.items() for s, j in enumerate(jitter)]
    table = verdict_table(records)
    assert table is not None
    single, best = table.blocks
    assert single.title.endswith("single draw")
    assert [(row["method"], row["verdict"], row["control"]) for row in single.rows] == [
        ("laplacian-haar", "beats", "laplacian"),
        ("laplacian-haar", "ties with", "laplacian-noise"),
        ("laplacian-sympe-sort", "beats", "laplacian"),
        ("laplacian-sympe-sort", "loses to", "laplacian-haar"),
    ]
    assert single.rows[0]["difference"] == pytest.approx(-0.2)
    assert single.rows[0]["standard_errors"] == pytest.approx(0.2 / (0.01 * (2 / 3) ** 0.5))
    assert {row["verdict"] for row in best.rows} == {"ties with"}


def test_with_few_seeds_nothing_is_decided(make) -> None:
    table = verdict_table([make("sympe-sort", 0.1, s) for s in range(2)] + [make("haar", 9.0, s) for s in range(3)])
    assert table is not None
    assert [block.rows for block in table.blocks] == [()]
    assert "Nothing is decided" in printed(table)


def test_methods_of_different_recipes_are_not_compared(make) -> None:
    assert verdict_table([make("sympe-sort", recipe="best"), make("haar", recipe="fast")]) is None
    assert verdict_table([make("sympe-sort"), make("none")]) is None


def test_all_faces_show_the_same_cells(make, floor) -> None:
    table = autoencoder_table([make("sympe-sort", 0.2, s) for s in range(2)] + [make("none", 3.25), floor])
    for row in table.blocks[0].rows:
        cells = table.cells(row)
        assert "| " + " | ".join(cells) + " |" in table.markdown()
        assert all(f">{cell}</td>" in table.html() for cell in cells)
        assert all(cell in printed(table) for cell in cells)
    rows = json.loads(json.dumps(table.as_json()))["blocks"][0]["rows"]
    assert rows[1]["error_percent"] == 0.2
    assert rows[1]["floor_pair_percent"] == 0.7504


def test_names_cannot_break_out_of_a_table(make) -> None:
    table = autoencoder_table([make("<i>|[red]`", data="<script>alert(1)</script>\n\x1b[31m\udc80")])
    assert "<script" not in table.html()
    assert "&lt;script&gt;" in table.html()
    assert "&lt;i&gt;|[red]`</td>" in table.html()
    (row,) = [line for line in table.markdown().splitlines() if "\\[red" in line]
    assert row.startswith("| \\<i\\>\\|\\[red\\]\\` | - |")
    text = printed(table)
    assert "<i>|[red]`" in text
    assert "\x1b" not in text
    assert "\\n\\x1b[31m\\udc80" in text


def test_list_of_runs(make) -> None:
    records = [make(error=0.5), make(error=None, seed=1), make(seed=2, config={"epochs": 99}, environment={"gpu": "G"})]
    table = runs_table(records, "test_error_percent")
    (block,) = table.blocks
    by_seed = {row["seed"]: table.cells(row) for row in block.rows}
    assert by_seed[0][4:] == ["0.500", "", "0123456789ab", "Imaginary CPU", "60.0"]
    assert by_seed[1][4:6] == ["-", ""]
    assert by_seed[2][5:8] == ["epochs 99", "-", "G"]


def test_a_task_without_tables_shows_all_its_measurements(make) -> None:
    records = [make(experiment="knitting", seed=s, metrics={"stitches": 2 * s, "dropped": None}) for s in range(2)]
    (table,) = tables_of(records)
    assert [table.cells(row) for row in table.blocks[0].rows] == [
        ["sympe-sort", "dropped", "-", "0"],
        ["sympe-sort", "stitches", "1.000 ± 1.414", "2"],
    ]
    assert table.as_json() == metrics_table(records).as_json()
    assert tables_of([]) == []


def test_tables_survive_awkward_records(awkward) -> None:
    for name, records in awkward.items():
        tables = tables_of(records)
        assert tables, name
        for table in tables:
            for width in (40, 200):
                assert printed(table, width).encode(), name
            assert table.markdown().encode(), name
            assert table.html().encode(), name

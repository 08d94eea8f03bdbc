"""What predictions are worth to a solver."""

from pathlib import Path

import numpy as np
import pytest

from sympe_experiments.catalog import tables_of
from sympe_experiments.programs.config import make_config
from sympe_experiments.programs.data import bin_packing
from sympe_experiments.programs.run import run
from sympe_experiments.programs.solver import gap, main, objective_after, surest
from sympe_experiments.records import read_records

pytest.importorskip("highspy", reason="needs highspy")


def test_a_right_prediction_does_no_harm_and_a_wrong_one_does() -> None:
    instance = bin_packing("3")
    right = np.where(instance.solution, 1.0, -1.0)
    columns, ones = surest(instance, right)
    assert len(columns) == 210
    assert objective_after(instance) == instance.objective
    items = instance.table[:20].ravel(), instance.solution[:20].ravel()
    assert objective_after(instance, start=items) == instance.objective
    assert objective_after(instance, near=(columns, ones)) == instance.objective
    everywhere = np.where(instance.table < 400, 9.0, -1.0)  # each item in each bin: no answer is near
    assert objective_after(instance, near=surest(instance, everywhere)) is None


def test_gaps() -> None:
    assert [gap(found, 10.0) for found in (None, 10.0, 20.0, 8.0)] == [100, 0, 50, -20]
    assert gap(0.0, 0.0) == 0


def test_records_and_table(tmp_path: Path) -> None:
    run(make_config("sympe-base", "smoke"), tmp_path / "runs")
    main(tmp_path / "runs", tmp_path / "out")
    records = read_records(tmp_path / "out")
    assert sorted(record.method for record in records) == ["alone", "sympe-base"]
    assert all(record.metrics["gap_started"] == 0 for record in records)  # 20 items: HiGHS needs no help
    assert all(len(record.history["gap_near_of_cases"]) == 2 for record in records)
    errors, gaps = tables_of([*read_records(tmp_path / "runs"), *records])
    assert errors.blocks[0].rows[0]["method"] == "sympe-base"
    shown = [gaps.cells(row) for row in gaps.blocks[0].rows]
    assert shown[0][:2] == ["none: HiGHS alone", "0"]
    assert shown[1][:2] == ["SymPE: base", "0, +0.0 ± 0.0"]
    main(tmp_path / "runs", tmp_path / "answers", "answer")
    [answer] = read_records(tmp_path / "answers")
    objective = answer.metrics["gap_answer"]
    assert objective is not None
    assert 0 <= objective < 100
    shown = {block.title: block.rows for block in tables_of([*records, answer])[0].blocks}
    assert [row["gap_answer"] for row in shown["bin-packing, recipe answer"]] == [objective]
    (tmp_path / "runs" / "arrays.npz").unlink()
    with pytest.raises(ValueError, match="expected scores and a best answer for 498 in the arrays"):
        main(tmp_path / "runs", tmp_path / "again")

"""Known solutions of programs: files that list variables and values, or what HiGHS finds."""

import math
import os
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sympe.compressed import lines_of, reason_of
from sympe.extras import require
from sympe.programs.files import solver
from sympe.programs.program import Program


def read_solution(path: str | os.PathLike[str], program: Program) -> NDArray[np.float64]:
    """The values of a ``.sol`` file (of HiGHS, SCIP, Gurobi, MIPLIB): lines of a name and a number; others are zero.

    Of a file of HiGHS the section of the primal columns counts alone: rows, duals and the basis have such lines too.

    Raises:
        ValueError: If it cannot be read, a value is no finite number, or it names a variable twice, or none.
    """
    place = {name: k for k, name in enumerate(program.names("variables"))}
    found: dict[str, float] = {}
    try:
        lines = [line.decode(errors="replace") for line, _ in lines_of(Path(path))]
    except OSError as error:
        raise ValueError(f"{path}: {reason_of(error)}") from error
    for line in _primal(lines):
        # SCIP adds the coefficient of the objective, as "(obj:1)".
        name, value = (*line.partition("(obj:")[0].rsplit(maxsplit=1), "", "")[:2]
        name = name.strip()
        if name not in place:
            continue
        if name in found:
            raise ValueError(f"{path}: expected one value for {name}; got two: keep one solution in the file")
        found[name] = _number(value)
        if not math.isfinite(found[name]):
            raise ValueError(f"{path}: expected a finite number for {name}; got {value!r}")
    if not found:
        raise ValueError(f"{path}: expected lines of a variable and its value; none names a variable of the program")
    x = np.zeros(len(place))
    x[[place[name] for name in found]] = list(found.values())
    return x


def _primal(lines: list[str]) -> list[str]:
    """The lines that may hold values of variables: all, or those that HiGHS lists as primal columns."""
    others = ("# Rows", "# Dual solution values", "# Basis")
    lines = list(takewhile(lambda line: not line.startswith(others), lines))
    first = next((k for k, line in enumerate(lines, start=1) if line.startswith("# Columns")), 0)
    return lines[first:]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def load(program: Program) -> Any:
    """HiGHS with the program in it."""
    highspy = require("highspy", "programs", "integer programs")
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = program.num_variables, len(program.row_lower)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.cost, program.lower, program.upper
    lp.row_lower_, lp.row_upper_, lp.offset_ = program.row_lower, program.row_upper, program.offset
    lp.sense_ = highspy.ObjSense.kMaximize if program.maximize else highspy.ObjSense.kMinimize
    lp.integrality_ = [highspy.HighsVarType(int(kind)) for kind in program.kind]
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = program.matrix.indptr, program.matrix.indices
    lp.a_matrix_.value_ = program.matrix.data
    highs = solver()
    highs.passModel(lp)
    return highs


def solve(program: Program, seconds: float = 60.0) -> NDArray[np.float64]:
    """The best solution that HiGHS finds in some time.

    Raises:
        ValueError: If it finds none.
    """
    highs = load(program)
    highs.setOptionValue("time_limit", seconds)
    highs.run()
    if highs.getInfo().primal_solution_status != 2:
        raise ValueError(
            f"HiGHS found no solution in {seconds:g} s: {highs.modelStatusToString(highs.getModelStatus())}"
        )
    return np.array(highs.getSolution().col_value)

"""Known solutions of programs: files that list variables and values, or what HiGHS finds."""

import os
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

    Raises:
        ValueError: If it cannot be read, or names none of the variables.
    """
    place = {name: k for k, name in enumerate(program.names("variables"))}
    x, found = np.zeros(len(place)), 0
    try:
        lines = [line.decode(errors="replace") for line, _ in lines_of(Path(path))]
    except OSError as error:
        raise ValueError(f"{path}: {reason_of(error)}") from error
    for line in lines:
        # SCIP adds the coefficient of the objective, as "(obj:1)".
        name, _, value = line.partition("(obj:")[0].strip().rpartition(" ")
        if name.strip() in place:
            try:
                x[place[name.strip()]] = float(value)
            except ValueError as error:
                raise ValueError(f"{path}: expected a number for {name.strip()}; got {value!r}") from error
            found += 1
    if not found:
        raise ValueError(f"{path}: expected lines of a variable and its value; none names a variable of the program")
    return x


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

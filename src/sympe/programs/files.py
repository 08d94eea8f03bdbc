"""Read programs from ``.mps`` and ``.lp`` files (``.gz .xz .bz2``) with HiGHS; needs the extra ``programs``.

What HiGHS would drop with a warning (an unknown row, a name that comes twice) is refused here: the symmetries of
another program are worth nothing. Bounds of 1e20 and above are infinite, as HiGHS has it.
"""

import codecs
import os
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from sympe.compressed import content_of, reason_of, suffix_of
from sympe.extras import require
from sympe.programs.program import Program

#: Suffixes that :func:`read` accepts.
READABLE = frozenset({".mps", ".lp"})

#: Kinds of variables as HiGHS numbers them: continuous, integer, semi-continuous, semi-integer.
_KINDS = 4


def read(path: str | os.PathLike[str]) -> Program:
    """The program of a file.

    Raises:
        ValueError: If it cannot be read, is not linear, or has no variables; the message names the file.
        ImportError: If highspy is not installed.
    """
    path = Path(path)
    try:
        if suffix_of(path) not in READABLE:
            raise ValueError(f"expected a file ending in .mps or .lp; got {suffix_of(path) or 'no suffix'}")
        content = content_of(path).removeprefix(codecs.BOM_UTF8)  # which HiGHS takes for part of a word
        if not content.strip():
            raise ValueError("expected a program; the file is empty")
        return _parse(content, suffix_of(path))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {reason_of(error)}") from error


def solver() -> Any:
    """HiGHS, silent."""
    # The class Highs prints a banner as it enables its callbacks; what it is derived from does not.
    highs = require("highspy", "programs", "integer programs").Highs.__base__()
    highs.setOptionValue("output_flag", False)
    return highs


def _parse(content: bytes, suffix: str) -> Program:
    highs = solver()
    with TemporaryDirectory() as folder:
        file, log = Path(folder) / f"program{suffix}", Path(folder) / "log"
        file.write_bytes(content)
        for option, value in (("log_to_console", False), ("log_file", str(log)), ("output_flag", True)):
            highs.setOptionValue(option, value)
        if suffix == ".mps" and not _comes_to_an_end(file):
            raise ValueError("expected a program in MPS; HiGHS finds no end in it: a line may be in the wrong section")
        status = highs.readModel(str(file))
        highs.setOptionValue("log_file", "")
        said = log.read_text(errors="replace") if log.exists() else ""
    complaints = [line.partition(":")[2].strip() for line in said.splitlines() if line.startswith(("ERROR", "WARNING"))]
    serious = [c for c in complaints if "switching to fixed format" not in c and "Parser error" not in c]
    model = highs.getModel()
    if status.name == "kError" or serious:
        why = serious[0] if serious else "a section or a line that it does not know (SOS, quadratic, indicators?)"
        raise ValueError(f"expected a linear or integer program; HiGHS says: {why}")
    if model.hessian_.dim_:
        raise ValueError("expected a linear objective; got a quadratic one")
    return _of_highs(model.lp_)


def _comes_to_an_end(file: Path) -> bool:
    """Whether HiGHS reads a file, tried in another process: in lines of a wrong section it loops for ever."""
    if not hasattr(os, "fork"):
        return True
    pid = os.fork()
    if pid == 0:
        seconds = int(time.process_time()) + 4 + (file.stat().st_size >> 20)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        solver().readModel(str(file))
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def _of_highs(lp: Any) -> Program:
    from scipy.sparse import csc_array

    n, m = lp.num_col_, lp.num_row_
    matrix = lp.a_matrix_
    kind = np.array([int(kind) for kind in lp.integrality_] or [0] * n)
    if (kind >= _KINDS).any():
        raise ValueError("expected continuous, integer and semi-continuous variables; got another kind")
    return Program(
        cost=lp.col_cost_,
        lower=lp.col_lower_,
        upper=lp.col_upper_,
        kind=kind,
        matrix=csc_array((matrix.value_, matrix.index_, matrix.start_), shape=(m, n)) if m else np.zeros((0, n)),
        row_lower=lp.row_lower_,
        row_upper=lp.row_upper_,
        variables=tuple(lp.col_names_),
        constraints=tuple(lp.row_names_),
        maximize="Maximize" in str(lp.sense_),
        offset=lp.offset_,
    )

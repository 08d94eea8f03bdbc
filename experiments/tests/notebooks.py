"""Notebooks of the scripts in ``examples/``, with what they print: ``python experiments/tests/notebooks.py``.

A script is the source. Its docstring is the first cell; each paragraph of code, up to a blank line at the outer level,
is one more. Text printed by a cell is stored with it, and nothing else.
"""

import ast
import json
import os
import sys
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "examples"


def paragraphs(script: str) -> list[str]:
    """The code of a script without its docstring, cut at blank lines between statements."""
    lines, cuts = script.splitlines(), []
    for before, after in zip(ast.parse(script).body, ast.parse(script).body[1:], strict=False):
        assert before.end_lineno is not None
        if not all(lines[before.end_lineno : after.lineno - 1]) and not (is_import(before) and is_import(after)):
            cuts.append(before.end_lineno)
    return ["\n".join(lines[i:j]).strip("\n") for i, j in zip(cuts, [*cuts[1:], len(lines)], strict=True)]


def is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom)


def cells(script: str) -> list[dict[str, Any]]:
    """The cells of a notebook before it runs."""
    title, _, text = (ast.get_docstring(ast.parse(script)) or "").partition(": ")
    first = {"cell_type": "markdown", "metadata": {}, "source": f"# {title}\n\n{text[0].upper()}{text[1:]}"}
    code = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    found = [first, *({**code, "outputs": [], "source": paragraph} for paragraph in paragraphs(script))]
    return [{"id": f"cell-{i}", **cell} for i, cell in enumerate(found)]


def run(todo: list[dict[str, Any]], name: str) -> None:
    """Run the cells in an empty folder, in one namespace, and store what they print."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    os.chdir(tempfile.mkdtemp())
    for number, cell in enumerate(todo[1:], 1):
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile(cell["source"], f"{name}, cell {number}", "exec"), namespace)
        cell["execution_count"] = number
        if printed.getvalue():
            cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": printed.getvalue()}]


def outputs(notebook: dict[str, Any]) -> str:
    """All that a stored notebook printed."""
    return "".join(output["text"] for cell in notebook["cells"] for output in cell.get("outputs", []))


def main(names: list[str]) -> None:
    for path in sorted(EXAMPLES.glob("*.py")):
        if names and path.stem not in names:
            continue
        todo = cells(path.read_text())
        run(todo, path.name)
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        notebook = {"cells": todo, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        path.with_suffix(".ipynb").write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
        print(f"{path.stem}: {len(todo)} cells", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""``sympe audit`` of integer programs."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sympe.compressed import suffix_of

if TYPE_CHECKING:
    from sympe.programs import ProgramSymmetry

_SUFFIXES = (".mps", ".lp")


def programs_in(paths: tuple[str, ...]) -> list[Path]:
    """The files of programs that paths name, themselves or as their folders; none unless all do."""
    found = []
    for path in map(Path, paths):
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        files = [file for file in inside if suffix_of(file) in _SUFFIXES]
        if not files:
            return []
        found += files
    return found


def audit_programs(files: list[Path], target: str | None, as_json: bool) -> None:
    """Audit programs and print what was found.

    Args:
        files: Their files.
        target: The solution to compare with: ``solution`` (NAME.sol beside NAME.mps), or ``highs`` (found by HiGHS
            within a minute each); None for no comparison.
        as_json: Whether to print one JSON object.

    Raises:
        ValueError: If a file cannot be read, or the target is something else.
    """
    if target not in (None, "solution", "highs"):
        raise ValueError(f"target of programs must be solution (a .sol file beside each) or highs; got {target!r}")
    rows: list[dict[str, Any]] = []
    for file, symmetry, facts in _audited(files, target):
        rows.append({"file": str(file), **facts})
        if not as_json:
            _print(file, symmetry, facts)
    if as_json:
        sys.stdout.write(json.dumps({"programs": rows}) + "\n")


def _audited(files: list[Path], target: str | None) -> "Iterator[tuple[Path, ProgramSymmetry, dict[str, Any]]]":
    from sympe.programs import read, symmetry_of
    from sympe.programs.solutions import read_solution, solve

    for file in files:
        program = read(file)
        solution = None
        if target == "solution":
            stem = file.name[: file.name.lower().rindex(suffix_of(file))]
            solution = read_solution(file.with_name(f"{stem}.sol"), program)
        elif target == "highs":
            solution = solve(program)
        symmetry = symmetry_of(program)
        yield file, symmetry, symmetry.facts(solution)


def _print(file: Path, symmetry: "ProgramSymmetry", facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.text import Text

    from sympe.html import readable

    order, base = symmetry.order, symmetry.base
    shown = f"{order:,}" if order < 10**12 else f"10^{facts['nats'] / 2.302585092994046:.1f}"
    listed = ", ".join(base[:4]) + (", ..." if len(base) > 4 else "")
    lines = {
        "variables": f"{facts['variables']:,}, {facts['integer_variables']:,} of them integer",
        "constraints": f"{facts['constraints']:,}",
        "symmetries": f"{shown}, {facts['nats']:.2f} nats",
        "orbits of variables": f"{facts['orbits']:,}, the largest of {facts['largest_orbit']:,}",
        "cannot be set": f"{facts['tied_integer_variables']:,} integer variables ({100 * facts['tied_share']:.1f} %)",
        "base": f"{len(base):,} nodes" + (f": {listed}" if base else ""),
    }
    if facts["least_errors"] is not None:
        lines["least errors"] = f"{facts['least_errors']:,} integer variables of the solution"
    console = Console()
    console.print(Text(readable(str(file)), style="bold"))
    for name, text in lines.items():
        console.print(Text(f"{name:<20}", style="dim") + Text(readable(text)))
    console.print(Text(facts["verdict"], style="bold"))

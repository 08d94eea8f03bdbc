"""All comparisons with peers, one after another, and what has become slower: ``make bench``.

Each script measures ours and the peers in turns and writes records to ``results/`` (:mod:`timing`). A ratio to the
peer that is more than 20 % worse than in the record before is named at the end. ``--quick`` takes smaller inputs,
and keeps separate records. Tables of docs/speed.md and docs/lattices.md are made from the records: ``--table``.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SCRIPTS = ("graphs.py", "points.py", "lattice.py --only transforms", "growth.py")
#: A ratio worse by this factor is named.
WORSE = 1.2


#: Records with peers, and the goal for the ratios of rows whose names hold this.
GOALS: dict[str, dict[str, float]] = {
    "graphs_closed_forms": {"": 3},
    "graphs_thousands": {"": 3},
    "graphs_random": {"": 3},
    "graphs_crystals": {"": 3},
    "graphs_cfi": {"": 10},
    "graphs_molecules": {"count_automorphisms": 1, "Labeling": 1},
    "graphs_laplacian": {"": 1.5},
    "graphs_one_by_one": {"AddLaplacianPE": 1},
    "points_groups": {"": 2},
    "points_batch": {"": 1},
    "points_frames": {"": 3},
    "lattice_transforms": {"Template": 8, "LexicographicMinimum": 12},
}
#: Records without peers, and the goal for the times of rows whose names hold this.
LIMITS: dict[str, dict[str, float]] = {
    "graphs_refinement": {", 100,000 ": 1, ", 1,000,000 ": 15},
    "graphs_batches": {"select": 50},
}
GROWTH = ("labeling", "refinement", "laplacian", "frames")


def records(folder: Path) -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def worse(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> Iterator[str]:
    """A line for each ratio that has become worse."""
    for name, record in after.items():
        old = {row["row"]: row.get("ratio") for row in before.get(name, {"rows": []})["rows"]}
        for row in record["rows"]:
            was, now = old.get(row["row"]), row.get("ratio")
            if was and now and row["row"] != row["ratio_to"] and now > WORSE * was:
                yield f"{name}: {row['row']}: {now:.2f} times the peer; the last record says {was:.2f}"


def lines(folder: Path = HERE / "results") -> Iterator[str]:
    """Ratios to peers."""
    known = records(folder)
    yield "| work | peer | peer's time | our time | ratio, lowest and highest | goal |"
    yield "|---|---|---:|---:|---:|---:|"
    for name, goals in GOALS.items():
        if name not in known:
            continue  # not measured yet
        rows = {row["row"]: row for row in known[name]["rows"]}
        for row in rows.values():
            goal = goal_of(row, goals)
            if goal is None or row["row"] == row["ratio_to"]:
                continue
            peer, ratio = rows[row["ratio_to"]], row["ratio"]
            low, high = row.get("ratio_lowest"), row.get("ratio_highest")
            spread = f" ({low:.2f}-{high:.2f})" if low and high else ""
            work = row["row"] if ": " in row["row"] else f"{known[name]['title'].split('; ')[-1]}: {row['row']}"
            theirs, ours = shown(known[name], peer), shown(known[name], row)
            reached = "" if ratio <= goal else ", missed"
            yield (
                f"| {work} | {peer['row'].split(': ')[-1]} | {theirs} | {ours} "
                f"| {ratio:.2f}{spread} | {goal}{reached} |"
            )


def goal_of(row: dict[str, Any], goals: dict[str, float]) -> float | None:
    return next((goals[part] for part in goals if part in row["row"]), None)


def limits(folder: Path = HERE / "results") -> Iterator[str]:
    """Times that have no peer."""
    known = records(folder)
    yield "| work | our time, lowest and highest | goal |"
    yield "|---|---:|---:|"
    for name, goals in LIMITS.items():
        for row in known[name]["rows"] if name in known else []:
            goal, time = goal_of(row, goals), shown(known[name], row)
            reached = "" if goal is None else f"{goal}{'' if row['median'] <= goal else ', missed'}"
            yield f"| {row['row']} | {time} ({row['lowest']:.3g}-{row['highest']:.3g}) | {reached} |"


def growth(folder: Path = HERE / "results") -> Iterator[str]:
    known = records(folder)
    works = {work: known[f"growth_{work}"]["rows"] for work in GROWTH if f"growth_{work}" in known}
    sizes = [row["row"] for row in next(iter(works.values()))]
    yield f"| work | {' | '.join(sizes)} | slope |"
    yield "|---|" + "---:|" * (len(sizes) + 1)
    for work, rows in works.items():
        cells = [f"{row['median']:.3g} s, {row['peak_MB'] / 1024:.2f} GiB" for row in rows]
        yield f"| {work} | {' | '.join(cells)} | {rows[-1]['slope']:.2f} |"


def sizes(folder: Path = HERE / "results") -> Iterator[str]:
    """Draws from the kernel of lattices by size."""
    times: dict[str, dict[str, float]] = {}
    for row in records(folder)["lattice"]["rows"]:
        size, work = row["row"].removeprefix("L = ").split(": ")
        times.setdefault(work.removeprefix("kernel, "), {})[size] = row["median"]
    known = list(next(iter(times.values())))
    yield f"| | {' | '.join(f'L = {size}' for size in known)} |"
    yield "|---|" + "---:|" * len(known)
    for work, of in times.items():
        yield f"| {work} | {' | '.join(f'{of[size]:.3g}' if size in of else '' for size in known)} |"


def shown(record: dict[str, Any], row: dict[str, Any]) -> str:
    unit = {"microseconds": "\u00b5s", "milliseconds": "ms"}.get(record["title"].split()[0], "s")
    time = row["median"]
    return f"{time:,.0f} {unit}" if time >= 100 else f"{time:.3g} {unit}"


#: Pages of the documentation, the marks in them, and the tables that stand behind these.
PAGES = {"speed.md": {"peers": lines, "limits": limits, "growth": growth}, "lattices.md": {"sizes": sizes}}


def fill(docs: Path) -> None:
    """Write the tables into the pages, each behind its mark."""
    for name, tables in PAGES.items():
        text = (docs / name).read_text()
        for mark, table in tables.items():
            rows = "\n".join(table())
            text = re.sub(rf"(<!-- {mark} -->\n\n)(\|.*\n)*", lambda found, rows=rows: f"{found[1]}{rows}\n", text)
        (docs / name).write_text(text)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller inputs")
    parser.add_argument("--table", action="store_true", help="write the tables into docs, and measure nothing")
    parser.add_argument("scripts", nargs="*", metavar="script", help=f"some of {', '.join(SCRIPTS)}")
    args = parser.parse_args(arguments)
    if args.table:
        fill(HERE.parent / "docs")
        return
    folder = Path("runs/bench-quick") if args.quick else HERE / "results"
    before, quick = records(folder), ["--quick"] if args.quick else []
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "BENCH_RESULTS": str(folder.resolve())}
    for script in args.scripts or SCRIPTS:
        name, *only = script.split()
        subprocess.run([sys.executable, str(HERE / name), *only, *quick], check=True, env=environment)
    for line in worse(before, records(folder)):
        print(f"warning: {line}", file=sys.stderr)


if __name__ == "__main__":
    main()

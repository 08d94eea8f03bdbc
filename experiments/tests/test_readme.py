"""README says where symmetry breaking decides, by the records alone."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev

from sympe_experiments import catalog
from sympe_experiments.records import read_records
from sympe_experiments.report.statistics import Verdict, compare, sample
from sympe_experiments.report.table import mean_and_spread

ROOT = Path(__file__).parents[2]

#: Task, folder of records, measurement, and what turns it into per cent of wrong answers.
TASKS: tuple[tuple[str, str, str, Callable[[float], float]], ...] = (
    ("[equal agents to targets](docs/sets.md#identical-agents-to-targets)", "assignment/depots", "error", lambda e: e),
    ("[independent sets](docs/examples.md)", "independent-set/cayley-graphs", "error", lambda error: error),
    ("[crystals into domains](docs/crystals.md#learning-to-distort)", "distortions/perovskites", "right_percent",
     lambda right: 100 - right),
)  # fmt: skip

#: Methods in words.
WORDS = {
    "haar": "random order",
    "symmetry-breaking-set": "vector not learned",
    "sympe-labeling": "exact order",
    "orbit-ranks": "exact order of equals",
    "sympe-frames": "exact frame",
}


def cell(errors: Sequence[float], name: str = "") -> str:
    assert len(errors) == 3, "README says that all have three seeds"
    return mean_and_spread(fmean(errors), stdev(errors), 1) + (f" ({WORDS[name]})" if name else "")


def lines() -> Iterator[str]:
    yield "| wrong answers, % | without | best other method | `sympe` |"
    yield "|---|---:|---:|---:|"
    for task, folder, metric, per_cent in TASKS:
        errors: dict[str, list[float]] = {}
        for record in read_records(ROOT / "results/compare" / folder / "full"):
            errors.setdefault(record.method, []).append(per_cent(record.metrics[metric]))
        without = cell(errors.pop("none"))
        ours = {name for name in errors if name.startswith(("sympe", "orbit-ranks"))}
        best = (min(names, key=lambda name: fmean(errors[name])) for names in (errors.keys() - ours, ours))
        yield f"| {task} | {without} | {' | '.join(cell(errors[name], name) for name in best)} |"


def test_where_it_decides_is_what_the_records_say() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "\n".join(lines()) in readme


def test_programs_beat_what_is_made_by_hand() -> None:
    """README: one encoding for all sets of programs beats Orbit+ among the surest 90 % of the variables."""
    for data in ("bin-packing", "item-placement", "slabs"):
        samples = [
            sample([r for r in read_records(ROOT / "results/compare/programs" / data / "full") if r.method == method],
                   "wrong_90")
            for method in ("orbit-ranks-names", "orbit-plus")
        ]  # fmt: skip
        comparison = compare(*samples)
        assert comparison is not None
        assert comparison.verdict is Verdict.BEATS


def test_every_experiment_has_its_page_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [page for page in ("graph-autoencoder", "ising", "molecules", "examples", "programs", "start/sets")
            if f"docs/{page}.md" not in readme] == []  # fmt: skip
    assert catalog.commands()


if __name__ == "__main__":
    print("\n".join(lines()))

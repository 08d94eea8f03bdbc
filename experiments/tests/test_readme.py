"""README says where symmetry breaking decides, by the records alone."""

from collections.abc import Iterator
from pathlib import Path

from sympe_experiments import catalog
from sympe_experiments.records import Record, read_records
from sympe_experiments.report.statistics import Sample, sample
from sympe_experiments.report.table import mean_and_spread

ROOT = Path(__file__).parents[2]

#: Task, folder of records, measurement, what it is in per cent, digits, and the sign that makes more of it better.
TASKS = (
    ("[independent sets](docs/examples.md) in graphs whose nodes all look alike: wrong answers, %",
     "compare/independent-set/cayley-graphs/full", "error", 1, 1, -1),
    ("[integer programs](docs/programs.md), items into ten equal bins: wrong among the surest 70 % of variables, %",
     "compare/programs/item-placement/full", "wrong_70", 100 / 735, 1, -1),
    ("[crystals](docs/crystals.md#learning-to-distort), two toy perovskites into one of their domains: right, %",
     "compare/distortions/perovskites/full", "right_percent", 1, 1, 1),
)  # fmt: skip

#: Methods in words.
WORDS = {
    "haar": "random order",
    "symmetry-breaking-set": "symmetry-breaking set",
    "sympe-labeling": "exact order",
    "sympe-frames": "exact frame",
}


def best(runs: dict[str, list[Record]], metric: str, sign: int, ours: bool) -> tuple[str, Sample]:
    """The best method with or without SymPE, other than no symmetry breaking at all."""
    found = {
        method: sample(records, metric)
        for method, records in runs.items()
        if method != "none" and method.startswith("sympe") == ours
    }
    known = {method: one for method, one in found.items() if one.mean is not None}
    return max(known.items(), key=lambda pair: sign * pair[1].mean)


def scaled(one: Sample, scale: float, digits: int) -> str:
    return mean_and_spread(None if one.mean is None else scale * one.mean, scale * (one.spread or 0), digits)


def lines() -> Iterator[str]:
    yield "| task | no symmetry breaking | best other method | `sympe` | seeds |"
    yield "|---|---:|---:|---:|---:|"
    for task, folder, metric, scale, digits, sign in TASKS:
        runs: dict[str, list[Record]] = {}
        for record in read_records(ROOT / "results" / folder):
            runs.setdefault(record.method, []).append(record)
        none = sample(runs["none"], metric)
        other, ours = (best(runs, metric, sign, ours) for ours in (False, True))
        cells = [scaled(none, scale, digits)]
        cells += [f"{scaled(one, scale, digits)} ({WORDS[name]})" for name, one in (other, ours)]
        yield f"| {task} | {' | '.join(cells)} | {len(ours[1].values)} |"


def test_where_it_decides_is_what_the_records_say() -> None:
    readme = (ROOT / "README.md").read_text()
    section = readme[readme.index("## Where it decides") :]
    assert "\n".join(lines()) in section


def test_every_experiment_has_its_page_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [page for page in ("graph-autoencoder", "ising", "molecules", "examples", "programs", "sets")
            if f"docs/{page}.md" not in readme] == []  # fmt: skip
    assert catalog.commands()


if __name__ == "__main__":
    print("\n".join(lines()))

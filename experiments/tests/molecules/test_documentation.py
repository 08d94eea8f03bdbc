"""The page of the experiment names all that can be asked for, and its tables are those of the records."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev

import pytest

from sympe_experiments.molecules.config import METHODS, RECIPES
from sympe_experiments.molecules.data import DATA_SETS
from sympe_experiments.records import Record, read_records

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "molecules.md"
RESULTS = ROOT / "results" / "molecules"

LIKELIHOODS = {
    "digress_nll": "DiGress-compatible",
    "labeled_nll": "labeled bound",
    "excess_nats": "excess randomness",
    "class_nll": "class NLL",
}


def test_every_method_recipe_and_data_set_is_explained() -> None:
    page = PAGE.read_text()
    assert [name for name in (*METHODS, *RECIPES, *DATA_SETS) if f"`{name}`" not in page] == []


def cell(runs: Sequence[Record], name: str, digits: int = 2, unit: str = "") -> str:
    """Mean and spread over seeds; of one seed the standard error over test graphs, if there is one."""
    values = [run.metrics[name] for run in runs]
    spread = stdev(values) if len(values) > 1 else runs[0].metrics.get(f"{name}_se")
    shown = f"{fmean(values):.{digits}f}" + ("" if spread is None else f" ± {spread:.{digits}f}")
    return shown + unit


def table(folder: str, steps: Sequence[int]) -> str:
    """The runs below a folder of results, one row per method."""
    header = ["method", "seeds", *LIKELIHOODS.values(), *(f"valid, {k} steps" for k in steps)]
    lines = [header, ["---", *["---:"] * (len(header) - 1)]]
    for method, of in by_method(read_records(RESULTS / folder)).items():
        likelihoods = (
            cell(of, name).split(" ± ")[0] if name == "excess_nats" else cell(of, name) for name in LIKELIHOODS
        )
        valid = (cell(of, f"valid_percent_at_{k}", 1, " %") for k in steps)
        lines.append([f"`{method}`", f"{len(of)}", *likelihoods, *valid])
    return markdown(lines)


def by_method(records: Iterable[Record]) -> dict[str, list[Record]]:
    """In the order of tables."""
    runs: dict[str, list[Record]] = {}
    for record in records:
        runs.setdefault(record.method, []).append(record)
    return {method: runs[method] for method in METHODS.in_order(runs)}


def distances(steps: Sequence[int]) -> str:
    """Fréchet ChemNet distances after the long training, of the runs that have them."""
    records = [record for folder in ("qm9/long", "qm9/long-samples") for record in read_records(RESULTS / folder)]
    names = {f"{k} steps": f"fcd_at_{k}" for k in steps}
    measured = [record for record in records if all(record.metrics.get(name) is not None for name in names.values())]
    return columns("FCD", measured, names)


def bounds(trajectories: Sequence[int]) -> str:
    """Bounds on the class NLL by the number of trajectories, of the models of the long training."""
    names = {f"K = {k}": f"class_nll_of_{k}" for k in trajectories}
    return columns("class NLL", read_records(RESULTS / "qm9" / "long-trajectories"), names)


def few_steps(data: str, steps: Sequence[int], trajectories: int) -> str:
    """The same of samplers with few steps."""
    names = {f"{k} steps": f"class_nll_of_{trajectories}_at_{k}" for k in steps}
    return columns("class NLL", read_records(RESULTS / data / "long-bounds"), names)


def columns(what: str, records: Iterable[Record], names: Mapping[str, str]) -> str:
    """One row per method, one column per measurement."""
    lines = [[what, "seeds", *names], ["---", *["---:"] * (len(names) + 1)]]
    for method, of in by_method(records).items():
        lines.append([f"`{method}`", f"{len(of)}", *(cell(of, name) for name in names.values())])
    return markdown(lines)


def markdown(lines: Sequence[Sequence[str]]) -> str:
    header, rule, *rows = ("| " + " | ".join(line) + " |" for line in lines)
    return "\n".join([header, rule.replace(" ", ""), *rows])


def shown(mark: str) -> str:
    """What stands between two marks of the page."""
    found = re.search(rf"<!-- {mark} -->\n(.*?)\n<!-- end -->", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("folder", "steps"),
    [
        ("qm9/fast", (10, 100)),
        ("qm9/long", (5, 10, 20, 50, 100)),
        ("qm9-hydrogens/fast", (10, 100)),
        ("qm9-hydrogens/long", (5, 10, 20, 50, 100)),
    ],
)
def test_its_tables_are_those_of_the_records(folder: str, steps: Sequence[int]) -> None:
    """Each stands between marks that name the folder of its records."""
    assert shown(folder) == table(folder, steps)


def test_its_distances_are_those_of_the_records() -> None:
    assert shown("fcd") == distances((5, 10, 20, 50, 100))


def test_its_tighter_bounds_are_those_of_the_records() -> None:
    assert shown("trajectories") == bounds((1, 4, 32))
    assert shown("few-steps") == few_steps("qm9", (2, 5, 10, 20), 32)
    assert shown("few-steps-hydrogens") == few_steps("qm9-hydrogens", (2, 5, 10, 20), 32)

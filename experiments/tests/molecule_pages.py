"""The pages of the molecules experiment, and their tables as the records have them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import fmean, stdev

from sympe_experiments.molecules.config import METHODS
from sympe_experiments.records import Record, read_records

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / f"{name}.md" for name in ("molecules", "molecules-likelihood", "molecules-results")]
RESULTS = ROOT / "results" / "molecules"

ORDER = "sympe-depth-first-carried"
LIKELIHOODS = {
    "digress_nll": "DiGress-compatible",
    "labeled_nll": "labeled bound",
    "excess_nats": "excess randomness",
    "class_nll": "class NLL",
}


def pages() -> str:
    return "\n".join(page.read_text() for page in PAGES)


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


#: Numbers of steps of the samplers of the long training.
STEPS = (5, 10, 20, 50, 100)


@cache
def with_distances() -> list[Record]:
    """The runs of the long training that have Fréchet ChemNet distances at all numbers of steps."""
    records = [record for folder in ("qm9/long", "qm9/long-samples") for record in read_records(RESULTS / folder)]
    return [record for record in records if all(record.metrics.get(f"fcd_at_{k}") is not None for k in STEPS)]


def distances() -> str:
    """Those distances, one row per method."""
    return columns("FCD", with_distances(), {f"{k} steps": f"fcd_at_{k}" for k in STEPS})


def bounds(trajectories: Sequence[int]) -> str:
    """Bounds on the class NLL by the number of trajectories, of the models of the long training."""
    names = {f"K = {k}": f"class_nll_of_{k}" for k in trajectories}
    return columns("class NLL", read_records(RESULTS / "qm9" / "long-trajectories"), names)


def few_steps(data: str, steps: Sequence[int], trajectories: int) -> str:
    """The same of samplers with few steps."""
    names = {f"{k} steps": f"class_nll_of_{trajectories}_at_{k}" for k in steps}
    return columns("class NLL", read_records(RESULTS / data / "long-bounds"), names)


def by_rank() -> str:
    """Orders with noise by rank, with one limit, and no order, after the short training."""
    steps = (2, 5, 10, 20, 50, 100)
    lines = [["method", "seeds", "class NLL", *(f"valid, {k} steps" for k in steps)]]
    lines.append(["---", *["---:"] * (len(lines[0]) - 1)])
    canonical = "sympe-canonical-depth-first-carried"
    kind = [f"sympe-kind-depth-first-{travels}-by-rank" for travels in ("carried", "dropped")]
    shape = [f"sympe-{rule}-depth-first-carried-by-rank" for rule in ("degree", "branch")]
    methods = ("none", ORDER, f"{ORDER}-by-rank", canonical, f"{canonical}-by-rank", *kind, *shape)
    trained, sampled = (by_method(read_records(RESULTS / "qm9" / name)) for name in ("fast", "fast-samples"))
    for method in methods:
        valid = []
        for k in steps:
            name = f"valid_percent_at_{k}"
            runs = [run for run in trained[method] + sampled.get(method, []) if name in run.metrics]
            valid.append(cell(runs, name, 1, " %") if runs else "-")
        lines.append([f"`{method}`", f"{len(trained[method])}", cell(trained[method], "class_nll"), *valid])
    return markdown(lines)


def by_spacing(steps: Sequence[int]) -> str:
    """Samplers of the long training by how they space their times."""
    valid, fcd = ([f"{what}, {k} steps" for k in of] for what, of in (("valid", steps), ("FCD", steps[1:])))
    lines = [["spacing", "method", "seeds", *valid, *fcd]]
    lines.append(["---:", "---", *["---:"] * (len(lines[0]) - 2)])
    for spacing in (2, 3):
        for method, runs in by_method(read_records(RESULTS / "qm9" / "long-spacing" / f"{spacing}")).items():
            valid = [cell(runs, f"valid_percent_at_{k}", 1, " %") for k in steps]
            fcd = [cell(runs, f"fcd_at_{k}") for k in steps[1:]]
            lines.append([f"{spacing}", f"`{method}`", f"{len(runs)}", *valid, *fcd])
    return markdown(lines)


def orders() -> str:
    """What each order is worth before any training, and what the short training made of it."""
    header = [
        "order",
        *(f"{what}{with_h}" for with_h in ("", ", hydrogens") for what in ("untrained", "one limit", "by rank")),
    ]
    lines = [header, ["---", *["---:"] * (len(header) - 1)]]
    for by_rank in (name for name, method in METHODS.items() if method.by_rank and not method.hidden):
        row = []
        for data in ("qm9", "qm9-hydrogens"):
            [floor] = read_records(RESULTS / data / "floor")
            trained = by_method(read_records(RESULTS / data / "fast"))
            untrained = f"untrained_class_nll_{by_rank}"
            row.append(cell([floor], untrained) if untrained in floor.metrics else "-")
            for method in (by_rank.removesuffix("-by-rank"), by_rank):
                row.append(cell(trained[method], "class_nll") if method in trained else "-")
        lines.append([f"`{by_rank.removesuffix('-by-rank')}`", *row])
    return markdown(lines)


def plain_graphs() -> str:
    """Sets of plain graphs: what an order is worth before training, and after it."""
    names = {"clustering MMD": "clustering_mmd", "degree MMD": "degree_mmd", "spectral MMD": "spectral_mmd"}
    lines = [["graphs", "method", "seeds", "untrained", "class NLL", "in order", *names]]
    lines.append(["---", "---", *["---:"] * (len(lines[0]) - 2)])
    for data in ("community_small", "planar"):
        [floor] = read_records(RESULTS / data / "floor")
        for method, runs in by_method(read_records(RESULTS / data / "plain")).items():
            known, kept = f"untrained_class_nll_{method}", runs[0].metrics["in_order_percent_at_100"]
            first = cell([floor], known, 1) if known in floor.metrics else "-"
            in_order = "-" if kept is None else cell(runs, "in_order_percent_at_100", 0, " %")
            distances = [cell(runs, f"{name}_at_100", 3) for name in names.values()]
            lines.append([data, f"`{method}`", f"{len(runs)}", first, cell(runs, "class_nll", 1), in_order, *distances])
    return markdown(lines)


GUIDED = "sympe-canonical-depth-first-guided-by-rank"


#: What the network of the long training is, by data.
GUIDED_BY = {
    "qm9": (GUIDED, "sympe-degree-depth-first-guided-by-rank"),
    "qm9-hydrogens": ("sympe-heavy-depth-first-guided-by-rank",),
}


def by_guidance(data: str, steps: Sequence[int]) -> str:
    """Networks of the long training by how much their samplers heed the order near the graph, beside no order."""
    bound, valid, fcd = (
        {f"{what}, {k} steps": f"{name}_at_{k}" for k in steps}
        for what, name in (("class NLL", "class_nll_of_32"), ("valid", "valid_percent"), ("FCD", "fcd"))
    )
    has_fcd = data == "qm9"
    lines = [["method", "guidance", "seeds", *bound, *valid, *(fcd if has_fcd else ())]]
    lines.append(["---", *["---:"] * (len(lines[0]) - 1)])
    for method, guidance in (("none", "-"), *((method, g) for method in GUIDED_BY[data] for g in ("0", "1"))):
        bounds, samples = ("long-guidance/1",) * 2 if guidance == "1" else ("long-bounds", "long")
        told, drawn = (by_method(read_records(RESULTS / data / folder)).get(method, []) for folder in (bounds, samples))
        if not (told and drawn):
            continue
        drawn = by_method(with_distances())[method] if method == "none" and has_fcd else drawn
        shown = [cell(told, name) for name in bound.values()]
        shown += [cell(drawn, name, 1, " %") for name in valid.values()]
        shown += [cell(drawn, name) for name in fcd.values() if has_fcd]
        lines.append([f"`{method}`", guidance, f"{len(drawn)}", *shown])
    return markdown(lines)


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
    """What stands between two marks of a page."""
    found = re.search(rf"<!-- {mark} -->\n(.*?)\n<!-- end -->", pages(), re.DOTALL)
    assert found is not None
    return found[1]

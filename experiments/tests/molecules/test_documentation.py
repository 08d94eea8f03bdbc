"""The pages of the experiment name all that can be asked for; their tables and their prose are those of the records."""

from collections.abc import Iterator, Sequence
from statistics import fmean, stdev

import pytest

from molecule_pages import (
    GUIDED,
    GUIDED_BY,
    ORDER,
    PAGES,
    RESULTS,
    STEPS,
    bounds,
    by_guidance,
    by_method,
    by_rank,
    by_spacing,
    distances,
    few_steps,
    orders,
    pages,
    plain_graphs,
    shown,
    table,
    with_distances,
)
from sympe_experiments.molecules.config import METHODS, RECIPES
from sympe_experiments.molecules.data import DATA_SETS
from sympe_experiments.records import Record, read_records


def test_every_method_recipe_and_data_set_is_explained() -> None:
    front = PAGES[0].read_text()
    assert [name for name in (*METHODS, *RECIPES, *DATA_SETS) if f"`{name}`" not in front] == []


@pytest.mark.parametrize(
    ("folder", "steps"),
    [
        ("qm9/fast", (10, 100)),
        ("qm9/long", STEPS),
        ("qm9-hydrogens/fast", (10, 100)),
        ("qm9-hydrogens/long", STEPS),
    ],
)
def test_its_tables_are_those_of_the_records(folder: str, steps: Sequence[int]) -> None:
    """Each stands between marks that name the folder of its records."""
    assert shown(folder) == table(folder, steps)


def mean(folder: str, method: str, name: str) -> float:
    """Of the runs below a folder of results."""
    [runs] = [runs for known, runs in by_method(read_records(RESULTS / folder)).items() if known == method]
    return fmean(run.metrics[name] for run in runs)


def ahead(folder: str, name: str, method: str = ORDER, control: str = "none") -> float:
    """By how much less a method has than its control."""
    return mean(folder, control, name) - mean(folder, method, name)


def quotes() -> Iterator[str]:
    """What the page says in prose of differences between rows; a difference of rounded figures may be another."""
    fast, long = (-ahead(f"qm9/{recipe}", "class_nll") for recipe in ("fast", "long"))
    yield f"loses to `none` by {fast:.1f} nats after the short training, and by {long:.1f} after ten times as much"
    others = ("canonical-depth-first", "labeling", "sort")
    canonical, exact, learned = (-ahead("qm9/fast", "class_nll", f"sympe-{order}-carried") for order in others)
    yield f"canonical depth-first by {canonical:.1f} nats, exact labeling by {exact:.1f}"
    yield f"a learned sort by {learned:.1f}"
    one, many = (-ahead("qm9/long-trajectories", f"class_nll_of_{k}") for k in (1, 32))
    yield f"the distance of a carried order to `none` shrinks from {one:.2f} to {many:.2f} nats"
    two, five, ten, twenty = (ahead("qm9/long-bounds", f"class_nll_of_32_at_{k}") for k in (2, 5, 10, 20))
    yield f"lower than that of `none` by {two:.2f} nats, in 5 steps by {five:.2f}"
    yield f"in 10 steps it is higher by {-ten:.2f}, in 20 by {-twenty:.2f} (32 trajectories"
    fast, long = (ahead(f"qm9/{recipe}", "digress_nll") for recipe in ("fast", "long"))
    leak = ahead("qm9/fast", "digress_nll", "file-order")
    yield f"by {fast:.0f} to {long:.0f} nats, and the order of the file, a leak, would lower it by {leak:.0f}"
    ours, theirs = (mean("qm9/long", method, "valid_percent_at_100") for method in (ORDER, "none"))
    yield f"`none` is ahead ({theirs:.1f} % against {ours:.1f} %)"
    fresh, none = (mean("qm9/long", method, "class_nll") for method in ("sympe-labeling-fresh", "none"))
    yield f"class NLL is {fresh:.2f} against {none:.2f}: by our rule they lose"
    yield f"the error of one estimate is {mean('qm9/long', 'sympe-labeling-fresh', 'class_nll_se'):.2f}"
    yield (
        f"{ahead('qm9-hydrogens/fast', 'digress_nll'):.0f} nats less of the DiGress-compatible number, "
        f"{-ahead('qm9-hydrogens/fast', 'class_nll'):.1f} nats *more* of class NLL"
    )
    yield f"(recipe `quick`) it was {-ahead('qm9-hydrogens/quick', 'class_nll'):.1f} nats behind"
    ours, theirs, control = (
        mean("qm9-hydrogens/fast-bounds", method, "class_nll_of_32_at_2") for method in (ORDER, "none", "haar-carried")
    )
    assert f"{theirs:.1f}" == f"{control:.1f}"
    yield f"{ours:.1f} nats against {theirs:.1f} of `none` and of the random order"
    five, ten = (-ahead("qm9-hydrogens/fast-bounds", f"class_nll_of_32_at_{k}") for k in (5, 10))
    yield f"In 5 and 10 steps it is behind by {five:.1f} and {ten:.1f}"
    fast, long = (-ahead(f"qm9-hydrogens/{recipe}", "class_nll") for recipe in ("fast", "long"))
    in_order = mean("qm9-hydrogens/long", ORDER, "in_order_percent_at_100")
    yield f"has come nearer, from {fast:.1f} to {long:.1f} nats, and {in_order:.0f} % of its samples"
    two, five, ten, twenty = (ahead("qm9-hydrogens/long-bounds", f"class_nll_of_32_at_{k}") for k in (2, 5, 10, 20))
    yield f"ahead by {two:.1f} nats in 2 steps"
    yield f"and by {five:.1f} in 5, where it was"
    yield f"from 10 steps on it is behind, by {-ten:.1f} and {-twenty:.1f}"
    one, many = (-ahead("qm9-hydrogens/long-trajectories", f"class_nll_of_{k}") for k in (1, 32))
    ours, theirs = (mean("qm9-hydrogens/long-trajectories", method, "class_nll_of_32") for method in (ORDER, "none"))
    yield f"it shrinks from {one:.1f} to {many:.1f} nats, {ours:.2f} against {theirs:.2f} of `none`"
    figures = (("qm9-hydrogens/long", "none"), ("qm9/long", "none"))
    with_hydrogens, without = (mean(folder, method, "digress_nll") for folder, method in figures)
    yield f"is {with_hydrogens:.2f} after the long training on one core, and without hydrogens {without:.2f}"
    fresh, none = (mean("qm9-hydrogens/fast", method, "digress_nll") for method in ("sympe-labeling-fresh", "none"))
    sort = mean("qm9-hydrogens/fast", "sympe-sort-fresh", "digress_nll")
    yield f"it is at {mean('qm9-hydrogens/fast', 'noise', 'digress_nll'):.2f} (one seed)"
    yield f"recorded at {sort:.2f} (one seed), and `sympe-labeling-fresh`, with the exact order, at {fresh:.2f}"
    yield f"against {none:.2f} of `none` after the same short training"
    ties, none = (mean("qm9-hydrogens/fast", method, "digress_nll") for method in ("sort-fresh-index-ties", "none"))
    yield f"it is at {ties:.2f}, where `none` is at {none:.2f}"
    none, leak = (mean("qm9/fast", method, "digress_nll") for method in ("none", "file-order"))
    yield f"and from {none:.2f} to {leak:.2f} without"
    none, leak, carried = (
        mean("qm9-hydrogens/fast", method, "digress_nll") for method in ("none", "file-order", ORDER)
    )
    yield f"from {none:.2f} to {leak:.2f} with hydrogens (one seed)"
    yield f"where a carried random depth-first order has {carried:.2f}"
    nodes = mean("qm9-hydrogens/long-accounting", "none", "digress_nodes_nll")
    yield f"the accounting without pairs: {nodes:.2f} for `none`"
    canonical = "sympe-canonical-depth-first-carried"
    few, many, more, most = (
        -ahead("qm9/fast", f"valid_percent_at_{k}", f"{order}-by-rank", order)
        for order in (ORDER, canonical)
        for k in (10, 100)
    )
    yield f"by {few:.1f} and {many:.1f} points for the random depth-first order and by {more:.1f} and {most:.1f} for"
    ours, theirs = (mean("qm9/fast", method, "class_nll") for method in (f"{canonical}-by-rank", canonical))
    yield f"({ours:.2f} against {theirs:.2f} for the canonical order)"
    first, second = (
        -ahead("qm9/fast", "valid_percent_at_10", f"{order}-by-rank", "none") for order in (ORDER, canonical)
    )
    yield f"At 10 steps they are {first:.1f} and {second:.1f} points ahead of `none`"
    yield f"behind by {ahead('qm9/fast', 'valid_percent_at_100', f'{canonical}-by-rank'):.1f} points"
    yield from order_by_kind(f"{canonical}-by-rank", "sympe-kind-depth-first-carried-by-rank")
    yield f"of the clean graph*: {mean('qm9-hydrogens/long', ORDER, 'digress_nll'):.2f} with hydrogens"
    yield from by_rank_after_long_training(f"{canonical}-by-rank")
    yield from dropped_on_the_way("sympe-kind-depth-first-dropped-by-rank")
    yield from guided()
    yield from orders_before_training()
    yield from hydrogens_last()
    yield from guided_by_degree()
    yield from of_plain_graphs()


def of_plain_graphs() -> Iterator[str]:
    """What the page says in prose of plain graphs."""
    method = f"{ORDER}-by-rank"
    yield f"On `planar` the order loses {-ahead('planar/plain', 'class_nll', method):.0f} nats"
    yield f"only {mean('planar/plain', method, 'in_order_percent_at_100'):.0f} % of its samples are in order"
    yield f"it gains {ahead('community_small/plain', 'class_nll', method):.1f} nats over no order, on ten test graphs"


def order_by_kind(canonical: str, kind: str) -> Iterator[str]:
    """What the page says in prose of the order by kind."""
    ours, theirs = (mean("qm9/fast", name, "class_nll") for name in (kind, canonical))
    yield f"Its class NLL is {ours:.2f} against {theirs:.2f} of the canonical order"
    ours, theirs = (mean("qm9/fast", name, "in_order_percent_at_100") for name in (kind, canonical))
    yield f"{ours:.0f} % of its samples in 100 steps are in order, against {theirs:.0f} %"


def by_rank_after_long_training(method: str) -> Iterator[str]:
    """What the page says in prose of noise by rank after ten times the training."""
    five, ten = (tuple(mean("qm9/long", name, f"valid_percent_at_{k}") for name in (method, "none")) for k in (5, 10))
    yield f"{five[0]:.1f} % valid against {five[1]:.1f} % in 5 steps and {ten[0]:.1f} % against {ten[1]:.1f} % in 10"
    yield f"FCD of {distance(method, 5):.2f} against {distance('none', 5):.2f}"
    yield f"of {distance(method, 10):.2f} against {distance('none', 10):.2f}"
    yield f"FCD of {distance(method, 100):.2f} against {distance(ORDER, 100):.2f} in 100 steps"
    yield f"stays {ahead('qm9/long', 'valid_percent_at_100', method):.1f} points of validity behind `none`"
    ours, theirs = (mean("qm9/long", name, "class_nll") for name in (method, "none"))
    yield f"its class NLL is higher, {ours:.2f} against {theirs:.2f}"
    two, five, ten, twenty = (
        tuple(mean("qm9/long-bounds", name, f"class_nll_of_32_at_{k}") for name in (method, "none"))
        for k in (2, 5, 10, 20)
    )
    yield f"{two[0]:.2f} against {two[1]:.2f} in 2 steps, {five[0]:.2f} against {five[1]:.2f} in 5 and"
    yield f"{ten[0]:.2f} against {ten[1]:.2f} in 10; in 20 it is {twenty[0]:.2f} against {twenty[1]:.2f}"
    yield f"Only {mean('qm9/long', method, 'in_order_percent_at_100'):.0f} % of its samples in 100 steps"


def distance(method: str, k: int) -> float:
    """Fréchet ChemNet distance after the long training, with k steps."""
    return fmean(run.metrics[f"fcd_at_{k}"] for run in by_method(with_distances())[method])


def dropped_on_the_way(method: str) -> Iterator[str]:
    """What the page says in prose of dropping the order on the way."""
    fast, long = (
        {k: [mean(f"qm9/{recipe}", name, f"valid_percent_at_{k}") for name in (method, "none")] for k in steps}
        for recipe, steps in (("fast", (10, 100)), ("long", STEPS))
    )
    yield f"{fast[10][0]:.1f} % are valid in 10 steps and {fast[100][0]:.1f} % in 100"
    yield f"of `none` {fast[10][1]:.1f} and {fast[100][1]:.1f} %"
    for which in (0, 1):
        yield f"{long[5][which]:.1f}, {long[10][which]:.1f} and {long[20][which]:.1f} %"
    yield f"in 100 steps {long[100][0]:.1f} % against {long[100][1]:.1f} %"
    five, ten, twenty = (mean("qm9/long-spacing/3", method, f"valid_percent_at_{k}") for k in (5, 10, 20))
    yield f"{five:.1f} % are valid in 5 steps, {ten:.1f} % in 10 and {twenty:.1f} % in 20"
    for k in (5, 10, 20, 100):
        yield f"{distance(method, k):.2f} against {distance('none', k):.2f}"
    yield f"its class NLL is {mean('qm9/long', method, 'class_nll'):.2f}"
    yield f"{mean('qm9/long', method, 'in_order_percent_at_100'):.0f} % of its samples are in order"
    for k in (2, 5, 10, 20):
        ours, theirs = (mean("qm9/long-bounds", name, f"class_nll_of_32_at_{k}") for name in (method, "none"))
        yield f"{ours:.2f} against {theirs:.2f} in {k}"


#: Orders that can be carried with and without hydrogens, but for the random one.
ORDERS = [
    *(f"sympe-{rule}depth-first" for rule in ("", "kind-", "degree-", "branch-", "canonical-")),
    "sympe-labeling",
]


def guided_by_degree() -> Iterator[str]:
    """What the page says in prose of guidance with the order by degree."""
    method, kept = GUIDED_BY["qm9"][1], "qm9/long-guidance/1"
    nll, valid, fcd = (
        [mean(kept, method, f"{name}_at_{k}") for k in (5, 10, 20)]
        for name in ("class_nll_of_32", "valid_percent", "fcd")
    )
    yield "its class NLL is {:.2f}, {:.2f} and {:.2f}".format(*nll)
    bounds = read_records(RESULTS / "qm9" / "long-bounds")
    assert nll[2] < min(run.metrics["class_nll_of_32_at_20"] for run in bounds)
    yield "{:.1f}, {:.1f} and {:.1f} % are valid, with an FCD of".format(*valid)
    yield "{:.2f}, {:.2f} and {:.2f}. With guidance 0".format(*fcd)
    yield f"all steps {mean('qm9/long', method, 'valid_percent_at_100'):.1f} % are valid"


def hydrogens_last() -> Iterator[str]:
    """What the pages say in prose of an order in which hydrogens come last."""
    [method], kept, data = GUIDED_BY["qm9-hydrogens"], "qm9-hydrogens/long-guidance/1", "qm9-hydrogens"
    lower = {}
    for k in (2, 5, 10, 20):
        name = f"class_nll_of_32_at_{k}"
        lower[k] = mean(f"{data}/long-bounds", "none", name) - mean(kept, method, name)
    yield f"by {lower[2]:.1f} nats in 2 steps, {lower[5]:.1f} in 5, {lower[10]:.1f} in 10 and {lower[20]:.1f} in 20"
    for k in (5, 10, 20):
        ours, theirs = (
            mean(kept, method, f"valid_percent_at_{k}"),
            mean(f"{data}/long", "none", f"valid_percent_at_{k}"),
        )
        yield f"{ours:.1f} % against {theirs:.1f} %"
    ours, theirs = ([mean(f"{data}/long", name, f"valid_percent_at_{k}") for k in STEPS] for name in (method, "none"))
    assert all(map(float.__gt__, ours, theirs))
    yield "{:.1f} % in 5, {:.1f} % in 10, {:.1f} % in 20, {:.1f} % in 50 and {:.1f} % in 100".format(*ours)
    yield f"({ours[-1]:.1f} % against {theirs[-1]:.1f} %)"
    five, twenty = (mean(f"{data}/long-spacing/3", method, f"valid_percent_at_{k}") for k in (5, 20))
    yield f"{five:.1f} % are valid in 5 steps and {twenty:.1f} % in 20"
    five, twenty = (mean(f"{data}/long-spacing/3", "none", f"valid_percent_at_{k}") for k in (5, 20))
    yield f"of `none` {five:.1f} % and {twenty:.1f} %"
    [run] = [run for run in read_records(RESULTS / kept) if run.method == method]
    yield f"{run.metrics['digress_nll']:.2f} ± {run.metrics['digress_nll_se']:.2f}"
    yield f"{run.metrics['class_nll']:.2f} ± {run.metrics['class_nll_se']:.2f}"
    yield f"it falls by {mean(f'{data}/long', 'none', 'digress_nll') - run.metrics['digress_nll']:.0f} nats"


def orders_before_training() -> Iterator[str]:
    """What the page says in prose of orders that no network has seen."""

    def untrained(order: str, data: str) -> float:
        [floor] = read_records(RESULTS / data / "floor")
        return float(floor.metrics[f"untrained_class_nll_{order}-carried-by-rank"])

    degree, branch = (f"sympe-{rule}-depth-first" for rule in ("degree", "branch"))
    ours, theirs = (untrained(order, "qm9") for order in (degree, "haar"))
    yield f"saves about as much as it loses ({ours:.2f} against {theirs:.2f} of a random order)"
    lower = [order for order in ORDERS if untrained(order, "qm9") < theirs]
    assert lower == [degree, branch]
    best = mean("qm9/fast", f"{degree}-carried-by-rank", "class_nll")
    others = [record for record in read_records(RESULTS / "qm9" / "fast") if "depth-first" in record.method]
    assert mean("qm9/fast", "haar-carried", "class_nll") < best == min(run.metrics["class_nll"] for run in others)
    yield f"has the lowest class NLL of the depth-first orders, {best:.2f}"
    five = mean("qm9/fast-samples", f"{degree}-carried-by-rank", "valid_percent_at_5")
    yield f"makes {five:.1f} % valid molecules in 5 steps"
    ours, theirs = (untrained(order, "qm9") for order in (branch, degree))
    yield f"is {theirs - ours:.1f} nats better than that by degree before training"
    ours, theirs = (mean("qm9/fast", f"{order}-carried-by-rank", "class_nll") for order in (branch, degree))
    yield f"and {ours - theirs:.1f} worse after it"
    ours, theirs = (
        mean("qm9/fast", f"{order}-carried-by-rank", "in_order_percent_at_100") for order in (branch, degree)
    )
    yield f"({ours:.0f} % of its samples are in order, against {theirs:.0f} %)"
    random = untrained("haar", "qm9-hydrogens")
    between = [untrained(order, "qm9-hydrogens") - random for order in ORDERS if order not in (degree, branch)]
    last = [random - untrained(order, "qm9-hydrogens") for order in (degree, branch, "sympe-heavy-depth-first")]
    yield f"is worse than a random one, by {min(between):.0f} to {max(between):.0f} nats"
    yield f"Those with hydrogens last are better by {min(last):.0f} to {max(last):.0f}"
    ours, theirs = (untrained(order, "planar") for order in ("sympe-depth-first", "haar"))
    yield f"pays for planar graphs ({ours:.0f} nats against {theirs:.0f} of a random order)"
    ours, theirs = (untrained(order, "tree") for order in ("sympe-depth-first", "haar"))
    yield f"and not for trees ({ours:.0f} against {theirs:.0f})"


def differs(ours: Sequence[Record], theirs: Sequence[Record], name: str) -> bool:
    """By our rule: three seeds on both sides, and three pooled standard errors between their means."""
    sides = [[run.metrics[name] for run in runs] for runs in (ours, theirs)]
    pooled = sum(stdev(side) ** 2 / len(side) for side in sides) ** 0.5
    return min(map(len, sides)) >= 3 and abs(fmean(sides[0]) - fmean(sides[1])) > 3 * pooled


def guided() -> Iterator[str]:
    """What the page says in prose of guidance: in few steps 1, in all 0."""
    kept = "qm9/long-guidance/1"
    ours, bounds = (by_method(read_records(RESULTS / folder)) for folder in (kept, "qm9/long-bounds"))
    for k in (5, 10):
        for name, theirs in (
            ("valid_percent", by_method(with_distances())),
            ("fcd", by_method(with_distances())),
            ("class_nll_of_32", bounds),
        ):
            assert differs(ours[GUIDED], theirs["none"], f"{name}_at_{k}")
        name = f"valid_percent_at_{k}"
        yield f"{mean(kept, GUIDED, name):.1f} %"
        yield f"against {mean('qm9/long', 'none', name):.1f} %"
        yield f"of {mean(kept, GUIDED, f'fcd_at_{k}'):.2f} against {distance('none', k):.2f}"
        name = f"class_nll_of_32_at_{k}"
        yield f"of {mean(kept, GUIDED, name):.2f} against {mean('qm9/long-bounds', 'none', name):.2f}"
    ours, theirs = (mean("qm9/long", method, "valid_percent_at_100") for method in (GUIDED, "none"))
    assert 0 < theirs - ours < 1
    yield f"{ours:.1f} % are valid against {theirs:.1f} %, less than a point behind"


def test_its_prose_quotes_the_records() -> None:
    told = " ".join(pages().split())
    assert [quote for quote in quotes() if " ".join(quote.split()) not in told] == []


def test_its_table_of_noise_by_rank_is_that_of_the_records() -> None:
    assert shown("by-rank") == by_rank()


def test_its_table_of_orders_is_that_of_the_records() -> None:
    assert shown("orders") == orders()
    assert shown("plain") == plain_graphs()


def test_its_table_of_spacings_is_that_of_the_records() -> None:
    assert shown("spacing") == by_spacing((2, 5, 10, 20))


def test_its_table_of_guidance_is_that_of_the_records() -> None:
    assert shown("guidance") == by_guidance("qm9", (5, 10, 20))
    assert shown("guidance-hydrogens") == by_guidance("qm9-hydrogens", (5, 10, 20))


def test_its_distances_are_those_of_the_records() -> None:
    assert shown("fcd") == distances()


def test_its_tighter_bounds_are_those_of_the_records() -> None:
    assert shown("trajectories") == bounds((1, 4, 32))
    assert shown("few-steps") == few_steps("qm9", (2, 5, 10, 20), 32)
    assert shown("few-steps-hydrogens") == few_steps("qm9-hydrogens", (2, 5, 10, 20), 32)

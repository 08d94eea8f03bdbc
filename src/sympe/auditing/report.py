"""The report of an audit: one row per sample, a summary, and a verdict in one sentence."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from itertools import chain, compress
from typing import Any

import numpy as np

from sympe.auditing.examine import ADJACENCY
from sympe.auditing.parts import Part, Store
from sympe.auditing.symmetry.stabilizers import Symmetry

ROW = ("index", "n", "stabilizer_order", "log_stabilizer", "point_group", "irreducible_error")  # fields, in order
_QUANTILES = {"q0": 0.0, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95, "q100": 1.0}
_MOST_OFFENDERS = _MOST_REASONS = 10
_MOST_ORDERS = 16


@dataclass(frozen=True)
class Summary:
    """An audit in numbers; logarithms in nats.

    Attributes:
        group: Name of the group.
        target, loss, bottleneck: Their names, or None.
        per: What each entry of the target belongs to, as given or inferred; None without a target, or for adjacency.
        samples, skipped: Numbers of samples audited and skipped.
        skipped_reasons: Number of samples skipped for each of the most frequent reasons.
        symmetric, symmetric_share: Number and share of samples with a stabilizer of order above 1.
        infinite: Number of samples with an infinite stabilizer, which the logs below exclude.
        log_stabilizer: Quantiles of the log of the stabilizer's order, by name.
        mean_log_stabilizer: Mean of this log: the least randomness that breaks all symmetries.
        mean_log_orbit: Mean log of the orbit's size: the excess randomness of Haar measure.
        orders: Number of samples by order of the stabilizer: the most frequent orders, and all others.
        point_groups: Number of samples by point group.
        entries: Number of entries of all targets.
        irreducible_error: Least error per entry of any deterministic equivariant map, averaged over entries.
        irreducible_error_of_samples: The same, averaged within samples and then over samples.
        violations, violations_share: Number and share of samples with a target less symmetric than the input.
        offenders: Index and error per entry of the samples with the largest errors.
        verdict: Whether symmetry breaking is needed, in one sentence.
        advice: What to use.
    """

    group: str
    target: str | None
    per: str | None
    loss: str | None
    bottleneck: str | None
    samples: int
    skipped: int
    skipped_reasons: dict[str, int]
    symmetric: int
    symmetric_share: float
    infinite: int
    log_stabilizer: dict[str, float | None]
    mean_log_stabilizer: float | None
    mean_log_orbit: float | None
    orders: dict[str, int]
    point_groups: dict[str, int]
    entries: int
    irreducible_error: float | None
    irreducible_error_of_samples: float | None
    violations: int | None
    violations_share: float | None
    offenders: list[tuple[int, float]]
    verdict: str = ""
    advice: str = ""


class AuditReport:
    """The outcome of an audit; ``print`` it for the summary and the verdict.

    Attributes:
        summary: The numbers.
        needed: Whether the target requires symmetry breaking; None without a target.
        notes: What to know of how the data were read.
    """

    def __init__(
        self, symmetry: Symmetry, target: str | None, bottleneck: str | None, parts: Store, notes: Sequence[str] = ()
    ) -> None:
        self.notes = tuple(notes)
        self._symmetry, self._target, self._bottleneck, self._store = symmetry, target, bottleneck, parts
        self._inside_is_edge = _most_are_edges(parts) if bottleneck == "node-differences" else None
        summary = self._summarize()
        verdict, advice = _verdict(summary, symmetry.breaker)
        self.summary = replace(summary, verdict=verdict, advice=advice)
        self.needed = None if summary.violations is None else summary.violations > 0

    def samples(self) -> Iterator[dict[str, Any]]:
        """One row per sample, in the order of the data; see ``ROW``."""
        for part in self._parts():
            columns = part.index, part.n, part.order, part.point_group, part.error, part.entries
            for index, n, order, name, error, entries in zip(*columns, strict=True):
                log = None if order is None else math.log(order)
                per_entry = None if error is None else error / max(entries, 1)
                yield dict(zip(ROW, (index, n, order, log, name, per_entry), strict=True))

    def skipped(self) -> Iterator[tuple[int, str]]:
        """Index and reason of every skipped sample."""
        return chain.from_iterable(part.skipped for part in self._store)

    def worst(self) -> list[dict[str, Any]]:
        """The rows of the samples with the largest errors per entry, largest first."""
        places = {index: place for place, (index, _) in enumerate(self.summary.offenders)}
        found = [row for row in self.samples() if row["index"] in places] if places else []
        return sorted(found, key=lambda row: places[row["index"]])

    def drawn(self, most: int = 6) -> list[dict[str, Any]]:
        """What drawings need of the samples with the largest errors, or else of the first symmetric ones."""
        places = {index: place for place, (index, _) in enumerate(self.summary.offenders)}
        found = [drawing for part in self._store for drawing in part.drawn]
        return sorted(found, key=lambda drawing: places.get(drawing["index"], len(places)))[:most]

    def facts(self) -> Iterator[tuple[str, str]]:
        """The summary as pairs of name and text, without verdict and advice."""
        summary = self.summary
        yield "group", f"{summary.group} ({self._symmetry.title})"
        if summary.target is not None:
            per = "" if summary.per is None else f" per {summary.per}"
            through = "" if summary.bottleneck is None else f" through {summary.bottleneck}"
            yield "target", f"{summary.target}{per}{through}, {summary.loss} loss"
        for note in self.notes:
            yield "note", note
        yield "samples", f"{summary.samples:,}" + (f", {summary.skipped:,} skipped" if summary.skipped else "")
        for reason, count in summary.skipped_reasons.items():
            yield "  skipped", f"{count:,}: {reason}"
        infinite = f", {summary.infinite:,} of them with infinite groups" if summary.infinite else ""
        yield "symmetric", f"{summary.symmetric:,} ({100 * summary.symmetric_share:.1f} %){infinite}"
        if summary.mean_log_stabilizer is not None:
            names = {"q0": "min", "q50": "median", "q100": "max"}
            shown = (f"{names.get(q, q[1:] + ' %')} {value:.2f}" for q, value in summary.log_stabilizer.items())
            yield "log|Stab|, nats", f"mean {summary.mean_log_stabilizer:.2f}; {', '.join(shown)}"
        if summary.mean_log_orbit is not None:
            yield "log|orbit|, nats", f"mean {summary.mean_log_orbit:.2f}: the excess randomness of Haar measure"
        if summary.point_groups:
            listed = [f"{name} {count:,}" for name, count in summary.point_groups.items()]
            yield "point groups", ", ".join(listed[:12]) + (f" and {len(listed) - 12} more" if len(listed) > 12 else "")
        if summary.irreducible_error is None:
            return
        yield "irreducible error", f"{_error(summary)}, of {summary.entries:,} entries"
        yield "above zero", f"{summary.violations:,} samples ({100 * (summary.violations_share or 0):.1f} %)"
        if summary.offenders:
            worst = ", ".join(f"{index} ({error:.3g})" for index, error in summary.offenders[:5])
            yield "worst samples", f"{worst} (index, error per entry)"

    def __str__(self) -> str:
        facts = list(self.facts())
        width = max(len(name) for name, _ in facts)
        lines = [f"{name:<{width}}  {text}" for name, text in facts]
        return "\n".join([*lines, "", self.summary.verdict, self.summary.advice])

    def __repr__(self) -> str:
        return f"AuditReport({self.summary.verdict!r})"

    def _parts(self) -> Iterator[Part]:
        """The parts, with the errors of code differences, where one answer serves all orbits of the data."""
        for part in self._store:
            if self._inside_is_edge is not None:
                error: list[float | None] = [
                    (apart or 0.0) + (pairs - edges if self._inside_is_edge else edges)
                    for apart, pairs, edges in zip(part.error, part.inside_pairs, part.inside_edges, strict=True)
                ]
                part = replace(part, error=error, violated=[bool(value) for value in error])
            yield part

    def _summarize(self) -> Summary:
        """All numbers; verdict and advice are still empty."""
        sums = _Sums(self._parts())
        if len(sums.losses) > 1:
            raise ValueError("expected targets of one type; some are integers and some are not: choose a loss")
        loss = next(iter(sums.losses), None)
        orders, samples, finite = sums.orders, sums.samples, sums.orders.total()
        symmetric = samples - orders[1]
        logs = sum(count * math.log(order) for order, count in sorted(orders.items()))
        return Summary(
            group=self._symmetry.name,
            target=self._target,
            per=" and ".join(sorted(sums.pers)) or None,
            loss=loss,
            bottleneck=self._bottleneck,
            samples=samples,
            skipped=sums.skipped,
            skipped_reasons=dict(sums.reasons.most_common(_MOST_REASONS)),
            symmetric=symmetric,
            symmetric_share=symmetric / max(samples, 1),
            infinite=samples - finite,
            log_stabilizer=_quantiles(orders),
            mean_log_stabilizer=logs / finite if finite else None,
            mean_log_orbit=sums.log_orbit / sums.orbits if sums.orbits else None,
            orders=_most_frequent(orders, samples - finite),
            point_groups=dict(sums.point_groups.most_common()),
            entries=sums.entries,
            irreducible_error=None if loss is None else sums.error / max(sums.entries, 1),
            irreducible_error_of_samples=None if loss is None else sums.error_of_samples / max(samples, 1),
            violations=None if loss is None else sums.violations,
            violations_share=None if loss is None else sums.violations / max(samples, 1),
            offenders=[(-index, error) for error, index in sums.offenders],
        )


class _Sums:
    """Sums over all samples, in one pass."""

    def __init__(self, parts: Iterable[Part]) -> None:
        self.orders, self.point_groups, self.reasons = Counter[int](), Counter[str](), Counter[str]()
        self.losses, self.pers = set[str](), set[str]()
        self.offenders: list[tuple[float, int]] = []
        self.samples = self.skipped = self.entries = self.violations = self.orbits = 0
        self.log_orbit = self.error = self.error_of_samples = 0.0
        for part in parts:
            self._add(part)

    def _add(self, part: Part) -> None:
        self.samples += len(part.index)
        self.skipped += len(part.skipped)
        self.losses.update(part.losses)
        self.pers.update(part.pers)
        for kind in (reason.split("; got ")[0] for _, reason in part.skipped):
            self.reasons[kind if kind in self.reasons or len(self.reasons) < 1000 else "other reasons"] += 1
        self.point_groups.update(name for name in part.point_group if name is not None)
        self.orders.update(order for order in part.order if order is not None)
        log_orbits = [log for log in part.log_orbit if log is not None]
        self.log_orbit += sum(log_orbits)
        self.orbits += len(log_orbits)
        self.entries += sum(part.entries)
        self.violations += sum(part.violated)
        errors = [error or 0.0 for error in part.error]
        per_entry = [error / max(entries, 1) for error, entries in zip(errors, part.entries, strict=True)]
        self.error = sum(errors, self.error)
        self.error_of_samples = sum(per_entry, self.error_of_samples)
        violating = compress(zip(per_entry, (-index for index in part.index), strict=True), part.violated)
        self.offenders = nlargest(_MOST_OFFENDERS, chain(self.offenders, violating))


def _verdict(found: Summary, breaker: str) -> tuple[str, str]:
    """Verdict and advice."""
    share = f"{found.symmetric:,} of {found.samples:,} samples ({100 * found.symmetric_share:.3g} %)"
    through = "" if found.bottleneck is None else f" through {found.bottleneck}"
    as_it_is = "Use any equivariant network as it is."
    if found.irreducible_error is None and found.symmetric:
        return (
            f"It depends on the target: {share} are symmetric, and there every deterministic equivariant network "
            "gives a symmetric output.",
            "Name the target to find out what that costs.",
        )
    if found.irreducible_error is None:
        return "Not needed: no sample has a symmetry, so no output is forced to be symmetric.", as_it_is
    if not found.violations and found.target == ADJACENCY and found.bottleneck is None:
        return (
            "Not needed: the target is part of the input, and an equivariant network can copy it.",
            "If the prediction must pass through one code per node, ask with the bottleneck node-codes.",
        )
    if not found.violations:
        why = f"every target is as symmetric as its input{through}" if found.symmetric else "no sample has a symmetry"
        return f"Not needed: {why}, so symmetry does not prevent an error of zero.", as_it_is
    share = f"{found.violations:,} of {found.samples:,} samples ({100 * (found.violations_share or 0):.3g} %)"
    why = "the target is less symmetric than the input"
    if found.bottleneck is not None:
        why = f"{found.bottleneck} have a symmetry that the target lacks"
    nats = found.mean_log_stabilizer
    least = "" if nats is None else f" It needs at least {nats:.3g} nats of randomness per sample on average."
    return (
        f"Needed: in {share} {why}, and no deterministic equivariant network gets below {_error(found)}.",
        f"Use {breaker}.{least}",
    )


def _most_are_edges(parts: Store) -> bool:
    """Whether most pairs inside orbits are edges: code differences allow only one answer for all of them."""
    return sum(2 * sum(part.inside_edges) - sum(part.inside_pairs) for part in parts) > 0


def _most_frequent(orders: Counter[int], infinite: int) -> dict[str, int]:
    """Counts of the most frequent orders, as text in ascending order, and of all others."""
    kept = sorted(orders.most_common(_MOST_ORDERS))
    named = {f"{order:,}" if order < 10**9 else f"10^{math.log10(order):.1f}": count for order, count in kept}
    rest = {"others": orders.total() - sum(count for _, count in kept), "infinite": infinite}
    return named | {name: count for name, count in rest.items() if count}


def _quantiles(orders: Mapping[int, int]) -> dict[str, float | None]:
    """Quantiles of log orders, given the count of each order; interpolated as in numpy."""
    if not orders:
        return dict.fromkeys(_QUANTILES)
    logs = np.array([math.log(order) for order in sorted(orders)])
    ends = np.cumsum([count for _, count in sorted(orders.items())])
    place = np.array([*_QUANTILES.values()]) * (ends[-1] - 1)
    low, high = (logs[np.searchsorted(ends, whole(place), side="right")] for whole in (np.floor, np.ceil))
    return dict(zip(_QUANTILES, (low + place % 1 * (high - low)).tolist(), strict=True))


def _error(found: Summary) -> str:
    """The irreducible error, in words."""
    error = found.irreducible_error or 0.0
    if found.loss == "zero-one":
        return f"{100 * error:.3f} % wrong entries"
    return f"a {'mean squared' if found.loss == 'squared' else 'mean absolute'} error of {error:.4g}"

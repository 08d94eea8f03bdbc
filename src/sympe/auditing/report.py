"""The report of an audit: one row per sample, a summary, and a verdict in one sentence."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappush, heappushpop
from typing import Any

import numpy as np

from sympe.auditing.examine import ADJACENCY
from sympe.auditing.parts import Part, Store
from sympe.auditing.symmetry.stabilizers import Symmetry

#: Fields of a row, in order.
ROW = ("index", "n", "stabilizer_order", "log_stabilizer", "point_group", "irreducible_error")
QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.95, 1.0)

_MOST_OFFENDERS = 10
_MOST_REASONS = 10
_MOST_ORDERS = 16


@dataclass(frozen=True)
class Summary:
    """An audit in numbers; logarithms in nats.

    Attributes:
        group: Name of the group.
        target: Name of the target, or None.
        loss: The loss, or None.
        bottleneck: Name of the bottleneck, or None.
        samples: Number of samples audited.
        skipped: Number of samples skipped.
        skipped_reasons: Number of samples skipped for each of the most frequent reasons.
        symmetric: Number of samples with a stabilizer of order above 1.
        symmetric_share: Share of these samples.
        infinite: Number of samples with an infinite stabilizer, which the logs below exclude.
        log_stabilizer: Quantiles of the log of the stabilizer's order, by name.
        mean_log_stabilizer: Mean of this log: the least randomness that breaks all symmetries.
        mean_log_orbit: Mean log of the orbit's size: the excess randomness of Haar measure.
        orders: Number of samples by order of the stabilizer: the most frequent orders, and all others.
        point_groups: Number of samples by point group.
        entries: Number of entries of all targets.
        irreducible_error: Least error per entry of any deterministic equivariant map, averaged over entries.
        irreducible_error_of_samples: The same, averaged within samples and then over samples.
        violations: Number of samples with a target less symmetric than the input.
        violations_share: Share of these samples.
        offenders: Index and error per entry of the samples with the largest errors.
        verdict: Whether symmetry breaking is needed, in one sentence.
        advice: What to use.
    """

    group: str
    target: str | None
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
    verdict: str
    advice: str


class AuditReport:
    """The outcome of an audit; ``print`` it for the summary and the verdict.

    Attributes:
        summary: The numbers.
        needed: Whether the target requires symmetry breaking; None without a target.
        notes: What to know of how the data were read.
    """

    def __init__(
        self,
        symmetry: Symmetry,
        target: str | None,
        bottleneck: str | None,
        parts: Store,
        notes: Sequence[str] = (),
    ) -> None:
        self.notes = tuple(notes)
        self._symmetry, self._target, self._bottleneck, self._parts = symmetry, target, bottleneck, parts
        self._inside_is_edge = _most_are_edges(parts) if bottleneck == "node-differences" else None
        self.summary = self._summarize()

    @property
    def needed(self) -> bool | None:
        return None if self.summary.violations is None else self.summary.violations > 0

    def samples(self) -> Iterator[dict[str, Any]]:
        """One row per sample, in the order of the data; see ``ROW``."""
        for part in self._parts:
            for k, index in enumerate(part.index):
                order = part.order[k]
                log = None if order is None else math.log(order)
                error = self._error(part, k)
                per_entry = None if error is None else error / max(part.entries[k], 1)
                yield dict(zip(ROW, (index, part.n[k], order, log, part.point_group[k], per_entry), strict=True))

    def skipped(self) -> Iterator[tuple[int, str]]:
        """Index and reason of every skipped sample."""
        for part in self._parts:
            yield from part.skipped

    def worst(self) -> list[dict[str, Any]]:
        """The rows of the samples with the largest errors per entry, largest first."""
        places = {index: place for place, (index, _) in enumerate(self.summary.offenders)}
        found = [row for row in self.samples() if row["index"] in places] if places else []
        return sorted(found, key=lambda row: places[row["index"]])

    def facts(self) -> list[tuple[str, str]]:
        """The summary as pairs of name and text, without verdict and advice."""
        return list(self._facts())

    def _facts(self) -> Iterator[tuple[str, str]]:
        summary = self.summary
        yield "group", f"{summary.group} ({self._symmetry.title})"
        if summary.target is not None:
            through = "" if summary.bottleneck is None else f" through {summary.bottleneck}"
            yield "target", f"{summary.target}{through}, {summary.loss} loss"
        for note in self.notes:
            yield "note", note
        skipped = f", {summary.skipped:,} skipped" if summary.skipped else ""
        yield "samples", f"{summary.samples:,}{skipped}"
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
        if summary.irreducible_error is None or summary.loss is None:
            return
        error = show_error(summary.irreducible_error, summary.loss)
        yield "irreducible error", f"{error}, of {summary.entries:,} entries"
        yield "above zero", f"{summary.violations:,} samples ({100 * (summary.violations_share or 0):.1f} %)"
        if summary.offenders:
            worst = ", ".join(f"{index} ({error:.3g})" for index, error in summary.offenders[:5])
            yield "worst samples", f"{worst} (index, error per entry)"

    def __str__(self) -> str:
        facts = self.facts()
        width = max(len(name) for name, _ in facts)
        lines = [f"{name:<{width}}  {text}" for name, text in facts]
        return "\n".join([*lines, "", self.summary.verdict, self.summary.advice]).rstrip()

    def __repr__(self) -> str:
        return f"AuditReport({self.summary.verdict!r})"

    def _error(self, part: Part, k: int) -> float | None:
        error = part.error[k]
        if error is None or self._inside_is_edge is None:
            return error
        edges = part.inside_edges[k]
        return error + (part.inside_pairs[k] - edges if self._inside_is_edge else edges)

    def _summarize(self) -> Summary:
        orders: Counter[int] = Counter()
        groups: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        samples = skipped = entries = violations = orbits = 0
        log_orbits = total = of_samples = 0.0
        losses: set[str] = set()
        offenders: list[tuple[float, int]] = []
        for part in self._parts:
            skipped += len(part.skipped)
            losses.update(part.losses)
            for _, reason in part.skipped:
                kind = reason.split("; got ")[0]
                reasons[kind if kind in reasons or len(reasons) < 1000 else "other reasons"] += 1
            groups.update(name for name in part.point_group if name is not None)
            orders.update(order for order in part.order if order is not None)
            orbit_logs = [log for log in part.log_orbit if log is not None]
            log_orbits += sum(orbit_logs)
            orbits += len(orbit_logs)
            samples += len(part.index)
            for k, index in enumerate(part.index):
                error = self._error(part, k)
                if error is None:
                    continue
                entries += part.entries[k]
                per_entry = error / max(part.entries[k], 1)
                total += error
                of_samples += per_entry
                if part.violated[k] if self._inside_is_edge is None else error:
                    violations += 1
                    worst = (per_entry, -index)
                    if len(offenders) < _MOST_OFFENDERS:
                        heappush(offenders, worst)
                    else:
                        heappushpop(offenders, worst)
        if len(losses) > 1:
            raise ValueError("expected targets of one type; some are integers and some are not: choose a loss")
        loss = losses.pop() if losses else None
        asked = loss is not None
        irreducible = total / max(entries, 1) if asked else None
        finite = orders.total()
        symmetric = samples - orders[1]
        mean = sum(count * math.log(order) for order, count in sorted(orders.items())) / finite if finite else None
        verdict, advice = self._verdict(samples, symmetric, mean, loss, irreducible, violations)
        return Summary(
            group=self._symmetry.name,
            target=self._target,
            loss=loss,
            bottleneck=self._bottleneck,
            samples=samples,
            skipped=skipped,
            skipped_reasons=dict(reasons.most_common(_MOST_REASONS)),
            symmetric=symmetric,
            symmetric_share=symmetric / max(samples, 1),
            infinite=samples - finite,
            log_stabilizer=_quantiles(orders),
            mean_log_stabilizer=mean,
            mean_log_orbit=log_orbits / orbits if orbits else None,
            orders=_most_frequent(orders, samples - finite),
            point_groups=dict(groups.most_common()),
            entries=entries,
            irreducible_error=irreducible,
            irreducible_error_of_samples=of_samples / max(samples, 1) if asked else None,
            violations=violations if asked else None,
            violations_share=violations / max(samples, 1) if asked else None,
            offenders=[(-index, error) for error, index in sorted(offenders, reverse=True)],
            verdict=verdict,
            advice=advice,
        )

    def _verdict(
        self, samples: int, symmetric: int, nats: float | None, loss: str | None, error: float | None, violations: int
    ) -> tuple[str, str]:
        randomness = "" if nats is None else f" It needs at least {nats:.3g} nats of randomness per sample on average."
        instead = f"Use {self._symmetry.breaker}.{randomness}"
        if not samples:
            return "Nothing was audited.", ""
        share = f"{symmetric:,} of {samples:,} samples ({100 * symmetric / samples:.3g} %)"
        if error is None:
            if not symmetric:
                return (
                    "Not needed: no sample has a symmetry, so no output is forced to be symmetric.",
                    "Use any equivariant network as it is.",
                )
            return (
                f"It depends on the target: {share} are symmetric, and there every deterministic equivariant network "
                "gives a symmetric output.",
                "Name the target to find out what that costs.",
            )
        through = "" if self._bottleneck is None else f" through {self._bottleneck}"
        if not violations and self._target == ADJACENCY and self._bottleneck is None:
            return (
                "Not needed: the target is part of the input, and an equivariant network can copy it.",
                "If the prediction must pass through one code per node, ask with the bottleneck node-codes.",
            )
        if not violations:
            why = "no sample has a symmetry" if not symmetric else f"every target is as symmetric as its input{through}"
            return (
                f"Not needed: {why}, so symmetry does not prevent an error of zero.",
                "Use any equivariant network as it is.",
            )
        hit = f"in {violations:,} of {samples:,} samples ({100 * violations / samples:.3g} %)"
        why = "the target is less symmetric than the input"
        if self._bottleneck is not None:
            why = f"{self._bottleneck} have a symmetry that the target lacks"
        assert loss is not None
        reach = f"no deterministic equivariant network gets below {show_error(error, loss)}"
        return f"Needed: {hit} {why}, and {reach}.", instead


def _most_are_edges(parts: Store) -> bool:
    """Whether most pairs inside orbits are edges: code differences allow only one answer for all of them."""
    edges = pairs = 0
    for part in parts:
        edges += sum(part.inside_edges)
        pairs += sum(part.inside_pairs)
    return 2 * edges > pairs


def _most_frequent(orders: Counter[int], infinite: int) -> dict[str, int]:
    """Counts of the most frequent orders, as text in ascending order, and of all others."""
    kept = dict(sorted(orders.most_common(_MOST_ORDERS)))
    named = {f"{order:,}" if order < 10**9 else f"10^{math.log10(order):.1f}": count for order, count in kept.items()}
    rest = sum(orders.values()) - sum(kept.values())
    return named | ({"others": rest} if rest else {}) | ({"infinite": infinite} if infinite else {})


def _quantiles(orders: Mapping[int, int]) -> dict[str, float | None]:
    """Quantiles of log orders, given the count of each order; interpolated as in numpy."""
    names = [f"q{100 * q:g}" for q in QUANTILES]
    ascending = sorted(orders)
    if not ascending:
        return dict.fromkeys(names)
    logs = np.array([math.log(order) for order in ascending])
    ends = np.cumsum([orders[order] for order in ascending])
    place = np.array(QUANTILES) * (ends[-1] - 1)
    low, high = (logs[np.searchsorted(ends, whole(place), side="right")] for whole in (np.floor, np.ceil))
    return dict(zip(names, (low + place % 1 * (high - low)).tolist(), strict=True))


def show_error(error: float, loss: str) -> str:
    """An error per entry, in words."""
    if loss == "zero-one":
        return f"{100 * error:.3f} % wrong entries"
    return f"a {'mean squared' if loss == 'squared' else 'mean absolute'} error of {error:.4g}"

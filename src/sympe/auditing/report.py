r"""What an audit has to say: one row per sample, a summary over all, and a verdict in one sentence."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from heapq import heappush, heappushpop
from typing import Any

from sympe.auditing.parts import Part, Store

#: Fields of a sample, in the order in which they are written.
ROW = ("index", "n", "stabilizer_order", "log_stabilizer", "point_group", "irreducible_error")
QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.95, 1.0)

_MOST_OFFENDERS = 10
_MOST_REASONS = 10
_MOST_ORDERS = 16


@dataclass(frozen=True)
class Question:
    """What an audit was asked.

    Attributes:
        group: Name of the group.
        title: What the group does, in a few words.
        target: Name of the target, or None.
        bottleneck: What the answers must pass through, or None.
        breaker: What breaks this symmetry, as an expression.
    """

    group: str
    title: str
    target: str | None = None
    bottleneck: str | None = None
    breaker: str = "sympe.SymPE"


@dataclass(frozen=True)
class Summary:
    """An audit in numbers; logarithms in nats.

    Attributes:
        group: Name of the group.
        target: Name of the target, or None.
        loss: How answers were compared, or None.
        bottleneck: What the answers had to pass through, or None.
        samples: Samples audited.
        skipped: Samples that could not be.
        skipped_reasons: How many were skipped for each reason (the most frequent ones).
        symmetric: Samples with a stabilizer of order above 1.
        symmetric_share: The same, as a share of all.
        infinite: Samples with an infinite stabilizer; they do not enter the logarithms.
        log_stabilizer: Quantiles of the logarithm of the stabilizer's order, by name.
        mean_log_stabilizer: Its mean: the least randomness that breaks all symmetries.
        mean_log_orbit: Mean logarithm of the size of the orbit: what a uniform draw spends beyond the least.
        orders: How many samples have a stabilizer of each order, the most frequent ones and the rest.
        point_groups: How many samples have each point group.
        entries: Entries of the targets.
        irreducible_error: Least error of any deterministic equivariant map, per entry, over all entries.
        irreducible_error_of_samples: The same, first per sample and then averaged over samples.
        violations: Samples with a target less symmetric than their input.
        violations_share: The same, as a share of all.
        offenders: The samples with the largest errors per entry, as pairs of index and error.
        verdict: Whether symmetry breaking is needed, in one sentence.
        advice: What to use instead.
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
    """The outcome of an audit; printing it gives the verdict.

    Attributes:
        summary: The numbers.
        needed: Whether the target is out of reach without symmetry breaking; None if no target was named.
    """

    def __init__(self, question: Question, parts: Store) -> None:
        self._question = question
        self._parts = parts
        self._inside = _Inside.of(parts) if question.bottleneck == "node-differences" else None
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
        """Index and reason of every sample that could not be audited."""
        for part in self._parts:
            yield from part.skipped

    def as_json(self) -> dict[str, Any]:
        """Summary and samples as plain values."""
        return {"summary": asdict(self.summary), "samples": list(self.samples())}

    def worst(self) -> list[dict[str, Any]]:
        """The rows of the samples with the largest errors per entry, largest first."""
        places = {index: place for place, (index, _) in enumerate(self.summary.offenders)}
        found = [row for row in self.samples() if row["index"] in places] if places else []
        return sorted(found, key=lambda row: places[row["index"]])

    def facts(self) -> list[tuple[str, str]]:
        """The summary in words, line by line, without verdict and advice."""
        return list(_facts(self.summary, self._question.title))

    def __str__(self) -> str:
        facts = self.facts()
        width = max(len(name) for name, _ in facts)
        lines = [f"{name:<{width}}  {text}" for name, text in facts]
        return "\n".join([*lines, "", self.summary.verdict, self.summary.advice]).rstrip()

    def __repr__(self) -> str:
        return f"AuditReport({self.summary.verdict!r})"

    def _error(self, part: Part, k: int) -> float | None:
        error = part.error[k]
        if error is None or self._inside is None:
            return error
        return error + self._inside.wrong(part.inside_pairs[k], part.inside_edges[k])

    def _violated(self, part: Part, k: int) -> bool:
        if self._inside is None:
            return part.violated[k]
        return bool(self._error(part, k))

    def _summarize(self) -> Summary:
        question = self._question
        orders: Counter[int] = Counter()
        groups: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        samples = infinite = skipped = entries = violations = orbits = 0
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
            for k, order in enumerate(part.order):
                samples += 1
                if order is None:
                    infinite += 1
                else:
                    orders[order] += 1
                log_orbit = part.log_orbit[k]
                if log_orbit is not None:
                    log_orbits += log_orbit
                    orbits += 1
                error = self._error(part, k)
                if error is None:
                    continue
                entries += part.entries[k]
                per_entry = error / max(part.entries[k], 1)
                total += error
                of_samples += per_entry
                if self._violated(part, k):
                    violations += 1
                    worst = (per_entry, -part.index[k])
                    if len(offenders) < _MOST_OFFENDERS:
                        heappush(offenders, worst)
                    else:
                        heappushpop(offenders, worst)
        if len(losses) > 1:
            raise ValueError("expected targets of one type; some are integers and some are not: choose a loss")
        loss = losses.pop() if losses else None
        asked = loss is not None
        finite = samples - infinite
        symmetric = samples - orders[1]
        mean = sum(count * math.log(order) for order, count in sorted(orders.items())) / finite if finite else None
        verdict, advice = _verdict(
            question, samples, symmetric, mean, loss, total / max(entries, 1) if asked else None, violations
        )
        return Summary(
            group=question.group,
            target=question.target,
            loss=loss,
            bottleneck=question.bottleneck,
            samples=samples,
            skipped=skipped,
            skipped_reasons=dict(reasons.most_common(_MOST_REASONS)),
            symmetric=symmetric,
            symmetric_share=symmetric / max(samples, 1),
            infinite=infinite,
            log_stabilizer=_quantiles(orders),
            mean_log_stabilizer=mean,
            mean_log_orbit=log_orbits / orbits if orbits else None,
            orders=_most_frequent(orders, infinite),
            point_groups=dict(groups.most_common()),
            entries=entries,
            irreducible_error=total / max(entries, 1) if asked else None,
            irreducible_error_of_samples=of_samples / max(samples, 1) if asked else None,
            violations=violations if asked else None,
            violations_share=violations / max(samples, 1) if asked else None,
            offenders=[(-index, error) for error, index in sorted(offenders, reverse=True)],
            verdict=verdict,
            advice=advice,
        )


@dataclass(frozen=True)
class _Inside:
    """The one answer that a decoder of differences gives to all pairs inside orbits: edge, or no edge."""

    edge: bool

    @classmethod
    def of(cls, parts: Iterable[Part]) -> "_Inside":
        edges = pairs = 0
        for part in parts:
            edges += sum(part.inside_edges)
            pairs += sum(part.inside_pairs)
        return cls(2 * edges > pairs)

    def wrong(self, pairs: int, edges: int) -> int:
        return pairs - edges if self.edge else edges


def _most_frequent(orders: Counter[int], infinite: int) -> dict[str, int]:
    """How many samples have each order, as text and by size; the rarest ones together."""
    kept = dict(sorted(orders.most_common(_MOST_ORDERS)))
    named = {f"{order:,}" if order < 10**9 else f"10^{math.log10(order):.1f}": count for order, count in kept.items()}
    rest = sum(orders.values()) - sum(kept.values())
    return named | ({"others": rest} if rest else {}) | ({"infinite": infinite} if infinite else {})


def _quantiles(orders: Mapping[int, int]) -> dict[str, float | None]:
    """Quantiles of the logarithms of orders, each held so many times, interpolated as numpy does."""
    names = [f"q{100 * q:g}" for q in QUANTILES]
    total = sum(orders.values())
    if not total:
        return dict.fromkeys(names)
    held = sorted(orders.items())

    def at(place: int) -> float:
        for order, count in held:
            place -= count
            if place < 0:
                return math.log(order)
        raise AssertionError("a place beyond the last sample")

    values: list[float | None] = []
    for q in QUANTILES:
        below = math.floor(q * (total - 1))
        share = q * (total - 1) - below
        low = at(below)
        values.append(low + share * (at(min(below + 1, total - 1)) - low))
    return dict(zip(names, values, strict=True))


def _verdict(
    question: Question,
    samples: int,
    symmetric: int,
    nats: float | None,
    loss: str | None,
    error: float | None,
    violations: int,
) -> tuple[str, str]:
    randomness = "" if nats is None else f" It needs {nats:.3g} nats of randomness per sample on average, at the least."
    instead = f"Use {question.breaker}.{randomness}"
    if not samples:
        return "Nothing was audited.", ""
    share = f"{symmetric:,} of {samples:,} samples ({100 * symmetric / samples:.3g} %)"
    if error is None:
        if not symmetric:
            return (
                "Not needed: no sample has a symmetry, so no equivariant network is forced to a symmetric output.",
                "Use any equivariant network as it is.",
            )
        return (
            f"It depends on the target: {share} are symmetric, and there every deterministic equivariant network "
            "gives a symmetric output.",
            "Name the target to learn what that costs.",
        )
    through = "" if question.bottleneck is None else f" through {question.bottleneck}"
    if not violations:
        why = "no sample has a symmetry" if not symmetric else f"every target is as symmetric as its input{through}"
        return (
            f"Not needed: {why}, so symmetry keeps no deterministic equivariant network from an error of zero.",
            "Use any equivariant network as it is.",
        )
    hit = f"in {violations:,} of {samples:,} samples ({100 * violations / samples:.3g} %)"
    why = "the target is less symmetric than the input"
    if question.bottleneck is not None:
        why = f"{question.bottleneck} have a symmetry that the target does not have"
    assert loss is not None
    reach = f"no deterministic equivariant network gets below {show_error(error, loss)}"
    return f"Needed: {hit} {why}, and {reach}.", instead


def show_error(error: float, loss: str) -> str:
    """An error per entry with its unit, in words."""
    if loss == "zero-one":
        return f"{100 * error:.3f} % wrong entries"
    return f"a {'mean squared' if loss == 'squared' else 'mean absolute'} error of {error:.4g}"


def _facts(summary: Summary, title: str) -> Iterator[tuple[str, str]]:
    yield "group", f"{summary.group} ({title})"
    if summary.target is not None:
        through = "" if summary.bottleneck is None else f" through {summary.bottleneck}"
        yield "target", f"{summary.target}{through}, {summary.loss} loss"
    skipped = f", {summary.skipped:,} skipped" if summary.skipped else ""
    yield "samples", f"{summary.samples:,}{skipped}"
    for reason, count in summary.skipped_reasons.items():
        yield "  skipped", f"{count:,}: {reason}"
    infinite = f", {summary.infinite:,} of them infinitely" if summary.infinite else ""
    yield "symmetric", f"{summary.symmetric:,} ({100 * summary.symmetric_share:.1f} %){infinite}"
    if summary.mean_log_stabilizer is not None:
        names = {"q0": "least", "q50": "median", "q100": "most"}
        shown = (f"{names.get(q, q[1:] + ' %')} {value:.2f}" for q, value in summary.log_stabilizer.items())
        yield "log|Stab|, nats", f"mean {summary.mean_log_stabilizer:.2f}; {', '.join(shown)}"
    if summary.mean_log_orbit is not None:
        yield "log|orbit|, nats", f"mean {summary.mean_log_orbit:.2f}: the excess randomness of a uniform draw"
    if summary.point_groups:
        listed = [f"{name} {count:,}" for name, count in summary.point_groups.items()]
        yield "point groups", ", ".join(listed[:12]) + (f" and {len(listed) - 12} more" if len(listed) > 12 else "")
    if summary.irreducible_error is None or summary.loss is None:
        return
    yield "irreducible error", f"{show_error(summary.irreducible_error, summary.loss)}, of {summary.entries:,} entries"
    yield "above zero", f"{summary.violations:,} samples ({100 * (summary.violations_share or 0):.1f} %)"
    if summary.offenders:
        worst = ", ".join(f"{index} ({error:.3g})" for index, error in summary.offenders[:5])
        yield "worst samples", f"{worst} (index, error per entry)"

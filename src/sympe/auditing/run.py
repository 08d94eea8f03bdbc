"""The audit of a data set: must an equivariant network break symmetries to predict the targets?"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from sympe.actions import BondFields
from sympe.actions.irreps import Irreps
from sympe.auditing import engine
from sympe.auditing.bottleneck import BOTTLENECKS
from sympe.auditing.examine import ADJACENCY, Examiner, Job
from sympe.auditing.parts import Memory, Part, Store
from sympe.auditing.report import AuditReport
from sympe.auditing.sources import InMemory, Kind, Pairs, Source, as_batch, open_path
from sympe.auditing.symmetry.crystals import CrystalSymmetry
from sympe.auditing.symmetry.fields import FieldSymmetry
from sympe.auditing.symmetry.graphs import GraphSymmetry
from sympe.auditing.symmetry.points import PointSymmetry
from sympe.auditing.symmetry.stabilizers import Symmetry
from sympe.auditing.targets import LOSSES, VECTOR_SHAPES, Per, Target
from sympe.crystals import Crystals
from sympe.graphs import Graphs
from sympe.groups import Torus
from sympe.points import PointClouds

#: Symmetries by name of the group, and the default for each kind of data.
GROUPS: dict[str, Callable[[], Symmetry]] = {
    "sn": GraphSymmetry,
    "torus": FieldSymmetry,
    "o3": PointSymmetry,
    "so3": partial(PointSymmetry, special=True),
    "e3": CrystalSymmetry,
    "se3": partial(CrystalSymmetry, special=True),
}
_DEFAULT: dict[Kind, str] = {"graphs": "sn", "fields": "torus", "points": "o3", "crystals": "e3"}

#: If more samples than this fail for one reason, the question is wrong, not the samples.
_FEW = 10

Progress = Callable[[int, float | None], None]


@dataclass(frozen=True)
class Options:
    """How to read the data, and what the prediction must pass through.

    Attributes:
        bottleneck: ``node-codes`` or ``node-differences``: the prediction passes through one code per node.
        split: Take only this split of an ``.npz``: ``train``, ``validation`` or ``test``.
        heavy_atoms: Remove hydrogen atoms from molecules.
        irreps: How targets rotate with points in space, e.g. ``"1x0e+1x2e"``, in the basis of e3nn. By default three
            numbers are a vector, nine a matrix, and anything else is invariant.
        moments: The initial magnetic moments in files of crystals are part of the input.

    Raises:
        ValueError: If the bottleneck is unknown or the irreps are malformed.
    """

    bottleneck: str | None = None
    split: str | None = None
    heavy_atoms: bool = False
    irreps: str | None = None
    moments: bool = False

    def __post_init__(self) -> None:
        if self.bottleneck is not None and self.bottleneck not in BOTTLENECKS:
            raise ValueError(f"bottleneck must be one of {', '.join(BOTTLENECKS)}; got {self.bottleneck!r}")
        if self.irreps is not None:
            object.__setattr__(self, "irreps", str(Irreps.parse(self.irreps)))

    def check(self, kind: Kind, target: str | None, sources: Sequence[Source]) -> None:
        """Check that the options fit the data and the target.

        Raises:
            ValueError: If they do not.
        """
        if self.bottleneck is not None:
            if kind != "graphs":
                raise ValueError(f"expected graphs for bottleneck {self.bottleneck}; got {kind}")
            if target is None:
                raise ValueError(f"bottleneck {self.bottleneck} needs a target, e.g. {ADJACENCY}")
            if self.bottleneck == "node-differences" and target != ADJACENCY:
                raise ValueError(f"node-differences is for the target {ADJACENCY} only")
        if self.heavy_atoms and any(source.reader.hydrogen is None for source in sources):
            raise ValueError("expected molecules with elements to remove hydrogens from")
        if self.irreps is not None and kind not in ("points", "crystals"):
            raise ValueError(f"expected points in space for targets in irreps; got {kind}")


@dataclass(frozen=True)
class Execution:
    """Where an audit runs, and where it keeps its findings.

    Attributes:
        engine: ``local``, or ``ray`` for a Ray cluster.
        workers: Number of processes. With more than one, the main script must be importable.
        store: Keeps the findings in memory (the default), or in a folder, to resume an interrupted audit.
        progress: Called with the number of samples done and the share of the data, if known.
    """

    engine: str = "local"
    workers: int = 1
    store: Store = field(default_factory=Memory)
    progress: Progress | None = None


def audit(
    data: Any,
    *,
    target: Any = None,
    group: str | Symmetry = "auto",
    per: Per | None = None,
    loss: str | None = None,
    options: Options | None = None,
    execution: Execution | None = None,
) -> AuditReport:
    """Find out whether equivariant networks can predict the targets of a data set without breaking symmetries.

    Args:
        data: Graphs, point clouds or crystals as :func:`sympe.graphs.as_graphs`, :func:`sympe.points.as_clouds` and
            :func:`sympe.crystals.as_crystals` take them; a tensor of fields ``[B, L1, L2]`` or ``[B, C, L1, L2]``; an
            iterable of inputs x or pairs (x, y), where x is one of these, or positions and kinds of points; a path, the
            name of a data set, or a list of these. On any device; the audit runs on the CPU.
        target: The target: its name in a file, ``adjacency``, or for data in memory a tensor or a
            :class:`~sympe.auditing.Target`. Pairs (x, y) need none. Without a target the audit stops at the
            stabilizers.
        group: ``sn`` (relabelings of nodes), ``torus`` (symmetries of a periodic lattice), ``o3`` or ``so3`` (of
            points in space), ``e3`` or ``se3`` (of crystals), a :class:`~sympe.auditing.Symmetry`, or ``auto`` to
            choose by the kind of data.
        per: What each entry of the target belongs to (``sample``, ``node``, ``edge`` or ``pair``); by default inferred
            from its shape, or from its length: node, edge or sample, the first that fits. The report says which.
        loss: ``squared``, ``absolute`` or ``zero-one``; by default ``zero-one`` for integers and ``squared`` otherwise.
        options: How to read the data, and what the prediction must pass through.
        execution: Where the audit runs, and where it keeps its findings.

    Raises:
        ValueError: If data, group and target do not fit together, or no sample could be audited.
        ImportError: If a format or the engine needs an extra that is not installed.

    Example:
        >>> import sympe
        >>> ring = sympe.graphs.from_edges([(6, [(i, (i + 1) % 6) for i in range(6)])])
        >>> report = sympe.audit(ring, target=torch.tensor([1, 0, 0, 1, 0, 0]))
        >>> report.needed, report.summary.symmetric
        (True, 1)
        >>> print(report.summary.verdict.split(", and ")[0])
        Needed: in 1 of 1 samples (100 %) the target is less symmetric than the input
    """
    options, execution = options or Options(), execution or Execution()
    if loss is not None and loss not in LOSSES:
        raise ValueError(f"loss must be one of {', '.join(LOSSES)}; got {loss!r}")
    if isinstance(group, str) and group not in ("auto", *GROUPS):
        raise ValueError(f"group must be auto or one of {', '.join(GROUPS)}; got {group!r}")
    is_adjacency = isinstance(target, str) and target == ADJACENCY
    symmetry = GROUPS[group]() if isinstance(group, str) and group != "auto" else group
    wanted = symmetry.kind if isinstance(symmetry, Symmetry) else None
    sources = list(_sources(data, None if is_adjacency else target, per, wanted, options))
    kind = _kind(sources, wanted)
    if not isinstance(symmetry, Symmetry):
        symmetry = GROUPS[_DEFAULT[kind]]()
    bonds = {source.reader.is_bonds for source in sources}
    if True in bonds and isinstance(group, str):
        symmetry = FieldSymmetry(BondFields(Torus("D4")))
    if True in bonds and (False in bonds or not isinstance(getattr(symmetry, "action", None), BondFields)):
        raise ValueError(
            "couplings are numbers for bonds: expected them alone, and --fields bonds beside other options"
        )
    name = _name(target, sources)
    options.check(kind, name, sources)

    own = ADJACENCY if is_adjacency else None
    examiner = Examiner(symmetry, own, loss, options.bottleneck, options.heavy_atoms, options.irreps)
    _fill(examiner, sources, execution)
    notes = dict.fromkeys(source.reader.note for source in sources if source.reader.note is not None)
    report = AuditReport(symmetry, name, options.bottleneck, execution.store, tuple(notes))
    if not report.summary.samples:
        _, reason = next(report.skipped(), (0, "got none"))
        raise ValueError(f"expected samples to audit; {reason}")
    return report


def _kind(sources: Sequence[Source], wanted: Kind | None) -> Kind:
    """Kind of the data, which must be the kind that the group acts on."""
    kinds = {source.reader.kind for source in sources}
    if wanted is None:
        if len(kinds) > 1:
            raise ValueError(f"expected data of one kind; got {' and '.join(sorted(kinds))}")
        return kinds.pop() if kinds else "graphs"
    if kinds - {wanted}:
        raise ValueError(f"expected {wanted} for this group; got {' and '.join(sorted(kinds - {wanted}))}")
    return wanted


def _name(target: Any, sources: Sequence[Source]) -> str | None:
    """Name of the target; None if there is none."""
    if isinstance(target, str):
        return target
    return "y" if target is not None or any(getattr(source.reader, "per", None) for source in sources) else None


def _fill(examiner: Examiner, sources: list[Source], execution: Execution) -> None:
    """Examine all samples that are not in the store yet."""
    store, place = execution.store, _Place()
    jobs = (job for job in _jobs(sources, place, store) if job.number not in store)
    for job, part in engine.run(examiner, jobs, execution.engine, execution.workers):
        reasons = {reason.split("; got ")[0]: reason for _, reason in reversed(part.skipped)}
        if job.first == 0 and len(part.skipped) == len(job.raw) > _FEW and len(reasons) == 1:
            raise ValueError(reasons.popitem()[1])
        store.commit(job.number, part)
        if execution.progress is not None:
            execution.progress(job.first + len(job.raw), place.done)


class _Place:
    """Share of the data cut so far."""

    done: float | None = None


def _jobs(sources: list[Source], place: _Place, store: Store) -> Iterator[Job]:
    number = first = 0
    for at, source in enumerate(sources):
        try:
            for chunk in source.chunks():
                place.done = None if chunk.done is None else (at + chunk.done) / len(sources)
                yield Job(number, first, chunk.raw, source.reader)
                number += 1
                first += len(chunk.raw)
        except ValueError as error:
            # The rest of a damaged file is lost; other files are not.
            if number not in store:
                store.commit(number, Part(skipped=[(first, " ".join(str(error).split()))]))
            number += 1
            first += 1


def _sources(data: Any, target: Any, per: Per | None, kind: Kind | None, options: Options) -> Iterable[Source]:
    if isinstance(data, Source):
        return [data]
    if isinstance(data, str | os.PathLike):
        data = [data]
    if isinstance(data, list | tuple) and data and all(isinstance(path, str | os.PathLike) for path in data):
        if target is not None and not isinstance(target, str):
            raise ValueError(f"expected the name of a target for data in files; got {type(target).__name__}")
        found: list[Source] = []
        for path in data:
            found += open_path(path, target=target, per=per, kind=kind, split=options.split, moments=options.moments)
        return found
    if options.split is not None:
        raise ValueError("expected files for a split; got data in memory")
    x = as_batch(data, kind)
    if x is not None:
        return [InMemory(x, _target_of(x, target, per))]
    if isinstance(data, Iterable):
        if target is not None:
            raise ValueError("expected targets in pairs (x, y); got a separate target")
        return [Pairs(data, kind, per, total=len(data) if isinstance(data, Sized) else None)]
    raise ValueError(f"expected graphs, fields, points, pairs (x, y) or paths; got {type(data).__name__}")


def _target_of(x: Graphs | PointClouds | Crystals | Tensor, target: Any, per: Per | None) -> Target | None:
    if target is None or isinstance(target, Target):
        return target
    if isinstance(target, str):
        raise ValueError(f"expected a tensor as the target of data in memory; got the name {target!r}")
    values = torch.as_tensor(target)
    if values.dim() == 0:
        raise ValueError(f"expected targets in rows; got the number {values.item()}")
    if isinstance(x, Tensor):
        is_field = values.dim() > 2 and values.shape[-2:] == x.shape[-2:]
        return Target(values, per or ("site" if is_field else "sample"))
    if isinstance(x, PointClouds | Crystals):
        is_per_point = len(values) == x.num_points
        return Target(values, per or ("point" if is_per_point else "sample"), vector=values.shape[1:] in VECTOR_SHAPES)
    counts: dict[Per, int] = {"node": x.num_nodes, "edge": x.num_edges, "sample": len(x)}
    for name, count in counts.items():
        if per in (None, name) and len(values) == count:
            return Target(values, name)
    if per == "pair":
        return Target(values, "pair")
    raise ValueError(
        f"expected one target for each of {x.num_nodes} nodes, {x.num_edges} directed edges or {len(x)} graphs; "
        f"got {len(values)}"
    )

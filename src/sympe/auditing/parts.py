"""Findings of an audit, sample by sample, in parts that can be made, stored and merged in any order."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sympe.atomic import write_atomically
from sympe.compressed import content_of


@dataclass(frozen=True)
class Part:
    """Findings on consecutive samples; all lists but the last four have one entry per sample.

    Attributes:
        index: Position in the data, counted from 0 over all files, including skipped samples.
        n: Number of nodes, sites or points.
        order: Order of the stabilizer; None where it is infinite.
        log_orbit: Log of the orbit's size in nats.
        point_group: Name of the stabilizer, if it has one.
        error: Least error, summed over the entries of the target; None without a target.
        entries: Number of entries of the target.
        violated: Whether the target is less symmetric than the input.
        inside_pairs: For decoders of code differences, the number of pairs inside orbits.
        inside_edges: How many of these pairs are edges.
        skipped: Index and reason of each sample that could not be read or audited.
        losses: The losses used: one, unless targets have several types.
        pers: What entries of the target belong to: one thing, unless files differ; none for the target adjacency.
        drawn: What drawings of some symmetric samples need: index, orbits, edges, and places of points in space.
    """

    index: list[int] = field(default_factory=list)
    n: list[int] = field(default_factory=list)
    order: list[int | None] = field(default_factory=list)
    log_orbit: list[float | None] = field(default_factory=list)
    point_group: list[str | None] = field(default_factory=list)
    error: list[float | None] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)
    violated: list[bool] = field(default_factory=list)
    inside_pairs: list[int] = field(default_factory=list)
    inside_edges: list[int] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    pers: list[str] = field(default_factory=list)
    drawn: list[dict[str, Any]] = field(default_factory=list)

    def __add__(self, other: "Part") -> "Part":
        mine, theirs = vars(self), vars(other)
        return Part(**{name: mine[name] + theirs[name] for name in mine})


class Memory:
    """Parts kept in memory."""

    def __init__(self) -> None:
        self._parts: dict[int, Part] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._parts

    def __iter__(self) -> Iterator[Part]:
        return (self._parts[number] for number in sorted(self._parts))

    def commit(self, number: int, part: Part) -> None:
        self._parts[number] = part


class Folder:
    """Parts in a folder, one file each with its checksum, written whole or not at all. Damaged ones are made again.

    Args:
        path: The folder; created with the first part.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbers = {
            int(file.stem) for file in path.glob("[0-9]*.json") if _NAME.fullmatch(file.name) and _is_whole(file)
        }

    def __contains__(self, number: int) -> bool:
        return number in self._numbers

    def __iter__(self) -> Iterator[Part]:
        return (self._read(number) for number in sorted(self._numbers))

    def commit(self, number: int, part: Part) -> None:
        text = json.dumps(vars(part), allow_nan=False, separators=(",", ":")).encode()
        digest = hashlib.sha256(text).hexdigest().encode()
        write_atomically(self._file(number), lambda file: file.write(text + b"\n" + digest + b"\n"))
        self._numbers.add(number)

    def clear(self) -> None:
        """Delete all parts; other files stay."""
        for file in self.path.glob("[0-9]*.json"):
            if _NAME.fullmatch(file.name):
                file.unlink(missing_ok=True)
        self._numbers.clear()

    def _file(self, number: int) -> Path:
        return self.path / f"{number:08d}.json"

    def _read(self, number: int) -> Part:
        try:
            return _part(self._file(number))
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"{self._file(number)} is not part of an audit: {error}") from error


_NAME = re.compile(r"\d{8,}\.json")


def _part(path: Path) -> Part:
    text, _, digest = content_of(path).partition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != digest.strip():
        raise ValueError("its checksum is not that of what it holds")
    content: dict[str, Any] = json.loads(text)
    content["skipped"] = [(int(index), str(reason)) for index, reason in content["skipped"]]
    return Part(**content)


def _is_whole(path: Path) -> bool:
    try:
        return len(_part(path).index) >= 0
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return False


Store = Memory | Folder

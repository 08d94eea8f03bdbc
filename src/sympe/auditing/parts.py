"""What an audit finds out sample by sample, in parts that can be stored, merged and made in any order."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sympe.atomic import write_atomically


@dataclass(frozen=True)
class Part:
    """The findings on some samples that follow each other; lists of equal length, one entry per sample.

    Attributes:
        index: Place of each sample in the data, counted from 0 over all files, skipped ones included.
        n: Nodes, sites or points.
        order: Order of the stabilizer; None where it is infinite.
        log_orbit: Logarithm of the size of the orbit, in nats.
        point_group: Name of the stabilizer, where it has one.
        error: Least error, summed over the entries of the target; None without a target.
        entries: Entries of the target.
        violated: Whether the target is less symmetric than the input.
        inside_pairs: For decoders of differences of codes, pairs that all samples share one answer for.
        inside_edges: How many of those are edges.
        skipped: Samples that could not be read or audited, each with the reason.
        losses: The losses that errors were measured by: one, unless targets are of several types.
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
    """Parts kept in a folder, one file each: a part is there whole or not at all, also after a kill.

    Args:
        path: The folder; made with the first part.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbers = {int(file.stem) for file in path.glob("[0-9]*.json")}

    def __contains__(self, number: int) -> bool:
        return number in self._numbers

    def __iter__(self) -> Iterator[Part]:
        return (self._read(number) for number in sorted(self._numbers))

    def commit(self, number: int, part: Part) -> None:
        text = json.dumps(vars(part), allow_nan=False, separators=(",", ":"))
        write_atomically(self._file(number), lambda file: file.write(text.encode()))
        self._numbers.add(number)

    def clear(self) -> None:
        """Delete all parts, those that a kill left unfinished, and the folder if nothing else is in it."""
        for file in [*self.path.glob("[0-9]*.json"), *self.path.glob(".[0-9]*.json.*")]:
            file.unlink(missing_ok=True)
        self._numbers.clear()
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()

    def _file(self, number: int) -> Path:
        return self.path / f"{number:08d}.json"

    def _read(self, number: int) -> Part:
        path = self._file(number)
        try:
            content: dict[str, Any] = json.loads(path.read_text())
            content["skipped"] = [(int(index), str(reason)) for index, reason in content["skipped"]]
            return Part(**content)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{path} is not a part of an audit: {error}") from error


Store = Memory | Folder

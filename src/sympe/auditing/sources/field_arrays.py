"""Fields on a periodic lattice of two dimensions in an archive of numpy arrays.

In four dimensions ``[B, C, L1, L2]`` the second holds features. A lattice in three dimensions, or features in the last,
would be read as something else, so C must be below L1 and L2, unless a number ``channels`` in the archive confirms it.

Couplings of bonds, to the right of each site and down from it, are arrays ``Jx`` and ``Jy`` of shape ``[L1, L2]`` or
``[B, L1, L2]``, or one array ``J``, ``couplings`` or ``bonds`` that stacks them before the lattice; they move as
:class:`~sympe.actions.BondFields`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sympe.auditing.sources.base import Chunk, Kind, Reader, Source, cuts, naming
from sympe.auditing.sources.memory import InMemory
from sympe.auditing.targets import Per, Target
from sympe.graphs.archive import Archive, members, whole, wide

#: Names of the array of fields, in order of preference.
FIELD_ARRAYS = ("fields", "field", "x", "inputs")
#: Names of couplings of bonds: two arrays, or one that holds both.
COUPLINGS, BOTH_COUPLINGS = ("Jx", "Jy"), ("J", "couplings", "bonds")


class FieldFile(Source):
    """An archive of fields on a periodic lattice: an array ``[B, L1, L2]`` or ``[B, C, L1, L2]``.

    Args:
        path: The file.
        target: Name of the array to predict, or None.
        split: Take only this split.

    Raises:
        ValueError: If the archive has no array of fields, or no such target.
    """

    def __init__(self, path: Path, target: str | None = None, split: str | None = None) -> None:
        self.path, self.target, self.split = path, target, split
        with Archive(path) as archive:
            self.array = field_array(archive.names, target)
            shape = archive.column(self.array).shape
            if len(shape) not in (3, 4):
                raise ValueError(f"expected {self.array} of shape [B, L1, L2] or [B, C, L1, L2]; got {list(shape)}")
            held = archive.column("channels").whole().tolist() if "channels" in archive.names else None
            if len(shape) == 4 and shape[1] >= min(shape[2:]) and shape[1] not in (1, held):
                raise ValueError(
                    f"expected {self.array} of shape [B, C, L1, L2]; got {list(shape)}, which may be a lattice in 3 "
                    f"dimensions or have its features last: if C is {shape[1]}, add an array channels = {shape[1]}"
                )
            self.count = shape[0]
            self.per: Per | None = None
            if target is not None:
                wanted = archive.column(target).shape
                if wanted[:1] != shape[:1]:
                    raise ValueError(f"expected {shape[0]} rows in {target}; got shape {list(wanted)}")
                self.per = "site" if len(wanted) > 2 and wanted[-2:] == shape[-2:] else "sample"
            self.numbers = int(np.prod(shape[1:], dtype=np.int64))
        self.reader: Reader = FieldArrayReader(self.per)

    def chunks(self) -> Iterator[Chunk]:
        with naming(self.path), Archive(self.path) as archive:
            column = archive.column(self.array)
            target = None if self.target is None else archive.column(self.target)
            chosen = None if self.split is None else members(whole(archive.column("split")), self.split, self.count)
            for first, last in cuts([8 * self.numbers] * self.count):
                count = last - first
                targets: Iterable[Any] = [None] * count if target is None else map(np.asarray, target.take(count))
                rows = list(zip(column.take(count), targets, strict=True))
                if chosen is not None:
                    rows = [row for row, keep in zip(rows, chosen[first:last], strict=True) if keep]
                yield Chunk(rows, last / self.count)


def couplings(path: Path, target: str | None = None) -> InMemory:
    """Couplings, with a target beside them: see above.

    Raises:
        ValueError: If they do not fit together.
    """
    with Archive(path) as archive:
        both = [name for name in BOTH_COUPLINGS if name in archive.names and name != target]
        names = [*(both[:1] or COUPLINGS), *([] if target is None else [target])]
        held = [torch.from_numpy((a := archive.column(name).whole()).astype(wide(a))) for name in names]
    if both:
        if held[0].dim() not in (3, 4) or held[0].shape[-3] != 2:
            raise ValueError(f"expected {both[0]} of shape [2, L1, L2] or [B, 2, L1, L2]; got {list(held[0].shape)}")
        held[:1] = held[0].unbind(-3)
    if held[0].shape != held[1].shape or held[0].dim() not in (2, 3):
        got = " and ".join(str(list(array.shape)) for array in held[:2])
        raise ValueError(f"expected Jx and Jy of one shape, [L1, L2] or [B, L1, L2]; got {got}")
    held = held if held[0].dim() == 3 else [array[None] for array in held]
    is_whole = not any(array.is_floating_point() for array in held[:2])  # and then large integers stay apart
    x, y = torch.stack([array if is_whole else array.double() for array in held[:2]], dim=1), None
    if target is not None:
        is_site = held[2].dim() > 2 and held[2].shape[-2:] == x.shape[-2:]
        y = Target(held[2], "site" if is_site else "sample")
    return InMemory(x, y, is_bonds=True)


@dataclass(frozen=True)
class FieldArrayReader(Reader):
    """Reads pairs of a field and its target or None."""

    per: Per | None
    kind: Kind = "fields"

    def read(self, raw: list[tuple[NDArray[Any], NDArray[Any] | None]]) -> tuple[torch.Tensor, Target | None]:
        x = torch.from_numpy(np.stack([field.astype(wide(field)) for field, _ in raw]))
        if self.per is None:
            return x, None
        targets = [y for _, y in raw if y is not None]
        return x, Target(torch.from_numpy(np.stack([y.astype(wide(y)) for y in targets])), self.per)


def field_array(names: list[str], target: str | None) -> str:
    """Name of the array of fields.

    Raises:
        ValueError: If it is ambiguous or missing.
    """
    for name in FIELD_ARRAYS:
        if name in names and name != target:
            return name
    others = [name for name in names if name not in (target, "split", "channels")]
    if len(others) == 1:
        return others[0]
    raise ValueError(
        f"expected an array {', '.join(FIELD_ARRAYS[:-1])} or {FIELD_ARRAYS[-1]}; got {', '.join(names) or 'none'}"
    )

"""``sympe audit`` of molecules and crystals: where the error sits, what an architecture cannot see; alignment."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sympe.auditing.report import AuditReport


def audit_features(paths: tuple[str, ...], irreps: str, as_json: bool) -> None:
    """Print which symmetries features in irreps cannot tell from higher ones, at the sites of each structure.

    Raises:
        ValueError: If there is no file, it cannot be read, or the irreps are malformed.
    """

    from sympe.auditing.architecture import views_of_sites
    from sympe.auditing.features import PUBLISHED
    from sympe.points.elements import symbol_of_kind
    from sympe.points.symmetry import stabilizers as of_clouds

    found = []
    read, special = PUBLISHED.get(irreps, (irreps, False))
    for name, x in _structures(_files(paths)):
        if hasattr(x, "cell"):
            from sympe.crystals import stabilizers

            groups: list[Any] = list(stabilizers(x))
        else:
            groups = list(of_clouds(x))
        for index, (one, group) in enumerate(zip(x.split(), groups, strict=True)):
            kinds = ["X"] * one.num_points if one.species is None else [*map(symbol_of_kind, one.species.tolist())]
            counts = Counter(zip(kinds, views_of_sites(group, read, special), strict=True))
            rows = [
                {"element": kind, "sites": count, "site": v.site, "looks_like": v.looks_like, "least_l": v.least_degree}
                for (kind, v), count in counts.items()
            ]
            found.append({"file": name, "index": index, "group": group.name, "sites": rows})
    if as_json:
        sys.stdout.write(json.dumps({"features": irreps, "structures": found}) + "\n")
        return
    for entry in found:
        print(f"{entry['file']}, structure {entry['index']}: {entry['group']}")
        for row in entry["sites"]:
            seen = "told apart" if row["site"] == row["looks_like"] else f"looks like {row['looks_like']}"
            what = f"{row['sites']} {row['element']}, site symmetry {row['site']}"
            print(f"  {what}: {seen}; needs l up to {row['least_l']}")
    blind = sum(any(row["site"] != row["looks_like"] for row in entry["sites"]) for entry in found)
    print(f"\n{irreps}: in {blind} of {len(found)} structures a site looks more symmetric than it is.")


def audit_alignment(paths: tuple[str, ...], group: Any, as_json: bool) -> None:
    """Print whether structures are aligned in space, or fields on their lattice if the group is one of a lattice.

    Raises:
        ValueError: If a file cannot be read, or there are too few samples.
    """
    from dataclasses import asdict

    import torch

    from sympe import crystals, points
    from sympe.auditing.alignment import check_alignment
    from sympe.auditing.symmetry.fields import FieldSymmetry
    from sympe.compressed import suffix_of

    files = _files(paths)
    if group == "auto" and {suffix_of(file) for file in files} == {".npz"}:
        group = FieldSymmetry()
    action = group.action if isinstance(group, FieldSymmetry) else None
    parts = _fields(files) if action else [x for _, x in _structures(files)]
    if len({type(part) for part in parts}) > 1:
        raise ValueError("expected structures of one kind; got molecules and crystals")
    if len({part.shape[1:] for part in parts} if action else ()) > 1:
        raise ValueError("expected fields of one shape; got several")
    join: Any = torch.cat if action else crystals.concatenate if hasattr(parts[0], "cell") else points.concatenate
    result = check_alignment(join(parts), action, generator=torch.Generator().manual_seed(0))
    print(json.dumps(asdict(result)) if as_json else result)


def print_shares(paths: tuple[str, ...], target: str, report: "AuditReport", tolerance: float) -> None:
    """Where the error of the worst crystal sits, by orbit of sites and by irrep, if the target is one of sites."""
    from sympe.auditing.symmetry.crystals import shares

    index, _ = report.summary.offenders[0]
    crystal, found = _sample(paths, target, index)
    values = found.values.double()
    values = values[:, None] if values.dim() == 1 else values
    if found.per != "point" or values.shape[1:] not in ((1,), (3,)):
        return
    try:
        irreps = found.irreps or ("1x0e" if values.shape[1] == 1 else "1x1o")
        by_site, by_irrep = shares(crystal, values, irreps, tolerance)
    except ValueError as error:
        print(f"\nWhere the error of sample {index} sits is not known: {error}")
        return
    total = sum(share.error for share in by_site) or 1.0
    print(f"\nThe error of sample {index} sits")
    for share in by_site:
        print(f"  {100 * share.error / total:3.0f} % at {share.sites} sites of {share.place}")
    for share in by_irrep:
        print(f"  {100 * share.error / total:3.0f} % in irrep {share.place}, of dimension {share.sites}")


def _fields(files: list[Path]) -> list[Any]:
    from sympe.auditing.sources.files import open_path

    sources = [source for file in files for source in open_path(file, kind="fields")]
    parts = [source.reader.read(chunk.raw)[0] for source in sources for chunk in source.chunks() if chunk.raw]
    if not parts or any(source.reader.kind != "fields" for source in sources):
        raise ValueError("expected files of fields for the group torus; got none, or others")
    return parts


def _sample(paths: tuple[str, ...], target: str, index: int) -> tuple[Any, Any]:
    """A crystal and its target, by its place among the samples of all paths, as the audit counts them."""
    from sympe.auditing.sources.files import open_path

    for source in (source for path in paths for source in open_path(path, target=target, kind="crystals")):
        for chunk in source.chunks():
            if index < len(chunk.raw):
                return source.reader.read(chunk.raw[index : index + 1])
            index -= len(chunk.raw)
    raise ValueError("the data was changed while it was audited; start again")


def _files(paths: tuple[str, ...]) -> list[Path]:
    from sympe.auditing.sources.files import files_at

    if not paths:
        raise ValueError("expected a file of molecules or crystals; got nothing")
    return [file for path in paths for file in files_at(path)]


def _structures(files: list[Path]) -> list[tuple[str, Any]]:
    from sympe import crystals, points
    from sympe.auditing.sources.crystals import is_periodic

    return [(str(file), crystals.read(file) if is_periodic(file) else points.read(file)) for file in files]

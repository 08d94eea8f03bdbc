"""``sympe doctor``: what an error report should say of an installation."""

import json
import os
import platform
import re
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

#: Distributions of this project, and how to install an extra of each in a clone.
_PACKAGES = {"sympe": "pip install '.[{}]'", "sympe-experiments": "pip install './experiments[{}]'"}


@dataclass(frozen=True)
class DoctorCommand:
    """Say what is installed, what is missing, and where data are looked for: for error reports."""

    json: bool = False
    """Print one JSON object instead."""

    def __call__(self) -> None:
        found = examine()
        if self.json:
            print(json.dumps(found, indent=1))
            return
        for part, facts in found.items():
            print(f"{part}:")
            width = max(map(len, facts))
            for name, fact in facts.items():
                print(f"  {name:{width}}  {fact}")


def examine() -> dict[str, dict[str, Any]]:
    """Facts by part: versions, extras, device, places."""
    return {"versions": _versions(), "extras": _extras(), "device": _device(), "places": _places()}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _requirements(package: str) -> list[tuple[str, str | None]]:
    """Names of what a distribution requires, each with its extra."""
    if _version(package) is None:
        return []
    found = []
    for line in requires(package) or []:
        name, extra = re.match(r"[\w.-]+", line), re.search(r"extra == ['\"]([\w-]+)", line)
        if name and name[0] not in _PACKAGES:
            found.append((name[0], extra[1] if extra else None))
    return found


def _versions() -> dict[str, str]:
    needed = sorted({name for package in _PACKAGES for name, extra in _requirements(package) if extra is None})
    ours = {package: _version(package) or "not installed" for package in _PACKAGES}
    system = {"python": platform.python_version(), "system": platform.platform(), "executable": sys.executable}
    return {**ours, **system, **{name: _version(name) or "missing" for name in needed}}


def _extras() -> dict[str, str]:
    extras: dict[str, str] = {}
    for package, command in _PACKAGES.items():
        by_extra: dict[str, list[str]] = {}
        for name, extra in _requirements(package):
            if extra is not None and extra not in ("dev", "all"):
                by_extra.setdefault(extra, []).append(name)
        for extra, names in by_extra.items():
            held = {name: _version(name) for name in names}
            missing = [name for name, found in held.items() if found is None]
            present = ", ".join(f"{name} {found}" for name, found in held.items() if found)
            advice = f"missing {', '.join(missing)}: {command.format(extra)}" if missing else ""
            extras[extra if package == "sympe" else f"experiments {extra}"] = "; ".join(filter(None, (present, advice)))
    return extras


def _device() -> dict[str, str]:
    try:
        import torch
    except Exception as error:  # a broken installation is what this command is for
        return {"pytorch": f"cannot be imported: {error}"}
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    threads = f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"
    return {
        "cuda": ", ".join(gpus) or "none",
        "mps": "yes" if torch.backends.mps.is_available() else "none",
        "processor": f"{os.cpu_count()} cores, {threads}",
    }


def _places() -> dict[str, str]:
    data = os.environ.get("SYMPE_DATA")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sympe"
    runs = Path("runs")
    return {
        "SYMPE_DATA": "not set; data sets by name need it" if data is None else f"{data}: {_contents(Path(data))}",
        "cache": f"{cache}: {_contents(cache)}",
        "runs": f"{runs.absolute()}: {_state(runs)}",
        "temporary files": f"{tempfile.gettempdir()}: {_state(Path(tempfile.gettempdir()))}",
    }


def _contents(folder: Path) -> str:
    try:
        held = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        return error.strerror or type(error).__name__
    return f"{len(held)} entries ({', '.join(held[:8])}{', ...' if len(held) > 8 else ''}), {_state(folder)}"


def _state(folder: Path) -> str:
    """Whether files can be written below a folder, which need not exist yet."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    return "writable" if there.is_dir() and os.access(there, os.W_OK | os.X_OK) else "NOT writable"

"""Programs to compare with, each with a separate environment or folder; ``SYMPE_PEERS`` tells another than
``~/.cache/sympe-peers``.

- Traces, through dreadnaut of nauty (B. D. McKay, A. Piperno, *Practical graph isomorphism, II*, 2014): the one on the
  path, or that of Debian's package, which ``apt-get download`` brings into the folder.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from sympe import Graphs
from timing import Missing, Seconds

FOLDER = Path(os.environ.get("SYMPE_PEERS", Path.home() / ".cache" / "sympe-peers"))
#: How often Traces runs each time, except on graphs of so many directed edges; it tells the mean.
_TIMES, _LARGE = 3, 2_000_000


def times_of(graph: Graphs) -> int:
    """How often Traces runs each time, and so does what is compared with it."""
    return _TIMES if graph.num_edges < _LARGE else 1


@cache
def dreadnaut() -> str | None:
    """The command; None where there is neither it nor Debian's package."""
    if found := shutil.which("dreadnaut") or shutil.which("dreadnaut", path=FOLDER / "nauty" / "usr" / "bin"):
        return found
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["apt-get", "download", "nauty", "libnauty2"], cwd=FOLDER, check=True, capture_output=True)
        for package in FOLDER.glob("*nauty*.deb"):
            subprocess.run(["dpkg", "-x", package, FOLDER / "nauty"], check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return shutil.which("dreadnaut", path=FOLDER / "nauty" / "usr" / "bin")


def traces(graph: Graphs, canonical: bool = True, limit: float = 120) -> Callable[[], Seconds]:
    """Canonical form or order of the group of one simple graph, whose nodes may have labels; reading is not counted."""
    command = dreadnaut()
    if command is None:
        raise Missing("Traces: no dreadnaut on the path, and apt-get cannot download Debian's nauty")
    source, target = graph.edge_index.numpy()
    once = source < target
    source, target = source[once], target[once]
    order = np.argsort(source, kind="stable")
    source, target = source[order], target[order]
    cuts = np.flatnonzero(np.diff(source)) + 1
    starts = source[np.concatenate([[0], cuts])[: len(source)]]
    rows = [f"{v}:{' '.join(map(str, row))}" for v, row in zip(starts, np.split(target, cuts), strict=False)]
    colors = ""
    if graph.node_label is not None:
        label = graph.node_label.numpy()
        cells = [",".join(map(str, np.flatnonzero(label == kind))) for kind in np.unique(label)]
        colors = f"f=[{'|'.join(cells)}]\n"
    mode = "c" if canonical else "-c"
    text = f"At -a {mode} M={times_of(graph)}\nn={graph.num_nodes} $=0 g\n" + ";\n".join(rows) + f".\n{colors}x\nq\n"
    library = {"LD_LIBRARY_PATH": ":".join(map(str, FOLDER.glob("nauty/usr/lib/*")))}

    def run() -> Seconds:
        done = subprocess.run([command], input=text, capture_output=True, text=True, timeout=limit,
                              env=os.environ | library)  # fmt: skip
        found = re.search(r"cpu time = ([\d.e-]+) seconds", done.stdout)
        assert found, done.stdout + done.stderr
        return Seconds(found[1])

    return run

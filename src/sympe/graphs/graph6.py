"""Graphs from and to lines of graph6 and sparse6."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from sympe.graphs.batch import Graphs
from sympe.graphs.convert import from_edges, to_networkx


def from_graph6(lines: Iterable[bytes | str]) -> Graphs:
    """Graphs from lines of graph6 or sparse6, with or without a header.

    Raises:
        ValueError: If a line cannot be read; the message names it.
    """
    import networkx

    parsed = []
    for number, line in enumerate(lines, start=1):
        raw = line.encode() if isinstance(line, str) else bytes(line)
        raw = raw.strip().removeprefix(b">>graph6<<").removeprefix(b">>sparse6<<")
        if not raw:
            continue
        try:
            parsed.append(_parse_graph6(raw))
        except (networkx.NetworkXError, ValueError, IndexError) as error:
            shown = raw[:20].decode(errors="replace")
            raise ValueError(f"line {number} is not graph6: {shown!r} ({error})") from error
    return from_edges(parsed, directed=True)


def _parse_graph6(line: bytes) -> tuple[int, NDArray[np.int64]]:
    """Number of nodes, and every edge in both directions, sorted by source and target."""
    sparse = line.startswith(b":")
    # networkx accepts characters below the allowed range, and eight bytes of sparse6 can announce 2^36 nodes.
    body = line[1:] if sparse else line
    if not body or min(body) < 63 or max(body) > 126:
        raise ValueError("expected characters from '?' to '~'")
    if body.startswith(b"~~"):
        raise ValueError("expected at most 258047 nodes")
    if sparse:
        import networkx

        graph = networkx.from_sparse6_bytes(line)
        listed = list(graph.to_directed(as_view=True).edges())
        return len(graph), np.array(listed, dtype=np.int64).reshape(-1, 2)
    sixes = np.frombuffer(body, np.uint8) - 63
    head = 1 if sixes[0] < 63 else 4
    if len(sixes) < head:
        raise ValueError("the number of nodes is cut short")
    n = int(sixes[0]) if head == 1 else int(sixes[1:4].astype(np.int64) @ (4096, 64, 1))
    if len(sixes) - head != (n * (n - 1) // 2 + 5) // 6:
        raise ValueError(f"expected {(n * (n - 1) // 2 + 5) // 6} characters for {n} nodes; got {len(sixes) - head}")
    # The upper triangle by columns: bit k is the pair (i, j) with i < j and k = j (j - 1) / 2 + i.
    place = np.flatnonzero(np.unpackbits(sixes[head:, None], axis=1)[:, 2:])
    place = place[place < n * (n - 1) // 2]
    j = ((1 + np.sqrt(8.0 * place + 1)) / 2).astype(np.int64)
    j += (j * (j + 1) // 2 <= place).astype(np.int64) - (j * (j - 1) // 2 > place)
    i = place - j * (j - 1) // 2
    key = np.sort(np.concatenate([i * n + j, j * n + i]))
    return n, np.stack(np.divmod(key, max(n, 1)), axis=1)


def to_graph6(graphs: Graphs) -> list[str]:
    """One line of graph6 per graph, without a header (simple undirected graphs; labels are ignored)."""
    import networkx

    return [networkx.to_graph6_bytes(graph, header=False).decode().strip() for graph in to_networkx(graphs)]

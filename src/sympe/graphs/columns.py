"""Sorting and ranking the rows of several columns of integers, and other arithmetic of flat lists."""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Column = NDArray[np.generic]
Mask = NDArray[np.bool_]


def sorted_by(*columns: Column) -> Ints:
    """The order that sorts by the first column and ties by the next; remaining ties come in any order."""
    key, bound = _packed(*columns)
    if bound == 1:
        return np.arange(len(columns[0]))
    return np.lexsort(columns[::-1]) if key is None else np.argsort(key)


def ranks(*columns: Column) -> Ints:
    """Rank 0, 1, ... of each row of the columns among the distinct rows, in lexicographic order."""
    key, bound = _packed(*columns)
    if bound == 1:
        return np.zeros(len(columns[0]), np.int64)
    if key is None:
        order = np.lexsort(columns[::-1])
    elif bound <= 4 * len(key):
        seen = np.zeros(int(bound), np.int64)
        seen[key] = 1
        rank = seen.cumsum() - 1
        return rank[key]  # type: ignore[no-any-return]
    else:
        order, columns = np.argsort(key), (key,)
    rank = np.empty(len(order), np.int64)
    rank[order] = run_starts(*(column[order] for column in columns)).cumsum() - 1
    return rank


def run_starts(*columns: Column) -> Mask:
    """Where a column differs from the row before."""
    starts = np.ones(len(columns[0]), bool)
    starts[1:] = False
    for column in columns:
        starts[1:] |= column[1:] != column[:-1]
    return starts


def run_lengths(starts: Mask) -> Ints:
    """The lengths of the runs that start there."""
    cuts = _cuts(starts)
    return cuts[1:] - cuts[:-1]


def _cuts(starts: Mask) -> Ints:
    """Where runs start, and the end of the last."""
    return np.concatenate([*starts.nonzero(), [len(starts)]])


def _packed(*columns: Column) -> tuple[Column | None, float]:
    """One column that sorts as these do, and its bound; None if there is none of integers without overflow."""
    key, bound = np.zeros(len(columns[0]), np.int64), 1
    for column in columns:
        low, span = 0, 2**63
        if column.dtype.kind in "iu":
            low = int(column.min(initial=0))
            span = int(column.max(initial=0)) - low + 1
        bound *= span
        if bound >= 2**63:
            return columns[0] if len(columns) == 1 else None, math.inf
        if span > 1:
            key = key * span + (column.astype(np.int64, copy=False) - low)
    return key, bound


def offsets(counts: Ints) -> Ints:
    """The start of each of several runs, and the end of the last."""
    return np.concatenate([np.zeros(1, np.int64), counts.cumsum()])


def components(source: Ints, target: Ints, count: int) -> Ints:
    """Number of the connected component of each of ``count`` items, given edges between them."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = coo_matrix((np.ones(len(source), np.int8), (source, target)), shape=(count, count))
    parts: Ints = connected_components(edges, directed=False)[1].astype(np.int64)
    return parts


def connected(source: Ints, target: Ints, count: int) -> Ints | None:
    """All items, each close to those that edges join it to; None if the first does not reach all. Edges are sorted."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    rows = (np.ones(len(source), np.int8), target, offsets(np.bincount(source, minlength=count)))
    order = breadth_first_order(csr_array(rows, shape=(count, count)), 0, return_predecessors=False)
    return order.astype(np.int64) if len(order) == count else None


def word_ranks(symbol: Ints, starts: Mask) -> Ints:
    """Rank of each word, in lexicographic order, from 0; ``starts`` marks the first symbol of each."""
    text = symbol.astype(">i8").tobytes()
    cuts = (8 * _cuts(starts)).tolist()
    words = [text[a:b] for a, b in pairwise(cuts)]
    rank = {word: i for i, word in enumerate(sorted(set(words)))}
    return np.array([rank[word] for word in words], np.int64)


def same_rows(source: Ints, target: Ints, label: Ints, node: Ints, first: Ints) -> Mask:
    """Whether a node and the first one of its kind have the same multisets of targets and labels."""
    order = sorted_by(source, target, label)
    row = np.stack([target[order], label[order]])
    ptr = offsets(np.bincount(source, minlength=int(max(node.max(initial=0), first.max(initial=0))) + 1))
    length = np.diff(ptr)
    alike: Mask = length[node] == length[first]
    of, to = node[alike], first[alike]
    before = offsets(length[of])
    place = np.arange(before[-1])
    here, there = (place + (ptr[end] - before[:-1]).repeat(length[of]) for end in (of, to))
    differs = np.append(0, (row[:, here] != row[:, there]).any(0).cumsum())
    alike[alike] = differs[before[1:]] == differs[before[:-1]]
    return alike


def walk(onward: Ints) -> tuple[Ints, Ints]:
    """Where each item ends that moves onward until it stays, and after how many steps, by doubling.

    An item that never stays ends anywhere on its cycle.
    """
    here = np.arange(len(onward))
    last, steps = onward, (onward != here).astype(np.int64)
    for _ in range(len(onward).bit_length()):
        further = last[last]
        if np.array_equal(further, last):
            break
        steps, last = steps + steps[last], further
    return last, steps


#: Increment and factors of SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014).
STEP, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_STEP, _FIRST, _SECOND, _30, _27, _31 = map(np.uint64, (STEP, FIRST, SECOND, 30, 27, 31))


def mix(key: Ints) -> Ints:
    """The finalizer of SplitMix64."""
    z = key.view(np.uint64) + _STEP
    z ^= z >> _30
    z *= _FIRST
    z ^= z >> _27
    z *= _SECOND
    z ^= z >> _31
    return z.view(np.int64)

r"""Automorphisms and canonical orders of large graphs: strip what has a closed form, and hand bliss the core.

Five steps, each for the whole graph at once, repeat until none applies or removes much. Each removes nodes, and writes
what it removed into the colors of the nodes and the labels of the edges that stay, by rank:

1. *Leaves* go into the color of their neighbor, as the multiset of (label of the edge, color).
2. *Chains* of nodes of degree 2 become one edge, labeled by the word that they spell; parallel edges become one, with
   the multiset of their labels, and loops go into the color.
3. *Cycles* without branches become one node, with the least word that they spell in either direction.
4. *Settled* nodes, to which color refinement gives a unique color, go with their edges, which say no more than
   the colors of the nodes that stay. Refinement hashes; that nodes of one color are joined alike is then checked.
5. *Twins*, nodes of one color with the same neighbors apart from each other, become one node, with their number.

Every automorphism of the graph restricts to one of what is left, and every one of those extends. So the order of the
automorphism group is that of the core, times the automorphisms that fix all that is left: :math:`k!` for k equal
leaves, chains or twins, 2 for a chain that reads alike in both directions, and the symmetries of a cycle. Of equal
parts, storage decides which comes first; each choice is an automorphism. Leaves and chains together take
:math:`O(\log n)` rounds for a tree (G. Miller, J. Reif, *Parallel tree contraction*, 1985), down to a single node.

What stays is the core, :mod:`sympe.graphs.core`.
"""

import math
from collections import Counter
from functools import cached_property

import numpy as np
import torch

from sympe.graphs.batch import Graphs
from sympe.graphs.coloring import encoded, joined_pairs, node_colors, plain_edges
from sympe.graphs.columns import (
    Ints,
    Mask,
    components,
    mix,
    offsets,
    ranks,
    run_lengths,
    run_starts,
    same_rows,
    sorted_by,
    walk,
    word_ranks,
)
from sympe.graphs.core import Core
from sympe.graphs.removed import Chains, Hung
from sympe.graphs.settling import settle_one

#: After so many rounds that refine colors, or that remove few nodes each, bliss takes over.
_ROUNDS = 16


class Stripped:
    """One graph, of which all is stripped that has a closed form.

    Args:
        graph: The graph.
        chains: Whether to strip chains, too.

    Attributes:
        num_nodes: Number of nodes of the graph.
        node: The number in the graph of each node that stays.
        color: Rank of all that is known of it.
        source, target: Edges in both directions, sorted; no loops, none twice.
        label: Rank of all that is known of the edge, read from source to target; it determines that of its reverse.
        factors: How often each number divides the order of the group, and
        factorials: how often its factorial does.
    """

    def __init__(self, graph: Graphs, chains: bool = True) -> None:
        self._graph = graph
        self.num_nodes = graph.num_nodes
        self.node = np.arange(self.num_nodes)
        self._removed: list[Hung | Chains] = []
        if (settled := settle_one(graph)) is not None:
            rank, gone = np.empty_like(self.node), np.flatnonzero(~settled.stays)
            rank[settled.by_key] = settled.starts.cumsum()
            self._removed.append(Hung(gone, gone, rank[gone], False))
            self.node, graph = np.flatnonzero(settled.stays), settled.rest
        self.color = node_colors(graph)
        self.factors: Counter[int] = Counter()
        self.factorials: Counter[int] = Counter()
        if (plain := plain_edges(graph)) is not None:
            self.source, self.target, self.label = *plain, np.zeros_like(plain[0])
        else:
            u, v, forward, backward = joined_pairs(graph)
            both = zip((u, v, forward, backward), (v, u, backward, forward), strict=True)
            source, target, *labels = map(np.concatenate, both)
            self._set_edges(source, target, ranks(*labels))
        slow = 0
        # All nodes of one color without edges are a core that needs no search.
        while slow < _ROUNDS and len(self.node) > 1 and (len(self.source) or self.color.any()):
            before = len(self.node)
            taken = self._take_leaves() | (chains and self._take_chains())
            if not (taken or self._take_settled() or self._take_twins()):
                break
            slow += len(self.node) > 0.95 * before

    def count_automorphisms(self) -> int:
        """Exact order of the automorphism group, however large."""
        factors = [k**times for k, times in self.factors.items()]
        factorials = [math.factorial(k) ** times for k, times in self.factorials.items()]
        core, alike = self._core.factors()
        return math.prod([*factors, *factorials, *core, *map(math.factorial, alike)])

    def log_automorphisms(self) -> float:
        """Log of the order of the automorphism group, in nats."""
        factors = sum(times * math.log(k) for k, times in self.factors.items())
        factorials = sum(times * math.lgamma(k + 1) for k, times in self.factorials.items())
        core, alike = self._core.factors()
        return factors + factorials + sum(map(math.log, core)) + sum(math.lgamma(k + 1) for k in alike)

    def automorphism_generators(self) -> list[list[int]]:
        """Generators of the automorphism group, each as images; from bliss alone, without stripping."""
        return next(encoded(self._graph)).automorphism_generators()

    def orbits(self) -> Ints:
        """The first node of each node's orbit, if chains were left: their ends do not tell orbits of their nodes."""
        orbit = np.zeros(self.num_nodes, np.int64)
        orbit[self.node] = self._core.orbits()
        for removed in reversed(self._removed):
            assert isinstance(removed, Hung), "chains must not be stripped"
            orbit[removed.node] = removed.orbits(orbit)
        _, first, number = np.unique(orbit, return_index=True, return_inverse=True)
        return first[number]

    @property
    def is_rigid_around_core(self) -> bool:
        """Whether only the identity fixes all that is left."""
        return not self.factorials and all(k == 1 or times == 0 for k, times in self.factors.items())

    @property
    def core(self) -> Graphs:
        """What is left, as one graph."""
        edges, color, label = map(torch.from_numpy, (np.stack([self.source, self.target]), self.color, self.label))
        return Graphs(edges, torch.zeros_like(color), color, label, num_graphs=1)

    def canonical_order(self) -> Ints:
        """The nodes in canonical order: isomorphic graphs coincide when both are sorted this way."""
        return self.order_around(self._core.order())

    def order_around(self, core: Ints) -> Ints:
        """All nodes in order, given that of the nodes of the core."""
        order = [self.node[core]]
        rank = np.zeros(self.num_nodes, np.int64)
        rank[order[0]] = np.arange(len(order[0]))
        count = len(order[0])
        for removed in reversed(self._removed):
            order.append(removed.order(rank))
            rank[order[-1]] = np.arange(count, count + len(order[-1]))
            count += len(order[-1])
        return np.concatenate(order)

    def _set_edges(self, source: Ints, target: Ints, label: Ints) -> None:
        """Sort the edges; of parallel ones make one, with the multiset of their labels."""
        order = np.argsort(source * len(self.node) + target, kind="stable")  # fast where most are sorted
        source, target, label = source[order], target[order], label[order]
        starts = run_starts(source, target)
        if not starts.all():
            first, run = np.flatnonzero(starts), starts.cumsum() - 1
            label = label[sorted_by(run, label)]
            self._count_equal(run, label, where=source < target)
            is_several = run_lengths(starts) > 1
            inside = is_several[run]
            several = first[is_several]
            label[several] = label.max() + 1 + word_ranks(label[inside], starts[inside])
            source, target, label = source[first], target[first], label[first]
        self.source, self.target, self.label = source, target, label

    def _keep(self, kept: Mask) -> None:
        """Forget the other nodes and their edges."""
        number = kept.cumsum() - 1
        self.node, self.color = self.node[kept], self.color[kept]
        inside = kept[self.source] & kept[self.target]
        self.source, self.target = number[self.source[inside]], number[self.target[inside]]
        self.label = self.label[inside]

    def _count_equal(self, *columns: Ints, where: Mask | slice = slice(None)) -> None:
        """Multiply the order of the group by k! for k equal rows of the columns, which are sorted."""
        starts = run_starts(*(column[where] for column in columns))
        times = np.bincount(run_lengths(starts))
        self.factorials.update({k: int(times[k]) for k in (np.flatnonzero(times[2:]) + 2).tolist()})

    def _recolor(self, node: Ints, kind: Ints) -> None:
        """Add to the color of each node the multiset of its kinds; rows are sorted by node and kind."""
        self._count_equal(node, kind)
        starts = run_starts(node)
        more = np.zeros_like(self.color)
        more[node[starts]] = 1 + word_ranks(kind, starts)
        self.color = ranks(self.color, more)

    def _hang(self, node: Ints, parent: Ints, kind: Ints, is_alike: Mask | bool = False) -> None:
        """Remove nodes that stand next to their parent, by kind."""
        self._removed.append(Hung(self.node[node], self.node[parent], kind, is_alike))
        kept = np.ones(len(self.node), bool)
        kept[node] = False
        self._keep(kept)

    def _take_leaves(self) -> bool:
        degree = np.bincount(self.source, minlength=len(self.node))
        down = np.flatnonzero(degree[self.target] == 1)
        if not len(down):
            return False
        parent, leaf = self.source[down], self.target[down]
        kind = ranks(self.label[down], self.color[leaf])
        is_pair, is_alike = degree[parent] == 1, np.zeros(len(leaf), bool)
        if is_pair.any():
            # Of two leaves joined to each other the one of the greater kind goes.
            kind_of = np.zeros_like(self.node)
            kind_of[leaf] = kind
            is_alike = is_pair & (kind == kind_of[parent])
            self.factors[2] += int(is_alike.sum()) // 2
            goes = ~is_pair | (kind > kind_of[parent]) | ((kind == kind_of[parent]) & (leaf > parent))
            parent, leaf, kind, is_alike = parent[goes], leaf[goes], kind[goes], is_alike[goes]
        if kind.any():  # else sorted, as edges are
            order = sorted_by(parent, kind)
            parent, leaf, kind, is_alike = parent[order], leaf[order], kind[order], is_alike[order]
        self._recolor(parent, kind)
        self._hang(leaf, parent, kind, is_alike)
        return True

    def _take_chains(self) -> bool:
        degree = np.bincount(self.source, minlength=len(self.node))
        is_middle = degree == 2
        touches = is_middle[self.source] | is_middle[self.target]
        if not touches.any():
            return False
        source, target, label = self.source[touches], self.target[touches], self.label[touches]
        # Every edge that enters a chain, leaves it or lies inside jumps to where the chain is left.
        enters, back = is_middle[target], np.empty(len(source), np.int64)
        back[sorted_by(target, source)] = np.arange(len(source))
        first = offsets(np.bincount(source, minlength=len(degree)))[target]
        onward = np.where(enters, 2 * first + 1 - back, np.arange(len(source)))
        last, steps = walk(onward)
        if (is_endless := enters[last]).any():
            self._take_cycles(source, target, label, np.flatnonzero(is_endless), onward)
            return True
        order = sorted_by(last, -steps)
        symbol = ranks(label, np.where(enters, self.color[target] + 1, 0))[order]
        starts = run_starts(last[order])
        word = self.label.max() + 1 + word_ranks(symbol, starts)
        first = order[starts]
        ends = np.stack([source[first], target[last[first]]])
        run_of = np.empty_like(last)
        run_of[last[first]] = np.arange(len(first))
        reverse = run_of[back[first]]
        words = np.stack([word, word[reverse]])

        # Each chain is there in both directions; one is enough to write down.
        is_first = np.arange(len(first)) < reverse
        run = starts.cumsum() - 1
        noted = is_first[run] & enters[order]
        run, edge = run[noted], order[noted]
        places = np.stack([steps[first[run]] - steps[edge], steps[edge] - 1])
        self._removed.append(Chains(self.node[target[edge]], self.node[ends[:, run]], words[:, run], places, run))

        joins = ends[0] != ends[1]
        loop = np.flatnonzero(~joins & is_first)
        if len(loop):
            self.factors[2] += int((words[0, loop] == words[1, loop]).sum())
            owner, kind = ends[0, loop], words[:, loop].min(0)
            order = sorted_by(owner, kind)
            self._recolor(owner[order], kind[order])
        columns = (ends[0, joins], ends[1, joins], word[joins]), (self.source, self.target, self.label)
        self._set_edges(*(np.concatenate([new, old[~touches]]) for new, old in zip(*columns, strict=True)))
        self._keep(~is_middle)
        return True

    def _take_cycles(self, source: Ints, target: Ints, label: Ints, edge: Ints, onward: Ints) -> None:
        """Cycles whose nodes all have degree 2; ``edge`` tells their edges, in both directions."""
        number = np.zeros(len(onward), np.int64)
        number[edge] = np.arange(len(edge))
        source, target, label, onward = source[edge], target[edge], label[edge], number[onward[edge]]
        symbol = ranks(label, self.color[target])
        part = components(source, target, len(self.node))
        cycle, size = part[source], np.bincount(part)
        # Names of longer and longer words, until all that are equal stay so (see canonicalize.lexicographic).
        name, shift = ranks(size[cycle], symbol), onward
        while (longer := ranks(name, name[shift])).max() > name.max():
            name, shift = longer, shift[shift]
        order = sorted_by(cycle, name)
        start = order[run_starts(cycle[order])]
        least = np.zeros_like(size)
        least[cycle[start]] = name[start]
        is_least = name == least[cycle]
        self.factors.update(np.bincount(cycle[is_least])[cycle[start]].tolist())

        # Cut each cycle before its start, and walk.
        cut = np.where(np.isin(onward, start), np.arange(len(onward)), onward)
        last, steps = walk(cut)
        along = np.flatnonzero(np.isin(last, last[start]))
        along = along[sorted_by(cycle[along], -steps[along])]
        starts = run_starts(cycle[along])
        root = np.zeros_like(size)
        root[cycle[start]] = source[start]
        more = np.zeros_like(self.color)
        more[source[along[starts]]] = 1 + word_ranks(symbol[along], starts)
        self.color = ranks(self.color, more)
        along = along[~starts]
        self._hang(source[along], root[cycle[along]], size[cycle[along]] - steps[along])

    def _take_twins(self) -> bool:
        count = len(self.node)
        ptr = offsets(np.bincount(self.source, minlength=count))
        name, factor = mix(np.arange(count)), mix(~self.label) | 1
        sums = np.concatenate([np.zeros(1, np.int64), (name[self.target] * factor).cumsum()])  # wraps around
        around = sums[ptr[1:]] - sums[ptr[:-1]]
        # Of joined twins each counts as its own neighbor, by an edge with the label of those between them.
        closed = around[self.source] + name[self.source] * factor
        is_joined = (closed == around[self.target] + name[self.target] * factor) & (
            self.color[self.source] == self.color[self.target]
        )
        node = np.concatenate([np.arange(count), self.source[is_joined]])
        own = np.concatenate([np.zeros(count, np.int64), 1 + self.label[is_joined]])
        key = mix(np.concatenate([around, closed[is_joined]]) ^ mix(mix(own) + self.color[node]))
        order = np.argsort(key)
        node, own, key = node[order], own[order], key[order]
        starts = run_starts(key)
        first = np.flatnonzero(starts).repeat(run_lengths(starts))
        first, is_same = node[first], (own == own[first]) & (self.color[node] == self.color[node[first]])
        later = np.flatnonzero((node != first) & is_same)
        later = later[np.unique(node[later], return_index=True)[1]]  # joined twins are found once for each other
        node, own, first = self._exact_twins(node[later], own[later], first[later])
        if not len(node):
            return False
        several, number = np.unique(first, return_counts=True)
        self._count_equal(np.sort(np.concatenate([several, first])))
        size, joint = np.ones((2, count), np.int64)
        size[several], joint[first] = 1 + number, own
        self.color = ranks(self.color, size, joint)
        self._hang(node, first, own, is_alike=True)
        return True

    def _exact_twins(self, node: Ints, own: Ints, first: Ints) -> tuple[Ints, Ints, Ints]:
        """Those nodes that have the neighbors of ``first`` indeed; so far a hash says so."""
        own_of = np.zeros(len(self.node), np.int64)
        own_of[node], own_of[first] = own, own
        loop = np.flatnonzero(own_of)
        member = np.zeros(len(self.node), bool)
        member[node] = member[first] = True
        listed = member[self.source]
        source, target = (np.concatenate([ends[listed], loop]) for ends in (self.source, self.target))
        label = np.concatenate([self.label[listed], own_of[loop] - 1])
        alike = same_rows(source, target, label, node, first)
        return node[alike], own[alike], first[alike]

    def _take_settled(self) -> bool:
        """Nodes that have a unique color once colors are refined; their edges say no more than colors then."""
        count, ptr = len(self.node), offsets(np.bincount(self.source, minlength=len(self.node)))
        key, factor, classes = self.color, mix(~self.label) | 1, 0
        for _ in range(_ROUNDS):
            sums = np.append(0, (mix(key)[self.target] * factor).cumsum())  # wraps around
            key = mix(key) + sums[ptr[1:]] - sums[ptr[:-1]]
            before, (_, first, color, size) = classes, np.unique(key, True, True, True)
            classes = len(size)
            if classes in (before, count):
                break
            if classes < min(2 * before, count / 8):
                return False  # a long way to go, as on a grid
        else:
            return False
        # Nodes of one key have the same neighbors by color, unless hashes collide: see to it.
        shared = size[color[self.source]] > 1
        node = np.flatnonzero(size[color] > 1)
        rows = self.source[shared], color[self.target[shared]], self.label[shared]
        settled = np.flatnonzero(size[color] == 1)
        if not len(settled) or not same_rows(*rows, node, first[color[node]]).all():
            return False
        self.color = color
        self._hang(settled, settled, color[settled])
        return True

    @cached_property
    def _core(self) -> Core:
        return Core(self.color, self.source, self.target, self.label)

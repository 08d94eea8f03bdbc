r"""Color refinement with individualization, for a whole batch at once, on any device.

Arrange the nodes in a row, graph after graph. A *cell* is a run of nodes that are not yet distinguished, and their
*color* is the position at which it begins.

1. *Refine*: split cells by the multisets of (edge label, color) over the neighbors of their nodes, until none
   splits. Only changes propagate: a node adds the change of its color's hash to a sum at each neighbor, and the
   nodes of a cell whose sums have changed move to its end, by increasing change. Sums of 64-bit integers do not
   depend on the order of their terms. A first pass splits cells by a hash of what is up to three edges away.
2. *Split twins*: number nodes of one cell with the same neighbors, apart from each other, by storage.
3. *Individualize*: a node is settled once no other node of its *part* (at first: its graph) has its color. The
   connected components of the unsettled nodes are the new parts. In every part that still has a cell of several
   nodes, one node of the first such cell gets a new color, in all parts at once; then refine, and repeat.
4. Parts that share colors are now isomorphic by color, and joined alike to the settled nodes: number them by storage.

**What is exact.** Automorphisms undo the choices by storage in steps 2 and 4, and those of step 3 if the nodes to
choose from are an orbit under the color-preserving automorphisms of their part: then the order is exactly canonical.
This holds for forests and disjoint unions of cycles, where refinement finds orbits, and for all but a few molecules;
but not for most strongly regular graphs, nor for regular graphs without symmetry. There, relabelings of one graph may
get different forms, and the law of g~ under the kernel is equivariant with more randomness than needed. A hash
collision, of probability about :math:`2^{-64}` per comparison, could at worst have the same effect.

Graphs of more than 1000 nodes are stripped first (:mod:`sympe.graphs.stripping`): a round for each node of a long chain
would take too long. Only what is left is refined.

The form of a graph does not depend on the batch. Nodes are sorted by label, features and degree first, then by the
hashes of their surroundings.

Sources: R. Paige, R. Tarjan, *Three partition refinement algorithms*, SIAM J. Comput. 1987 (propagate only changes);
G. Tinhofer, *A note on compact graphs*, Discrete Appl. Math. 1991 (graphs on which every choice of a node is right).
"""

import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from sympe.canonicalize.base import NodeOrder
from sympe.graphs import Graphs
from sympe.graphs.stripping import Stripped
from sympe.groups import Permutation

#: Graphs of more nodes are stripped first.
_LARGE = 1000


class Refinement(NodeOrder):
    """Canonical order by color refinement, without a Python loop over graphs or nodes.

    Respects labels, loops, multiple edges and directions; features ``x`` count as labels, as in
    :class:`~sympe.canonicalize.labeling.Labeling`.

    Args:
        individualize: Whether to continue until all nodes are distinguished. If not, the cells that refinement leaves
            are ordered by storage (under the kernel: at random).
    """

    def __init__(self, individualize: bool = True) -> None:
        super().__init__()
        self.individualize = individualize

    def forward(self, x: Graphs, generator: torch.Generator | None = None) -> Permutation:
        large = x.sizes > _LARGE
        if not self.individualize or not bool(large.any()):
            return Permutation.trusted(self._order(x), x)
        order = torch.empty_like(x.batch)
        others = (~large[x.batch]).nonzero()[:, 0]
        order[others] = others[self._order(x.select((~large).nonzero()[:, 0]))]
        for index in large.nonzero()[:, 0].tolist():
            start, end = x.ptr[index], x.ptr[index + 1]
            stripped = Stripped(x.select([index]))
            core = stripped.core
            nodes = self._order(core.to(x.device)).cpu().numpy() if core.num_edges else stripped.color.argsort()
            order[start:end] = start + torch.from_numpy(stripped.order_around(nodes)).to(x.device)
        return Permutation.trusted(order, x)

    def _order(self, x: Graphs) -> Int[Tensor, "N"]:
        partition = Partition(x)
        if self.individualize:
            partition.split_twins()
            while partition.individualize():
                pass
        return partition.node_order()

    def cells(self, x: Graphs) -> Int[Tensor, "N"]:
        """The cell of each node after refinement alone: a number that no automorphism changes."""
        return Partition(x).color

    def is_exact(self, x: Graphs) -> Bool[Tensor, "G"]:
        """Where refinement alone distinguishes all nodes, so that the graph has no symmetry.

        The order is exact on many more graphs (forests, all but a few molecules), which this does not check.
        """
        is_exact = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        small = (x.sizes <= _LARGE).nonzero()[:, 0]
        is_exact[small] = _is_discrete(x.select(small))
        for index in (x.sizes > _LARGE).nonzero()[:, 0].tolist():
            stripped = Stripped(x.select([index]))
            is_exact[index] = stripped.is_rigid_around_core and bool(_is_discrete(stripped.core))
        return is_exact


def _is_discrete(x: Graphs) -> Bool[Tensor, "G"]:
    """Where refinement distinguishes all nodes."""
    shared = Partition(x).shared_nodes(torch.arange(x.num_nodes, device=x.device))
    return torch.zeros_like(x.sizes).index_add(0, x.batch[shared], torch.ones_like(shared)) == 0


class Partition:
    """Cells of the nodes of a batch, refined from the start.

    Attributes:
        color: The position at which each node's cell begins.
        hash: A random number for each color within a graph, and for each node.
        size: Number of nodes of the cell that begins at a position; meaningless elsewhere.
        part: The part of each node; for a settled node, its last part.
        open: Nodes that may still share color and part.
        sent: The hash of its color that a node has sent to its neighbors.
        received: The sum that a node has received from its neighbors and not yet used.
    """

    def __init__(self, graphs: Graphs) -> None:
        self.start = graphs.start
        self.open = torch.arange(graphs.num_nodes, device=graphs.device)
        self.hash = _mix(self.open)
        columns = [graphs.batch]
        if graphs.node_label is not None:
            columns.append(graphs.node_label)
        if graphs.x is not None:
            columns.extend(graphs.x.detach().unbind(1))
        columns.append(torch.bincount(graphs.edge_index[1], minlength=graphs.num_nodes))
        order = _lexsort(*columns)
        first = _run_starts(*(column[order] for column in columns))
        self.color = torch.empty_like(order)
        self.color[order] = first.nonzero()[:, 0][first.cumsum(0) - 1]
        self.size = torch.bincount(self.color, minlength=graphs.num_nodes)
        self.part = torch.zeros_like(self.color)
        self.sent, self.received, self.place = (torch.zeros_like(self.color) for _ in range(3))
        self._store_edges(graphs)
        self._look_around()
        self.refine(self.open)

    def _store_edges(self, graphs: Graphs) -> None:
        """Edges by source, each with an odd random factor for its label; those of directed graphs also reversed."""
        source, target = graphs.edge_index
        # Mixed twice: the factors must be independent of the hashes of colors and nodes that they multiply.
        weight = torch.ones_like(source) if graphs.edge_label is None else _mix(_mix(graphs.edge_label)) | 1
        loop = source == target
        if bool(loop.any()):
            weight = torch.where(loop, weight * _LOOP, weight)
        # In an undirected graph the edges out of a node lead to the sources of the edges into it.
        name = self.hash
        balance = torch.zeros_like(name).index_add_(0, source, _take(name, target) * weight)
        balance.index_add_(0, target, _take(-name, source) * weight)
        is_directed = torch.zeros(len(graphs), dtype=torch.bool, device=graphs.device)
        is_directed[graphs.batch[balance != 0]] = True
        if bool(is_directed.any()):
            reverse = is_directed[graphs.batch[source]]
            source, target = torch.cat([source, target[reverse]]), torch.cat([target, source[reverse]])
            weight = torch.cat([weight, weight[reverse] * _REVERSED])
        if bool((source.diff() < 0).any()):
            order = torch.argsort(source)
            source, target, weight = (_take(values, order) for values in (source, target, weight))
        self.target, self.weight = target, weight
        self.degree = torch.bincount(source, minlength=graphs.num_nodes)
        self.first_edge = self.degree.cumsum(0) - self.degree

    def _edges(self, nodes: Int[Tensor, "k"]) -> tuple[Int[Tensor, "e"], Int[Tensor, "e"], Int[Tensor, "e"]]:
        """Edges that leave the nodes: index of the source among the nodes, target, factor of the label."""
        degree = _take(self.degree, nodes)
        source = torch.repeat_interleave(degree)
        before = _take(self.first_edge, nodes) - (degree.cumsum(0) - degree)
        edge = torch.arange(len(source), device=nodes.device) + _take(before, source)
        return source, _take(self.target, edge), _take(self.weight, edge)

    def _look_around(self) -> None:
        """Split cells by what is up to three edges away, in one pass that does most of three rounds of refinement."""
        source, target, weight = self._edges(self.open)
        key = _take(self.hash, self.color - self.start)
        for _ in range(3):
            key = _mix(key.index_add(0, target, _take(key, source) * weight))
        self._split(self.open, key)

    def refine(self, changed: Int[Tensor, "k"]) -> None:
        """Split cells until none splits, given the nodes whose color is new."""
        while len(changed):
            hashed = _take(self.hash, _take(self.color, changed) - _take(self.start, changed))
            difference = hashed - _take(self.sent, changed)
            self.sent[changed] = hashed
            source, target, weight = self._edges(changed)
            self.received.index_add_(0, target, _take(difference, source) * weight)
            if len(target) < len(self.received) // 8:
                index = torch.arange(len(target), device=target.device)
                self.place[target] = index  # any of those that name one node
                nodes = target[_take(self.place, target) == index]
            else:
                nodes = self.received.nonzero()[:, 0]
            key = _take(self.received, nodes)
            self.received[nodes] = 0
            told = (key != 0) & (_take(self.size, _take(self.color, nodes)) > 1)
            told = told.nonzero()[:, 0]
            changed = self._split(_take(nodes, told), _take(key, told))

    def _split(self, nodes: Int[Tensor, "k"], key: Int[Tensor, "k"]) -> Int[Tensor, "c"]:
        """Move nodes to the end of their cells by increasing key, and return those that get a new color.

        The other nodes of a cell stay in front and keep the color; if there are none, the longest run of one key does.
        """
        order = _lexsort(_take(self.color, nodes), key)
        nodes, key = _take(nodes, order), _take(key, order)
        color = _take(self.color, nodes)
        new_cell = _run_starts(color)
        new_run = new_cell | _run_starts(key)
        begin = new_cell.nonzero()[:, 0]
        cell, run = new_cell.cumsum(0) - 1, new_run.cumsum(0) - 1
        cells = _take(color, begin)
        left = _take(self.size, cells) - torch.bincount(cell)
        length, cell_of_run = torch.bincount(run), cell[new_run]
        starts = new_run.nonzero()[:, 0] + _take(cells + left - begin, cell_of_run)
        index = torch.arange(len(length), device=nodes.device)
        longest = torch.zeros_like(left).scatter_reduce_(0, cell_of_run, length * len(index) + index, "amax")
        front = _take(torch.where(left == 0, longest % max(len(index), 1), -1), cell_of_run)
        behind = (index < front) * _take(length, front.clamp(min=0))
        starts = torch.where(index == front, _take(cells, cell_of_run), starts + behind)
        self.size[cells] = left
        self.size[starts] = length
        new_color = _take(starts, run)
        self.color[nodes] = new_color
        return nodes[new_color != color]

    def split_twins(self) -> None:
        """Number the nodes of one cell that have the same neighbors, apart from each other."""
        nodes = self.open = self.shared_nodes(self.open)
        if not len(nodes):
            return
        source, target, weight = self._edges(nodes)
        joins = nodes[source] != target  # nodes of one cell have the same loops
        source, target, weight = source[joins], target[joins], weight[joins]
        name = self.hash
        around = torch.zeros_like(name)
        around[nodes] = torch.zeros_like(nodes).index_add_(0, source, _take(name, target) * weight)
        # Joined twins have the same neighbors apart from each other; the first identifies a set of them. No node has
        # twins of both kinds.
        source = nodes[source]
        alike = self.color[source] == self.color[target]
        source, target, weight = source[alike], target[alike], weight[alike]
        twin = around[source] - name[target] * weight == around[target] - name[source] * weight
        source, target = source[twin], target[twin]
        around[source] = source
        around.scatter_reduce_(0, source, target, "amin")

        # Number those that share color and key by storage.
        nodes = nodes.sort()[0]
        nodes = _take(nodes, _lexsort(_take(self.color, nodes), _take(around, nodes)))
        first = _run_starts(_take(self.color, nodes), _take(around, nodes))
        index = torch.arange(len(nodes), device=nodes.device)
        number = index - index[first][first.cumsum(0) - 1]
        self.refine(self._split(nodes[~first], number[~first]))

    def individualize(self) -> bool:
        """Recolor one node in every part that has a cell of several nodes, and refine; False if no part has one."""
        self.open = nodes = self.shared_nodes(self.open)
        # The nodes are sorted by part, so new parts are numbered in the order of the parts that they come from.
        if not len(nodes):
            return False
        self.part[nodes] = self._component(nodes)
        nodes = self.shared_nodes(nodes)
        chosen = nodes[_run_starts(self.part[nodes])]
        self.give_own_color(chosen)
        return len(chosen) > 0

    def give_own_color(self, nodes: Int[Tensor, "k"]) -> None:
        """Split each of these nodes, at most one of a cell, off its cell, and refine."""
        self.refine(self._split(nodes, torch.ones_like(nodes)))

    def shared_nodes(self, nodes: Int[Tensor, "k"]) -> Int[Tensor, "m"]:
        """The nodes that share part and color with another of them, sorted by both."""
        nodes = nodes[_lexsort(self.part[nodes], self.color[nodes])]
        first = _run_starts(self.part[nodes], self.color[nodes])
        alone = first & torch.cat([first[1:], first.new_ones(min(len(nodes), 1))])
        return nodes[~alone]

    def _component(self, nodes: Int[Tensor, "k"]) -> Int[Tensor, "k"]:
        """The first node of the connected component of each node, as an index into these nodes."""
        index = torch.full_like(self.color, -1)
        index[nodes] = torch.arange(len(nodes), device=nodes.device)
        source, target, _ = self._edges(nodes)
        inside = index[target] >= 0
        source, target = source[inside], index[target[inside]]
        root = torch.arange(len(nodes), device=nodes.device)
        while True:
            # Trees of roots: hook each root to the least neighbor of its nodes, then halve the paths.
            least = root[target]
            hooked = root.scatter_reduce(0, root[source], least, "amin").scatter_reduce(0, source, least, "amin")
            hooked = hooked[hooked]
            if torch.equal(hooked, root):
                return root
            root = hooked

    def node_order(self) -> Int[Tensor, "N"]:
        """All nodes by color; those of one color by part, then by storage."""
        return _lexsort(self.color, self.part)


def _lexsort(*keys: Shaped[Tensor, "k"]) -> Int[Tensor, "k"]:
    """The order that sorts by the first key, ties by the next, and remaining ties by storage."""
    order = torch.argsort(keys[-1], stable=True)
    for key in reversed(keys[:-1]):
        order = _take(order, torch.argsort(_take(key, order), stable=True))
    return order


def _take(values: Int[Tensor, "k"], index: Int[Tensor, "m"]) -> Int[Tensor, "m"]:
    """``values[index]``, three times faster on the CPU."""
    return values.index_select(0, index)


def _run_starts(*keys: Shaped[Tensor, "k"]) -> Bool[Tensor, "k"]:
    """Where a key differs from the one before."""
    starts = torch.ones_like(keys[0], dtype=torch.bool)
    inner = starts[1:]
    torch.ne(keys[0][1:], keys[0][:-1], out=inner)
    for key in keys[1:]:
        inner |= key[1:] != key[:-1]
    return starts


#: Odd factors for loops, and for edges followed against their direction.
_LOOP, _REVERSED = -7046029254386353131, -4658895280553007687


def _mix(z: Int[Tensor, "*n"]) -> Int[Tensor, "*n"]:
    """SplitMix64 finalizer (G. Steele, D. Lea, C. Flood, OOPSLA 2014); signed 64-bit arithmetic wraps around."""
    z = z + -7046029254386353131
    z = (z ^ ((z >> 30) & 0x3FFFFFFFF)) * -4658895280553007687
    z = (z ^ ((z >> 27) & 0x1FFFFFFFFF)) * -7723592293110705685
    return z ^ ((z >> 31) & 0x1FFFFFFFF)

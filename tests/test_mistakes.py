"""Natural mistakes: each ends in one sentence that says what was expected, what came, and what to do."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import sympe
from sympe import (
    Graphs,
    InversionKernel,
    IrrepsEncoding,
    PointClouds,
    RankEncoding,
    SymPE,
    TileEncoding,
    breaking,
    wrap,
)
from sympe.actions import GraphRelabeling, PointRotation, ScalarFields
from sympe.auditing import excess_randomness
from sympe.canonicalize import (
    Constant,
    DepthFirst,
    Frames,
    JointFrames,
    Labeling,
    LearnedFrames,
    NodeScore,
    Sort,
    Template,
)
from sympe.encoding import FactorEncoding, FieldEncoding, RepresentationEncoding, WaveEncoding, learn_amplitudes
from sympe.graphs import automorphism_orbits, from_edges
from sympe.groups import (
    FiniteGroup,
    OrthogonalGroup,
    Permutation,
    ProductGroup,
    SymmetricGroup,
    Torus,
    cyclic,
    dihedral,
    point_group,
)
from sympe.points import from_clouds

RING = from_edges([(6, [(i, (i + 1) % 6) for i in range(6)])])
PAIR = torch.tensor([[0, 1], [1, 0]])
FIELDS = ScalarFields(Torus("D4"))


class Network(nn.Module):
    """A network that has no in_channels to be compared beforehand."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(dim, 2)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.linear(x)


class Declared(Network):
    in_channels = 3


def kernel() -> InversionKernel[Permutation, Graphs]:
    return InversionKernel(Labeling())


def ranks() -> RankEncoding:
    return RankEncoding(4, max_nodes=8)


def pe() -> SymPE[Permutation, Graphs]:
    return SymPE(kernel(), ranks())


COMPOSITIONS: dict[str, tuple[Callable[[], Any], str]] = {
    "the kernel is forgotten": (
        lambda: SymPE(Labeling(), ranks()),  # type: ignore[arg-type]
        r"Labeling alone is not equivariant in distribution: .*; wrap it as InversionKernel\(Labeling\(...\)\)",
    ),
    "kernel and encoding change places": (
        lambda: SymPE(ranks(), kernel()),  # type: ignore[arg-type]
        r"expected a kernel such as InversionKernel\(.*\); got an object of RankEncoding",
    ),
    "a class for an object": (
        lambda: InversionKernel(Labeling),  # type: ignore[arg-type]
        r"got the class Labeling: pass an object, Labeling\(...\)$",
    ),
    "a kernel of an encoding": (
        lambda: InversionKernel(ranks()),  # type: ignore[arg-type]
        r"expected a canonicalizer such as canonicalize.Labeling\(\); got an object of RankEncoding",
    ),
    "the encoding is forgotten": (
        lambda: SymPE(kernel(), 16),  # type: ignore[arg-type]
        r"expected an encoding such as RankEncoding\(.*\); got 16",
    ),
    "frames with ranks": (
        lambda: SymPE(InversionKernel(Frames()), ranks()),  # type: ignore[arg-type]
        r"RankEncoding is moved by permutations of nodes; the kernel draws elements of O\(3\); .* use IrrepsEncoding",
    ),
    "labeling with irreps": (
        lambda: SymPE(kernel(), IrrepsEncoding("1x1o")),  # type: ignore[arg-type]
        r"IrrepsEncoding is moved by O\(3\); the kernel draws elements of permutations .* use RankEncoding",
    ),
    "labeling with a tile": (
        lambda: SymPE(kernel(), TileEncoding(4, 2)),  # type: ignore[arg-type]
        r"TileEncoding is moved by Torus\(.*\); the kernel draws elements of permutations of nodes",
    ),
    "frames of the plane with irreps of space": (
        lambda: SymPE(InversionKernel(Frames(dimension=2)), IrrepsEncoding("1x1o")),
        r"IrrepsEncoding is moved by O\(3\); the kernel draws elements of O\(2\)",
    ),
    "a joint draw with ranks": (
        lambda: SymPE(InversionKernel(JointFrames(Frames())), ranks()),  # type: ignore[arg-type]
        r"elements of permutations of nodes x O\(3\); .* use FactorEncoding",
    ),
    "a factor that is not there": (
        lambda: SymPE(InversionKernel(JointFrames(Frames())), FactorEncoding(ranks(), 2)),
        r"FactorEncoding reads factor 2 of a product of groups, counted from 0",
    ),
    "the wrong factor": (
        lambda: SymPE(InversionKernel(JointFrames(Frames())), FactorEncoding(ranks(), 1)),
        r"RankEncoding is moved by permutations of nodes; the kernel draws elements of O\(3\)",
    ),
    "a factor of what is no product": (
        lambda: SymPE(kernel(), FactorEncoding(ranks(), 0)),  # type: ignore[arg-type]
        r"FactorEncoding reads factor 0 of a product of groups.*; the kernel draws elements of permutations",
    ),
    "another finite group": (
        lambda: SymPE(
            InversionKernel(Constant(GraphRelabeling())),
            RepresentationEncoding(cyclic(4)),  # type: ignore[arg-type]
        ),
        r"RepresentationEncoding is moved by C4 \(order 4\); the kernel draws elements of permutations",
    ),
    "joint frames of labelings": (
        lambda: JointFrames(Labeling()),  # type: ignore[arg-type]
        r"frames must be a canonicalizer of O\(d\) or SO\(d\), such as Frames\(\)",
    ),
    "outputs that another group moves": (
        lambda: breaking.Canonicalized(nn.Identity(), kernel(), PointRotation()),  # type: ignore[arg-type]
        r"outputs are moved by O\(3\); the kernel draws elements of permutations of nodes",
    ),
    "an unmoved vector of another group": (
        lambda: breaking.Unmoved(ranks(), PointRotation()),  # type: ignore[arg-type]
        r"RankEncoding is moved by permutations of nodes; the kernel draws elements of O\(3\)",
    ),
    "a kernel is wrapped": (
        lambda: wrap(Network(7), kernel()),  # type: ignore[arg-type]
        r"expected SymPE or another method of sympe.breaking; got an object of InversionKernel",
    ),
    "a function is wrapped": (
        lambda: wrap(torch.relu, pe()),  # type: ignore[arg-type]
        r"expected a network, an object of torch.nn.Module; got <built-in",
    ),
    "an old name of a method": (
        lambda: breaking.for_graphs("sympe", 4, 8),
        r"unknown method 'sympe'; choose one of none, noise, .*sympe-labeling",
    ),
}

INPUTS: dict[str, tuple[Callable[[], Any], str]] = {
    "an integer": (lambda: kernel()(5), r"expected sympe.Graphs; got int: pass PyG data, .* sympe.graphs.from_edges"),
    "edges alone": (
        lambda: pe()(RING.edge_index),
        r"expected sympe.Graphs; got Tensor of shape \[2, 12\], torch.int64",
    ),
    "a list of numbers": (lambda: pe()([1, 2]), r"expected sympe.Graphs; got a list of int"),
    "adjacency or sets": (lambda: pe()(torch.zeros(1, 3, 3)), r"may be adjacency matrices or sets: say which with"),
    "noise for an integer": (lambda: breaking.Noise(4)(3), r"expected sympe.Graphs; got int"),
    "eigenvectors of a number": (lambda: breaking.Laplacian(4)(3.5), r"expected sympe.Graphs; got float"),
    "no draws": (lambda: pe()(RING, draws=0), r"draws must be at least 1; got 0"),
    "a field for a labeling": (lambda: kernel()(torch.zeros(1, 1, 4, 4)), r"expected sympe.Graphs; got Tensor"),
    "graphs for frames": (
        lambda: InversionKernel(Frames())(RING),
        r"expected sympe.PointClouds; got Graphs: pass ASE atoms or positions, or make a batch with sympe.points",
    ),
    "graphs for a template": (
        lambda: InversionKernel(Template(FIELDS))(RING),
        r"expected a field, a tensor of shape \[B, ..., L1, L2\]; got Graphs",
    ),
    "a lattice that is not square": (
        lambda: InversionKernel(Template(FIELDS))(torch.zeros(1, 1, 4, 6)),
        r"D4 needs a square lattice; got 4 x 6",
    ),
    "nodes that are not sorted": (
        lambda: kernel()(Graphs(PAIR, torch.tensor([1, 0]))),
        r"batch must be non-decreasing and start at 0 or above: store the nodes graph after graph",
    ),
    "nodes that are not sorted, for the control": (
        lambda: InversionKernel(Constant())(Graphs(PAIR, torch.tensor([1, 0]))),
        r"batch must be non-decreasing",
    ),
    "an edge between graphs": (
        lambda: kernel()(Graphs(PAIR, torch.tensor([0, 1]))),
        r"edge 0 joins graph 0 to graph 1; edges stay in one graph",
    ),
    "an edge to nowhere": (
        lambda: kernel()(Graphs(PAIR * 5, torch.tensor([0, 0]))),
        r"edges must join nodes 0..1; got nodes 0..5",
    ),
    "a graph that is not counted": (
        lambda: kernel()(Graphs(PAIR, torch.tensor([3, 3]), num_graphs=2)),
        r"batch names graph 3; there are 2 graphs",
    ),
    "clouds that are not sorted": (
        lambda: InversionKernel(Frames())(PointClouds(torch.rand(2, 3), torch.tensor([1, 0]))),
        r"batch must be non-decreasing and start at 0 or above: store the points cloud after cloud",
    ),
    "clouds of the plane": (
        lambda: InversionKernel(Frames())(from_clouds([[[0.0, 0.0], [0.0, 1.0]]])),
        r"expected clouds in 3 dimensions; got 2",
    ),
    "an empty cloud": (
        lambda: InversionKernel(Frames())(PointClouds(torch.zeros(0, 3), torch.zeros(0).long(), num_clouds=1)),
        r"expected at least one point in every cloud; cloud 0 is empty",
    ),
    "a seed for a generator": (
        lambda: pe()(RING, 0),  # type: ignore[arg-type]
        r"generator must be a torch.Generator; got 0: make one with torch.Generator\(\).manual_seed\(0\)",
    ),
    "more nodes than ranks": (
        lambda: SymPE(kernel(), RankEncoding(4, max_nodes=5))(RING),
        r"6 ranks are shown, the table has 5 rows; raise max_nodes",
    ),
    "a network of the old width": (
        lambda: wrap(Network(3), pe())(torch.ones(6, 3), RING.edge_index),
        r"the network must take 3 \+ 4 = 7 features per node, x and pe.dim; it failed with: mat1 and mat2",
    ),
    "a network that declares the old width": (
        lambda: wrap(Declared(3), pe())(torch.ones(6, 3), RING.edge_index),
        r"the network must take 3 \+ 4 = 7 features per node, x and pe.dim; it has in_channels=3",
    ),
    "graphs for a wrapped network": (
        lambda: wrap(Network(7), pe())(RING, None),  # type: ignore[arg-type]
        r"expected tensors x \[N, d\] and edge_index \[2, E\], or PyG data; got Graphs and NoneType",
    ),
    "one score for a graph": (
        lambda: InversionKernel(Sort(lambda x: x.sizes))(RING),  # type: ignore[arg-type]
        r"expected one score per node, shape \[6\]; got \[1\]",
    ),
    "labels that are no integers": (
        lambda: from_edges([(2, [(0, 1)])], node_label=[1.5, 2.0]),  # type: ignore[list-item]
        r"node_label must hold integers, one kind each; got torch.float32, such as 1.5",
    ),
    "edge labels that are no integers": (
        lambda: from_edges([(2, [(0, 1)])], edge_label=[0.5]),  # type: ignore[list-item]
        r"edge_label must hold integers",
    ),
    "species that are no integers": (
        lambda: from_clouds([[[0.0, 0.0, 0.0]]], species=[[1.5]]),  # type: ignore[list-item]
        r"species must hold integers; got torch.float32",
    ),
    "an order with repeats": (
        lambda: Permutation.from_order(torch.tensor([0, 0, 0]), from_edges([(3, [])])),
        r"order must hold every position once; 1 is missing from \[0, 0, 0\]",
    ),
    "an order that leaves the graphs": (
        lambda: Permutation.from_order(torch.tensor([1, 0]), from_edges([(1, []), (1, [])])),
        r"order must keep the nodes of each graph together; place 0 belongs to graph 0, node 1 to graph 1",
    ),
    "an order that is too short": (
        lambda: Permutation.from_order(torch.tensor([0, 1]), RING),
        r"order must hold 6 integers, one per node; got shape \[2\]",
    ),
    "an order beyond the nodes": (
        lambda: Permutation.from_order(torch.tensor([0, 3]), from_edges([(2, [])])),
        r"order must hold positions 0..1; got 0..3",
    ),
    "an order of floats": (
        lambda: Permutation.from_order(torch.tensor([0.0, 1.0]), from_edges([(2, [])])),
        r"order must hold integers; got torch.float32",
    ),
    "a group for an action": (
        lambda: Template(Torus("D4")),  # type: ignore[arg-type]
        r"expected an action, such as .*, which says how a group moves data; got Torus\('D4'\)",
    ),
    "a name for an action": (lambda: Constant("D4"), r"expected an action, such as .*; got 'D4'"),
    "a name for a lattice": (lambda: ScalarFields("D4"), r"expected the group of a lattice, such as Torus\('D4'\)"),
    "scores for a module": (lambda: Sort(torch.rand(6)), r"score must be a module .* NodeScore\(\); got Tensor"),
    "a class for a module": (lambda: Sort(NodeScore), r"score must be a module .*; got the class NodeScore"),
    "a class for a form": (lambda: DepthFirst(Labeling), r"form must be a canonicalizer of graphs, such as Labeling"),
    "no network": (lambda: LearnedFrames(None), r"network must be a module .*; got NoneType"),
    "randomness of a canonicalizer": (
        lambda: excess_randomness(Labeling(), RING),
        r"expected a kernel: Labeling alone follows the order of storage; wrap it as InversionKernel\(Labeling",
    ),
    "randomness the other way round": (
        lambda: excess_randomness(RING, kernel()),
        r"expected a kernel first and inputs second; got Graphs first",
    ),
    "orbits of edges": (lambda: automorphism_orbits(RING.edge_index), r"expected sympe.Graphs; got Tensor"),
    "one graph without a list": (
        lambda: from_edges((6, [(0, 1)])),  # type: ignore[arg-type]
        r"expected pairs \(number of nodes, edges\), one per graph; got '6' as graph 0",
    ),
    "edges that are transposed": (
        lambda: from_edges([(6, RING.edge_index.numpy())]),
        r"edges of graph 0 must be pairs of integers; got int64 \[2, 12\]: transpose it",
    ),
    "one cloud without a list": (
        lambda: from_clouds(torch.rand(5, 3)),  # type: ignore[arg-type]
        r"expected a list of clouds; got a tensor \[5, 3\]: put it in a list",
    ),
    "species of one cloud": (
        lambda: from_clouds([torch.rand(2, 3)], species=[6, 8]),  # type: ignore[list-item]
        r"expected one list of species per cloud; got a list of numbers",
    ),
    "a batch that is too short": (
        lambda: wrap(Network(7), pe())(torch.ones(6, 3), RING.edge_index, batch=torch.zeros(5).long()),
        r"x must have 5 rows; got shape \[6, 3\] \(batch names 5 nodes\)",
    ),
    "a network of few channels": (
        lambda: wrap(nn.Conv2d(2, 1, 1), SymPE(InversionKernel(Template(FIELDS)), TileEncoding(4)))(
            torch.ones(1, 2, 4, 4)
        ),
        r"the network must take 2 \+ 4 = 6 channels, x and pe.dim; it failed with",
    ),
    "a width of a float": (lambda: RankEncoding(4.5, 8), r"dim must be an integer, at least 1; got 4.5"),  # type: ignore[arg-type]
    "a width in words": (lambda: RankEncoding("4", 8), r"dim must be an integer, at least 1; got '4'"),  # type: ignore[arg-type]
    "a table of a float": (lambda: RankEncoding(4, 8.0), r"max_nodes must be an integer, at least 1; got 8.0"),  # type: ignore[arg-type]
    "a width that is a truth": (lambda: RankEncoding(True, 8), r"dim must be an integer, at least 1; got True"),
    "a period of a float": (lambda: TileEncoding(2, 2.5), r"rows must be an integer, at least 1; got 2.5"),  # type: ignore[arg-type]
    "one side of a field": (lambda: FieldEncoding(2, 4), r"expected rows and columns, a pair of integers; got 4"),  # type: ignore[arg-type]
    "periods of a float": (lambda: WaveEncoding(2, 2.5), r"max_periods must be an integer"),  # type: ignore[arg-type]
    "noise of a float": (lambda: breaking.Noise(2.5), r"dim must be an integer, at least 1; got 2.5"),  # type: ignore[arg-type]
    "draws of a float": (lambda: pe()(RING, draws=2.5), r"draws must be an integer, at least 1; got 2.5"),  # type: ignore[arg-type]
    "a factor of a float": (lambda: FactorEncoding(ranks(), 0.0), r"factor must be an integer, at least 0"),  # type: ignore[arg-type]
    "a factor of no encoding": (lambda: FactorEncoding(5, 0), r"expected an encoding such as RankEncoding"),  # type: ignore[arg-type]
    "a name for a group": (lambda: RepresentationEncoding("C4"), r"expected a finite group, such as .*; got 'C4'"),  # type: ignore[arg-type]
    "amplitudes of ranks": (lambda: learn_amplitudes(ranks()), r"expected a FieldEncoding .*; got RankEncoding"),  # type: ignore[arg-type]
    "a ring of a float": (lambda: cyclic(4.0), r"n must be an integer, at least 1; got 4.0"),  # type: ignore[arg-type]
    "a number for a point group": (lambda: point_group(3), r"expected the name of a finite point group, .*; got 3"),  # type: ignore[arg-type]
    "a dimension of a float": (lambda: OrthogonalGroup(3.0), r"dimension must be 2 or 3; got 3.0"),  # type: ignore[arg-type]
    "a flip in words": (lambda: Torus("D4", "no"), r"spin_flip must be True or False; got 'no'"),  # type: ignore[arg-type]
    "a product of a name": (lambda: ProductGroup("D4"), r"expected groups, such as OrthogonalGroup\(3\); got 'D4'"),  # type: ignore[arg-type]
    "a table of floats": (
        lambda: FiniteGroup([[0.0, 1.0], [1.0, 0.0]]),
        r"table must hold integers; got torch.float32",
    ),  # type: ignore[arg-type]
    "one generator": (
        lambda: FiniteGroup.from_permutations([1, 0]),
        r"expected at least one generator, a row of images",
    ),  # type: ignore[list-item]
    "generators of floats": (lambda: FiniteGroup.from_permutations([[1.0, 0.0]]), r"generators must hold integers"),  # type: ignore[list-item]
    "elements of floats": (lambda: cyclic(4).generate([1.5]), r"elements must hold integers; got torch.float32"),  # type: ignore[list-item]
    "images of floats": (
        lambda: Permutation.from_images([[0.0, 1.0]], from_edges([(2, [])])),  # type: ignore[list-item]
        r"expected one list of integers per graph; got \[\[0.0, 1.0\]\]",
    ),
    "images without a list": (
        lambda: Permutation.from_images([0, 1], from_edges([(2, [])])),  # type: ignore[list-item]
        r"expected one list of integers per graph; got \[0, 1\]",
    ),
    "a permutation of floats": (
        lambda: Permutation(torch.rand(2), torch.rand(2), torch.zeros(2).long(), torch.zeros(2).long()),
        r"a Permutation must hold integers, torch.long; got torch.float32",
    ),
    "ranks for an encoding": (
        lambda: ranks()(torch.tensor([1, 0])),  # type: ignore[arg-type]
        r"expected a Permutation, as a kernel draws it; got Tensor: pe.encode takes ranks",
    ),
    "fields for a tile": (
        lambda: TileEncoding(2, 2)(torch.zeros(1, 1, 4, 4)),  # type: ignore[arg-type]
        r"expected symmetries of a lattice, as a kernel draws them; got Tensor",
    ),
    "stored ranks of other graphs": (lambda: pe().encode([0, 1, 2], RING), r"expected one rank for each of 6 nodes"),
    "stored ranks that repeat": (lambda: pe().encode([0, 1, 2, 3, 4, 4], RING), r"expected ranks 0 .. n-1 in each"),
    "stored ranks as floats": (lambda: pe().encode(torch.arange(6.0), RING), r"ranks must hold integers; got torch.fl"),
    "a stored draw of other graphs": (
        lambda: pe().encode(kernel()(RING), from_edges([(3, []), (3, [])])),
        r"expected a permutation of the nodes of these graphs; got one of others",
    ),
    "stored matrices that do not turn": (
        lambda: SymPE(InversionKernel(Frames()), IrrepsEncoding("1x1o")).encode(
            2 * torch.eye(3)[None], torch.rand(4, 3)
        ),
        r"expected matrices of O\(3\); got some that are none",
    ),
    "an audit of a number": (lambda: sympe.audit(3), r"expected graphs, fields, points, pairs \(x, y\) or paths"),
}


@pytest.mark.untyped
@pytest.mark.parametrize("mistake", [*COMPOSITIONS, *INPUTS])
def test_one_sentence_says_what_to_do(mistake: str) -> None:
    make, message = (COMPOSITIONS | INPUTS)[mistake]
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_what_goes_together_passes() -> None:
    SymPE(InversionKernel(Frames(special=True)), IrrepsEncoding("1x1o"))  # SO(3) is part of O(3)
    SymPE(InversionKernel(JointFrames(Frames())), FactorEncoding(ranks(), 0))
    SymPE(InversionKernel(JointFrames(Frames())), FactorEncoding(IrrepsEncoding("1x1o"), 1))
    for group in (Torus("C1"), Torus("C4"), Torus("D4", spin_flip=True)):
        SymPE(InversionKernel(Template(ScalarFields(group))), TileEncoding(4, 2))
    assert wrap(Network(7), pe())(torch.ones(6, 3), RING.edge_index).shape == (6, 2)


def test_an_error_inside_the_network_stays_its_own() -> None:
    class Broken(Network):
        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match=r"^out of memory$"):
        wrap(Broken(7), pe())(torch.ones(6, 3), RING.edge_index)


def test_which_groups_hold_which() -> None:
    permutations, rotations, space = SymmetricGroup(), OrthogonalGroup(3, special=True), OrthogonalGroup(3)
    assert space.contains(rotations)
    assert not rotations.contains(space)
    assert not space.contains(OrthogonalGroup(2))
    assert not space.contains(permutations)
    assert permutations.contains(SymmetricGroup())
    assert Torus("D4").contains(Torus("D2"))
    assert not Torus("D2").contains(Torus("C4"))
    assert not Torus("D4").contains(Torus("D4", spin_flip=True))
    assert Torus("D4", spin_flip=True).contains(Torus("D4"))
    assert cyclic(6).contains(cyclic(6))
    assert not cyclic(6).contains(dihedral(3))
    assert ProductGroup(permutations, space).contains(ProductGroup(permutations, rotations))
    assert not ProductGroup(permutations, rotations).contains(ProductGroup(permutations, space))
    assert not ProductGroup(permutations).contains(ProductGroup(permutations, permutations))


def test_a_batch_is_checked_once() -> None:
    graphs = Graphs(RING.edge_index.clone(), RING.batch)
    pe()(graphs)
    graphs.edge_index[0, 0] = 77  # whoever writes into a frozen batch is beyond help
    assert graphs.validate() is graphs
    with pytest.raises(ValueError, match="edges must join nodes"):
        Graphs(graphs.edge_index, graphs.batch).validate()

"""Draw all images of the documentation: ``make images``.

Those of the idea are computed here, by draws of real kernels; those of experiments come from the records in
``results/``, as the report draws them.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

import sympe
from sympe.plot import draw
from sympe_experiments.catalog import EXPERIMENTS
from sympe_experiments.records import read_records
from sympe_experiments.report.canvas import Picture, house_style, write_head
from sympe_experiments.report.palette import BLUE, FAINT, GRAY, INK, ORANGE, SOFT, VERMILION

IMAGES = Path(__file__).parent
RESULTS = IMAGES.parents[1] / "results"

#: Images of experiments: of which, from which folder of records, and what the report calls it.
RECORDED = {
    "autoencoder-error": ("graph-autoencoder", "graph-autoencoder/erdos-renyi", "graph-autoencoder-1-error"),
    "ising-triangle": ("ising", "ising/nearest", "ising-1-triangle"),
    "ising-phases": ("ising", "ising/nearest", "ising-1-phases"),
    "ising-gap": ("ising", "ising/nearest", "ising-1-gap"),
    "ising-configurations": ("ising", "ising/nearest", "ising-1-configurations"),
    "ising-vectors": ("ising", "ising/nearest", "ising-1-vectors"),
    "ising-j1j2": ("ising", "ising/j1j2", "ising-1-phases"),
    "molecules-steps": ("molecules", "molecules/qm9/long", "molecules-1-steps"),
    "molecules-properties": ("molecules", "molecules/qm9/long", "molecules-1-properties"),
    "molecules-samples": ("molecules", "molecules/qm9/long", "molecules-1-samples"),
    "molecules-time": ("molecules", "molecules/qm9/fast", "molecules-1-time"),
    "molecules-bounds": ("molecules", "molecules/qm9/long-bounds", "molecules-1-bounds"),
    "molecules-symmetry": ("molecules", "molecules", "molecules-symmetry"),
    "perovskites": ("distortions", "compare/distortions/perovskites/full", "distortions-1-methods"),
    "independent-sets": ("independent-set", "compare/independent-set/cayley-graphs/full", "independent-set-1-methods"),
    "item-placement": ("programs", "compare/programs/item-placement/full", "programs-1-methods"),
    "slabs": ("programs", "compare/programs/slabs/full", "programs-1-methods"),
}


def ring(n: int, directed: bool = False) -> sympe.Graphs:
    edges = [(i, (i + 1) % n) for i in range(n)]
    return sympe.graphs.from_edges([(n, edges)], directed=directed)


class Network(torch.nn.Module):
    """Equivariant: a node sees itself and the mean over its neighbors, twice."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.first, self.second = torch.nn.Linear(2 * dim, 16), torch.nn.Linear(32, 1)

    def forward(self, x: Tensor, adjacency: Tensor) -> Tensor:
        x = torch.tanh(self.first(torch.cat([x, adjacency @ x], -1)))
        return torch.tanh(self.second(torch.cat([x, adjacency @ x], -1)))[..., 0]


@house_style()
def curie() -> Picture:
    """A ring of six: an equivariant network leaves its nodes alike; with SymPE it colors them in turns."""
    torch.manual_seed(0)  # of the weights alone
    rng = torch.Generator().manual_seed(0)
    x, adjacency = ring(6), torch.zeros(6, 6)
    adjacency[x.edge_index[0], x.edge_index[1]] = 0.5
    kernel = sympe.InversionKernel(sympe.canonicalize.Labeling())
    table = torch.nn.Parameter(torch.randn(6, 4))
    batch = sympe.graphs.from_edges([(6, [(i, (i + 1) % 6) for i in range(6)])] * 64)

    def frustration(y: Tensor) -> Tensor:
        """Neighbors should differ."""
        return (y * (y @ adjacency)).mean()

    alone, broken = Network(1), Network(4)
    for network, inputs in (
        (alone, lambda: torch.ones(64, 6, 1)),
        (broken, lambda: table[kernel(batch, rng).rank.view(64, 6)]),
    ):
        optimizer = torch.optim.Adam([*network.parameters(), table], lr=0.02)
        for _ in range(300):
            optimizer.zero_grad()
            frustration(network(inputs(), adjacency)).backward()
            optimizer.step()
    outputs: list[tuple[list[str], Tensor]] = [([""] * 6, alone(torch.ones(6, 1), adjacency).detach())]
    while len(outputs) < 3:
        rank = kernel(x, rng).rank
        y = broken(table[rank], adjacency).detach()
        if not torch.allclose(y, outputs[-1][1], atol=0.1):
            outputs.append(([f"$v_{r}$" for r in rank.tolist()], y))

    figure = Figure(figsize=(9, 2))
    finding = "Asked for different values on neighbors: an equivariant network fails, with drawn names it does not"
    write_head(figure, finding)
    titles = ("the network alone", "with names, one draw", "with names, another draw")
    for k, (title, (seen, y)) in enumerate(zip(titles, outputs, strict=True)):
        for place, (texts, colors) in enumerate(((seen, None), ([f"{v:+.0f}" if abs(v) > 0.5 else "0" for v in y], y))):
            axes = figure.add_axes((k / 3 + place / 6, 0.0, 1 / 6, 0.7))
            shades = [FAINT] * 6 if colors is None else [GRAY if abs(v) < 0.1 else BLUE if v < 0 else ORANGE for v in y]
            _ring(axes, shades, texts)
            label = "output" if place else "input" if k == 0 else "input\nand names"
            axes.text(0, 0, label, color=SOFT, fontsize=9, ha="center", va="center")
        figure.text(k / 3 + 1 / 6, 0.73, title, fontweight="bold", ha="center")
    alt = "A ring of six nodes. An equivariant network gives all of them one value; with names drawn at random "
    return Picture("curie", alt + "the same network gives neighbors different values.", figure)


def _ring(axes: Axes, colors: list[str], texts: list[str]) -> None:
    angle = torch.arange(6) * torch.pi / 3 + torch.pi / 6
    spots = torch.stack([angle.cos(), angle.sin()], 1)
    closed = torch.cat([spots, spots[:1]])
    axes.plot(*closed.T, color=GRAY, linewidth=2, zorder=1)
    axes.scatter(*spots.T, s=330, c=colors, edgecolors="white", linewidths=2, zorder=2)
    for (px, py), text, color in zip(spots.tolist(), texts, colors, strict=True):
        ink = "white" if color in (BLUE, GRAY) else INK
        axes.text(px, py, text, ha="center", va="center", fontsize=8.5, color=ink)
    axes.set(xlim=(-1.35, 1.35), ylim=(-1.3, 1.3), aspect="equal")
    axes.set_axis_off()


@house_style()
def groups() -> Picture:
    """C4 and S4: which node comes first in 1,000 draws, and how many group elements were drawn."""
    kernel = sympe.InversionKernel(sympe.canonicalize.Labeling())
    rng = torch.Generator().manual_seed(0)
    figure = Figure(figsize=(9, 5.2))
    write_head(figure, "What symmetry forbids, and what a draw gives: one leader of four nodes that are alike",
               "1,000 draws of g~ from the inversion kernel; the leader has rank 0; dashed: 250 each")  # fmt: skip
    inputs = {
        "$C_4$: a ring of arrows": (4, [(i, (i + 1) % 4) for i in range(4)], True),
        "$S_4$: four nodes, no edges": (4, [], False),
    }
    for row, (title, (n, edges, directed)) in enumerate(inputs.items()):
        ranks = kernel(sympe.graphs.from_edges([(n, edges)] * 1000, directed=directed), rng).rank.view(1000, n)
        leaders = Counter(ranks.argmin(1).tolist())
        elements = len(ranks.unique(dim=0))
        bottom = 0.44 * (1 - row)
        shown = [[FAINT] * n, [GRAY] * n, *([ORANGE if r == 0 else BLUE for r in rank] for rank in _apart(ranks))]
        texts = [[""] * n, ["1/4"] * n, *([["1" if r == 0 else "0" for r in rank] for rank in _apart(ranks)])]
        names = ("input", "equivariant:\nall alike", "a draw", "another draw")
        for k, (colors, words, name) in enumerate(zip(shown, texts, names, strict=True)):
            axes = figure.add_axes((0.02 + 0.17 * k, bottom, 0.16, 0.37))
            _square(axes, colors, words, edges)
            axes.set_title(name, fontsize=9, color=SOFT)
        figure.text(0.03, bottom + 0.41, title, fontweight="bold", fontsize=9.5)
        axes = figure.add_axes((0.76, bottom + 0.08, 0.22, 0.25))
        axes.bar(range(n), [leaders[k] for k in range(n)], color=BLUE, width=0.6)
        axes.axhline(250, color=INK, linewidth=1, linestyle="--")
        axes.set_xticks(range(n), [f"node {k}" for k in range(n)], fontsize=8)
        axes.set_title(f"leaders; {elements} group elements drawn", fontsize=9, color=SOFT)
    alt = "Four nodes alike, in a directed ring (C4) and without edges (S4): an equivariant network gives all "
    return Picture("groups", alt + "one output, a draw chooses one, and all are chosen equally often.", figure)


def _apart(ranks: Tensor) -> list[list[int]]:
    """Two draws with different leaders."""
    other = int((ranks.argmin(1) != ranks[0].argmin()).nonzero()[0])
    return [ranks[0].tolist(), ranks[other].tolist()]


def _square(axes: Axes, colors: list[str], texts: list[str], edges: list[tuple[int, int]]) -> None:
    spots = [(-0.7, 0.7), (0.7, 0.7), (0.7, -0.7), (-0.7, -0.7)]
    for a, b in edges:
        look = {"arrowstyle": "-|>", "color": GRAY, "linewidth": 1.5, "shrinkA": 12, "shrinkB": 12}
        axes.annotate("", spots[b], spots[a], arrowprops=look)
    axes.scatter(*zip(*spots, strict=True), s=420, c=colors, edgecolors="white", linewidths=2, zorder=2)
    for (x, y), text in zip(spots, texts, strict=True):
        ink = INK if text == "1" else "white"
        axes.text(x, y, text, ha="center", va="center", fontsize=8.5, color=ink, zorder=3, fontweight="bold")
    axes.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal")
    axes.set_axis_off()


def energy(side: Tensor) -> Tensor:
    """Of a rectangle of four atoms with sides 1 + q and 1 - q: each bond prefers 0.85 or 1.15."""
    return sum(2 * ((length - 0.85) * (length - 1.15)) ** 2 for length in (1 + side, 1 - side)) * 1000


@house_style()
def forces() -> Picture:
    """A square of atoms whose energy is least as a rectangle: forces vanish by symmetry, draws leave the saddle."""
    square = torch.tensor([[0.5, 0.5, 0.0], [-0.5, 0.5, 0.0], [-0.5, -0.5, 0.0], [0.5, -0.5, 0.0]])
    kernel = sympe.InversionKernel(sympe.canonicalize.Frames())
    g = kernel(sympe.points.as_clouds(square.repeat(1000, 1, 1)), torch.Generator().manual_seed(1))
    first = g @ torch.tensor([1.0, 0.4, 0.2])  # act(g~, v)
    along_x = first[:, 0].abs() > first[:, 1].abs()
    q = torch.linspace(-0.24, 0.24, 97, requires_grad=True)
    e = energy(q)
    (slope,) = torch.autograd.grad(e.sum(), q)
    q, e = q.detach(), e.detach()

    figure = Figure(figsize=(9, 4.3))
    write_head(figure, "Energy and forces: on a symmetric saddle every equivariant force is zero, a draw leaves it",
               "four atoms whose bonds prefer two lengths; 1,000 draws of g~ by exact frames")  # fmt: skip
    axes = figure.add_axes((0.08, 0.13, 0.44, 0.68))
    axes.plot(q, e, color=INK, linewidth=1.8)
    for k in range(8, 97, 16):
        tip = (float(q[k]) - 0.012 * float(slope[k].sign()) * min(abs(float(slope[k])) / 8, 3), float(e[k]))
        if abs(float(slope[k])) > 1e-3:
            arrow = {"arrowstyle": "-|>", "color": VERMILION, "linewidth": 1.6}
            axes.annotate("", tip, (float(q[k]), float(e[k])), arrowprops=arrow)
    axes.plot(0, float(energy(torch.tensor(0.0))), "o", color=GRAY, markersize=11)
    axes.annotate("square: force zero by symmetry", (0, float(energy(torch.tensor(0.0)))), (0, 14),
                  textcoords="offset points", ha="center", color=SOFT, fontsize=9)  # fmt: skip
    for sign, count in ((1, int(along_x.sum())), (-1, int((~along_x).sum()))):
        axes.plot(0.15 * sign, 0, "o", color=BLUE, markersize=11)
        axes.annotate(f"{count} draws", (0.15 * sign, 0), (0, -18), textcoords="offset points", ha="center", color=BLUE)
    axes.set(xlabel="distortion q: sides 1 + q and 1 - q", ylabel="energy", ylim=(-1.2, 5.2))
    axes.text(0, 4.7, "arrows: force along q", color=VERMILION, fontsize=9, ha="center")
    for k, (title, amount) in enumerate((("equivariant", 0.0), ("one draw", 0.15), ("another", -0.15))):
        small = figure.add_axes((0.55 + 0.15 * k, 0.2, 0.145, 0.5))
        corners = square[:, :2]
        moved = corners * torch.tensor([1 + amount, 1 - amount])
        small.plot(*torch.cat([moved, moved[:1]]).T, color=GRAY, linewidth=2, zorder=1)
        small.scatter(*moved.T, s=70, color=GRAY if amount == 0 else BLUE, edgecolors="white", zorder=2)
        if amount:
            for start, stop in zip(corners.tolist(), (corners + 4 * (moved - corners)).tolist(), strict=True):
                small.annotate("", stop, start, arrowprops={"arrowstyle": "-|>", "color": ORANGE, "linewidth": 1.6})
        small.set(xlim=(-0.85, 0.85), ylim=(-0.85, 0.85), aspect="equal", title=title)
        small.title.set(fontsize=9, color=SOFT)
        small.set_axis_off()
    figure.text(0.565, 0.13, "orange: the displacement that a draw gives, 4 times as long", color=SOFT, fontsize=9)
    alt = "Energy of four atoms along a distortion: a saddle at the square, where forces vanish by symmetry, and two "
    return Picture("energy-forces", alt + "minima that draws reach equally often.", figure)


@house_style()
def orbits() -> Picture:
    """What :mod:`sympe.plot` draws: orbits of a graph and of a molecule."""
    import networkx

    figure = Figure(figsize=(9, 3.4))
    write_head(figure, "Alike nodes: one number and one color for each orbit",
               "no equivariant network tells nodes of one orbit apart; without a number: like no other")  # fmt: skip
    from sympe.auditing.drawing import color_of, orbit_names
    from sympe.auditing.symmetry.graphs import GraphSymmetry

    shown = {"Petersen graph": networkx.petersen_graph(), "a tree": networkx.balanced_tree(2, 2),
             "toluene": "Cc1ccccc1"}  # fmt: skip
    for k, (title, x) in enumerate(shown.items()):
        axes = figure.add_axes((k / 3, 0.0, 1 / 3, 0.72))
        drawing = GraphSymmetry().stabilizers(sympe.graphs.as_graphs(x)).drawing(0)
        names = orbit_names(drawing["orbits"])
        draw(axes, drawing, [color_of(name) for name in names], [str(name or "") for name in names])
        axes.set(xlim=(-1.3, 1.3), ylim=(-1.25, 1.25), aspect="equal", title=title)
        axes.set_axis_off()
    return Picture("orbits", "Orbits of the Petersen graph, a tree and toluene.", figure)


def recorded(wanted: set[str]) -> Iterator[tuple[str, Picture]]:
    """Images of experiments; each folder of records is drawn once."""
    asked = {image: source for image, source in RECORDED.items() if image in wanted}
    for experiment, folder in dict.fromkeys(source[:2] for source in asked.values()):
        records = [record for record in read_records(RESULTS / folder) if record.experiment == experiment]
        drawn = {picture.name: picture for picture in EXPERIMENTS[experiment].pictures(records)}
        yield from ((image, drawn[name]) for image, (_, of, name) in asked.items() if of == folder)


def main(only: list[str]) -> None:
    """Draw these images, or all."""
    ideas = {"curie": curie, "groups": groups, "energy-forces": forces, "orbits": orbits}
    wanted = set(only) or {*ideas, *RECORDED}
    for name in ideas.keys() & wanted:
        _write(name, ideas[name]())
    for name, picture in recorded(wanted):
        _write(name, picture)


def _write(name: str, picture: Picture) -> None:
    (IMAGES / f"{name}.png").write_bytes(picture.png())
    print(f"{name}.png: {picture.alt}")


if __name__ == "__main__":
    main(sys.argv[1:])

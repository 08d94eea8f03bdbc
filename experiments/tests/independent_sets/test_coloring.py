"""Chromatic numbers, the loss, and a run from end to end."""

from itertools import product
from pathlib import Path

import networkx
import pytest
import torch

from examples import SMALL
from sympe.graphs import to_networkx
from sympe_experiments.independent_sets.coloring.config import METHODS, Config, make_config
from sympe_experiments.independent_sets.coloring.data import chromatic_number, colorable, load_splits
from sympe_experiments.independent_sets.coloring.run import clashes, expected_clashes, run
from sympe_experiments.records import read_record


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (networkx.empty_graph(3), 1),
        (networkx.cycle_graph(6), 2),
        (networkx.cycle_graph(5), 3),
        (networkx.petersen_graph(), 3),
        (networkx.icosahedral_graph(), 4),
        (networkx.mycielski_graph(5), 5),
        (networkx.complete_graph(6), 6),
    ],
)
def test_chromatic_numbers(graph: networkx.Graph, expected: int) -> None:
    assert chromatic_number([set(graph[node]) for node in graph]) == expected


def test_no_coloring_is_parity_along_a_path() -> None:
    train, test = load_splits(12)
    assert len(train) + len(test) == len(colorable(12)) > 10
    for graph in to_networkx(colorable(12)):
        assert len({degree for _, degree in graph.degree}) == 1
        assert min(degree for _, degree in graph.degree) > 2
        assert not networkx.is_bipartite(graph)


@pytest.mark.parametrize("name", ["one node", "no edges", "triangle", "path 4", "paw", "bull"])
def test_loss_is_the_expected_number_of_clashes(name: str, generator: torch.Generator) -> None:
    graph = SMALL[name]
    logit = torch.randn(graph.num_nodes, 3, generator=generator, dtype=torch.float64)
    p = logit.softmax(1)
    edges = {tuple(sorted(edge)) for edge in graph.edge_index.T.tolist()}
    total = 0.0
    for colors in product(range(3), repeat=graph.num_nodes):
        found = sum(colors[u] == colors[v] for u, v in edges)
        total += float(p[range(graph.num_nodes), colors].prod()) * found
        assert clashes(torch.tensor(colors), graph).tolist() == [found]
    assert expected_clashes(logit, graph).tolist() == pytest.approx([total])


@pytest.mark.parametrize("method", METHODS)
def test_smoke(method: str, tmp_path: Path) -> None:
    record = run(make_config(method, "smoke"), tmp_path)
    assert read_record(tmp_path / "record.json") == record
    assert 0 <= record.metrics["best_of_draws_error"] <= record.metrics["error"] <= 100
    if method == "none":
        assert record.metrics["error"] == record.metrics["clashes_percent"] == 100
    if method == "sympe-labeling":
        assert record.metrics["excess_nats"] == 0


def test_bad_configurations() -> None:
    with pytest.raises(ValueError, match="unknown data 'rings'; choose one of cayley-graphs"):
        Config(data="rings")
    with pytest.raises(ValueError, match="num_layers must be at least 0; got -1"):
        make_config("haar", num_layers=-1)
    with pytest.raises(ValueError, match="max_nodes must be at least 9; got 5"):
        make_config("haar", max_nodes=5)

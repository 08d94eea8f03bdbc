"""What is known of a data set before any training, where it can be computed by hand."""

import math

import networkx
import pytest
import torch

from sympe.graphs import Graphs, from_networkx
from sympe_experiments.molecules.data import Splits
from sympe_experiments.molecules.floor import count_classes, orders_before_training


def splits(graphs: Graphs) -> Splits:
    return Splits(graphs, graphs.select(torch.tensor([0])), graphs.select(torch.arange(100)), ("",))


def entropy(*law: float) -> float:
    return -sum(p * math.log(p) for p in law)


def test_an_order_is_worth_what_it_tells_of_entries() -> None:
    """Cycles of four nodes: a depth-first order says where each edge is, a random one that two of three pairs have one.

    Of 4! orders 8 are automorphisms, all depth-first orders among them; so those cost nothing for the order either.
    """
    found = orders_before_training(splits(from_networkx([networkx.cycle_graph(4)] * 10_000)))
    assert found["untrained_class_nll_haar-carried-by-rank"] == pytest.approx(
        6 * entropy(2 / 3, 1 / 3) - math.log(24 / 8), abs=0.1
    )
    for order in ("depth-first", "degree-depth-first", "canonical-depth-first", "labeling"):
        assert found[f"untrained_class_nll_sympe-{order}-carried-by-rank"] == pytest.approx(0, abs=0.01)
    assert not any("heavy" in name for name in found), "there are no hydrogens to come last"


def test_sizes_cost_as_well_and_classes_are_counted() -> None:
    both = splits(from_networkx([networkx.empty_graph(n) for n in (1, 2)] * 5000))
    assert count_classes(both) == 2
    for name, value in orders_before_training(both).items():
        assert value == pytest.approx(0.0 if name.endswith("_se") else math.log(2), abs=0.01), name

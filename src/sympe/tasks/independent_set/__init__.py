"""Maximal independent sets of vertex-transitive graphs: no equivariant network can name one."""

from sympe.tasks.independent_set.config import METHODS, TASK, Config, make_config, methods
from sympe.tasks.independent_set.data import cayley_graphs, load_splits
from sympe.tasks.independent_set.run import expected_violations, is_maximal_independent, run

__all__ = [
    "METHODS",
    "TASK",
    "Config",
    "cayley_graphs",
    "expected_violations",
    "is_maximal_independent",
    "load_splits",
    "make_config",
    "methods",
    "run",
]

"""The graph autoencoder: reconstruct a graph from one short code per node, which symmetry makes impossible."""

from sympe.tasks.graph_autoencoder.config import METHODS, RECIPES, Config, make_config
from sympe.tasks.graph_autoencoder.data import Batch, GraphSet, erdos_renyi
from sympe.tasks.graph_autoencoder.evaluate import evaluate
from sympe.tasks.graph_autoencoder.jobs import jobs, run_folder
from sympe.tasks.graph_autoencoder.model import GraphAutoencoder
from sympe.tasks.graph_autoencoder.train import TASK, record_floor, run

__all__ = [
    "METHODS",
    "RECIPES",
    "TASK",
    "Batch",
    "Config",
    "GraphAutoencoder",
    "GraphSet",
    "erdos_renyi",
    "evaluate",
    "jobs",
    "make_config",
    "record_floor",
    "run",
    "run_folder",
]

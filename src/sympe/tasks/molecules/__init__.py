"""Discrete diffusion of graphs, molecules above all, and what breaking their symmetry gives it."""

from sympe.tasks.molecules.config import METHODS, RECIPES, Config, make_config
from sympe.tasks.molecules.data import DATA_SETS, GraphStore, Splits, load_splits
from sympe.tasks.molecules.domain import Domain
from sympe.tasks.molecules.evaluate import Judge, Measured, evaluate_likelihood, measure_samples, sample_graphs
from sympe.tasks.molecules.graph_state import GraphState
from sympe.tasks.molecules.jobs import jobs, run_folder
from sympe.tasks.molecules.likelihood import Likelihood
from sympe.tasks.molecules.model import GraphDiffusion
from sympe.tasks.molecules.pretrained import find_weights, pretrained
from sympe.tasks.molecules.train import TASK, run

__all__ = [
    "DATA_SETS",
    "METHODS",
    "RECIPES",
    "TASK",
    "Config",
    "Domain",
    "GraphDiffusion",
    "GraphState",
    "GraphStore",
    "Judge",
    "Likelihood",
    "Measured",
    "Splits",
    "evaluate_likelihood",
    "find_weights",
    "jobs",
    "load_splits",
    "make_config",
    "measure_samples",
    "pretrained",
    "run",
    "run_folder",
    "sample_graphs",
]

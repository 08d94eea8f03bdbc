"""Ising ground states: uniform couplings look the same from every site, their ground states do not."""

from sympe.tasks.ising.config import METHODS, RECIPES, Config, make_config
from sympe.tasks.ising.hamiltonian import HAMILTONIANS, J1J2, NEAREST, Hamiltonian, nearest_ground_energy
from sympe.tasks.ising.jobs import jobs, run_folder
from sympe.tasks.ising.model import SpinNetwork
from sympe.tasks.ising.train import TASK, run, summary

__all__ = [
    "HAMILTONIANS",
    "J1J2",
    "METHODS",
    "NEAREST",
    "RECIPES",
    "TASK",
    "Config",
    "Hamiltonian",
    "SpinNetwork",
    "jobs",
    "make_config",
    "nearest_ground_energy",
    "run",
    "run_folder",
    "summary",
]

"""Annealing and integer programming on the test couplings of the networks, with the time that they take."""

import time
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from sympe_experiments.ising.config import NAME, Config
from sympe_experiments.ising.evaluation import gaps, score
from sympe_experiments.ising.hamiltonian import HAMILTONIANS
from sympe_experiments.ising.reference import Found, anneal, ground_energy, solve
from sympe_experiments.records import FILE_NAME, Record, read_record
from sympe_experiments.seeding import mixed_generator

#: The stream of random numbers of the test couplings, the same for all runs.
TEST = 2


def test_couplings(config: Config) -> Float[Tensor, "N K *lattice"]:
    """Couplings of the law, or of the half of the plane, that networks are trained on."""
    return HAMILTONIANS[config.model].sample(config.num_test, mixed_generator(TEST), config.size)


def find(config: Config, couplings: Float[Tensor, "N K *lattice"], size: int) -> list[Found]:
    """Configurations for each set of couplings."""
    hamiltonian = HAMILTONIANS[config.model]
    if config.method == "milp":
        return [solve(hamiltonian, row, size, config.milp_seconds) for row in couplings]
    return [anneal(hamiltonian, row, size, config.seed + 1) for row in couplings]


def run_solver(config: Config, folder: Path) -> Record:
    """Solve the test couplings and write the record. Integer programming gets the first few, at one size."""
    started = time.perf_counter()
    couplings = test_couplings(config)
    metrics: dict[str, float | int | None] = {}
    for size in (config.size, *(() if config.method == "milp" else config.transfer)):
        chosen = couplings[: config.num_test_at(size)]
        if config.method == "milp":
            chosen = chosen[: config.num_test_milp]
        found = find(config, chosen, size)
        ground = ground_energy(HAMILTONIANS[config.model], chosen, size)
        spins = torch.stack([each.spins for each in found])
        reached = score(gaps(HAMILTONIANS[config.model], chosen, spins, ground))
        seconds = sum(each.seconds for each in found) / len(found)
        metrics |= {f"exact_percent_L{size}": reached.exact_percent, f"gap_L{size}": reached.gap}
        metrics[f"seconds_per_instance_L{size}"] = seconds
        if size == config.size:
            metrics |= {"exact_percent_in": reached.exact_percent, "gap_in": reached.gap}
            metrics["seconds_per_instance"] = seconds
            metrics["proven_percent"] = 100 * sum(each.proven for each in found) / len(found)
    metrics |= {"L": config.size, "n_parameters": 0}
    record = Record.of(NAME, config, metrics, time.perf_counter() - started)
    record.write(folder)
    return read_record(folder / FILE_NAME)

"""How good the spins of a network are: exact ground states, energy above them, and the phase diagram."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from sympe_experiments.ising.hamiltonian import Hamiltonian
from sympe_experiments.ising.model import SpinNetwork
from sympe_experiments.ising.reference import SLICE, ground_energy
from sympe_experiments.seeding import mixed_generator

#: Sites per forward pass; sets memory, speed and which draws are taken, not their law.
SITES = 2**15
#: Largest energy per spin above the ground state that counts as exact; energies are summed in float64.
TOLERANCE = 1e-6

#: Waves of the four phases of nearest neighbors: the signs along a row and down a column.
ORDERS = {"ferromagnet": (1, 1), "antiferromagnet": (-1, -1), "stripes in columns": (-1, 1), "stripes in rows": (1, -1)}

#: Couplings whose configurations are kept as examples: one for each phase, and one of no order.
EXAMPLES = {
    "nearest": ((0.7, 0.4), (-0.4, -0.7), (-0.6, 0.5), (0.5, -0.6), (0.0, 0.0)),
    "j1j2": (
        (0.7, 0.6, 0.3, 0.1),
        (-0.7, -0.6, 0.3, 0.1),
        (0.3, 0.2, -0.8, 0.2),
        (0.5, 0.3, 0.2, -0.8),
        (0.3, 0.2, -0.6, -0.7),
    ),
}


@dataclass(frozen=True)
class Score:
    """Configurations against exact ground states.

    Attributes:
        exact_percent: Per cent that are ground states.
        gap: Energy per spin above the ground state, mean over couplings.
    """

    exact_percent: float
    gap: float


def batches(couplings: Float[Tensor, "N K *lattice"], size: int) -> Iterator[Float[Tensor, "B K *lattice"]]:
    """Couplings in parts that fit into one forward pass."""
    return iter(couplings.split(max(SITES // size**2, 1)))


@torch.no_grad()
def means(
    model: SpinNetwork, couplings: Float[Tensor, "N K *lattice"], size: int, *seed: int
) -> Float[Tensor, "N L L"]:
    """Mean of every spin, with one draw of g~ for each set of couplings; ``seed`` fixes the draws."""
    generator = mixed_generator(*seed)
    return torch.cat([torch.tanh(model(part, size, generator)) for part in batches(couplings, size)])


def to_spins(mean: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """The likelier value of each spin."""
    return torch.where(mean < 0, -1.0, 1.0).to(mean)


def gaps(
    hamiltonian: Hamiltonian,
    couplings: Float[Tensor, "N K *lattice"],
    spins: Float[Tensor, "N L L"],
    ground: Float[Tensor, "N"],
) -> Float[Tensor, "N"]:
    """Energy per spin above the ground state, in units of the couplings."""
    return hamiltonian.energy(couplings.double(), spins.double()) - ground.double()


def score(gap: Float[Tensor, "N"]) -> Score:
    """Averages over couplings."""
    return Score(100 * float((gap < TOLERANCE).double().mean()), float(gap.mean()))


def order_parameters(mean: Float[Tensor, "N L L"]) -> Float[Tensor, "N 4"]:
    """Absolute amplitude of the wave of each of :data:`ORDERS`, from the means of the spins.

    From means, not from spins: rounded zeros would look like a ferromagnet.
    """
    size = mean.shape[-1]
    places = torch.arange(size, device=mean.device)
    waves = [
        (down**places)[:, None] * (right**places) for right, down in (torch.tensor(order) for order in ORDERS.values())
    ]
    return torch.stack([(mean * wave).mean((1, 2)).abs() for wave in waves], dim=1)


def fourier_weights(mean: Float[Tensor, "N L L"]) -> Float[Tensor, "N 9"]:
    """Weights of waves with periods 4, 2 and 1: (L^-2 sum of s exp(i q r)) squared, summed over the signs of q.

    Entry ``3 a + b`` is that of q = (2 pi a / 4, 2 pi b / 4), down and right, a and b from 0 to 2.
    """
    size = mean.shape[-1]
    weight = torch.fft.fft2(mean).abs().square() / size**4
    weight = weight[:, :: size // 4, :: size // 4]
    folded = torch.stack([weight[:, 0], weight[:, 1] + weight[:, 3], weight[:, 2]], dim=1)
    folded = torch.stack([folded[..., 0], folded[..., 1] + folded[..., 3], folded[..., 2]], dim=2)
    return folded.flatten(1)


def phase_grid(points: int) -> Float[Tensor, "N 2"]:
    """Pairs of couplings on a grid over the plane, the second row by row from -1 to 1, the first within each row.

    With an even number of points the grid avoids the axes, where several phases have the same energy.
    """
    values = (2 * torch.arange(points) + 1 - points) / points
    return torch.stack([values.repeat(points), values.repeat_interleave(points)], dim=1)


def pictures(model: SpinNetwork, seed: int) -> dict[str, NDArray]:
    """What figures are made of: phase diagram, gaps, examples of configurations and the vector v, as small arrays.

    Spins are two draws for each pair of couplings, zero where a mean is undecided. Only nearest neighbors and j1j2
    have figures.
    """
    config, size = model.config, model.config.size
    if config.model not in EXAMPLES:
        return {}
    grid = phase_grid(config.grid)
    if config.model == "j1j2":
        grid = torch.cat([torch.tensor(SLICE).expand(len(grid), -1), grid], dim=1)
    mean = means(model, grid, size, seed, 1)
    gap = gaps(model.hamiltonian, grid, to_spins(mean), ground_energy(model.hamiltonian, grid, size))
    orders = order_parameters(mean) if config.model == "nearest" else fourier_weights(mean)
    examples = torch.tensor(EXAMPLES[config.model])
    large = 2 * size if config.transfers else size
    drawn = torch.stack([means(model, examples, large, seed, 2, draw) for draw in range(8)], dim=1)
    again = torch.stack([mean, means(model, grid, size, seed, 4)])
    decided = again.sign() * (again.abs() > 0.5)
    found: dict[str, NDArray] = {
        "order": orders.T.reshape(-1, config.grid, config.grid).numpy().astype(np.float16),
        "gap": gap.view(config.grid, config.grid).numpy().astype(np.float32),
        "examples": (127 * drawn).round().to(torch.int8).numpy(),
        "spins": decided.to(torch.int8).view(2, config.grid, config.grid, size, size).numpy(),
        "example_couplings": examples.numpy(),
    }
    if model.vector is not None:
        found["vector"] = model.vector.detach().numpy().astype(np.float32)
    return found

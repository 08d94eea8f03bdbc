r"""Ground states without a network: by formula, by linear programming, by integer programming, by annealing.

**Exact energies on any lattice.** Let p be the law of the spins in a window of 3 x 3 sites, placed at random on a
ground state. Its two 2 x 3 halves have equal laws, and so have its two 3 x 2 halves; its mean energy is the ground
energy. The least mean energy over *all* laws that agree on their overlaps, a linear program, is thus a lower bound, on
every lattice (D. A. Huang et al., *Finding and proving the exact ground state of a generalized Ising model by convex
optimization and MAX-SAT*, Phys. Rev. B 94, 134424, 2016). The best configuration of period 4 gives an upper bound, on
every lattice whose size 4 divides. Where the two meet, the energy is proven; they have
met for all couplings drawn here.

**Nearest neighbors** have formulas, also in a field, if one coupling is not negative
(:mod:`~sympe_experiments.ising.hamiltonian`). With a coupling for each bond, transfer matrices give exact energies of
small lattices (:mod:`~sympe_experiments.ising.transfer`).

**Ground states of one lattice** come from integer programming (HiGHS, with a variable for each spin and each bond) and
from simulated annealing (dwave-samplers, an optional dependency).
"""

import time
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_matrix, csr_matrix, vstack
from torch import Tensor

from sympe.extras import require
from sympe_experiments.ising.hamiltonian import (
    BONDS,
    FIELD,
    HAMILTONIANS,
    NEAREST,
    Hamiltonian,
    field_ground_energy,
    nearest_ground_energy,
)
from sympe_experiments.ising.transfer import ground_energies

#: Period of the configurations that give the upper bound, and sides of the window of the lower bound.
PERIOD, WINDOW = 4, 3
#: Of j1j2 the phase diagram shows the plane of J2 and J3, for these Jx and Jy.
SLICE = (0.5, 0.3)


def ground_energy(hamiltonian: Hamiltonian, couplings: Float[Tensor, "N K *lattice"], size: int) -> Float[Tensor, "N"]:
    """Ground energy per spin on L x L sites.

    Raises:
        ValueError: If there is neither a formula for these couplings and this size, nor a proof.
    """
    if hamiltonian is NEAREST:
        return nearest_ground_energy(couplings.double(), size)
    if hamiltonian is FIELD:
        return field_ground_energy(couplings.double(), size)
    if hamiltonian is BONDS:
        return ground_energies(couplings)
    if size % PERIOD:
        raise ValueError(f"exact energies of {hamiltonian.name} need a size that {PERIOD} divides; got {size}")
    lower, upper = bounds(hamiltonian, couplings)
    if bool((upper - lower > 1e-7).any()):
        worst = couplings[int((upper - lower).argmax())].tolist()
        raise ValueError(f"the ground energy for couplings {worst} lies between the two bounds and is not proven")
    return upper


def bounds(hamiltonian: Hamiltonian, couplings: Float[Tensor, "N K"]) -> tuple[Float[Tensor, "N"], Float[Tensor, "N"]]:
    """Lower and upper bounds of the ground energy per spin, on every lattice whose size is a multiple of 4."""
    values = couplings.detach().cpu().double().numpy()
    upper = -(values @ _tile_correlations(hamiltonian.name).T).max(1)
    window = _window(hamiltonian.name)
    lower = [window.least_energy(row) for row in values]
    return torch.tensor(lower, dtype=torch.float64), torch.from_numpy(upper)


def ground_waves(hamiltonian: Hamiltonian, first: tuple[float, float], points: int) -> NDArray:
    """Weights [9, points, points] of waves in ground states of period 4, over a plane of the last two couplings.

    The weight of a wave, as of :func:`~sympe_experiments.ising.evaluation.fourier_weights`, is its mean over all ground
    states; the first two couplings are given.
    """
    s = _configurations(PERIOD, PERIOD)
    weight = np.abs(np.fft.fft2(s)) ** 2 / PERIOD**4
    folded = np.stack([weight[:, 0], weight[:, 1] + weight[:, 3], weight[:, 2]], axis=1)
    waves = np.stack([folded[..., 0], folded[..., 1] + folded[..., 3], folded[..., 2]], axis=2).reshape(len(s), 9)
    correlations = _correlations(hamiltonian, s) / PERIOD**2
    values = (2 * np.arange(points) + 1 - points) / points
    found = np.empty((9, points, points))
    for i, j in np.ndindex(points, points):
        energy = -correlations @ np.array([*first, values[j], values[i]])
        found[:, i, j] = waves[energy < energy.min() + 1e-9].mean(0)
    return found


def _correlations(hamiltonian: Hamiltonian, s: NDArray) -> NDArray:
    """Sums over bonds, by configuration and coupling."""
    found = [
        sum((s * np.roll(s, (-down, -right), (1, 2))).sum((1, 2), dtype=int) for down, right in steps)
        for steps in hamiltonian.bonds.values()
    ]
    return np.stack(found, axis=1)


def _configurations(rows: int, columns: int) -> NDArray:
    """All configurations with the first spin up; the flip of all spins changes no energy."""
    count = rows * columns
    bits = np.arange(2 ** (count - 1))[:, None] >> np.arange(count - 1) & 1
    up = np.ones((len(bits), 1), dtype=np.int8)
    return np.concatenate([up, 1 - 2 * bits.astype(np.int8)], axis=1).reshape(-1, rows, columns)


@cache
def _tile_correlations(name: str) -> NDArray:
    """Correlations of the bonds of each coupling in all configurations of period 4, each set once."""
    return np.unique(_correlations(HAMILTONIANS[name], _configurations(PERIOD, PERIOD)), axis=0) / PERIOD**2


@dataclass(frozen=True)
class Window:
    """Laws of the spins in a window that agree on overlaps, and the correlations they may have.

    Attributes:
        correlations: Of the bonds of each coupling within the window, by configuration.
        overlaps: Rows of the constraints ``overlaps @ p == right``: agreement, and total probability 1.
        right: Right-hand sides.
    """

    correlations: NDArray
    overlaps: csr_matrix
    right: NDArray

    def least_energy(self, couplings: NDArray) -> float:
        """The least mean energy of any such law."""
        found = linprog(-self.correlations @ couplings, A_eq=self.overlaps, b_eq=self.right, method="highs")
        assert found.status == 0, "the uniform law is feasible and energies are bounded"
        return float(found.fun)


@cache
def _window(name: str) -> Window:
    s = _configurations(WINDOW, WINDOW)
    correlations = [
        sum(_mean_over_window(s, down, right) for down, right in steps) for steps in HAMILTONIANS[name].bonds.values()
    ]
    overlaps = [_agreement(s[:, :-1], s[:, 1:]), _agreement(s[:, :, :-1], s[:, :, 1:]), np.ones((1, len(s)))]
    matrix = vstack([coo_matrix(rows) for rows in overlaps]).tocsr()
    right = np.zeros(matrix.shape[0])
    right[-1] = 1
    return Window(np.stack(correlations, axis=1), matrix, right)


def _mean_over_window(s: NDArray, down: int, right: int) -> NDArray:
    """Mean of the product of two spins over all places where both lie within the window."""
    rows, columns = WINDOW - down, WINDOW - abs(right)
    left = max(-right, 0)
    first = s[:, :rows, left : left + columns]
    second = s[:, down : down + rows, left + right : left + right + columns]
    return (first * second).mean((1, 2))


def _agreement(first: NDArray, second: NDArray) -> NDArray:
    """Rows that say: both parts of the window have one law, up to the flip of all spins."""
    weights = 2 ** np.arange(first[0].size)

    def code(part: NDArray) -> NDArray:
        flat = part.reshape(len(part), -1)
        return (flat * flat[:, :1] < 0) @ weights

    codes = [code(first), code(second)]
    rows = np.zeros((2 ** first[0].size, len(first)))
    places = np.arange(len(first))
    np.add.at(rows, (codes[0], places), 1)
    np.add.at(rows, (codes[1], places), -1)
    return rows[np.abs(rows).sum(1) > 0]


@dataclass(frozen=True)
class Found:
    """What an optimizer found for one set of couplings.

    Attributes:
        spins: Its best configuration.
        seconds: Processor time.
        proven: Whether it proved it to be a ground state.
    """

    spins: Float[Tensor, "L L"]
    seconds: float
    proven: bool


def bond_energies(
    hamiltonian: Hamiltonian, couplings: Float[Tensor, "K *lattice"], size: int
) -> dict[tuple[int, int], float]:
    """Energy per spin that each pair of sites has if its spins are equal; sites are counted row by row."""
    pairs: dict[tuple[int, int], float] = {}
    everywhere = couplings if couplings.ndim == 3 else couplings[:, None, None].expand(-1, size, size)
    for coupling, steps in zip(everywhere.tolist(), hamiltonian.bonds.values(), strict=True):
        for down, right in steps:
            for site in range(size**2):
                i, j = divmod(site, size)
                other = (i + down) % size * size + (j + right) % size
                pair = (min(site, other), max(site, other))
                pairs[pair] = pairs.get(pair, 0.0) - coupling[i][j] / size**2
    return pairs


def field_energy(hamiltonian: Hamiltonian, couplings: Float[Tensor, "K *lattice"], size: int) -> float:
    """Energy per spin that each site adds if its spin is up."""
    names = [name for name, steps in hamiltonian.bonds.items() if not steps]
    return -sum(float(couplings[hamiltonian.names.index(name)]) for name in names) / size**2


def solve(hamiltonian: Hamiltonian, couplings: Float[Tensor, "K *lattice"], size: int, seconds: float = 10.0) -> Found:
    """A ground state by integer programming, or the best configuration found in the time given.

    One binary variable per spin and one per bond, 1 if its spins differ: for each bond the two inequalities that its
    sign makes necessary.
    """
    pairs = bond_energies(hamiltonian, couplings, size)
    energies, count = np.array(list(pairs.values())), size**2
    first, second = np.array(list(pairs)).T
    z = count + np.arange(len(pairs))
    # Ferromagnetic: z >= |a - b|. Antiferromagnetic: z <= a + b and z <= 2 - a - b.
    sign = np.where(energies < 0, -1, 1)
    rows = np.arange(2 * len(pairs)).repeat(3)
    columns = np.stack([first, second, z, first, second, z], axis=1).ravel()
    one = np.ones_like(sign)
    ferro = np.stack([-one, one, one, one, -one, one], axis=1)
    anti = np.stack([one, one, -one, -one, -one, -one], axis=1)
    values = np.where(sign[:, None] < 0, ferro, anti).ravel()
    least = np.stack([np.zeros(len(pairs)), np.where(sign < 0, 0.0, -2.0)], axis=1).ravel()
    matrix = coo_matrix((values, (rows, columns)), (2 * len(pairs), count + len(pairs))).tocsr()
    upper = np.ones(count + len(pairs))
    field = field_energy(hamiltonian, couplings, size)
    if not field:
        upper[0] = 0  # the flip of all spins changes nothing
    started = time.process_time()
    found = milp(
        np.concatenate([np.full(count, -2 * field), -2 * energies]),
        constraints=LinearConstraint(matrix, least, np.inf),
        bounds=Bounds(0, upper),
        integrality=np.concatenate([np.ones(count), np.zeros(len(pairs))]),
        options={"time_limit": seconds},
    )
    taken = time.process_time() - started
    bits = np.zeros(count) if found.x is None else found.x[:count]
    return Found(torch.from_numpy(1.0 - 2.0 * bits.round()).view(size, size), taken, found.status == 0)


def anneal(
    hamiltonian: Hamiltonian,
    couplings: Float[Tensor, "K *lattice"],
    size: int,
    seed: int,
    reads: int = 20,
    sweeps: int = 200,
) -> Found:
    """The best of several runs of simulated annealing.

    Raises:
        ImportError: If dwave-samplers is not installed.
    """
    what, package = "simulated annealing", "sympe-experiments"
    samplers, dimod = (require(module, "lattices", what, package) for module in ("dwave.samplers", "dimod"))
    started = time.process_time()
    fields = dict.fromkeys(range(size**2), field_energy(hamiltonian, couplings, size))
    model = dimod.BinaryQuadraticModel.from_ising(fields, bond_energies(hamiltonian, couplings, size))
    samples = samplers.SimulatedAnnealingSampler().sample(model, num_reads=reads, num_sweeps=sweeps, seed=seed)
    best = samples.first.sample
    spins = torch.tensor([float(best.get(site, 1)) for site in range(size**2)], dtype=torch.float64)
    return Found(spins.view(size, size), time.process_time() - started, proven=False)

"""Ground states on request, by trained weights: those of a run, or those that come with the package."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int8
from torch import Tensor

from sympe.atomic import write_atomically
from sympe.graphs.archive import Archive
from sympe_experiments.ising.evaluation import SITES, to_spins
from sympe_experiments.ising.hamiltonian import NEAREST, Hamiltonian, nearest_ground_energy
from sympe_experiments.ising.memory import refuse_what_does_not_fit
from sympe_experiments.ising.model import SpinNetwork
from sympe_experiments.seeding import mixed_generator

#: The method sympe-template, trained by the recipe fast on 10 x 10 sites.
SHIPPED = Path(__file__).parent / "sympe-nearest.safetensors"


@dataclass(frozen=True)
class Prediction:
    """Configurations for one set of couplings.

    Attributes:
        spins: +1 and -1.
        energy: Energy per spin, in units of the couplings.
        ground_energy: Exact ground energy per spin, where there is a formula.
        trivial_energy: Lowest energy of a ferromagnet, an antiferromagnet and both kinds of stripes.
        scale: Largest coupling, without sign.
    """

    spins: Int8[Tensor, "samples L1 L2"]
    energy: Float[Tensor, "samples"]
    ground_energy: float | None
    trivial_energy: float
    scale: float = 1.0

    def picture(self, sample: int) -> str:
        """One configuration as text, a row of the lattice per line."""
        return "\n".join("".join("+" if s > 0 else "-" for s in row) for row in self.spins[sample].tolist())

    def comment(self, sample: int) -> str:
        """What to print beside the energy of a sample."""
        known = "" if self.ground_energy is None else f", ground state {self.shown(self.ground_energy)}"
        if float(self.energy[sample]) > self.trivial_energy + 1e-9 * self.scale:
            trivial = self.shown(self.trivial_energy)
            known += f"; worse than a trivial configuration (uniform, alternating, striped), {trivial}"
        return known

    def shown(self, energy: float) -> str:
        """An energy to six digits below the couplings, whatever their scale."""
        return f"{energy:.6f}" if 1e-3 < self.scale < 1e4 else f"{energy:.6g}"

    def as_dict(self, with_spins: bool) -> dict[str, Any]:
        """Plain values."""
        spins = {"spins": self.spins.tolist()} if with_spins else {}
        return {"energy": self.energy.tolist(), "ground_energy": self.ground_energy} | spins

    def write(self, path: Path) -> None:
        """Write ``spins``, ``energy`` and ``ground_energy`` (nan if not known) to an npz file.

        Raises:
            ValueError: If the name does not end in .npz.
        """
        if path.suffix != ".npz":
            raise ValueError(f"expected a file that ends in .npz; got {path.name}")
        ground = np.nan if self.ground_energy is None else self.ground_energy
        arrays = {"spins": self.spins.numpy(), "energy": self.energy.numpy(), "ground_energy": np.array(ground)}
        write_atomically(path, lambda file: np.savez_compressed(file, **arrays))  # type: ignore[arg-type]


@torch.no_grad()
def predict(
    weights: Path | None,
    values: dict[str, float | None],
    size: int,
    *,
    couplings: Path | None = None,
    samples: int = 4,
    seed: int = 0,
) -> Prediction:
    """Draw configurations, each with another g~.

    Args:
        weights: Weights of a run, or None for those of the package.
        values: Couplings by name, the same everywhere.
        size: Sites along each side.
        couplings: A file of couplings for each bond, in place of ``values`` and ``size``.
        samples: Number of configurations.
        seed: Fixes the draws.

    Raises:
        ValueError: If weights or couplings are invalid, or the lattice does not fit into memory.
    """
    if samples < 1:
        raise ValueError(f"samples must be at least 1; got {samples}")
    model = SpinNetwork.load(SHIPPED if weights is None else weights).eval()
    given = uniform(model.hamiltonian, values, size) if couplings is None else read_couplings(couplings)
    rows, columns = (size, size) if couplings is None else given.shape[-2:]
    part = max(SITES // (rows * columns), 1)
    refuse_what_does_not_fit(model.config, rows * columns, min(samples, part))
    generator = mixed_generator(seed)
    # Ground states do not depend on the scale of the couplings, and training saw couplings from -1 to 1.
    largest = float(given.abs().max())
    seen = (given / largest if largest > 1 or 0 < largest < 0.1 else given).float()
    drawn = []
    for chunk in torch.arange(samples).split(part):
        repeated = seen.expand(len(chunk), *given.shape[1:])
        logits = model(repeated, size, generator) if couplings is None else model.on_bonds(repeated, generator)
        drawn.append(to_spins(logits))
    spins = torch.cat(drawn)
    energy = model.hamiltonian.energy(given.expand(samples, *given.shape[1:]), spins.double())
    known = couplings is None and model.hamiltonian is NEAREST
    ground = float(nearest_ground_energy(given, size)[0]) if known else None
    i, j = torch.arange(rows)[:, None], torch.arange(columns)
    waves = torch.stack([torch.zeros(rows, columns).long(), i + j, i + 0 * j, 0 * i + j])
    trivial = model.hamiltonian.energy(given.expand(4, *given.shape[1:]), 1.0 - 2.0 * (waves % 2).double())
    return Prediction(spins.to(torch.int8), energy, ground, float(trivial.min()), largest)


def uniform(hamiltonian: Hamiltonian, values: dict[str, float | None], size: int) -> Float[Tensor, "1 K"]:
    """Couplings that are the same everywhere.

    Raises:
        ValueError: If a coupling is missing, not finite or unknown to the model, or the lattice has no neighbors.
    """
    if size < 2:
        raise ValueError(f"L must be at least 2; got {size}")
    for name in hamiltonian.names:
        value = values.get(name)
        if value is None:
            raise ValueError(f"no value for {name}: give --Jx and --Jy, or a file with --couplings")
        if not math.isfinite(value):
            raise ValueError(f"couplings must be finite; got {name} = {value}")
    for name, value in values.items():
        if name not in hamiltonian.names and value:
            raise ValueError(f"weights of the model {hamiltonian.name} know no {name}; got {value}")
    return torch.tensor([[values[name] for name in hamiltonian.names]], dtype=torch.float64)


def read_couplings(path: Path) -> Float[Tensor, "1 2 L1 L2"]:
    """Couplings for each bond: arrays ``Jx`` (to the right of a site) and ``Jy`` (below it).

    Raises:
        ValueError: If the file does not hold two finite, real arrays of one shape [L1, L2].
    """
    try:
        with Archive(path) as archive:
            arrays = [archive.column(name).whole() for name in ("Jx", "Jy")]
    except ValueError as error:
        raise ValueError(f"{path}: expected an npz file with arrays Jx and Jy: {error}") from error
    if any(array.dtype.kind not in "iuf" for array in arrays):
        raise ValueError(f"{path}: expected real numbers; got {arrays[0].dtype} and {arrays[1].dtype}")
    shapes = [array.shape for array in arrays]
    if shapes[0] != shapes[1] or len(shapes[0]) != 2 or min(shapes[0]) < 2:
        raise ValueError(
            f"{path}: expected Jx and Jy of one shape [L1, L2], at least 2 x 2; got {shapes[0]} and {shapes[1]}"
        )
    for name, array in zip(("Jx", "Jy"), arrays, strict=True):
        if not np.isfinite(array).all():
            place = np.argwhere(~np.isfinite(array))[0].tolist()
            raise ValueError(f"{path}: couplings must be finite; got {name} = {array[tuple(place)]} at {place}")
    return torch.from_numpy(np.stack(arrays)[None].astype(np.float64))

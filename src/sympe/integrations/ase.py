r"""ASE: break the symmetry of a structure before it is relaxed.

Forces on a symmetric structure are symmetric, so a relaxation keeps its symmetry, and stops at a saddle point if that
is one. Rattling helps by chance: it draws more randomness than needed, finds one minimum many times, and may fall back.
Here a displacement is drawn with the least randomness an equivariant law can have,

.. math:: u = \tilde g v, \qquad \tilde g \sim \text{the inversion kernel of the structure,}

for a fixed generic v in the canonical form: uniform over the domains, the images of one distorted structure under the
symmetries of the parent. :func:`domains` lists them, each once.

Displacements may be restricted to modes, which must span a space that the symmetries map to itself: the eigenvectors
of one eigenvalue of the Hessian, say (:func:`modes`). A generic member of an unstable one leaves the saddle point along
it and keeps what symmetry it can.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sympe.canonicalize import CrystalFrames, Frames, JointFrames
from sympe.crystals import from_ase
from sympe.groups import Permutation
from sympe.kernel import InversionKernel
from sympe.points import as_clouds

#: The seed of the generic displacement: one is as good as another.
_GENERIC = 20250424


def break_symmetry(
    atoms: Any,
    generator: torch.Generator | None = None,
    amplitude: float = 0.05,
    modes: Float[np.ndarray, "k n 3"] | None = None,
    tolerance: float = 1e-2,
) -> Any:
    """A copy of a structure, displaced into one of its domains, each with the same probability.

    Args:
        atoms: ASE's ``Atoms``, periodic in any directions or in none.
        generator: Source of the draw.
        amplitude: Displacement of the atom that moves most, in angstrom.
        modes: Displace along these only: a space that the symmetries of the structure map to itself.
        tolerance: Of the symmetries, in angstrom.

    Raises:
        ValueError: If the amplitude is not positive, the modes do not fit or move nothing, or the structure is not
            valid.

    Example:
        >>> from ase.build import bulk
        >>> parent = bulk("Po", "sc", a=3.35).repeat((2, 1, 1))
        >>> moved = break_symmetry(parent, torch.Generator().manual_seed(0), amplitude=0.1)
        >>> round(float(abs(moved.positions - parent.positions).max()), 2) <= 0.1
        True
    """
    tau, x = _canonicalizer(atoms, tolerance)
    permutation, matrix = InversionKernel(tau)(x, generator)
    return _displaced(atoms, _moved(permutation, matrix, len(atoms))[0], amplitude, modes)


def domains(
    atoms: Any,
    amplitude: float = 0.05,
    modes: Float[np.ndarray, "k n 3"] | None = None,
    tolerance: float = 1e-2,
) -> list[Any]:
    """All that :func:`break_symmetry` may return, each once.

    Raises:
        ValueError: As there; also if there are infinitely many.
    """
    tau, x = _canonicalizer(atoms, tolerance)
    if not np.any(atoms.pbc) and np.linalg.matrix_rank(atoms.positions - atoms.positions.mean(0), tolerance) < 2:
        raise ValueError("expected a structure with finitely many domains; all atoms are on a line")
    _, (permutation, matrix) = tau.equally_likely(x)
    found: list[Any] = []
    for u in _moved(permutation, matrix, len(atoms)):
        one = _displaced(atoms, u, amplitude, modes)
        if all(np.abs(one.positions - other.positions).max() > 1e-3 * amplitude for other in found):
            found.append(one)
    return found


def modes(atoms: Any, step: float = 0.01, tolerance: float = 0.02) -> list[tuple[float, Float[np.ndarray, "k n 3"]]]:
    """The modes of a structure, from its calculator by central differences: curvatures and eigenvectors, lowest first.

    Eigenvectors whose curvatures differ by less than the tolerance stand together, so that each group spans a space
    that the symmetries map to itself. Translations of the whole are projected out. Takes 6 n evaluations of forces.

    Args:
        atoms: Atoms with a calculator.
        step: Of the differences, in angstrom.
        tolerance: In eV per square angstrom.

    Raises:
        ValueError: If there is no calculator, or the structure has fewer than 2 atoms.
    """
    n = len(atoms)
    if atoms.calc is None or n < 2:
        raise ValueError(f"expected 2 atoms or more, with a calculator; got {n}, calculator {atoms.calc}")
    moved, hessian = atoms.copy(), np.zeros((3 * n, 3 * n))
    moved.calc = atoms.calc
    for k in range(3 * n):
        forces = []
        for sign in (1, -1):
            moved.positions = atoms.positions + sign * step * np.eye(3 * n)[k].reshape(n, 3)
            forces.append(moved.get_forces().flatten())
        hessian[k] = (forces[1] - forces[0]) / (2 * step)
    whole = np.kron(np.ones((n, 1)) / np.sqrt(n), np.eye(3))
    rest = np.linalg.svd(whole.T)[2][3:].T
    values, vectors = np.linalg.eigh(rest.T @ (hessian + hessian.T) @ rest / 2)
    starts = [0, *(np.flatnonzero(np.diff(values) > tolerance) + 1).tolist(), len(values)]
    return [
        (float(values[start:end].mean()), (rest @ vectors[:, start:end]).T.reshape(-1, n, 3))
        for start, end in pairwise(starts)
    ]


def _canonicalizer(atoms: Any, tolerance: float) -> tuple[Any, Any]:
    if np.any(atoms.pbc):
        return CrystalFrames(tolerance=tolerance), from_ase(atoms)
    return JointFrames(Frames(tolerance=tolerance)), as_clouds(atoms)


def _moved(permutation: Permutation, matrix: Float[Tensor, "B 3 3"], n: int) -> Float[np.ndarray, "B n 3"]:
    """The generic displacement of the canonical form, moved by each element."""
    generic = torch.randn(n, 3, generator=torch.Generator().manual_seed(_GENERIC), dtype=torch.float64)
    rows = generic[permutation.rank.view(-1, n)] @ matrix.double().transpose(1, 2)
    return (rows - rows.mean(1, keepdim=True) if n > 1 else rows).numpy()


def _displaced(atoms: Any, u: Float[np.ndarray, "n 3"], amplitude: float, modes: Any) -> Any:
    if not amplitude > 0:
        raise ValueError(f"amplitude must be positive; got {amplitude}")
    if modes is not None:
        given = np.asarray(modes, dtype=float)
        if given.ndim != 3 or given.shape[1:] != u.shape or not len(given):
            raise ValueError(f"expected modes of shape [k, {len(u)}, 3]; got {list(given.shape)}")
        basis = np.linalg.qr(given.reshape(len(given), -1).T)[0]
        u = (basis @ (basis.T @ u.flatten())).reshape(-1, 3)
    size = np.linalg.norm(u, axis=1).max()
    if size < 1e-9:
        raise ValueError("expected modes that move an atom; these move none")
    moved = atoms.copy()
    moved.positions = atoms.positions + amplitude / size * u
    return moved

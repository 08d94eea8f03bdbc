r"""ASE: break the symmetry of a structure before it is relaxed.

Forces on a symmetric structure are symmetric, so a relaxation keeps its symmetry, and stops at a saddle point if that
is one. Rattling helps by chance: it draws more randomness than needed, and finds one minimum many times. Here a
displacement is drawn with the least randomness an equivariant law can have,

.. math:: u = \tilde g v, \qquad \tilde g \sim \text{the inversion kernel of the structure,}

for a fixed v in the canonical form: uniform over the domains, the images of one distorted structure under the
symmetries of the parent. :func:`domains` lists them, each once.

By default v is generic. It may be restricted to modes, which must span a space that the symmetries map to itself: the
eigenvectors of one eigenvalue of the Hessian, say (:func:`modes`). A generic member of an unstable one leaves the
saddle point along it. Or v is a given displacement: one of :func:`directions`, which keep as many symmetries as can be
kept. Domains of one v relax to one energy; other directions may lead to other minima. What symmetries v keeps, a
relaxation keeps too, so it may end at another saddle point: :func:`descend` breaks the symmetry again there.

Atoms that ``FixAtoms`` holds are never displaced, whatever v says; other constraints are refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sympe.canonicalize import CrystalFrames, Frames, JointFrames
from sympe.groups import Permutation
from sympe.integrations.vibrations import Mode, as_input, fixed, fixed_spaces, modes, representation, symmetries
from sympe.kernel import InversionKernel
from sympe.settings import require_positive

__all__ = ["Direction", "Mode", "break_symmetry", "descend", "directions", "domains", "modes"]

#: The seed of the generic displacement: one is as good as another.
_GENERIC = 20250424
#: Displacements of the atoms, in angstrom, or what predicts them from the structure, such as a trained network.
Displacement = Float[np.ndarray, "n 3"] | Callable[[Any], Any]


def break_symmetry(
    atoms: Any,
    generator: torch.Generator | None = None,
    amplitude: float | None = 0.05,
    modes: Float[np.ndarray, "k n 3"] | None = None,
    tolerance: float = 1e-2,
    displacement: Displacement | None = None,
) -> Any:
    """A copy of a structure, displaced into one of its domains, each with the same probability.

    Args:
        atoms: ASE's ``Atoms``, periodic in any directions or in none.
        generator: Source of the draw.
        amplitude: Displacement of the atom that moves most, in angstrom; None: the size of the given displacement.
        modes: Displace along these only: a space that the symmetries of the structure map to itself.
        tolerance: Of the symmetries, in angstrom.
        displacement: Instead of a generic displacement, draw one of the images of this one: an array, or a function
            that predicts it from the atoms, such as a learned model.

    Raises:
        ValueError: If the amplitude is not positive, modes or displacement do not fit or move nothing, or the structure
            is not valid.

    Example:
        >>> from ase.build import bulk
        >>> parent = bulk("Po", "sc", a=3.35).repeat((2, 1, 1))
        >>> moved = break_symmetry(parent, torch.Generator().manual_seed(0), amplitude=0.1)
        >>> round(float(abs(moved.positions - parent.positions).max()), 2) <= 0.1
        True
    """
    tau, x = _canonicalizer(atoms, tolerance)
    given = _given(atoms, displacement)
    v = _canonical(atoms, tau, x, given)
    return _displaced(atoms, _moved(v, *InversionKernel(tau)(x, generator))[0], amplitude, modes, given)


def domains(
    atoms: Any,
    amplitude: float | None = 0.05,
    modes: Float[np.ndarray, "k n 3"] | None = None,
    tolerance: float = 1e-2,
    displacement: Displacement | None = None,
) -> list[Any]:
    """All that :func:`break_symmetry` may return, each once.

    Raises:
        ValueError: As there; also if there are infinitely many.
    """
    tau, x = _canonicalizer(atoms, tolerance)
    if not np.any(atoms.pbc) and np.linalg.matrix_rank(atoms.positions - atoms.positions.mean(0), tolerance) < 2:
        raise ValueError("expected a structure with finitely many domains; all atoms are on a line")
    given = _given(atoms, displacement)
    v = _canonical(atoms, tau, x, given)
    found: list[Any] = []
    for u in _moved(v, *tau.equally_likely(x)[1]):
        one = _displaced(atoms, u, amplitude, modes, given)
        size = np.abs(one.positions - atoms.positions).max()
        if all(np.abs(one.positions - other.positions).max() > 1e-3 * size for other in found):
            found.append(one)
    return found


@dataclass(frozen=True, eq=False)
class Direction:
    """A way to displace a structure along modes.

    Attributes:
        displacement: In angstrom; the atom that moves most moves by 1.
        freedom: Dimension of the space of displacements that keep the same symmetries.
        domains: How many images it has.
        group: What symmetries it keeps: the name of a space group or point group.
    """

    displacement: Float[np.ndarray, "n 3"]
    freedom: int
    domains: int
    group: str


def directions(
    atoms: Any, modes: Float[np.ndarray, "k n 3"], freedom: int = 1, tolerance: float = 1e-2
) -> list[Direction]:
    """The ways to displace a structure along modes that keep symmetries, none the image of another.

    Args:
        atoms: The structure.
        modes: A space that the symmetries map to itself; of several unstable modes, all their vectors.
        freedom: Largest dimension of the displacements that keep the same symmetries. 1 are those that keep most;
            where different modes act together it is 2 or more, and a generic mixture is taken.
        tolerance: Of the symmetries, in angstrom.

    Raises:
        ValueError: If the modes do not fit, the symmetries do not map them to themselves, or they are too many.
    """
    basis = _basis(modes, len(atoms))
    group = symmetries(atoms, tolerance)
    rho = representation(group, basis)
    if np.abs(rho @ rho.transpose(0, 2, 1) - np.eye(len(basis))).max() > 1e-3:
        raise ValueError("expected modes that the symmetries map to themselves; give all vectors of each mode")
    tau, x = _canonicalizer(atoms, tolerance)
    generic = _moved(_canonical(atoms, tau, x, None), *tau(x, torch.Generator().manual_seed(0)))[0]
    along = np.einsum("dia,ia->d", basis, generic)
    found: list[tuple[float, Direction]] = []
    for space in fixed_spaces(rho):
        if round(np.trace(space)) > freedom:
            break
        # Which image of the space is taken must not depend on how the structure is stored.
        images = np.einsum("kab,bc,kdc,d->ka", rho, space, rho, along)
        u = images[np.linalg.norm(images, axis=1).round(9).argmax()]
        orbit = np.unique((rho @ u / np.linalg.norm(u)).round(4) + 0.0, axis=0)
        is_even = np.abs(orbit + u / np.linalg.norm(u)).max(1).min() < 1e-3
        for signed in (u,) if is_even else (u, -u):
            whole = np.einsum("d,dia->ia", signed, basis)
            whole /= np.linalg.norm(whole, axis=1).max()
            moved = _displaced(atoms, whole, 20 * tolerance, None, whole)
            name = symmetries(moved, tolerance).name
            found.append((float(signed @ along), Direction(whole, round(np.trace(space)), len(orbit), name)))
    # Nor may their order.
    found.sort(key=lambda entry: (entry[1].freedom, entry[1].domains, entry[1].group, -entry[0]))
    return [one for _, one in found]


def descend(
    atoms: Any,
    relax: Callable[[Any], Any],
    generator: torch.Generator | None = None,
    amplitude: float = 0.1,
    unstable: float = -0.02,
    tolerance: float = 1e-2,
) -> list[list[tuple[float, Any]]]:
    """Relax from saddle point to saddle point, down to a structure without unstable modes.

    In each round the most unstable mode is found, the structure displaced along every one of its directions, each in a
    random domain, and relaxed. The next round starts from the lowest end.

    Args:
        atoms: The structure.
        relax: Relaxes a structure and returns it, with its calculator.
        generator: Source of the domains.
        amplitude: Displacement of the atom that moves most, in angstrom.
        unstable: Curvature below which a mode counts as unstable, in eV per square angstrom.
        tolerance: Of the symmetries, in angstrom.

    Returns:
        The ends of each round with their energies, the lowest first: at first the structure itself, relaxed.

    Raises:
        ValueError: As :func:`modes` and :func:`directions`.
    """

    def relaxed(start: Any) -> tuple[float, Any]:
        end = relax(start)
        return float(end.get_potential_energy()), end

    found = [[relaxed(atoms)]]
    while True:
        energy, here = found[-1][0]
        mode = modes(here, tolerance=tolerance)[0]
        ways = directions(here, mode.vectors, tolerance=tolerance) if mode.curvature < unstable else []
        moved = [break_symmetry(here, generator, amplitude, None, tolerance, way.displacement) for way in ways]
        ends = sorted(map(relaxed, moved), key=lambda end: end[0])
        if not ends or ends[0][0] >= energy:
            return found
        found.append(ends)


def _canonicalizer(atoms: Any, tolerance: float) -> tuple[Any, Any]:
    x = as_input(atoms)
    return CrystalFrames(tolerance=tolerance) if np.any(atoms.pbc) else JointFrames(Frames(tolerance=tolerance)), x


def _given(atoms: Any, displacement: Any) -> Float[Tensor, "n 3"] | None:
    if displacement is None:
        return None
    found = displacement(atoms) if callable(displacement) else displacement
    given = torch.as_tensor(found).detach().cpu().double()
    if given.shape != (len(atoms), 3) or not bool(given.isfinite().all()):
        what = "" if bool(given.isfinite().all()) else ", not finite"
        raise ValueError(f"expected a finite displacement of shape [{len(atoms)}, 3]; got {list(given.shape)}{what}")
    return given


def _canonical(atoms: Any, tau: Any, x: Any, given: Float[Tensor, "n 3"] | None) -> Float[Tensor, "n 3"]:
    """The displacement as seen in the canonical form; a generic one if none is given."""
    if given is None:
        return torch.randn(len(atoms), 3, generator=torch.Generator().manual_seed(_GENERIC), dtype=torch.float64)
    permutation, matrix = tau(x, torch.Generator().manual_seed(0))
    return torch.empty_like(given).index_copy(0, permutation.rank, given @ matrix[0].double())


def _moved(
    v: Float[Tensor, "n 3"], permutation: Permutation, matrix: Float[Tensor, "B 3 3"]
) -> Float[np.ndarray, "B n 3"]:
    """A displacement of the canonical form, moved by each element."""
    moved: np.ndarray = (v[permutation.rank.view(-1, len(v))] @ matrix.double().transpose(1, 2)).numpy()
    return moved


def _basis(modes: Any, n: int) -> Float[np.ndarray, "k n 3"]:
    """An orthonormal basis of the modes."""
    given = np.asarray(modes, dtype=float)
    if given.ndim != 3 or given.shape[1:] != (n, 3) or not len(given):
        raise ValueError(f"expected modes of shape [k, {n}, 3]; got {list(given.shape)}")
    basis: np.ndarray = np.linalg.qr(given.reshape(len(given), -1).T)[0].T.reshape(-1, n, 3)
    return basis


def _displaced(atoms: Any, u: Float[np.ndarray, "n 3"], amplitude: float | None, modes: Any, given: Any) -> Any:
    if amplitude is None and given is None:
        raise ValueError("expected an amplitude, or a displacement whose size to keep; got neither")
    require_positive(amplitude=amplitude)
    held = fixed(atoms)
    if given is None and len(u) > 1 and not held.any():
        u = u - u.mean(0)
    if modes is not None:
        basis = _basis(modes, len(u))
        u = np.einsum("kia,kjb,jb->ia", basis, basis, u)
    u = np.where(held[:, None], 0, u)
    size = np.linalg.norm(u, axis=1).max()
    if size < 1e-9:
        raise ValueError("expected a displacement or modes that move an atom that is free; these move none")
    moved = atoms.copy()
    moved.positions = atoms.positions + (1 if amplitude is None else amplitude / size) * u
    return moved

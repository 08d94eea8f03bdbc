r"""O(3) acting on irreducible representations (irreps), in the basis of e3nn.

An irrep is a degree :math:`l` and a parity ``e`` or ``o``: :math:`2l + 1` numbers that rotations mix by the Wigner
matrix :math:`D^l`, and that the inversion leaves alone (``e``) or negates (``o``). The basis of degree 1 is
:math:`(x, y, z)`, and that of degree :math:`l` belongs to the real spherical harmonics with polar axis :math:`y`,
the order :math:`m = -l \dots l` and no Condon-Shortley phase, as in M. Geiger, T. Smidt, *e3nn: Euclidean neural
networks*, 2022.

The matrices come from the coupling of degrees :math:`l - 1` and 1 to :math:`l`. With the isometry :math:`C_l` that
is given, up to a factor, by :math:`Y_l(p) \propto C_l (Y_{l-1}(p) \otimes p)` for all directions :math:`p`,

.. math:: D^0 = 1, \qquad D^l(R) = C_l \bigl(D^{l-1}(R) \otimes R\bigr) C_l^\top .

This takes a few products of small matrices and no angles: there are no poles, gradients exist everywhere, and
``torch.compile`` can trace it. The matrix :math:`R` may be improper: products of vectors have the *natural* parity
:math:`(-1)^l`, and the other parity takes a factor :math:`\det R`.
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from sympe.actions.base import Action
from sympe.groups import OrthogonalGroup
from sympe.precision import outside_autocast


@dataclass(frozen=True)
class Irreps:
    """A direct sum of irreps of O(3).

    Attributes:
        terms: Multiplicity, degree l and parity (1 or -1) of each summand, in order.
    """

    terms: tuple[tuple[int, int, int], ...]

    @classmethod
    def parse(cls, text: object) -> "Irreps":
        """Read ``"4x0e+2x1o+1x2e"``, or anything that prints like it (an ``e3nn.o3.Irreps``, say); ``""`` means none.

        Raises:
            ValueError: If a summand is not a multiplicity, a degree and a parity.

        Example:
            >>> Irreps.parse("4x0e + 2x1o + 2e").dim
            15
        """
        if isinstance(text, Irreps):
            return text
        terms = []
        for term in str(text).split("+") if str(text).strip() else []:
            found = re.fullmatch(r"(?:(\d+)x)?(\d+)([eo])", term.strip())
            if found is None:
                raise ValueError(f"irreps must read like '4x0e+2x1o'; got {term.strip()!r} in {str(text)!r}")
            multiplicity, degree, parity = found.groups()
            terms.append((int(multiplicity or 1), int(degree), 1 if parity == "e" else -1))
        return cls(tuple(terms))

    @property
    def dim(self) -> int:
        """The number of components."""
        return sum(multiplicity * (2 * degree + 1) for multiplicity, degree, _ in self.terms)

    @property
    def max_degree(self) -> int:
        """The highest degree l; 0 if there are no irreps."""
        return max((degree for multiplicity, degree, _ in self.terms if multiplicity), default=0)

    def __add__(self, other: "Irreps") -> "Irreps":
        return Irreps(self.terms + other.terms)

    def __str__(self) -> str:
        return "+".join(f"{count}x{degree}{'e' if parity > 0 else 'o'}" for count, degree, parity in self.terms)


class WignerMatrices:
    """The Wigner matrices of degrees 0 to ``max_degree``, for batches of rotations and reflections."""

    def __init__(self, max_degree: int) -> None:
        if max_degree < 0:
            raise ValueError(f"max_degree must be at least 0; got {max_degree}")
        self.couplings = tuple(torch.from_numpy(coupling(l)) for l in range(2, max_degree + 1))
        self.max_degree = max_degree

    @outside_autocast
    def __call__(self, g: Float[Tensor, "*batch 3 3"]) -> list[Float[Tensor, "*batch _ _"]]:
        """:math:`D^0 \\dots D^L` with natural parity, in the precision of ``g``.

        Raises:
            ValueError: If ``g`` does not hold 3 x 3 matrices.
        """
        if g.shape[-2:] != (3, 3):
            raise ValueError(f"g must hold 3 x 3 matrices; got shape {list(g.shape)}")
        matrices = [torch.ones_like(g[..., :1, :1]), g][: self.max_degree + 1]
        for constant in self.couplings:
            c = constant.to(g.dtype).to(g.device)
            moved = torch.einsum("aik,...kn->...ain", c, g)
            moved = torch.einsum("...ain,...ij->...ajn", moved, matrices[-1])
            matrices.append(torch.einsum("...ajn,bjn->...ab", moved, c))
        return matrices


def wigner_d(g: Float[Tensor, "*batch 3 3"], irreps: Irreps | str) -> Float[Tensor, "*batch dim dim"]:
    """The matrix by which ``g``, proper or not, moves vectors of irreps such as ``"2x1o+1x2e"``, block after block.

    Raises:
        ValueError: If ``g`` does not hold 3 x 3 matrices, or ``irreps`` cannot be read.

    Example:
        >>> wigner_d(-torch.eye(3), "1x0e+1x0o+1x1e").diagonal()
        tensor([ 1., -1.,  1.,  1.,  1.])
    """
    irreps = Irreps.parse(irreps)
    matrices = WignerMatrices(irreps.max_degree)(g)
    result = g.new_zeros(*g.shape[:-2], irreps.dim, irreps.dim)
    start = 0
    for multiplicity, degree, parity in irreps.terms:
        for _ in range(multiplicity):
            end = start + 2 * degree + 1
            result[..., start:end, start:end] = matrices[degree] * parity_factor(g, degree, parity)
            start = end
    return result


class IrrepsRotation(Action[Tensor, Tensor]):
    """Left action of O(3), or SO(3), on vectors of irreps: one group element per row.

    Args:
        irreps: Such as ``"4x0e+2x1o+1x2e"``.
        special: Whether the group is SO(3), which does not see parity.
    """

    def __init__(self, irreps: Irreps | str, special: bool = False) -> None:
        self.group = OrthogonalGroup(3, special)
        self.irreps = Irreps.parse(irreps)
        self.matrices = WignerMatrices(self.irreps.max_degree)

    @outside_autocast
    def act(self, g: Float[Tensor, "B 3 3"], x: Float[Tensor, "rows dim"]) -> Float[Tensor, "B dim"]:
        """Move row ``b`` of ``x`` by ``g[b]``; a single row is moved by every element.

        Raises:
            ValueError: If ``x`` is not of these irreps, or ``g`` does not hold one 3 x 3 matrix per row.
        """
        dim = self.irreps.dim
        if x.dim() != 2 or x.shape[1] != dim:
            raise ValueError(f"expected rows of {dim} numbers, irreps {self.irreps}; got shape {list(x.shape)}")
        if len(x) not in (1, len(g)):
            raise ValueError(f"expected one matrix for each of {len(x)} rows; got {len(g)}")
        matrices = self.matrices(g)
        moved, start = [], 0
        for multiplicity, degree, parity in self.irreps.terms:
            end = start + multiplicity * (2 * degree + 1)
            part = x[:, start:end].unflatten(1, (multiplicity, 2 * degree + 1))
            moved.append((part @ matrices[degree].mT * parity_factor(g, degree, parity)).flatten(1))
            start = end
        return torch.cat(moved, dim=1)


def parity_factor(g: Float[Tensor, "*batch 3 3"], degree: int, parity: int) -> Float[Tensor, "*batch 1 1"] | float:
    """The factor on the matrix of natural parity: 1, or the determinant of ``g``."""
    return 1.0 if parity == (-1) ** degree else torch.linalg.det(g)[..., None, None]


@lru_cache
def coupling(degree: int) -> NDArray[np.float64]:
    """The isometry C_l from (degree l - 1) x (degree 1) to degree l, as an array [2l + 1, 2l - 1, 3].

    Fitted to spherical harmonics in more directions than necessary: products of degrees l - 1 and 1 in one direction
    contain only degrees l and l - 2, and the least-norm solution vanishes on all others.
    """
    directions = np.random.default_rng(degree).normal(size=(8 * degree + 8, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    products = np.einsum("pi,pk->pik", spherical_harmonics(degree - 1, directions), directions)
    solution = np.linalg.lstsq(products.reshape(len(directions), -1), spherical_harmonics(degree, directions))[0].T
    isometry = solution / np.linalg.norm(solution, axis=1, keepdims=True)
    return np.reshape(isometry, (2 * degree + 1, 2 * degree - 1, 3))


def spherical_harmonics(degree: int, directions: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Real spherical harmonics :math:`m = -l \dots l`, polar axis y, of mean square 1 over the sphere.

    The azimuth is counted from z to x, so that degree 1 is proportional to :math:`(x, y, z)`. W. H. Press et al.,
    *Numerical Recipes*, 3rd edition, section 6.7, gives the recursion of the Legendre functions.
    """
    x, y, z = directions.T
    columns = np.empty((len(directions), 2 * degree + 1))
    for m in range(degree + 1):
        # P_l^m / sin^m, from P_m^m upwards; the sines stay in (z + ix)^m, which has no pole.
        previous, legendre = np.zeros_like(y), np.full_like(y, float(math.prod(range(1, 2 * m, 2))))
        for l in range(m + 1, degree + 1):
            previous, legendre = legendre, ((2 * l - 1) * y * legendre - (l + m - 1) * previous) / (l - m)
        norm = math.sqrt((2 * degree + 1) * math.factorial(degree - m) / math.factorial(degree + m))
        turned = (z + 1j * x) ** m
        columns[:, degree + m] = norm * legendre * turned.real * (math.sqrt(2) if m else 1)
        if m:
            columns[:, degree - m] = norm * legendre * turned.imag * math.sqrt(2)
    return columns

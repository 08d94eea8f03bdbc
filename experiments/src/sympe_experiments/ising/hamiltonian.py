r"""Ising models on a periodic square lattice: energies, exact ground states, and draws of couplings.

The energy per spin of spins :math:`s_r = \pm 1` on :math:`L_1 \times L_2` sites, in the units of the couplings:

.. math:: E(s) = -\frac 1 {L_1 L_2} \sum_r \sum_k c_k(r) \sum_{d \in D_k} s_r\, s_{r + d} ,

where :math:`D_k` holds the steps (down, right) of the bonds that coupling k stands for. A positive coupling is
ferromagnetic. A coupling without bonds is a field h, with energy :math:`-h\, s_r` at every site. Spins between -1 and
1 give the mean-field energy of independent spins with these means.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid


@dataclass(frozen=True)
class Hamiltonian:
    """A family of models that differ by the values of their couplings.

    Attributes:
        name: What it is called.
        bonds: Steps (down, right) of the bonds of each coupling, by the coupling's name. The first two couplings are
            those along the rows (x) and down the columns (y), which reflection in the diagonal exchanges; it leaves
            all others as they are.
    """

    name: str
    bonds: dict[str, tuple[tuple[int, int], ...]]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.bonds)

    def energy(self, couplings: Float[Tensor, "B K *lattice"], spins: Float[Tensor, "B L1 L2"]) -> Float[Tensor, "B"]:
        """Energy per spin.

        Args:
            couplings: One number for each coupling, or one for each coupling and site from which its bonds start.
            spins: Spins, or their means.
        """
        field = torch.zeros_like(spins)
        for k, steps in enumerate(self.bonds.values()):
            around = sum(spins.roll((-down, -right), (1, 2)) for down, right in steps) if steps else 1
            coupling = couplings[:, k]
            field = field + (coupling if coupling.ndim == 3 else coupling[:, None, None]) * around
        return -(spins * field).mean((1, 2))

    def scale(self, couplings: Float[Tensor, "B K"], points: int = 24) -> Float[Tensor, "B"]:
        r"""Greatest Fourier component of the couplings, :math:`\max_q \sum_k c_k \sum_{d \in D_k} \cos q d`.

        No spins on any lattice have less energy than minus this: J. M. Luttinger, L. Tisza, *Theory of dipole
        interaction in crystals*, Phys. Rev. 70, 954 (1946). With nearest neighbors alone it is |Jx| + |Jy|; a field
        adds |h|. The maximum is taken over ``points`` x ``points`` wave vectors.
        """
        angle = 2 * math.pi * torch.arange(points, device=couplings.device, dtype=couplings.dtype) / points
        waves = [
            sum(torch.cos(down * angle[:, None] + right * angle) for down, right in steps)
            for steps in self.bonds.values()
            if steps
        ]
        bonded = couplings[:, : len(waves)] @ torch.stack(waves).flatten(1)  # type: ignore[arg-type]
        return bonded.amax(1) + couplings[:, len(waves) :].abs().sum(1)

    def sample(
        self, count: int, generator: torch.Generator | None = None, size: int | None = None
    ) -> Float[Tensor, "count K *lattice"]:
        """Couplings uniform between -1 and 1 in the half of the plane where Jx > Jy; :func:`mirror` leads to the other.

        Only an equivariant model carries over from one half to the other.

        Args:
            count: How many.
            generator: Source of the draws.
            size: Sites along each side, for couplings that differ from site to site.
        """
        drawn = 2 * torch.rand(count, len(self.bonds), generator=generator) - 1
        pair = drawn[:, :2].sort(dim=1, descending=True).values
        return torch.cat([pair, drawn[:, 2:]], dim=1)


class InField(Hamiltonian):
    """In a field h: one coupling is 1 and the other from -3 to 3, turned at random; h is from -3 to 3 as well.

    There are no halves of the plane: what is trained on and tested on has one law, that of its mirror images too.
    """

    def sample(
        self, count: int, generator: torch.Generator | None = None, size: int | None = None
    ) -> Float[Tensor, "count 3"]:
        other, h = 6 * torch.rand(2, count, generator=generator) - 3
        drawn = torch.stack([torch.ones(count), other, h], dim=1)
        turned = torch.rand(count, 1, generator=generator) < 0.5
        return torch.where(turned, mirror(drawn), drawn)


class RandomBonds(Hamiltonian):
    """A coupling for each bond, independent and uniform from -1 to 1: a spin glass. There are no halves here either."""

    def sample(
        self, count: int, generator: torch.Generator | None = None, size: int | None = None
    ) -> Float[Tensor, "count 2 L L"]:
        if size is None:
            raise ValueError("random bonds need the size of the lattice; give size")
        return 2 * torch.rand(count, 2, size, size, generator=generator) - 1

    def scale(self, couplings: Float[Tensor, "B 2 L L"], points: int = 24) -> Float[Tensor, "B"]:
        """Energy per spin if all bonds could be satisfied, but for its sign."""
        return couplings.abs().mean((2, 3)).sum(1)


#: Jx to the right-hand neighbor, Jy to the one below.
NEAREST = Hamiltonian("nearest", {"Jx": ((0, 1),), "Jy": ((1, 0),)})
#: With second neighbors across the diagonals and third neighbors two steps along the axes.
J1J2 = Hamiltonian("j1j2", {"Jx": ((0, 1),), "Jy": ((1, 0),), "J2": ((1, 1), (1, -1)), "J3": ((0, 2), (2, 0))})
#: Nearest neighbors in a field, and with a coupling for each bond.
FIELD = InField("field", NEAREST.bonds | {"h": ()})
BONDS = RandomBonds("bonds", NEAREST.bonds)
HAMILTONIANS = {each.name: each for each in (NEAREST, J1J2, FIELD, BONDS)}


def mirror(couplings: Float[Tensor, "B K *lattice"]) -> Float[Tensor, "B K *lattice"]:
    """The couplings of the lattice reflected in its diagonal: Jx and Jy exchanged."""
    swapped = torch.cat([couplings[:, :2].flip(1), couplings[:, 2:]], dim=1)
    return swapped.transpose(2, 3) if couplings.ndim == 4 else swapped


def nearest_ground_energy(couplings: Float[Tensor, "B 2"], size: int) -> Float[Tensor, "B"]:
    r"""Exact ground energy per spin of nearest neighbors on L x L sites.

    Rows and columns do not compete: each is a ring, whose bonds are all satisfied unless the ring is odd and the
    coupling negative; then one bond in each ring is broken.

    .. math:: E_0 = -(|J_x| + |J_y|) + \frac 2 L \bigl(\max(-J_x, 0) + \max(-J_y, 0)\bigr) [L \text{ odd}].

    The formula needs L > 1 (a ring of one site is bound to itself, and a negative coupling cannot be satisfied).
    """
    if size < 2:
        raise ValueError(f"size must be at least 2; got {size}")
    broken = 2 / size * (-couplings).clamp(min=0).sum(1) if size % 2 else 0
    return broken - couplings.abs().sum(1)


def field_ground_energy(couplings: Float[Tensor, "B 3"], size: int) -> Float[Tensor, "B"]:
    r"""Exact ground energy per spin of Jx, Jy and a field h on L x L sites, if one of the couplings is not negative.

    Lines along that coupling are uniform: each of the rings across them has at least its own least energy, and equal
    rings satisfy all bonds between them. A ring of L spins with the other coupling :math:`J < 0` and w satisfied bonds
    has at most L - w spins more along the field than against it,

    .. math:: L\, e(w) = |J| (L - 2 w) - |h| (L - w) ,

    which is least without satisfied bonds or with as many as there can be: L, or L - 1 if L is odd.

    Raises:
        ValueError: If both couplings are negative.
    """
    weak, strong = couplings[:, :2].sort(dim=1).values.unbind(1)
    if bool((strong < 0).any()):
        raise ValueError("the ground energy in a field needs one coupling that is not negative; got two negative ones")
    h = couplings[:, 2].abs()
    uniform = -weak - h
    most = size - size % 2
    alternating = (weak.abs() * (size - 2 * most) - h * (size - most)) / size
    return -strong + torch.where(weak < 0, torch.minimum(uniform, alternating), uniform)


def entropy(logits: Float[Tensor, "B L1 L2"]) -> Float[Tensor, "B"]:
    """Entropy in nats per spin of independent spins with means tanh(logits)."""
    up = torch.sigmoid(2 * logits)
    return -(up * logsigmoid(2 * logits) + (1 - up) * logsigmoid(-2 * logits)).mean((1, 2))


def free_energy(
    hamiltonian: Hamiltonian,
    couplings: Float[Tensor, "B K"],
    logits: Float[Tensor, "B L1 L2"],
    temperature: float,
) -> Float[Tensor, "B"]:
    r"""Mean-field free energy per spin, :math:`E / \mathrm{scale} - T S`.

    In these units the symmetric phase becomes unstable at T = 2. Well below, means saturate and gradients vanish; at
    T = 1 the means are 0.96 in the ground states of nearest neighbors, and their signs are what is sought.
    """
    scale = hamiltonian.scale(couplings)
    return hamiltonian.energy(couplings, torch.tanh(logits)) / scale - temperature * entropy(logits)

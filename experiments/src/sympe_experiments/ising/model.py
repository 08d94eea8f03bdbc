r"""From couplings to spins: the networks, and what breaks their symmetry.

.. math:: m = \tanh f_\theta(J \oplus \tilde g v) .

Uniform couplings look the same from every site, so an equivariant f alone gives every spin the same mean: it can say
"ferromagnet" and nothing else. The spin of site r is the sign of its mean.

Beside each coupling J the network gets :math:`J / (|J| + \epsilon)`, nearly its sign: where a phase begins is a
question of signs, however small the couplings are.

The flip of all spins leaves couplings as they are. The group here leaves it out: with it, an equivariant network would
have to answer 0 without symmetry breaking, and gain nothing, as both signs of a pattern are ground states.
"""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.actions import DirectionFields, bonds_to_directions
from sympe.breaking import SymPE, Unmoved
from sympe.canonicalize import Canonicalizer, Constant, LexicographicMinimum
from sympe.encoding import FieldEncoding, TileEncoding, learn_amplitudes
from sympe.groups import LatticeSymmetry, Torus
from sympe.kernel import InversionKernel
from sympe.seeding import sample
from sympe_experiments import weights
from sympe_experiments.ising.config import METHODS, NAME, WALLPAPER, Config
from sympe_experiments.ising.hamiltonian import HAMILTONIANS
from sympe_experiments.nets import TorusNetwork
from sympe_experiments.old_names import config_now

#: Coupling at which its sign is known half; in units of the largest couplings.
SOFTENING = 0.004


def signs(x: Tensor, axis: int) -> Tensor:
    """Couplings, and beside them their softened signs, along the axis of features."""
    return torch.cat([x, x / (x.abs() + SOFTENING)], dim=axis)


class SiteNoise(nn.Module):
    """Independent standard normal features for every site, drawn anew at each call."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(
        self, x: Float[Tensor, "B 4 1 L1 L2"], generator: torch.Generator | None = None
    ) -> Float[Tensor, "B dim L1 L2"]:
        shape = (x.shape[0], self.dim, *x.shape[-2:])
        return sample(torch.randn, shape, generator=generator, device=x.device).to(x)


class FlatNetwork(nn.Module):
    """Three layers on the fields of one lattice as a list of numbers, without any symmetry."""

    def __init__(self, in_dim: int, size: int, hidden_dim: int = 256) -> None:
        super().__init__()
        self.size = size
        self.layers = nn.Sequential(
            nn.Linear(in_dim * size**2, hidden_dim), nn.SiLU(),
            nn.Linear(hidden_dim, hidden_dim), nn.SiLU(),
            nn.Linear(hidden_dim, size**2),
        )  # fmt: skip

    def forward(
        self, scalar: Float[Tensor, "B c L1 L2"] | None, direction: Float[Tensor, "B 4 d L1 L2"]
    ) -> Float[Tensor, "B 1 L1 L2"]:
        if tuple(direction.shape[-2:]) != (self.size, self.size):
            raise ValueError(
                f"the mlp serves {self.size} x {self.size} sites alone; "
                f"got {direction.shape[-2]} x {direction.shape[-1]}"
            )
        fields = [direction.flatten(1, 2)] + ([] if scalar is None else [scalar])
        flat = torch.cat(fields, dim=1).flatten(1)
        return self.layers(flat).view(-1, 1, self.size, self.size)


def make_breaking(config: Config) -> SymPE | SiteNoise | Unmoved | None:
    """What the network of a method sees beside the couplings."""
    method = METHODS[config.method]
    if method.vector is None:
        return None
    if method.vector == "noise":
        return SiteNoise(config.vector_dim)
    frozen = method.vector.startswith("frozen")
    encoding: FieldEncoding
    if config.has_field:
        encoding = FieldEncoding(4 * config.vector_dim, (config.size, config.size), frozen)
    else:
        encoding = TileEncoding(config.vector_dim, config.period, frozen)
    if config.has_many_waves and not frozen:
        # What the network asks for grows out of what was drawn; the less of that, the sooner it stands out.
        encoding.v.data.mul_(config.field_start)
        if not method.vector.startswith("plain"):
            encoding = learn_amplitudes(encoding)
    action = DirectionFields(Torus(WALLPAPER[config.group]))
    if method.kernel is None:
        return Unmoved(encoding, action)
    canonicalizer: Canonicalizer[LatticeSymmetry, Tensor]
    # The least image of uniform couplings is the same at all sizes of the lattice. That of a random template is not:
    # v would lie along the rows at one size, and along the columns at another.
    canonicalizer = Constant(action) if method.kernel == "haar" else LexicographicMinimum(action)
    return SymPE(InversionKernel(canonicalizer), encoding)


class SpinNetwork(nn.Module):
    """Couplings in, one logit per spin out: the mean of the spin is its hyperbolic tangent.

    Args:
        config: Method and sizes.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.hamiltonian = HAMILTONIANS[config.model]
        self.breaking = make_breaking(config)
        dim = 0 if self.breaking is None else self.breaking.dim
        scalars = 2 * (len(self.hamiltonian.names) - 2)
        network = METHODS[config.method].network
        self.network: nn.Module
        if network == "mlp":
            self.network = FlatNetwork(8 + scalars, config.size)
        else:
            # Without points, as many features as the group CNN has features and points together.
            point_group = "C1" if network == "cnn" else WALLPAPER[config.group]
            hidden_dim = config.hidden_dim * (len(Torus(WALLPAPER[config.group]).points) if network == "cnn" else 1)
            self.network = TorusNetwork(
                dim + scalars, 2, 1, hidden_dim, config.num_layers, config.filter_width, point_group
            )

    @property
    def vector(self) -> Float[Tensor, "dim L1 L2"] | None:
        """The vector v, if there is one."""
        if not isinstance(self.breaking, SymPE | Unmoved):
            return None
        assert isinstance(self.breaking.encoding, FieldEncoding)
        return self.breaking.encoding.v

    def forward(
        self,
        couplings: Float[Tensor, "B K *lattice"],
        size: int | tuple[int, int],
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "B L1 L2"]:
        """Logits of the spins of a lattice with the same couplings everywhere, or with one for each bond.

        Raises:
            ValueError: If v or the network does not support this size.
        """
        if couplings.ndim == 4:
            return self.on_bonds(couplings, generator)
        size = (size, size) if isinstance(size, int) else size
        everywhere = couplings[..., None, None].expand(-1, -1, *size)
        return self.on_fields(everywhere[:, [0, 1, 0, 1], None], everywhere[:, 2:], generator)

    def on_bonds(
        self, bonds: Float[Tensor, "B 2 L1 L2"], generator: torch.Generator | None = None
    ) -> Float[Tensor, "B L1 L2"]:
        """Logits of the spins, given a coupling for each bond: to the right of each site, and below it."""
        if len(self.hamiltonian.names) > 2:
            raise ValueError(
                f"couplings for each bond need weights of nearest or bonds; these are of {self.config.model}"
            )
        return self.on_fields(bonds_to_directions(bonds)[:, :, None], bonds[:, :0], generator)

    def on_fields(
        self,
        direction: Float[Tensor, "B 4 1 L1 L2"],
        scalar: Float[Tensor, "B c L1 L2"],
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "B L1 L2"]:
        """Logits of the spins, for couplings along the four directions and others at each site."""
        scalars = [signs(scalar, 1)] if scalar.shape[1] else []
        if self.breaking is not None:
            scalars.append(self.breaking(direction, generator))
        joined = torch.cat(scalars, dim=1) if scalars else None
        return self.network(joined, signs(direction, 2))[:, 0]

    def to_bytes(self) -> bytes:
        """Weights and configuration as one safetensors file; equal models give equal bytes."""
        return weights.to_bytes(self, {"config": self.config.as_dict()})

    @classmethod
    def load(cls, path: Path | str) -> "SpinNetwork":
        """Read a model that a run exported.

        Raises:
            ValueError: If the file is not such an export.
        """
        return weights.load(path, "an Ising network", lambda it: cls(Config.from_dict(config_now(NAME, it["config"]))))

r"""A network of e3nn from a crystal to a displacement of each of its sites, and what breaks its symmetry.

All rows of the comparison are one network, with another encoding of the sites each: under E(3), relabeling and the
translations of the cell. Edges are those of the parent as it stands, turned with it: the neighbors are the same.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sympe.actions import CrystalMotion, Irreps
from sympe.breaking import SymmetryBreaking, SymmetryBreakingSet, SymPE
from sympe.canonicalize import Constant, CrystalFrames
from sympe.crystals import Crystals, edges
from sympe.encoding import SiteIrrepsEncoding
from sympe.extras import require
from sympe.kernel import InversionKernel
from sympe.seeding import sample
from sympe_experiments.distortions.config import Config
from sympe_experiments.distortions.data import Distortion


class SiteNoise(SymmetryBreaking[Crystals]):
    """Independent standard normal numbers for every site, redrawn on each call: rotations preserve their law."""

    action = CrystalMotion()
    is_continuous = True

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def draw(self, x: Crystals, generator: torch.Generator | None) -> Float[Tensor, "N dim"]:
        return sample(torch.randn, x.num_points, self.dim, generator=generator, device=x.device)


def build_encoding(config: Config, max_sites: int) -> nn.Module | None:
    """What breaks the symmetry; None for nothing."""
    if config.method == "none":
        return None
    if config.method == "noise":
        return SiteNoise(Irreps.parse(config.irreps).dim)
    encoding = SiteIrrepsEncoding(config.irreps, max_sites)
    if config.method == "haar":
        return SymPE(InversionKernel(Constant(CrystalMotion())), encoding)
    kind = SymPE if config.method == "sympe-frames" else SymmetryBreakingSet
    return kind(InversionKernel(CrystalFrames()), encoding)


class DistortionNetwork(nn.Module):
    """Messages along periodic edges, in irreps; species and the encoding enter at each site."""

    def __init__(self, config: Config, held: list[Distortion]) -> None:
        super().__init__()
        o3 = require("e3nn.o3", "e3nn", "this experiment", "sympe-experiments")
        messages = require("e3nn.nn.models.v2106.gate_points_message_passing", "e3nn", "this experiment")
        self.cutoff = config.cutoff
        self.kinds = sorted({kind for one in held for kind in one.parent.species.tolist()})
        self.encoding = build_encoding(config, max(one.parent.num_points for one in held))
        self.harmonics = o3.Irreps.spherical_harmonics(2)
        inside = "+".join(f"{config.multiplicity}x{k}{p}" for k in range(config.max_degree + 1) for p in "eo")
        start = f"{len(self.kinds)}x0e" + ("" if self.encoding is None else f"+{config.irreps}")
        self.network = messages.MessagePassing(
            [start, *[inside] * config.num_layers, "1x1o"], f"{len(self.kinds)}x0e", self.harmonics, [8, 32], 8.0
        )
        self.spherical = o3.SphericalHarmonics(self.harmonics, normalize=True, normalization="component")

    def forward(
        self, crystals: Crystals, generator: torch.Generator | None = None, joined: tuple[Tensor, Tensor] | None = None
    ) -> Float[Tensor, "N 3"]:
        """Displacements; edges are found unless they are given, with their vectors."""
        (source, target), vector = edges(crystals, self.cutoff) if joined is None else joined
        kind = (crystals.species[:, None] == torch.tensor(self.kinds)).to(vector.dtype)
        drawn = [] if self.encoding is None else [self.encoding(crystals, generator).to(vector.dtype)]
        length = vector.norm(dim=1, keepdim=True) / self.cutoff
        centers = torch.linspace(0, 1, 8, dtype=vector.dtype)
        radial = torch.exp(-((8 * (length - centers)) ** 2))
        return self.network(torch.cat([kind, *drawn], 1), kind, source, target, self.spherical(vector), radial)

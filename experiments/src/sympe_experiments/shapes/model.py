r"""Networks from clouds to a displacement of each point.

All but two rows of the comparison are one network of e3nn, equivariant under O(3), with another encoding each. The two
break the symmetry without an encoding:

- *canonicalized*: a perceptron that sees the points, in order, in a sampled joint frame; its answer is turned back;
- *relaxed*: relaxed convolutions on the symmetry group of the start as it stands in training, which acts on the points'
  coordinates by :math:`\rho(s) = P(s) \otimes s`. It knows nothing of other poses; *relaxed-turned* sees them in
  training, which makes no difference to methods with an equivariant law.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sympe import breaking
from sympe.actions import PointVectorMotion, permutation_representation
from sympe.breaking import SymPE
from sympe.canonicalize import Frames, JointFrames
from sympe.encoding import IrrepsEncoding
from sympe.extras import require
from sympe.groups import OrthogonalGroup
from sympe.kernel import InversionKernel
from sympe.points import PointClouds
from sympe.seeding import sequence_generator
from sympe_experiments.nets import Perceptron, RelaxedNetwork
from sympe_experiments.shapes.config import Config
from sympe_experiments.shapes.data import Shape

# What a stream of random numbers is for; the number after the seed. Training uses (seed, step), the test another.
KEEP = 3


def build_network(config: Config, shapes: list[Shape]) -> nn.Module:
    """What a method trains: a module from clouds and a generator to displacements, one row for each point.

    Raises:
        ImportError: If the method needs e3nn and it is not installed.
    """
    if config.method == "canonicalized":
        kernel = InversionKernel(JointFrames(Frames()))
        return breaking.Canonicalized(PointPerceptron(config, shapes), kernel, PointVectorMotion())
    if config.method in ("relaxed", "relaxed-turned"):
        return RelaxedShape(config, shapes[0])
    return EquivariantNetwork(config, shapes)


class EquivariantNetwork(nn.Module):
    """A network of e3nn, and what breaks its symmetry."""

    def __init__(self, config: Config, shapes: list[Shape]) -> None:
        super().__init__()
        require("e3nn", "e3nn", "this method", "sympe-experiments")
        from e3nn.nn.models.v2106.gate_points_networks import SimpleNetwork

        from sympe.integrations.e3nn import joined_irreps, wrap

        self.kinds = _kinds(shapes)
        encoding = (
            _partial(config, shapes[0])
            if config.method == "partial"
            else breaking.for_points(config.method, config.irreps)
        )
        irreps_x = f"{len(self.kinds)}x0e"
        network = SimpleNetwork(
            irreps_in=joined_irreps(irreps_x, encoding),
            irreps_out="1x1o",
            max_radius=6.0,
            num_neighbors=4.0,
            num_nodes=1.0,
            mul=config.multiplicity,
            layers=config.num_layers,
            lmax=config.max_degree,
            pool_nodes=False,
        )
        self.model = wrap(network, encoding, irreps_x)

    def forward(self, clouds: PointClouds, generator: torch.Generator | None = None) -> Float[Tensor, "N 3"]:
        x = _one_hot(clouds, self.kinds)
        data = {"pos": clouds.position, "x": x, "batch": clouds.batch, "z": _species(clouds)}
        return self.model(data, generator)


class PointPerceptron(nn.Module):
    """A perceptron over coordinates and species of all points of a cloud in their order, padded with zeros."""

    def __init__(self, config: Config, shapes: list[Shape]) -> None:
        super().__init__()
        self.kinds = _kinds(shapes)
        self.most = max(shape.start.num_points for shape in shapes)
        self.network = Perceptron(self.most * (3 + len(self.kinds)), self.most * 3, config.hidden_dim)

    def forward(self, clouds: PointClouds) -> Float[Tensor, "N 3"]:
        place = torch.arange(clouds.num_points) - clouds.start
        points = torch.cat([clouds.centered, _one_hot(clouds, self.kinds)], dim=1)
        padded = points.new_zeros(len(clouds), self.most, points.shape[1])
        padded = padded.index_put((clouds.batch, place), points)
        return self.network(padded.flatten(1)).view(len(clouds), self.most, 3)[clouds.batch, place]


class RelaxedShape(nn.Module):
    """Relaxed convolutions on the symmetries of one start; deterministic; each shape needs another network."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        symmetry = shape.symmetry
        permutation = permutation_representation(symmetry.permutations)
        both = torch.einsum("gab,gij->gaibj", permutation, symmetry.matrices.double())
        both = both.flatten(3, 4).flatten(1, 2)
        self.network = RelaxedNetwork(symmetry.group(), both, both, config.hidden_dim)

    def forward(self, clouds: PointClouds, generator: torch.Generator | None = None) -> Float[Tensor, "N 3"]:
        return self.network(clouds.centered.view(len(clouds), -1)).view(-1, 3)


def _species(clouds: PointClouds) -> Int[Tensor, "N"]:
    assert clouds.species is not None, "every shape names its atoms"
    return clouds.species


def _kinds(shapes: list[Shape]) -> list[int]:
    return sorted({kind for shape in shapes for kind in _species(shape.start).tolist()})


def _one_hot(clouds: PointClouds, kinds: list[int]) -> Float[Tensor, "N k"]:
    return (_species(clouds)[:, None] == torch.tensor(kinds)).to(clouds.dtype)


def _partial(config: Config, shape: Shape) -> nn.Module:
    """A learned vector that the symmetries of the target fix."""
    kernel = InversionKernel(Frames())
    group = OrthogonalGroup(3)
    g = kernel(shape.start, sequence_generator(config.seed, KEEP))
    kept = breaking.in_canonical_form(group, g, shape.kept).float()
    return SymPE(kernel, breaking.KeepSubgroup(IrrepsEncoding(config.irreps), group, kept))

"""What symmetry costs: errors that no equivariant network can avoid, and tests of equivariance."""

from sympe.auditing.bottleneck import AutoencoderFloor, autoencoder_floor
from sympe.auditing.equivariance import Equivariance, check_equivariance
from sympe.auditing.laws import EquivarianceInDistribution, check_equivariance_in_distribution
from sympe.auditing.layers import LayerError
from sympe.auditing.outputs import OutputSymmetry, output_symmetry
from sympe.auditing.randomness import ExcessRandomness, breadth_first_cost, excess_randomness

__all__ = [
    "AutoencoderFloor",
    "Equivariance",
    "EquivarianceInDistribution",
    "ExcessRandomness",
    "LayerError",
    "OutputSymmetry",
    "autoencoder_floor",
    "breadth_first_cost",
    "check_equivariance",
    "check_equivariance_in_distribution",
    "excess_randomness",
    "output_symmetry",
]

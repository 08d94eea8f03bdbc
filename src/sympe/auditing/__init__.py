"""What symmetry costs: errors that no equivariant network can avoid."""

from sympe.auditing.bottleneck import AutoencoderFloor, autoencoder_floor

__all__ = ["AutoencoderFloor", "autoencoder_floor"]

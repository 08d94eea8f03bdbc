"""What symmetry costs: errors that no equivariant network can avoid."""

from sympe.auditing.bottleneck import AutoencoderFloor, autoencoder_floor
from sympe.auditing.graph_symmetry import GraphSymmetry
from sympe.auditing.report import AuditReport, Summary
from sympe.auditing.run import audit
from sympe.auditing.stabilizers import Stabilizers, Symmetry
from sympe.auditing.targets import Errors, Target

__all__ = [
    "AuditReport",
    "AutoencoderFloor",
    "Errors",
    "GraphSymmetry",
    "Stabilizers",
    "Summary",
    "Symmetry",
    "Target",
    "audit",
    "autoencoder_floor",
]

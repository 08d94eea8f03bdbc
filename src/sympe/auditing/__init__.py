"""What symmetry costs: stabilizers, errors that no equivariant network can avoid, and the audit of a data set."""

from sympe.auditing.bottleneck import AutoencoderFloor, autoencoder_floor
from sympe.auditing.field_symmetry import FieldSymmetry
from sympe.auditing.finite_symmetry import FiniteSymmetry
from sympe.auditing.graph_symmetry import GraphSymmetry
from sympe.auditing.orbits import Automorphisms
from sympe.auditing.point_symmetry import PointSymmetry
from sympe.auditing.report import AuditReport, Summary
from sympe.auditing.run import audit
from sympe.auditing.stabilizers import Stabilizers, Symmetry
from sympe.auditing.targets import Errors, Target

__all__ = [
    "AuditReport",
    "AutoencoderFloor",
    "Automorphisms",
    "Errors",
    "FieldSymmetry",
    "FiniteSymmetry",
    "GraphSymmetry",
    "PointSymmetry",
    "Stabilizers",
    "Summary",
    "Symmetry",
    "Target",
    "audit",
    "autoencoder_floor",
]

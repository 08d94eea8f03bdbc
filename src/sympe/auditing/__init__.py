"""Audits of data sets, tests of equivariance, stabilizers, and errors that no equivariant network avoids."""

from sympe.auditing.alignment import Alignment, check_alignment
from sympe.auditing.architecture import View, view, views_of_sites
from sympe.auditing.equivariance.by_irrep import EquivarianceByIrrep, equivariance_by_irrep
from sympe.auditing.equivariance.laws import EquivarianceInDistribution, check_equivariance_in_distribution
from sympe.auditing.equivariance.layers import LayerError
from sympe.auditing.equivariance.maps import Equivariance, check_equivariance
from sympe.auditing.equivariance.outputs import OutputSymmetry, output_symmetry
from sympe.auditing.features import PUBLISHED, Architecture, audit_architecture
from sympe.auditing.randomness import ExcessRandomness, excess_of_model, excess_randomness
from sympe.auditing.report import AuditReport, Summary
from sympe.auditing.run import Execution, Options, audit
from sympe.auditing.symmetry.crystals import CrystalSymmetry
from sympe.auditing.symmetry.fields import FieldSymmetry
from sympe.auditing.symmetry.finite import FiniteSymmetry
from sympe.auditing.symmetry.graphs import GraphSymmetry
from sympe.auditing.symmetry.orbits import Automorphisms
from sympe.auditing.symmetry.points import PointSymmetry
from sympe.auditing.symmetry.stabilizers import Stabilizers, Symmetry
from sympe.auditing.targets import Errors, Target

__all__ = [
    "PUBLISHED",
    "Alignment",
    "Architecture",
    "AuditReport",
    "Automorphisms",
    "CrystalSymmetry",
    "Equivariance",
    "EquivarianceByIrrep",
    "EquivarianceInDistribution",
    "Errors",
    "ExcessRandomness",
    "Execution",
    "FieldSymmetry",
    "FiniteSymmetry",
    "GraphSymmetry",
    "LayerError",
    "Options",
    "OutputSymmetry",
    "PointSymmetry",
    "Stabilizers",
    "Summary",
    "Symmetry",
    "Target",
    "View",
    "audit",
    "audit_architecture",
    "check_alignment",
    "check_equivariance",
    "check_equivariance_in_distribution",
    "equivariance_by_irrep",
    "excess_of_model",
    "excess_randomness",
    "output_symmetry",
    "view",
    "views_of_sites",
]

"""Integer and linear programs as labeled graphs, their files, and their symmetry."""

from sympe.programs.files import read
from sympe.programs.program import Program, to_graphs
from sympe.programs.symmetry import ProgramSymmetry, symmetry_of

__all__ = ["Program", "ProgramSymmetry", "read", "symmetry_of", "to_graphs"]

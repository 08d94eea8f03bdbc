"""Integer and linear programs as labeled graphs, their files, and their symmetry."""

from sympe.programs.files import read
from sympe.programs.program import Program, to_graphs

__all__ = ["Program", "read", "to_graphs"]

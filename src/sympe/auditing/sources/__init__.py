"""Sources of samples for an audit."""

from sympe.auditing.sources.base import Kind, Source
from sympe.auditing.sources.files import open_path
from sympe.auditing.sources.memory import InMemory
from sympe.auditing.sources.pairs import Pairs

__all__ = ["InMemory", "Kind", "Pairs", "Source", "open_path"]

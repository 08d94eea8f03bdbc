"""Sources of samples for an audit."""

from sympe.auditing.sources.base import Kind, Source
from sympe.auditing.sources.files import open_path
from sympe.auditing.sources.memory import InMemory
from sympe.auditing.sources.pairs import Pairs, as_batch

__all__ = ["InMemory", "Kind", "Pairs", "Source", "as_batch", "open_path"]

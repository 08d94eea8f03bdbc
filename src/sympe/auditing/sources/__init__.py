"""Where the samples of an audit come from."""

from sympe.auditing.sources.base import Chunk, Kind, Reader, Source
from sympe.auditing.sources.files import DATA_SETS, open_path
from sympe.auditing.sources.memory import InMemory
from sympe.auditing.sources.pairs import Pairs

__all__ = ["DATA_SETS", "Chunk", "InMemory", "Kind", "Pairs", "Reader", "Source", "open_path"]

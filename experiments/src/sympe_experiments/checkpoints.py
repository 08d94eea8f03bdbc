"""Checkpoints that are whole or absent, and tell damage: the last 64 bytes are the SHA-256 of all before them.

They are the comment of the zip archive that PyTorch writes, which ``torch.load`` passes over.
"""

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor

from sympe.atomic import write_atomically
from sympe.compressed import content_of


class AtomicCheckpointIO(TorchCheckpointIO):
    """Checkpoints that are whole or absent, and hold nothing but tensors and plain values."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        # Through memory: torch.save reports a full disk as something else.
        buffer = BytesIO()
        torch.save(checkpoint, buffer)
        content = _signed(buffer.getvalue())
        write_atomically(Path(path), lambda file: file.write(content))

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = True) -> dict[str, Any]:
        try:
            content = content_of(Path(path))
            if not _is_whole(content):  # PyTorch does not compare checksums
                raise ValueError("a checksum is not as it should be")
            checkpoint = torch.load(BytesIO(content), map_location=map_location, weights_only=True)
            if "state_dict" not in checkpoint or not _is_finite(checkpoint):
                raise ValueError("expected a state_dict, and finite numbers")
            return checkpoint
        except OSError:
            raise
        except Exception as error:  # a damaged file may raise anything
            # What PyTorch has to say here is long, or advice that does not help.
            raise ValueError(f"{path} is no checkpoint of this program, or damaged; remove it to start anew") from error


def _signed(archive: bytes) -> bytes:
    """A zip archive with the SHA-256 of all that is before it as its comment, whose length ends the archive."""
    archive = archive[:-2] + (64).to_bytes(2, "little")
    return archive + hashlib.sha256(archive).hexdigest().encode()


def _is_whole(content: bytes) -> bool:
    """Whether the checksum is right; archives of earlier versions have those of their members alone."""
    end = content.rfind(b"PK\5\6") + 22
    if end == len(content):
        return ZipFile(BytesIO(content)).testzip() is None
    return hashlib.sha256(content[:end]).hexdigest().encode() == content[end:]


def _is_finite(held: Any) -> bool:
    """Whether all tensors in a checkpoint are finite, and none is more than what was stored."""
    if isinstance(held, Tensor):
        return held.nbytes <= held.untyped_storage().nbytes() and bool(held.isfinite().all())
    parts = held.values() if isinstance(held, dict) else held if isinstance(held, list | tuple) else ()
    return all(map(_is_finite, parts))

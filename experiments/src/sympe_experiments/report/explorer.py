"""A diagram over two couplings to point at: the page shows what was drawn there.

What was drawn lies in one picture, lattice beside lattice; the page shows a part of it.
"""

import base64
import io
from dataclasses import dataclass
from typing import Any

import matplotlib.image
import numpy as np
from numpy.typing import NDArray

from sympe.html import render

#: The program's version would make equal pictures differ.
_METADATA: dict[str, Any] = {"Software": None}


@dataclass(frozen=True)
class Diagram:
    """One run.

    Attributes:
        label: What to call it.
        points: Along each side of the diagram.
        size: Sites along each side of a lattice.
        image: The diagram, as the source of an image.
        draws: All lattices of one draw, side by side, as sources of images.
        phases: What order there is at each point, row by row from the top.
    """

    label: str
    points: int
    size: int
    image: str
    draws: tuple[str, ...]
    phases: tuple[str, ...]


@dataclass(frozen=True)
class Explorer:
    """Several runs to choose from."""

    diagrams: tuple[Diagram, ...]

    def html(self) -> str:
        """A fragment of HTML; its script is the page's."""
        return render("sympe_experiments.report", "explorer.html", diagrams=self.diagrams)


def png_source(image: NDArray[Any]) -> str:
    """An image of values from 0 to 1, gray [H, W] or in colors [H, W, 3], as a source to embed."""
    file = io.BytesIO()
    pixels = (255 * np.clip(image.astype(float), 0, 1)).round().astype(np.uint8)
    pixels = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
    matplotlib.image.imsave(file, pixels, format="png", metadata=_METADATA)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()

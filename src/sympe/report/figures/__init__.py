"""Figures made from records. Matplotlib's objects only, no global state; color-blind safe colors."""

from collections.abc import Callable, Sequence

from sympe.report import autoencoder
from sympe.report.figures.canvas import Picture
from sympe.report.figures.graph_autoencoder import autoencoder_pictures
from sympe.results import Record

#: The figures of each task; a task without an entry has none.
FIGURES: dict[str, Callable[[Sequence[Record]], list[Picture]]] = {autoencoder.TASK: autoencoder_pictures}

__all__ = ["FIGURES", "Picture", "autoencoder_pictures"]

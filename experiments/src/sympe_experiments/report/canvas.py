"""What all figures share: their look, log axes that survive zeros, and their bytes."""

import html
import io
import math
import re
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from sympe.html import readable
from sympe_experiments.report.palette import BLUE, BROWN, FAINT, INDIGO, INK, SOFT, WINE

_LOOK = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "xtick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.color": SOFT,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "svg.hashsalt": "sympe",
    "svg.fonttype": "none",
}

#: Inches at the top of a figure that hold its two lines of text.
HEAD = 0.62


@contextmanager
def house_style() -> Iterator[None]:
    """The look of all figures, whatever the user's own settings; needed while drawing and while saving."""
    with matplotlib.style.context(["default", _LOOK]):
        yield


@dataclass(frozen=True)
class Picture:
    """A figure and what it shows.

    Attributes:
        name: Its file, without suffix.
        alt: Text that describes it.
        figure: The figure itself.
    """

    name: str
    alt: str
    figure: Figure

    @property
    def head(self) -> list[str]:
        """The two lines above it: what it says, and what it was made of."""
        return [text.get_text().replace(r"\$", "$") for text in self.figure.texts if text.get_gid() == "head"]

    def png(self) -> bytes:
        """Its bytes at 150 dpi; equal figures give equal bytes."""
        file = io.BytesIO()
        with house_style():
            self.figure.savefig(file, format="png", dpi=150, metadata={"Software": None})
        return file.getvalue()

    def svg(self) -> str:
        """Without its head, transparent, with text as text; equal figures give equal text."""
        file = io.StringIO()
        heads = [text for text in self.figure.texts if text.get_gid() == "head"]
        width, height = self.figure.get_size_inches()
        box = Bbox.from_bounds(0, 0, width, height - HEAD * bool(heads))
        for text in heads:
            text.set_visible(False)
        with house_style():
            self.figure.savefig(
                file, format="svg", transparent=True, bbox_inches=box, metadata={"Date": None, "Creator": None}
            )
        for text in heads:
            text.set_visible(True)
        return _slim(file.getvalue(), self.name, self.alt)


def _slim(svg: str, name: str, alt: str) -> str:
    """An SVG that may stand in a page beside others: short numbers, ids that only it has, a text alternative."""
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    used = set(re.findall(r"#([\w-]+)[\")]", svg))
    svg = re.sub(r' id="([\w-]+)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg)
    svg = re.sub(r'(href="|url\()#', rf"\1#{name}-", svg)
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d+\.\d\d)\d+", r"\1", tag[0]), svg)
    svg = re.sub(r"\n\s*", "\n", svg)
    return svg.replace("<svg", f'<svg role="img" aria-label="{html.escape(readable(alt))}"', 1)


def themed(svg: str) -> str:
    """The same with the page's own ink and paper, light or dark."""
    for color, variable in _VARIABLES.items():
        svg = svg.replace(color, f"var(--{variable})")
    return svg


#: Colors that the page has other tones of in the dark.
_VARIABLES = {
    INK: "ink", SOFT: "soft", FAINT: "line", "#ffffff": "paper", BLUE: "blue", INDIGO: "indigo", WINE: "wine",
    BROWN: "brown",
}  # fmt: skip


def plain(text: str, width: int = 60) -> str:
    """A name as matplotlib will draw it letter by letter, shortened in the middle if it is long."""
    text = readable(text)
    if len(text) > width:
        text = f"{text[: width // 2]}...{text[-(width // 2) :]}"
    return text.replace("$", r"\$")


def wrapped(text: str, width: int) -> str:
    """A name over several lines."""
    return textwrap.fill(plain(text), width)


def write_head(figure: Figure, finding: str, context: str = "") -> None:
    """Write above a figure what it says, in bold, and what it was made of."""
    height = figure.get_figheight()
    size = min(11.5, 11.5 * 90 / len(finding))
    figure.text(0.012, 1 - 0.09 / height, finding, va="top", fontsize=size, fontweight="bold", gid="head")
    figure.text(0.012, 1 - 0.35 / height, context, va="top", color=SOFT, gid="head")


def new_figure(height: float, finding: str, context: str) -> tuple[Figure, Axes]:
    """A figure 9 inches wide with one pair of axes, below two lines of text.

    Args:
        height: Height in inches.
        finding: What the figure says.
        context: What it was made of.
    """
    layout = ConstrainedLayoutEngine(rect=(0, 0, 1, 1 - HEAD / height))
    figure = Figure(figsize=(9, height), layout=layout)
    write_head(figure, finding, context)
    return figure, figure.add_subplot()


@dataclass(frozen=True)
class LinearRange:
    """Limits of a linear axis that holds zero.

    Attributes:
        low: Lower limit.
        high: Upper limit.
    """

    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "LinearRange":
        """Limits that hold all values and zero, with some room."""
        held = [0.0, *values]
        room = 0.04 * (max(held) - min(held) or 1.0)
        return cls(min(held) - room, max(held) + room)

    def place(self, value: float) -> float:
        """Where to draw a value."""
        return value

    def apply(self, axes: Axes, which: str) -> None:
        """Limits and grid of the ``x`` or ``y`` axis."""
        axes.set_xlim(self.low, self.high) if which == "x" else axes.set_ylim(self.low, self.high)
        axes.grid(axis="x" if which == "x" else "y")


@dataclass(frozen=True)
class LogRange:
    """Limits of a logarithmic axis. Zeros are drawn at its lower end.

    Attributes:
        low: Lower limit.
        high: Upper limit.
    """

    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "LogRange":
        """Limits that hold all positive values, with room below for zeros if there are any."""
        values = list(values)
        positive = [value for value in values if value > 0]
        if not positive:
            return cls(1e-3, 1.0)
        low, high = min(positive) / 1.5, max(positive) * 1.5
        return cls(low / 3 if len(positive) < len(values) else low, high)

    def place(self, value: float) -> float:
        """Where to draw a value."""
        return value if value > 0 else self.low

    def apply(self, axes: Axes, which: str) -> None:
        """Scale, limits, ticks in plain decimals and grid of the ``x`` or ``y`` axis."""
        axis = axes.xaxis if which == "x" else axes.yaxis
        if which == "x":
            axes.set_xscale("log")
            axes.set_xlim(self.low, self.high)
        else:
            axes.set_yscale("log")
            axes.set_ylim(self.low, self.high)
        decades = math.log10(self.high / self.low)
        steps = (1.0, 2.0, 5.0) if decades <= 2 else (1.0, 3.0) if decades <= 4 else (1.0,)
        axis.set_major_locator(LogLocator(subs=steps, numticks=20))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
        axes.grid(axis="x" if which == "x" else "y")

"""The table of an experiment's methods: what each one is, and how reports show it."""

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from typing import TypeVar

from sympe_experiments.report.palette import BLUE, BROWN, GRAY, INDIGO, ORANGE, TEAL, VERMILION, WINE

#: What a method is in a comparison: name, color and mark.
ROLES = {
    "ours": ("SymPE", BLUE, "o"),
    "control": ("control", VERMILION, "s"),
    "other": ("another method", ORANGE, "^"),
    "none": ("no symmetry breaking", GRAY, "v"),
}


@dataclass(frozen=True)
class ShownMethod:
    """What reports know of a method; experiments add what the method does.

    Attributes:
        label: What to call it.
        controls: Its matched controls, by name: what verdicts hold it against.
        poster: The figure that the poster of the paper gives for it.
        color: Its color in figures; by default one that depends on its name.
    """

    label: str
    _: KW_ONLY
    controls: tuple[str, ...] = ()
    poster: float | None = None
    color: str = ""


M = TypeVar("M", bound=ShownMethod)


class Methods(dict[str, M]):
    """Methods by name, in the order of rows. Records may name others: they follow, under their own names."""

    def label(self, name: str) -> str:
        """What to call a method."""
        return self[name].label if name in self else name

    def short_label(self, name: str) -> str:
        """The same where it is clear that a control is one."""
        return self.label(name).removesuffix(" (control)")

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Methods in the order of rows."""
        places = {name: place for place, name in enumerate(self)}
        return sorted(names, key=lambda name: (places.get(name, len(places)), name))

    def controls(self, name: str) -> tuple[str, ...]:
        """The matched controls of a method."""
        return self[name].controls if name in self else ()

    def poster(self, name: str) -> float | None:
        """The poster's figure for a method."""
        return self[name].poster if name in self else None

    def role(self, name: str) -> str:
        """What a method is in a comparison; a key of :data:`ROLES`."""
        if "(control" in self.label(name):
            return "control"
        return "none" if name == "none" else "ours" if "sympe" in name or "SymPE" in self.label(name) else "other"

    def color(self, name: str) -> str:
        """The color of a method."""
        if name in self and self[name].color:
            return self[name].color
        others = (INDIGO, TEAL, WINE, BROWN)
        return others[sum(name.encode("utf-8", "replace")) % len(others)]

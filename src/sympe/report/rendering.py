"""HTML from the templates of this package; everything put into them is made readable and escaped."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def readable(text: str) -> str:
    """The text with every character that cannot be shown (control codes, lone surrogates) spelled out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _finalize(value: Any) -> Any:
    return readable(value) if type(value) is str else value


_TEMPLATES = Environment(
    loader=PackageLoader("sympe.report"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_finalize,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values: Any) -> Markup:
    """Fill a template of ``sympe/report/templates``."""
    return Markup(_TEMPLATES.get_template(template).render(**values))

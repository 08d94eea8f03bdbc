"""HTML from templates. Every value is made readable and escaped."""

from functools import cache
from typing import Any

from sympe.extras import require


def readable(text: str) -> str:
    """The text with unprintable characters (control codes, lone surrogates) as escape sequences."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def render(package: str, template: str, **values: Any) -> str:
    """Render a template from the folder ``templates`` of a package, which may include those of ``sympe`` itself.

    Raises:
        ImportError: If Jinja is not installed.
    """
    return str(_environment(package).get_template(template).render(**values))


@cache
def _environment(package: str) -> Any:
    jinja2 = require("jinja2", "html", "HTML pages")
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package), jinja2.PackageLoader("sympe")]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: readable(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )

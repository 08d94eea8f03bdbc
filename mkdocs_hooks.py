r"""What the site needs beyond mkdocs: pages that are made, links out of ``docs/``, formulas, and a check.

- The API, one page per room of the library, and the examples with their outputs are made from the source.
- A link such as ``../examples/pyg_leader.py`` is written for the repository page. Here it leads to the page that is
  made from the file, or to the repository if there is none.
- Formulas become MathML, which browsers set themselves.
- A page that would load anything from another server ends the build.
"""

import ast
import html
import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent
PROJECT = {"CONTRIBUTING.md": "project/contributing.md", "CHANGELOG.md": "project/changelog.md"} | {
    "SECURITY.md": "project/security.md"
}
BRIDGES = ("pyg", "e3nn", "ase", "hub")


def rooms() -> list[str]:
    """The rooms of the library that ``import sympe`` names, and the integrations."""
    text = (ROOT / "src/sympe/__init__.py").read_text()
    found = re.search(r"^_MODULES = (\(.*?\))$", text, re.MULTILINE | re.DOTALL)
    assert found
    return [*ast.literal_eval(found[1]), "integrations"]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the pages that are made to the navigation."""
    assert config.nav is not None
    config.nav.insert(3, {"Examples": [f"examples/{path.stem}.md" for path in notebooks()]})
    config.nav.insert(5, {"API": ["api/sympe.md", *(f"api/{room}.md" for room in rooms())]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Make the pages that are not in ``docs/``."""
    made = dict(api_pages())
    made |= {f"examples/{path.stem}.md": example_page(path) for path in notebooks()}
    made |= {to: (ROOT / name).read_text() for name, to in PROJECT.items()}
    for place, content in made.items():
        files.append(File.generated(config, place, content=content))
    for path in (ROOT / "examples").glob("*.*"):
        files.append(File.generated(config, f"examples/{path.name}", abs_src_path=str(path)))
    return files


# --- pages that are made


def api_pages() -> Iterator[tuple[str, str]]:
    yield "api/sympe.md", "# sympe\n\n::: sympe\n"
    for room in rooms():
        title = f"# sympe.{room}\n\n::: sympe.{room}\n"
        bridges = "".join(f"\n## sympe.integrations.{name}\n\n::: sympe.integrations.{name}\n" for name in BRIDGES)
        yield f"api/{room}.md", title + (bridges if room == "integrations" else conventions(room))


def conventions(room: str) -> str:
    """The docstrings of a room's modules that say more than one paragraph."""
    parts = []
    for path in sorted((ROOT / "src/sympe" / room).rglob("*.py")):
        text = ast.get_docstring(ast.parse(path.read_text())) or ""
        if path.stem[0] != "_" and "\n\n" in text:
            name = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
            parts.append(f"### {name}\n\n::: {name}\n    options: {{ members: false }}\n")
    return "\n".join(["\n## Theory and conventions\n", *parts]) if parts else ""


def notebooks() -> list[Path]:
    return sorted((ROOT / "examples").glob("*.ipynb"))


def example_page(path: Path) -> str:
    """A notebook as a page: texts, code and what the code printed."""
    parts = []
    for cell in json.loads(path.read_text())["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        for output in cell.get("outputs", []):
            parts.append("```text\n" + "".join(output["text"]).rstrip() + "\n```")
    files = f"The same as a [script]({path.stem}.py) and as a [notebook]({path.name})."
    return "\n\n".join([*parts, files, ""])


# --- links


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between files of the repository into links between pages."""
    if page.file.src_uri.startswith(("start/", "examples/")):
        page.meta["hide"] = ["toc"]  # pages of one screen
    here = next((name for name, to in PROJECT.items() if to == page.file.src_uri), f"docs/{page.file.src_uri}")
    if page.file.src_uri.startswith(("api/", "examples/")):
        return markdown

    def moved(link: re.Match[str]) -> str:
        target, _, anchor = link[1].partition("#")
        if not target or re.match(r"\w+:", target):
            return link[0]
        place = posixpath.normpath(posixpath.join(posixpath.dirname(here), target))
        site = page_of(place)
        if site is None:
            return f"]({config.extra['repository']}/blob/main/{place})"
        to = posixpath.relpath(site, posixpath.dirname(page.file.src_uri) or ".")
        return f"]({to}{'#' if anchor else ''}{anchor})"

    code = re.compile(r"(^```.*?^```$|`[^`\n]*`)", re.MULTILINE | re.DOTALL)
    parts = code.split(markdown)
    return "".join(part if i % 2 else re.sub(r"\]\(([^)\s]+)\)", moved, part) for i, part in enumerate(parts))


def page_of(place: str) -> str | None:
    """The page, or file of the site, that stands for a file of the repository."""
    if place.startswith("docs/"):
        return place.removeprefix("docs/")
    if place in PROJECT or place == "README.md":
        return PROJECT.get(place, "index.md")
    if place.startswith("examples/"):
        return re.sub(r"\.(py|ipynb)$", ".md", place)
    if found := re.match(r"src/sympe/(\w+)", place):
        return f"api/{found[1]}.md" if found[1] in rooms() else "api/sympe.md"
    return None


# --- formulas


def on_page_content(content: str, **_: Any) -> str:
    """Set the formulas that arithmatex marked."""
    inline = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
    block = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)
    content = inline.sub(lambda found: mathml(found[1], "inline"), content)
    return block.sub(lambda found: mathml(found[1], "block"), content)


def mathml(formula: str, display: str) -> str:
    tex = html.unescape(formula).strip().replace(r"\mathrm{", r"\text{").replace(r"\operatorname{", r"\text{")
    accented = convert(tex, display=display).replace("<mover><mi>", '<mover accent="true"><mi>')
    if "\\" in accented:
        raise PluginError(f"a formula that latex2mathml does not know: {tex}")
    return accented


class FromSphinx(griffe.Extension):
    """Docstrings use the roles of Sphinx for formulas and references: make them Markdown."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        todo: list[Any] = [pkg]
        while todo:
            obj = todo.pop()
            todo += [member for member in obj.members.values() if not member.is_alias]
            if obj.docstring:
                obj.docstring.value = markdown_of(obj.docstring.value, obj)


def markdown_of(text: str, obj: Any) -> str:
    text = re.sub(r":math:`([^`]*)`", r"$\1$", text)
    text = re.sub(r"^( *)\.\. math:: (.*?)(?=\n\s*\n|\Z)", display, text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^( *)Example:$", r"\1Examples:", text, flags=re.MULTILINE)
    return re.sub(r":(?:class|func|meth|mod|data|attr):`(~?)([^`]*)`", lambda found: reference(found, obj), text)


def display(found: re.Match[str]) -> str:
    formula = " ".join(found[2].split())
    return f"{found[1]}$$\n{found[1]}{formula}\n{found[1]}$$"


def reference(found: re.Match[str], obj: Any) -> str:
    name = found[2]
    shown = name.rpartition(".")[2] if found[1] else name
    try:
        path = name if name.startswith("sympe") else obj.resolve(name)
    except griffe.NameResolutionError:
        path = name
    return f'<autoref identifier="{path}" optional><code>{shown}</code></autoref>'


# --- no request leaves a page


LOADS = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*\b(?:src|srcset|data)=\"?(?:https?:)?//[^>]*"
    r"|<link\b(?=[^>]*rel=\"?(?:stylesheet|preload|prefetch|preconnect|dns-prefetch|icon|manifest|modulepreload))"
    r"[^>]*href=\"?(?:https?:)?//[^>]*"
    r"|url\(\s*[\"']?(?:https?:)?//[^)]*|@import\s+[\"'](?:https?:)?//[^\"']*"
)


def loads(text: str) -> list[str]:
    """What a page or style sheet loads from another server."""
    return [found[0] for found in LOADS.finditer(text)]


def on_post_build(config: MkDocsConfig) -> None:
    for path in Path(config.site_dir).rglob("*"):
        if path.suffix in (".html", ".css") and (found := loads(path.read_text())):
            raise PluginError(f"{path} would load {found[0][:200]}")

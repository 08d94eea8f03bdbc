"""What ``mkdocs_hooks.py`` adds to the site; ``make docs`` itself is strict about links and requests."""

import functools
import importlib.util
import re
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import sympe
import sympe_experiments

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    for package in ("mkdocs", "griffe", "latex2mathml"):
        pytest.importorskip(package, reason="needs the extra docs")
    spec = importlib.util.spec_from_file_location("mkdocs_hooks", ROOT / "mkdocs_hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("load", [
    '<script src="https://example.com/a.js"></script>',
    "<script async src=//example.com/a.js></script>",
    '<link href="https://fonts.example.com/css" rel="stylesheet">',
    '<link rel="preconnect" href="https://example.com">',
    '<img alt="a" src="http://example.com/a.png">',
    "a { background: url('https://example.com/a.png') }",
    '@import "//example.com/a.css";',
])  # fmt: skip
def test_requests_are_found(load: str, hooks: ModuleType) -> None:
    assert len(hooks.loads(f"<p>text</p>{load}<p>text</p>")) == 1


def test_links_and_own_files_are_no_requests(hooks: ModuleType) -> None:
    page = (
        '<a href="https://example.com">there</a> <img src="images/a.png"> <link rel="canonical" href="https://a.b/c">'
    )
    assert hooks.loads(page + "a { background: url(data:image/png;base64,AA) }") == []


def test_formulas_are_set_or_refused(hooks: ModuleType) -> None:
    page = '<p><span class="arithmatex">\\(\\tilde g \\lt \\mathrm{Stab}(x)\\)</span></p>'
    made = hooks.on_page_content(page)
    assert re.fullmatch(r"<p><math .*</math></p>", made)
    assert 'accent="true"' in made
    assert ">Stab<" in made
    assert "\\" not in made
    with pytest.raises(Exception, match="does not know"):
        hooks.mathml(r"\nosuchcommand x", "inline")


def test_roles_of_sphinx_become_markdown(hooks: ModuleType) -> None:
    import griffe

    module = griffe.visit("m", filepath=Path("m.py"), code='class A:\n    """See :class:`B`."""\n\nclass B: pass\n')
    text = "A :math:`\\tau` of :class:`~sympe.graphs.Graphs`.\n\n.. math:: x\n    = y\n\nExample:\n    >>> 1\n"
    made = hooks.markdown_of(text, module)
    assert "A $\\tau$ of <autoref" in made
    assert "<code>Graphs</code>" in made
    assert "$$\nx = y\n$$" in made
    assert "Examples:\n" in made
    assert 'identifier="m.B"' in hooks.markdown_of(module["A"].docstring.value, module["A"])


@pytest.mark.parametrize(("place", "page"), [
    ("docs/start/pyg.md", "start/pyg.md"),
    ("examples/pyg_leader.py", "examples/pyg_leader.md"),
    ("src/sympe/graphs/bliss.py", "api/graphs.md"),
    ("src/sympe/kernel.py", "api/sympe.md"),
    ("CHANGELOG.md", "project/changelog.md"),
    ("results/compare", None),
])  # fmt: skip
def test_links_lead_to_pages(place: str, page: str | None, hooks: ModuleType) -> None:
    assert (ROOT / place).exists()
    assert hooks.page_of(place) == page


@pytest.fixture(scope="module")
def site(hooks: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pages with the settings of the site."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config
    from mkdocs.utils.yaml import yaml_load

    docs, out = (tmp_path_factory.mktemp(name) for name in ("docs", "site"))
    (docs / "index.md").write_text("# Home\n\nA ring.\n")
    (docs / "herd.md").write_text("# Herd\n\nEvery zebra has its stripes.\n")
    for name in ("site.css", "iframe-worker.js"):
        shutil.copy(ROOT / "docs" / name, docs)
    with (ROOT / "mkdocs.yml").open() as file:
        plugins = [plugin for plugin in yaml_load(file)["plugins"] if "mkdocstrings" not in plugin]
    own = {"docs_dir": str(docs), "site_dir": str(out), "nav": None, "hooks": [], "plugins": plugins}
    config = load_config(str(ROOT / "mkdocs.yml"), **own)
    build(config)
    assert [path.name for path in out.rglob("*.html") if hooks.loads(path.read_text())] == []
    return out


@pytest.mark.parametrize("served", [False, True])
def test_search_finds_a_word_from_disk_and_served(served: bool, site: Path, browser: Any) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}" if served else site.as_uri()
        page, said, asked = browser.new_page(), [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{base}/index.html")
        page.keyboard.press("/")
        page.keyboard.type("zebra", delay=20)
        found = page.locator(".md-search-result__item a").first
        found.wait_for(timeout=60_000)
        assert found.get_attribute("href").startswith(f"{base}/herd.html")
        server.shutdown()
    assert said == []
    assert [url for url in asked if not url.startswith((base, "data:", "blob:"))] == []


def test_versions_agree() -> None:
    recipe, citation = (ROOT / "conda" / "recipe.yaml").read_text(), (ROOT / "CITATION.cff").read_text()
    assert sympe_experiments.__version__ == sympe.__version__
    assert f'version: "{sympe.__version__}"\n' in recipe
    assert f"\nversion: {sympe.__version__}\n" in citation


def test_the_recipe_for_conda_is_that_of_the_package() -> None:
    import tomllib

    names = {"torch": "pytorch", "igraph": "python-igraph"}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = settings["project"]
    recipe = (ROOT / "conda" / "recipe.yaml").read_text()
    host, run = recipe[recipe.index("  host:") : recipe.index("\ntests:")].split("  run:\n")
    for section, needed in ((host, settings["build-system"]["requires"]), (run, project["dependencies"])):
        pairs = (one.split(">=") for one in needed)
        wanted = {f"- {names.get(name, name)} >={least}" for name, least in pairs}
        found = {line.strip() for line in section.splitlines() if ">=" in line}
        assert found - {"- python >=${{ python_min }}"} == wanted
    assert project["requires-python"] == ">=3.11"
    assert 'python_min: "3.11"\n' in recipe
    assert [f"{name} = {place}" in recipe for name, place in project["scripts"].items()] == [True]
    assert f"license: {project['license']}\n" in recipe

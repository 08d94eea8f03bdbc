"""The documentation: its Python runs and prints what it says, and its links lead somewhere.

The blocks of a page marked ``python`` are run in order, in one namespace, in an empty folder. A comment after a
``print`` says what it prints; a call in a loop has one comment for each time.
"""

import importlib.util
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from sympe_experiments.autoencoder.config import METHODS, RECIPES
from sympe_experiments.catalog import tables_of
from sympe_experiments.records import read_records
from sympe_experiments.report.choosing import table as choosing_table
from sympe_experiments.report.table import Table

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


def of_repository(page: Path) -> str:
    return str(page.relative_to(ROOT))


LANGUAGES = {"python", "console", "text", "bibtex"}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the line on which its code begins, and the code."""

    language: str
    line: int
    code: str

    @property
    def promised(self) -> list[str]:
        """What the comments say that the block prints."""
        # A long call is closed on a separate line.
        printing = (
            line.split("  # ") for line in self.code.splitlines() if line.lstrip().startswith(("print(", ")  # "))
        )
        return [promise for _, *promises in printing for promise in promises]


def blocks(text: str) -> Iterator[Block]:
    for fence in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield Block(fence[1], text.count("\n", 0, fence.start(2)) + 1, fence[2])


def run_page(page: Path) -> None:
    """Run the Python of a page.

    Raises:
        AssertionError: If it prints something else than it says.
    """
    namespace: dict[str, Any] = {"__name__": page.stem}
    for block in blocks(page.read_text()):
        if block.language != "python":
            continue
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile("\n" * (block.line - 1) + block.code, str(page), "exec"), namespace)
        assert printed.getvalue().splitlines() == block.promised, f"{page.name}, block at line {block.line}"


def prose(text: str) -> str:
    """The text without its blocks of code and its inline code."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(text: str) -> set[str]:
    """What can stand after ``#`` in a link to the text, by GitHub's rule."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    """Relative links of a page that lead to no file, or to no heading of one."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text())):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=of_repository)
def test_python_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "torch_geometric" in page.read_text() and importlib.util.find_spec("torch_geometric") is None:
        pytest.skip("needs PyG")
    monkeypatch.chdir(tmp_path)
    run_page(page)


@pytest.mark.parametrize("page", PAGES, ids=of_repository)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page) == []


@pytest.mark.parametrize("page", PAGES, ids=of_repository)
def test_blocks_name_their_language(page: Path) -> None:
    assert {block.language for block in blocks(page.read_text())} <= LANGUAGES


@pytest.mark.parametrize("page", PAGES, ids=of_repository)
def test_math_survives_markdown(page: Path) -> None:
    """Markdown takes a backslash before punctuation for its own: ``\\{`` becomes ``{`` before the formula is set."""
    formulas = re.findall(r"\$\$?[^$]+\$\$?", prose(page.read_text()))
    assert [formula for formula in formulas if re.search(r"\\[^a-zA-Z\s]", formula)] == []


def test_every_method_and_recipe_is_explained() -> None:
    page = (ROOT / "docs" / "graph-autoencoder.md").read_text()
    assert [name for name in [*METHODS, *RECIPES] if f"`{name}`" not in page] == []


def test_a_wrong_promise_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 2\n```\n\nText.\n\n```python\nfor i in range(x):\n    print(i)  # 0  # 2\n```\n")
    with pytest.raises(AssertionError, match=r"page.md, block at line 8"):
        run_page(page)


def test_an_error_names_the_line_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n```python\nx = 1\nx = 1 / 0\n```\n")
    with pytest.raises(ZeroDivisionError) as caught:
        run_page(page)
    assert caught.traceback[-1].lineno + 1 == 5


def test_broken_links_are_found(tmp_path: Path) -> None:
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    other.write_text("# A heading, with: marks\n")
    page.write_text(
        "[here](other.md), [there](other.md#a-heading-with-marks), [the\nweb](https://example.org), `[code](no.md)`\n"
        "[gone](missing.md), [moved](other.md#elsewhere), ![picture](images/none.png)\n"
    )
    assert broken_links(page) == ["missing.md", "other.md#elsewhere", "images/none.png"]


def test_results_are_those_of_the_records() -> None:
    """``sympe table results --markdown > docs/results.md`` writes the page."""
    page = (ROOT / "docs" / "results.md").read_text()
    tables = "\n".join(table.markdown() for table in tables_of(read_records(ROOT / "results")))
    assert page == tables


@pytest.mark.parametrize(
    ("experiment", "name"),
    [
        ("independent-set", "examples"),
        ("coloring", "examples"),
        ("shapes", "examples"),
        ("distortions", "crystals"),
        ("programs", "programs"),
        ("assignment", "sets"),
    ],
)
def test_tables_of_the_small_experiments_are_those_of_the_records(experiment: str, name: str) -> None:
    """``sympe table results/compare --markdown``, each table between its marks."""
    tables = tables_of([r for r in read_records(ROOT / "results" / "compare") if r.experiment == experiment])
    marks = (experiment, f"{experiment}, further", f"{experiment}, by kind")
    for table, mark in zip(tables, marks, strict=False):
        assert_shown(table, ROOT / "docs" / f"{name}.md", mark)
    if experiment == "programs":
        assert_shown(tables[3], ROOT / "docs" / "choosing.md", "comparable ranks")


def test_the_table_of_all_tasks_is_that_of_the_records() -> None:
    """``python -m sympe_experiments.report.choosing results``."""
    assert_shown(choosing_table(read_records(ROOT / "results")), ROOT / "docs" / "choosing.md", "all tasks")


def assert_shown(table: Table, path: Path, mark: str) -> None:
    """That a page shows a table between its marks, without the title."""
    page = path.read_text()
    shown = page[page.index(f"<!-- {mark} -->") : page.index(f"<!-- end of {mark} -->")].split("\n", 1)[1]
    assert shown.strip() == table.markdown().split("\n", 1)[1].strip()

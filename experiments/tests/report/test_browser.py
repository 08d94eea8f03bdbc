"""The pages in a real browser, if there is one: no error, no request, and what is pointed at or sorted answers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import sympe
from sympe.auditing.page import write_audit
from sympe_experiments.ising.figures import exact_order
from sympe_experiments.page import write_report
from sympe_experiments.records import Record, read_record


class Opened:
    """A page, with what it said and asked for."""

    def __init__(self, browser: Any, path: Path, **how: Any) -> None:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **how})
        self.page = context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        self.asked = [url for url in self.asked if not url.startswith("data:") and url != path.as_uri()]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    spins = np.zeros((2, 4, 4, 8, 8), np.int8)
    spins[:, 3, 1] = 1
    arrays = {"order": exact_order(4), "gap": np.zeros((4, 4)), "spins": spins}
    records = []
    for method, exact in (("sympe-template", 99.5), ("gcnn", 24.0), ("haar", 100.0)):
        metrics = {"exact_percent_in": exact, "exact_percent_out": exact}
        config = {"method": method, "size": 10}
        record = Record("ising", method, "fast", "nearest", 0, config, metrics, 60.0, environment={})
        records.append(read_record(record.write(folder / method, arrays if method == "sympe-template" else {})))
    return write_report(records, folder / "page")


@pytest.fixture(scope="module")
def audit_pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("audit")
    graphs = sympe.graphs.from_edges([(5, [(i, (i + 1) % 5) for i in range(5)]), (4, [(0, 1), (1, 2)]), (1, [])])
    stripes = torch.arange(6).remainder(2).repeat(6, 1)[None, None]
    write_audit(sympe.audit(graphs), "three graphs", folder / "graphs.html", "sympe audit graphs.g6")
    write_audit(sympe.audit(stripes, group="torus"), "stripes", folder / "fields.html", "sympe audit fields.npz")
    return sorted(folder.iterdir())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_pages_ask_for_nothing_say_nothing_and_fit(
    browser: Any, report: Path, audit_pages: list[Path], scheme: str, width: int
) -> None:
    for path in (report, *audit_pages):
        opened = Opened(browser, path, color_scheme=scheme, viewport={"width": width, "height": 700})
        assert (opened.said, opened.asked) == ([], [])
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        paper = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(21, 24, 28)")


def test_every_picture_has_a_text(browser: Any, report: Path, audit_pages: list[Path]) -> None:
    for path in (report, *audit_pages):
        page = Opened(browser, path).page
        drawn = page.locator("figure svg:not([aria-hidden])")
        assert drawn.count() >= 1
        assert all(len(svg.get_attribute("aria-label")) > 20 for svg in drawn.all())


def test_pointing_shows_what_is_drawn_there(browser: Any, report: Path) -> None:
    opened = Opened(browser, report, has_touch=True)
    page = opened.page
    plane, answer, spins = page.locator(".plane"), page.locator("output"), page.locator(".spins").first
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.1 * box["height"])
    assert answer.inner_text() == "Jx = -0.250, Jy = 0.750: stripes in columns"
    # The second lattice of four across, the first down; all its spins are up, and so the part that is seen is white.
    assert spins.evaluate("e => e.style.backgroundPosition") == "33.3333% 0%"
    page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + 0.9 * box["height"])
    assert answer.inner_text() == "Jx = 0.750, Jy = -0.750: stripes in rows"
    plane.focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "ArrowUp", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    assert answer.inner_text() == "Jx = -0.250, Jy = 0.750: stripes in columns"
    assert opened.said == []


def test_clicking_and_pressing_a_header_sorts(browser: Any, report: Path) -> None:
    page = Opened(browser, report).page
    table = page.locator("section[id] table").first
    method, exact = table.locator("th button").all()[:2]

    def shown(place: int) -> list[str]:
        found: list[str] = table.locator(f"tbody td:nth-child({place})").all_inner_texts()
        return found

    assert shown(2) == ["24.00", "100.00", "99.50"]
    exact.click()
    assert shown(2) == ["24.00", "99.50", "100.00"]
    assert table.locator("th").all()[1].get_attribute("aria-sort") == "ascending"
    exact.click()
    assert shown(2) == ["100.00", "99.50", "24.00"]
    method.focus()
    page.keyboard.press("Enter")
    assert shown(1) == sorted(shown(1), key=str.lower)
    assert table.locator("th").all()[1].get_attribute("aria-sort") is None

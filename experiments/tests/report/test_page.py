import json
import random
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sympe_experiments.autoencoder.figures import pictures
from sympe_experiments.catalog import EXPERIMENTS
from sympe_experiments.commands.report import Command
from sympe_experiments.page import write_report
from sympe_experiments.records import read_records
from sympe_experiments.report.canvas import themed

VOID = {"meta", "img", "br", "link"}


class Checker(HTMLParser):
    """Checks that tags are balanced and collects what a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "srcset") or tag == "link"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check(page: Path) -> Checker:
    checker = Checker()
    text = page.read_text(encoding="utf-8")
    checker.feed(text)
    assert checker.open == []
    assert all(source.startswith(("data:", "icon")) for source in checker.fetched)
    assert all(source.startswith(("data:", "#")) for source in re.findall(r"url\(([^)]*)", text))
    assert "@import" not in text
    return checker


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_report_is_whole(make, floor, tmp_path) -> None:
    records = [make(m, e + s / 10, s) for m, e in (("none", 3.0), ("haar", 1.0), ("sympe-sort", 0.5)) for s in range(3)]
    page = write_report([*records, floor], tmp_path / "report")
    assert page == tmp_path / "report" / "report.html"
    names = sorted(contents(page.parent))
    assert names == [
        ".sympe",
        "figures/graph-autoencoder-1-best-of-k.svg",
        "figures/graph-autoencoder-1-error.svg",
        "figures/graph-autoencoder-1-learning.svg",
        "report.html",
        "table.json",
        "table.md",
    ]
    check(page)
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == 3
    for expected in ("0.600 ± 0.100", "beats", "0.750 %", "Imaginary CPU", "0123456789ab", "All runs"):
        assert expected in text
    found = text[text.index("What was found") : text.index("details</h2>")]
    assert "SymPE: sort by a learned scalar: 0.600 ± 0.100 % wrong node pairs. It beats Haar measure" in found
    assert "No encoder that keeps the symmetry gets below 0.750 %." in found
    tables = json.loads((page.parent / "table.json").read_text())["tables"]
    assert [row["error_percent"] for row in tables[0]["blocks"][0]["rows"]] == pytest.approx([3.1, 1.1, 0.6])
    assert tables[1]["blocks"][0]["rows"][0]["verdict"] == "beats"
    assert "| SymPE: sort by a learned scalar | 0.77 | 0.600 ± 0.100 |" in (page.parent / "table.md").read_text("utf-8")


def test_the_same_records_give_the_same_files(make, floor, tmp_path) -> None:
    records = [
        make(m, 1.0 + s, s, config={"epochs": e}, history={}) for m in ("none", "odd") for s in range(2) for e in (8, 9)
    ]
    records.append(floor)
    write_report(records, tmp_path / "a")
    random.Random(1).shuffle(records)
    write_report(iter(records), tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_names_are_escaped(make, tmp_path) -> None:
    page = write_report([make(data="<script>alert(1)</script>", method='"><img src=http://x>')], tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    check(page)
    assert text.count("<script") == 1
    assert "<img" not in text


def test_reports_survive_awkward_records(awkward, tmp_path) -> None:
    for name, records in awkward.items():
        folder = tmp_path / re.sub(r"\W", "-", name)
        check(write_report(records, folder))
        assert json.loads((folder / "table.json").read_text())["tables"], name
        for picture in folder.glob("figures/*.svg"):
            _, _, width, height = map(float, ElementTree.fromstring(picture.read_text()).attrib["viewBox"].split())
            assert width == 648, name
            assert 100 < height < 700, name


def test_all_tasks_share_a_page(make, tmp_path) -> None:
    page = write_report([make(), make(experiment="knitting", metrics={"stitches": 3})], tmp_path)
    text = page.read_text(encoding="utf-8")
    assert text.index("<h3>Graph autoencoder</h3>") < text.index("<h3>knitting</h3>")
    assert "stitches" in text


def test_written_records_make_a_report(make, tmp_path) -> None:
    make().write(tmp_path / "runs" / "a")
    make(seed=1).write(tmp_path / "runs" / "b")
    assert write_report(read_records(tmp_path / "runs"), tmp_path / "report").exists()


def test_no_records_are_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="at least one record of a run; got none"):
        write_report([], tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_it_is_said_what_is_drawn(make, tmp_path) -> None:
    told: list[str] = []
    write_report([make(), make(experiment="knitting")], tmp_path, told.append)
    assert told == ["report: 1 of 2, graph-autoencoder: 1 runs", "report: 2 of 2, knitting: 1 runs"]


def test_figures_take_the_colors_of_the_page_and_keep_their_numbers(make) -> None:
    (picture, *_) = pictures([make("sympe-sort", 0.51239), make("none", 3.14159)])
    svg = picture.svg()
    assert "0.512" in svg
    assert "3.142" in svg
    assert 'role="img" aria-label="Wrong node pairs by method.' in svg
    assert "#24292f" in svg
    assert "var(--ink)" in themed(svg)
    assert "#24292f" not in themed(svg)
    assert picture.head[0] == "Fewest wrong node pairs with SymPE: sort by a learned scalar"


def test_the_command_writes_the_report(make, tmp_path, capsys, monkeypatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    make().write(tmp_path / "runs" / "a")
    Command(tmp_path / "runs", out=tmp_path / "report", open=True)()
    said = capsys.readouterr()
    assert said.out.strip() == str(tmp_path / "report" / "report.html")
    assert "graph-autoencoder: 1 runs" in said.err
    assert opened == [(tmp_path / "report" / "report.html").as_uri()]
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match="no records of runs below"):
        Command(tmp_path / "none")()


@pytest.mark.parametrize("entry", EXPERIMENTS.values(), ids=lambda entry: entry.name)
def test_every_experiment_says_what_it_asks_and_has_figures_and_findings(entry) -> None:
    assert entry.question.endswith("?")
    assert (entry.pictures([]), entry.findings([]), entry.explorer([])) == ([], [], None)

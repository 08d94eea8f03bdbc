import json
import random
import re
import struct
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sympe_experiments.page import write_report
from sympe_experiments.records import read_records

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
    assert all(source.startswith("data:image/png;base64,") for source in checker.fetched)
    assert "url(" not in text
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
        "figures/graph-autoencoder-1-best-of-k.png",
        "figures/graph-autoencoder-1-error.png",
        "figures/graph-autoencoder-1-learning.png",
        "report.html",
        "table.json",
        "table.md",
    ]
    assert len(check(page).fetched) == 3
    text = page.read_text(encoding="utf-8")
    for expected in ("0.600 ± 0.100", "beats", "0.750 %", "Imaginary CPU", "0123456789ab", "All runs"):
        assert expected in text
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
    assert "script" not in check(page).tags


def test_reports_survive_awkward_records(awkward, tmp_path) -> None:
    for name, records in awkward.items():
        folder = tmp_path / re.sub(r"\W", "-", name)
        check(write_report(records, folder))
        assert json.loads((folder / "table.json").read_text())["tables"], name
        for picture in folder.glob("figures/*.png"):
            width, height = struct.unpack(">II", picture.read_bytes()[16:24])
            assert width == 1350, name
            assert 300 < height < 1500, name


def test_all_tasks_share_a_page(make, tmp_path) -> None:
    page = write_report([make(), make(experiment="knitting", metrics={"stitches": 3})], tmp_path)
    text = page.read_text(encoding="utf-8")
    assert text.index("<h2>Graph autoencoder</h2>") < text.index("<h2>knitting</h2>")
    assert "stitches" in text


def test_written_records_make_a_report(make, tmp_path) -> None:
    make().write(tmp_path / "runs" / "a")
    make(seed=1).write(tmp_path / "runs" / "b")
    assert write_report(read_records(tmp_path / "runs"), tmp_path / "report").exists()


def test_no_records_are_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="at least one record of a run; got none"):
        write_report([], tmp_path / "report")
    assert not (tmp_path / "report").exists()

"""A report as Markdown: its pictures beside it, everybody's text nothing but text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.errors import UsageError
from dlkit.report import one_run
from dlkit.report.blocks import Document, Grid, Listing, Part, Words
from dlkit.report.markdown import Markdown, escaped
from dlkit.report.writing import MARK, write
from report.reports import ordinary, told_of

pytestmark = pytest.mark.usefixtures("toy_installed")


def test_every_picture_is_there(tmp_path: Path) -> None:
    document = one_run.document(told_of(ordinary(tmp_path)))
    report, *pictures = write(document, tmp_path / "docs" / "the run.md", "md")
    text = report.read_text()
    named = re.findall(r"!\[.*?\]\((.*?)\)", text)
    assert len(named) == len(pictures) > 3
    assert {report.parent / name.replace("%20", " ") for name in named} == set(pictures)
    assert {path.suffix for path in pictures} == {".svg", ".png"} and all(path.stat().st_size for path in pictures)
    assert text.startswith(f"{MARK}\n# ordinary\n") and "```sh\ndlkit train toy" in text
    assert "| val/mse |" in text and not list(report.parent.glob(".report-*"))


@given(st.text(max_size=40))
def test_text_stays_text(text: str) -> None:
    made = Markdown(
        Document(text, [text], [Part(text, [Words(text), Listing(text), Grid([text], [[text]])])]), "f"
    ).text
    bare = re.sub(r"(`{3,}).*?\n\1", "", made, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)<", bare) and not re.search(r"(?<!\\)!\[", bare)
    assert "\n" not in escaped(text)
    rows = [line for line in made.splitlines() if line.startswith("| ")]
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 2 for line in rows), rows


def test_what_is_no_report_is_not_written_over(tmp_path: Path) -> None:
    document = Document("a", ["b"], [])
    mine = tmp_path / "README.md"
    mine.write_text("mine")
    with pytest.raises(UsageError, match="no report of dlkit: --force"):
        write(document, mine, "md")
    assert mine.read_text() == "mine"
    write(document, mine, "md", force=True)
    write(Document("again", [], []), mine, "md")
    assert "# again" in mine.read_text()
    with pytest.raises(UsageError, match="cannot be written"):
        write(document, mine / "below.html", "html")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("theirs")
    (tmp_path / "link.html").symlink_to(elsewhere)
    with pytest.raises(UsageError, match="no report"):
        write(document, tmp_path / "link.html", "html")
    assert elsewhere.read_text() == "theirs"

"""Training text in one normal form, without control characters, and what that changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlkit.data.text.pieces import LONGEST, cut_line, long_lines_note, train_pieces
from dlkit.data.text.reading import TextReader
from dlkit.data.text.segments import BEFORE
from dlkit.data.text.tokenizers import Pieces


def test_controls_are_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\0 \x1b[31mred\x7f\tand\x0ca page\u2028end", encoding="utf-8")
    reader = TextReader()
    assert reader.read(path) == "one\ntwo [31mred\tand\na page\nend"
    assert reader.notes() == [
        f"3 control characters are left out (dataset.controls = true keeps them); the first: U+0000 in {path}, line 2"
    ]
    keeping = TextReader(controls=True)
    assert keeping.read(path).count("\0") == 1 and not keeping.notes()
    before = TextReader(rules=BEFORE)
    assert before.read(path) == path.read_text(encoding="utf-8") and not before.notes()


def test_text_is_composed_and_said(tmp_path: Path) -> None:
    for name, text in (("a.txt", "caf\u00e9"), ("b.txt", "cafe\u0301"), ("c.txt", "e\u0301te\u0301")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    reader = TextReader()
    assert [reader.read(tmp_path / f"{name}.txt") for name in "abc"] == ["caf\u00e9", "caf\u00e9", "\u00e9t\u00e9"]
    (note,) = reader.notes()
    assert note.startswith("2 files are brought to Unicode's composed form") and note.endswith("b.txt")
    assert TextReader(rules=BEFORE).read(tmp_path / "b.txt") == "cafe\u0301"


@pytest.mark.parametrize("unit", ["the cat sat on the mat ", "क्षि", "我爱你"])
def test_a_long_line_is_cut_and_nothing_is_lost(unit: str) -> None:
    line = unit * (100_000 // len(unit))
    parts = cut_line(line)
    assert len(parts) > 1 and max(len(part.encode()) for part in parts) <= LONGEST
    assert (" " if " " in line else "").join(parts) == line
    assert not any(part.startswith(("\u094d", "\u093f")) for part in parts)
    assert cut_line(unit) == [unit]


def test_pieces_are_learnt_from_a_line_of_any_length(tmp_path: Path) -> None:
    line = "the cat sat on the mat and the dog ran to the sea " * 1700
    lines = ["quiz"] * 3 + [line]
    pieces = Pieces(train_pieces(lines, 28))
    assert not pieces.unknown("the dog") and pieces.decode(pieces.encode(line)) == line.strip()
    assert pieces.encode(line).tolist() == pieces.encode(line[:50]).tolist() * 1700
    assert Pieces(train_pieces(lines, 9, rules=BEFORE)).unknown("the dog")
    (note,) = long_lines_note(lines)
    assert note.startswith("1 lines of more than 65,536 bytes are cut") and "line 4" in note

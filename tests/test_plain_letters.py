"""What a terminal's encoding does not have is written in ASCII."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.plain_letters import PLAIN
from recorded import record_run

ROOT = Path(__file__).parents[1]
WORDS = re.compile(r"[^\W_]")


@given(st.text(), st.sampled_from(["ascii", "latin-1", "cp437"]))
def test_whatever_is_written_can_be(text: str, encoding: str) -> None:
    written = text.encode(encoding, PLAIN).decode(encoding)
    assert "\\u" not in written or "\\u" in text
    assert text.isascii() is (written == text) or not text.isascii()


def test_a_course_stays_a_course() -> None:
    assert "▁▂▃▄▅▆▇█".encode("ascii", PLAIN) == b"_.-:=+*#"
    assert "⠀⠁⠃⠇⠏⠟⠿⡿⣿".encode("ascii", PLAIN) == b" .,:;+*#@"
    assert "step 1 → 2 … 3×4 ≥ ½, größe".encode("latin-1", PLAIN).decode("latin-1") == "step 1 -> 2 ... 3×4 >= ½, größe"
    assert "é 日".encode("ascii", PLAIN) == b"? ?", "people's letters are not guessed"


def test_every_sign_that_dlkit_writes_has_one() -> None:
    """In its own texts; Greek letters and accents stand in plugins' examples, and in people's words."""
    texts = {
        node.value
        for room in ("present", "cli")
        for path in (ROOT / "dlkit" / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    signs = {letter for text in texts for letter in text if not letter.isascii() and not WORDS.match(letter)}
    assert "…" in signs
    assert {sign for sign in signs - {"\ufffd"} if b"?" in sign.encode("ascii", PLAIN)} == set()


@pytest.mark.parametrize("words", [["--help"], ["show", "last"], ["show", "last", "--samples"], ["show", "nothing"]])
def test_no_command_writes_escapes_or_fails(words: list[str], tmp_path: Path) -> None:
    record_run(tmp_path)
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TERM": "vt100"}
    command = [sys.executable, "-m", "dlkit", *words]
    done = subprocess.run(command, env={**os.environ, **locale, "DLKIT_WORKSPACE": str(tmp_path)}, capture_output=True)
    assert done.returncode == (2 if words[-1] == "nothing" else 0), done.stderr
    both = (done.stdout + done.stderr).decode("ascii")
    assert both and "\\u" not in both and "\\x" not in both

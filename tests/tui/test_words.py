"""What lists say of a run."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from dlkit.tui.shared.words import hanging


def test_what_goes_on_stands_under_its_value() -> None:
    text = (
        Text("A title of some words\n")
        .append("command  ", "dim")
        .append("dlkit train toy --steps 100 --name long\n\nend")
    )
    broken = hanging(text, 30, Console())
    assert broken.plain.splitlines() == [
        "A title of some words",
        "command  dlkit train toy",
        "         --steps 100 --name",
        "         long",
        "",
        "end",
    ]
    assert [span.style for span in broken.spans if span.start == broken.plain.index("command")] == ["dim"]


@given(st.text("ab  \n", max_size=200), st.integers(12, 60))
def test_no_word_is_lost_and_no_line_too_long(text: str, width: int) -> None:
    broken = hanging(Text(text), width, Console()).plain
    assert "".join(broken.split()) == "".join(text.split())
    assert all(cell_len(line.rstrip()) <= width for line in broken.splitlines())

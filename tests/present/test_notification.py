"""What a terminal is sent when a run has ended."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dlkit.present.notification import notification


def test_the_bell_knows_terminals() -> None:
    assert notification("a\033]b", {"TERM": "xterm-256color"}) == "\a\033]9;a ]b\a"
    assert notification("done", {"TERM": "tmux", "TMUX": "/tmp/x,1,0"}) == "\a\033Ptmux;\033\033]9;done\a\033\\"
    assert notification("done", {"TERM": "linux"}) == "\a"
    assert notification("done", {"TERM": "dumb"}) == notification("done", {}) == ""


@given(st.text())
def test_the_bells_text_cannot_command_the_terminal(text: str) -> None:
    inner = notification(text, {"TERM": "xterm"}).removeprefix("\a\033]9;").removesuffix("\a")
    assert inner.isprintable()

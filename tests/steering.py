"""Hearing what a command says in this process, through a pipe and on a terminal, and looking that nothing steers."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

import pytest

from planted import steering
from pseudo_terminal import on_terminal

Captured = pytest.CaptureFixture[str]
Listen = Callable[[], AbstractContextManager["Heard"]]


@pytest.fixture(params=[False, True], ids=["piped", "terminal"])
def listen(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Listen:
    """``with listen() as heard``: what comes out is heard; once through a pipe, once on a terminal, a real one."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    @contextmanager
    def listening() -> Iterator[Heard]:
        if request.param:
            with capsys.disabled(), on_terminal() as written:
                yield Heard(written, on_terminal=True)
        else:
            yield Heard(lambda: "".join(capsys.readouterr()), on_terminal=False)

    return listening


class Heard(NamedTuple):
    read: Callable[[], str]
    on_terminal: bool

    def check(self, *what: object, silent: bool = False) -> str:
        """Something has come out, unless it may be ``silent``, and nothing in it steers."""
        text = self.read()
        assert not steering(text, terminal=self.on_terminal), what
        assert text or silent, f"{what} said nothing: nothing was tried"
        return text

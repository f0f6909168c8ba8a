"""Only the device's room says what CUDA, MPS and the CPU each need; the rest of the product asks a ``Device``."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from structure import ROOT, product

ROOM = ROOT / "dlkit/engine/device"
FORBIDDEN = re.compile(r"torch\.((backends|version)\.)?(cuda|mps)|non_blocking|pin_memory")


def code(text: str) -> Iterator[tuple[int, str]]:
    """The lines without strings and comments: docstrings may say CUDA."""
    lines: dict[int, list[str]] = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in (tokenize.STRING, tokenize.COMMENT):
            lines.setdefault(token.start[0], []).append(token.string)
    return ((number, "".join(parts)) for number, parts in lines.items())


def found(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return [f"{path.relative_to(ROOT)}:{number}: {line}" for number, line in code(text) if FORBIDDEN.search(line)]


def test_only_the_devices_room_speaks_of_accelerators() -> None:
    outside = [path for path in product() if ROOM not in path.parents]
    assert len(outside) > 300
    assert [line for path in outside for line in found(path)] == []


def test_it_is_there_that_they_are_spoken_of() -> None:
    """The search finds what it is for: else it would pass on a tree that it cannot read."""
    assert {path.name for path in ROOM.glob("*.py") if found(path)} == {"cuda.py", "mps.py"}


@pytest.mark.parametrize(
    "line",
    [
        "torch.cuda.synchronize()",
        "x = torch . cuda . is_available()",
        "from torch.backends.mps import is_available",
        "x.to(device, non_blocking=True)",
        "torch.empty(3, pin_memory=True)",
    ],
)
def test_what_is_searched_for(line: str) -> None:
    assert [number for number, text in code(line + "\n") if FORBIDDEN.search(text)] == [1]


@pytest.mark.parametrize("line", ['"""Copies from torch.cuda."""', "# torch.cuda waits", "x = 1"])
def test_what_may_be_said(line: str) -> None:
    assert [number for number, text in code(line + "\n") if FORBIDDEN.search(text)] == []

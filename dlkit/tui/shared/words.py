"""Words with a place or a colour: states of runs, lines under their labels."""

from __future__ import annotations

import re

from rich.console import Console
from rich.text import Text

_STYLES = {
    "running": "green",
    "paused": "yellow",
    "queued": "cyan",
    "foreign": "bold yellow",
    "completed": "",
    "stopped": "dim",
    "failed": "bold red",
    "interrupted": "bold yellow",
    "damaged": "bold red",
}
_LABEL = re.compile(r"\S.{0,40}?\s{2,}")


def state_cell(state: str) -> tuple[str, str]:
    """The state's own word; the colour only repeats it."""
    word = "unknown" if state.startswith("unknown") else state
    return word, _STYLES.get(state, "dim")


def hanging(text: Text, width: int, console: Console) -> Text:
    """Lines broken to ``width`` cells; what goes on below a line stands under its value, not under its label (what
    comes before two blanks)."""
    lines: list[Text] = []
    for line in text.split("\n", allow_blank=True):
        label = _LABEL.match(line.plain)
        indent = label.end() if label and label.end() < width // 2 else 0
        pieces = line[indent:].wrap(console, max(1, width - indent)) or [Text()]
        for i, piece in enumerate(pieces):
            piece.rstrip()
            lines.append((Text(" " * indent) if i else line[:indent]).append_text(piece))
    return Text("\n").join(lines)

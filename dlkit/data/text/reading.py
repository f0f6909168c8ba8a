"""Reading somebody's text for training: one form of every letter, no control characters, and what that changed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from dlkit.data.names import composed
from dlkit.data.text.corpus import AUTO, read_text
from dlkit.data.text.segments import BEFORE, NOW, Rules

_LINE_ENDS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""What other programs end a line, a page or a record with."""
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f]")


@dataclass
class TextReader:
    """Reads files by the same rules, and remembers what it changed.

    encoding  of the files, or ``auto``
    controls  whether control characters are kept; those of line ends become line ends either way
    rules     by those of before, text is left as it stands
    """

    encoding: str = AUTO
    controls: bool = False
    rules: Rules = NOW
    _composed: list[str] = field(default_factory=list)
    _dropped: list[tuple[int, str]] = field(default_factory=list)

    def read(self, path: Path) -> str:
        """A file's text; errors as ``read_text`` has them."""
        text = read_text(path, self.encoding)
        return text if self.rules == BEFORE else self._tidied(text, path)

    def notes(self) -> list[str]:
        """A line for each kind of change: how often, and the first."""
        notes = []
        if self._dropped:
            total, first = sum(count for count, _ in self._dropped), self._dropped[0][1]
            notes.append(
                f"{total} control characters are left out (dataset.controls = true keeps them); the first: {first}"
            )
        if self._composed:
            what = "files are brought to Unicode's composed form (NFC), in which é is one letter"
            notes.append(f"{len(self._composed)} {what}; the first: {self._composed[0]}")
        return notes

    def _tidied(self, text: str, path: Path) -> str:
        text = _LINE_ENDS.sub("\n", text)
        # A NUL or an escape sequence is nothing that anybody wrote: a model would learn to write it, to a terminal.
        if not self.controls and (first := _CONTROLS.search(text)):
            line = text.count("\n", 0, first.start()) + 1
            text, count = _CONTROLS.subn("", text)
            self._dropped.append((count, f"U+{ord(first.group()):04X} in {path}, line {line}"))
        if (normal := composed(text)) != text:
            self._composed.append(str(path))
        return normal

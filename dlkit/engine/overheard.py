"""What libraries say while a run goes in the foreground, kept in its output.log, where a worker's words are anyway."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from dlkit.runs import opening
from dlkit.runs.folder import RunFolder

MOST = 1000
"""Of an attempt: who warns at every step is not to fill a disk."""


@contextmanager
def overheard(run: RunFolder) -> Iterator[None]:
    """Within it, warnings and what is logged as one are written down; they are shown as they would be without."""
    kept = _Kept(run)
    root, shown = logging.getLogger(), warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        kept.write(warnings.formatwarning(message, category, filename, lineno, line))
        shown(message, category, filename, lineno, file, line)

    # A handler of the root logger silences logging's last resort, which is what prints where nobody has set up any.
    handler = _Handler(kept, alone=not root.handlers)
    warnings.showwarning = show
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        if warnings.showwarning is show:  # whoever has replaced it meanwhile goes on
            warnings.showwarning = shown


class _Kept:
    def __init__(self, run: RunFolder) -> None:
        self._run, self._left = run, MOST

    def write(self, text: str) -> None:
        if self._left:
            self._left -= 1
            with suppress(OSError):  # a full disk ends the run by itself, and with a better reason
                opening.append(self._run.path, self._run.output.name, f"{text.rstrip()}\n".encode(errors="replace"))


class _Handler(logging.Handler):
    def __init__(self, kept: _Kept, *, alone: bool) -> None:
        super().__init__(logging.WARNING)
        self._kept, self._alone = kept, alone

    def emit(self, record: logging.LogRecord) -> None:
        when = time.strftime("%H:%M:%S", time.localtime(record.created))
        self._kept.write(f"{when} {record.levelname} {record.name}: {record.getMessage()}")
        if self._alone and logging.lastResort is not None:
            logging.lastResort.handle(record)

"""The process that looks at components, as seen from outside: what it tells, and what is to be said where it dies."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from dlkit.errors import PluginError
from dlkit.interpreter import python
from dlkit.json_types import JsonObject
from dlkit.testing.finding import Finding
from dlkit.testing.look import Look, LookRecord, look_of
from dlkit.testing.rules import find_rule
from dlkit.testing.worker import Began, Order

_TAIL = 6
"""Lines of what a process said last that are shown when it has died."""


@dataclass
class Worker:
    """A process that looks; ``died``: it ended in the middle of a look, which became a finding."""

    plugin: str
    process: subprocess.Popen[str]
    log: Path
    died: bool = False
    _lines: queue.Queue[str | None] = field(default_factory=queue.Queue)

    def looks(self, seconds: float) -> Iterator[Look]:
        """What it tells; a look that takes longer than ``seconds`` is ended with its process."""
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()
        began: Began | None = None
        while True:
            try:
                line = self._lines.get(timeout=seconds)
            except queue.Empty:
                self.died = True
                if began is None:
                    raise PluginError(f"plugin {self.plugin!r}: nothing has begun within {seconds:g} s") from None
                yield self._broken(began, f"it has not ended within {seconds:g} s", seconds)
                return
            if line is None:
                yield from self._ended(began)
                return
            record: JsonObject = json.loads(line)
            if "began" in record:
                began = cast(Began, record)
            else:
                began = None
                yield look_of(cast(LookRecord, record))

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._lines.put(line)
        self._lines.put(None)

    def _ended(self, began: Began | None) -> Iterator[Look]:
        code = self.process.wait()
        if began is None and code == 0:
            return
        self.died = True
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        if began is None:
            raise PluginError(f"plugin {self.plugin!r}: the process that looks at it ended with {how}:\n{self._said()}")
        yield self._broken(began, f"the process ended with {how}; it said last:\n{self._said()}")

    def _broken(self, began: Began, seen: str, seconds: float = 0.0) -> Look:
        rule = find_rule(began["began"])
        finding = Finding(seen, f"it ends by itself: {rule.title}")
        return Look(rule, self.plugin, began["component"], began["task"], "broken", (finding,), "", seconds)

    def _said(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_TAIL:]) or "nothing"


@contextmanager
def working(order: Order, environment: Mapping[str, str], scratch: Path) -> Iterator[Worker]:
    """A process for this order, which is ended with all that it has started."""
    scratch.mkdir(parents=True, exist_ok=True)
    log = scratch / "said.txt"
    with log.open("w") as said:
        # A session of its own: Ctrl-C is for the one who waits, and ends it below.
        process = subprocess.Popen(
            python("dlkit.testing.worker"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True,
            env={**os.environ, **environment}, cwd=scratch, start_new_session=True,
        )  # fmt: skip
    try:
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin as orders:  # what it died of is told when it is waited for
            json.dump(order, orders)
        yield Worker(order["plugin"], process, log)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

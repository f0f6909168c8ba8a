"""Asking ``process`` what a configuration costs: it runs in a process of its own, whose death is an answer too.

Nothing here imports torch: the interface asks as well.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from dlkit.bounded import parse_json
from dlkit.config import Resolved
from dlkit.errors import DataError, DlkitError, PluginError, RunError, UsageError
from dlkit.interpreter import python
from dlkit.json_types import Json, JsonObject

_KINDS: dict[str, type[DlkitError]] = {kind.kind: kind for kind in (RunError, UsageError, DataError, PluginError)}


class Died(RunError):
    """It does not fit: memory ran out, or the process that tried was killed. ``stage``: what it was doing."""

    def __init__(self, text: str, stage: str = "") -> None:
        super().__init__(text)
        self.stage = stage


class Child:
    """``ask`` what is to be tried; ``started`` is how long it took to be ready, which every run takes too."""

    def __init__(self, process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
        self._process, self._said, self.started = process, said, 0.0

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self) -> None:
        began = time.monotonic()
        self._reply(lambda stage: None)
        self.started = time.monotonic() - began

    def ask(
        self, do: str, resolved: Resolved, say: Callable[[str], None] = lambda stage: None, **fields: Json
    ) -> JsonObject:
        """Its reply; Died if it does not fit, else the error that it says is wrong. ``say`` hears what is done."""
        request = {"do": do, "task": resolved.task.name, "config": resolved.values(), **fields}
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it is dead: so will its reply say
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        found = self._reply(say)
        if "error" not in found:
            return found
        if found.get("memory"):
            raise Died(str(found["error"]), str(found.get("stage", "")))
        raise _KINDS.get(str(found.get("kind")), RunError)(str(found["error"]))

    def _reply(self, say: Callable[[str], None]) -> JsonObject:
        """The line that is one, after those that say how far it is."""
        assert self._process.stdout is not None
        stage = ""
        while line := self._process.stdout.readline():
            found = parse_json(line)
            assert isinstance(found, dict)
            if set(found) != {"stage"}:
                return found
            stage = str(found["stage"])
            say(stage)
        raise Died(self._how_it_ended(stage), stage)

    def _how_it_ended(self, stage: str) -> str:
        code = self._process.wait()
        where = f" in {stage}" if stage else ""
        if code < 0:
            return f"its process was ended by signal {-code}{where}"
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").splitlines()
        last = next((text for text in reversed(lines) if text.strip()), "")
        return f"its process ended with code {code}{where}: {last}"

    def end(self) -> None:
        """With all that it has started. Whoever waits for a reply gets Died; from any thread."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


@contextmanager
def child(workspace: Path, *, offline: bool = False) -> Iterator[Child]:
    """A process that tries, until this is left; what it wrote is gone then."""
    with tempfile.TemporaryDirectory(prefix="dlkit-probe-", ignore_cleanup_errors=True) as folder:
        where = [str(workspace.absolute()), folder]
        words = python("dlkit.engine.probe.process", *where, *(["--offline"] if offline else []))
        with (
            tempfile.TemporaryFile() as said,
            # A session of its own: Ctrl-C is for the one who waits, and ends it below.
            subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, start_new_session=True
            ) as process,
        ):
            found = Child(process, said)
            try:
                found.wait_until_ready()
                yield found
            finally:
                found.end()

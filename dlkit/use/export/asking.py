"""``ProvingChild``: the folder's own code and ONNX Runtime, in a process that has neither torch nor dlkit."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from dlkit.answering import Answered, Values
from dlkit.errors import RunError
from dlkit.interpreter import alone
from dlkit.use.export import child
from dlkit.use.export.child import Told


class ProvingChild:
    """A context; within it the folder is asked. RunError says what went wrong in the process."""

    def __init__(self, folder: Path, *, int8: bool = False, threads: int = 1) -> None:
        self._folder = folder
        self._how = {"int8": int8, "threads": threads}

    def __enter__(self) -> Self:
        self._said = tempfile.TemporaryFile()  # closed with the process
        words = alone(Path(child.__file__), str(self._folder))
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin and self._process.stdout
        try:
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(BrokenPipeError):
                    pipe.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
        finally:  # a Ctrl-C while it is waited for leaves nothing
            self._process.kill()
            self._process.wait()
            self._said.close()

    def __call__(self, graph: str, /, **inputs: Values) -> dict[str, Values]:
        """Run a network once."""
        return dict(self._asked({"do": "run", "graph": graph}, inputs)[1])

    def seconds(self, graph: str, times: int, inputs: Mapping[str, Values]) -> list[float]:
        """How long each of so many runs took."""
        found: list[float] = self._asked({"do": "time", "graph": graph, "times": times}, inputs)[0]["seconds"]
        return found

    def answers(self, words: Sequence[str]) -> list[Answered]:
        """The answers of run.py to these words."""
        found: list[Answered] = self._asked({"do": "answer", "words": list(words)}, {})[0]["answers"]
        return found

    def _asked(self, request: Told, arrays: Mapping[str, Values]) -> tuple[Told, Mapping[str, Values]]:
        assert self._process.stdin and self._process.stdout
        try:
            child.send(self._process.stdin, {**request, **self._how}, arrays)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise RunError(f"the process that proves the export ended: {self._last_words()}")
        told = json.loads(line)
        found = child.read_arrays(self._process.stdout, told["arrays"])
        if "error" in told:
            raise RunError(f"the exported folder failed: {told['error']}")
        return told, found

    def _last_words(self) -> str:
        self._process.wait()
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.returncode}"

"""Asking a trained model: the near end of ``dlkit.use.helper``, where torch lives and a plugin may fail."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from dlkit.errors import DlkitError
from dlkit.interpreter import python
from dlkit.json_types import Settings
from dlkit.runs.folder import RunFolder
from dlkit.samples import Sample, load

LOADING = 300.0
"""Seconds that a model may take to load."""


class QuestionRefused(DlkitError):
    """The helper says why there is no answer: ``kind`` is the error's class there. It can be asked again."""

    def __init__(self, text: str, kind: str = "") -> None:
        self.kind = kind
        super().__init__(text)


class ModelGone(DlkitError):
    """The helper's process has ended, or was given up: there is nobody to answer."""


@dataclass(frozen=True)
class Option:
    """An option of a question: ``value`` is what holds if nothing is said, ``allowed`` says what may be; ``seldom``: a
    form shows it on demand."""

    name: str
    allowed: str
    description: str
    value: object
    schema: Mapping[str, Any]
    seldom: bool = False


@dataclass(frozen=True)
class Hello:
    """What a form must know. ``inference`` is the component that asks; ``asks``, ``label`` and the like are its;
    ``steps``: all checkpoints."""

    run: str
    task: str
    inference: str
    usage: str
    asks: str
    label: str
    placeholder: str
    options: Sequence[Option]
    step: int
    best: bool
    steps: Sequence[int]
    device: str


@dataclass(frozen=True)
class Offered:
    """An inference component of the run's task; ``lacks``: why it cannot ask this model, empty if it can."""

    name: str
    summary: str
    lacks: str


@dataclass(frozen=True)
class Answered:
    """``answers`` in JSON values, one an input; ``samples`` show them; ``seconds`` it took there. ``letters``: how many
    were written piece by piece; 0 where it came as a whole."""

    answers: Sequence[Mapping[str, Any]]
    samples: Sequence[Sample]
    seconds: float
    letters: int = 0


class ModelProcess:
    """One checkpoint of a run, in a process of its own, asked by ``inference`` (empty: as it was trained to be).
    What asks waits: call it from a thread that may. Several may wait, each for its own: an answer comes though an
    example is still being looked for. ``close`` may be called by any thread at any time and ends the waiting."""

    def __init__(self, run: RunFolder, checkpoint: str = "best", inference: str = "") -> None:
        self.run, self.checkpoint, self.inference = run, checkpoint, inference
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._lock = threading.Lock()
        """Held while the process is started, so that none is after ``close``."""
        self._turn = threading.Condition()
        """Held to write, and to look at what was read; of those who wait for a reply one reads, for all of them."""
        self._reading = False
        self._replies: dict[int, dict[str, Any]] = {}
        self._heard: dict[int, Callable[[str], None]] = {}
        self._lost: ModelGone | None = None
        self._closed = False
        self._buffer = b""
        self._asked = 0
        self._folder = ""

    @property
    def pid(self) -> int:
        """The helper's process; 0 while there is none."""
        return self._process.pid if self._process is not None else 0

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, timeout: float = LOADING) -> Hello:
        """Load the model. QuestionRefused: it cannot be loaded; ModelGone: the process ended, ``close`` was called, or
        the time is up."""
        self._spawn()
        found = self._read(0, time.monotonic() + timeout)["hello"]
        self._folder = found["folder"]
        return _hello(found)

    def ask(
        self,
        words: Sequence[str],
        options: Settings | None = None,
        timeout: float = 600.0,
        heard: Callable[[str], None] | None = None,
    ) -> Answered:
        """The answer to one INPUT; ``options`` (text as in a flag, or values) hold for this question. ``heard`` is told
        the pieces of one that is written piece by piece, by whichever thread reads them.

        QuestionRefused: it was not understood, or the plugin failed; ModelGone as for ``start``. Samples that cannot be
        read are left out.
        """
        asked = {"ask": list(words), "options": dict(options or {}), "stream": heard is not None}
        found = self._request(asked, timeout, heard)
        samples = [load(Path(path)) for path in found["samples"]]
        return Answered(found["answers"], samples, found["seconds"], int(found.get("letters", 0)))

    def example(self, timeout: float = 120.0) -> list[str]:
        """Inputs worth trying, maybe none; another time, others. Raises as ``ask``."""
        return [str(word) for word in self._request({"example": True}, timeout)["words"]]

    def offered(self, timeout: float = 120.0) -> list[Offered]:
        """What the run can be asked by, and what for a reason cannot. Raises as ``ask``."""
        return [Offered(**found) for found in self._request({"offered": True}, timeout)["offered"]]

    def ask_by(self, inference: str, timeout: float = LOADING) -> Hello:
        """Have another component ask from now on, with its default options; what a form must know of that. Raises as
        ``ask``: then the one of before goes on."""
        return _hello(self._request({"inference": inference}, timeout)["hello"])

    def close(self) -> None:
        """End the process, whatever it is doing; nothing of it stays."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()  # which ends the waiting of whoever uses the pipes
        with self._turn:
            self._turn.wait_for(lambda: not self._reading)
            self._lost = self._lost or ModelGone("closed")  # for who has written and does not yet read
            self._end()

    def _spawn(self) -> None:
        with self._lock:
            if self._closed:
                raise ModelGone("closed")
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # as long-lived as the process
            words = [str(self.run.path.absolute()), "--checkpoint", self.checkpoint]
            if self.inference:
                words += ["--inference", self.inference]
            self._process = subprocess.Popen(
                python("dlkit.use.helper", *words),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                start_new_session=True,
            )

    def _request(
        self, request: Mapping[str, object], timeout: float, heard: Callable[[str], None] | None = None
    ) -> dict[str, Any]:
        with self._turn:
            process = self._process
            if process is None or process.stdin is None or process.stdin.closed:
                raise self._lost or ModelGone("closed" if self._closed else "the model's process has ended")
            self._asked += 1
            identity, line = self._asked, json.dumps({"id": self._asked, **request}) + "\n"
            if heard is not None:
                self._heard[identity] = heard
            try:
                process.stdin.write(line.encode())
                process.stdin.flush()
            except BrokenPipeError as error:
                self._turn.wait_for(lambda: not self._reading)  # who reads sees the end too, and says why
                raise self._lost or self._gone() from error
        return self._read(identity, time.monotonic() + timeout)

    def _read(self, identity: int, deadline: float) -> dict[str, Any]:
        """The reply to a request; 0 is the word that it begins with."""
        with self._turn:
            while identity not in self._replies:
                if self._lost is not None:
                    raise self._lost
                if self._reading:
                    if not self._turn.wait(max(0.0, deadline - time.monotonic()) + 1.0):
                        raise ModelGone("no answer in time")
                else:
                    self._take_turn(deadline)
            found = self._replies.pop(identity)
        if "error" in found:
            raise QuestionRefused(str(found["error"]), str(found.get("kind", "")))
        return found

    def _take_turn(self, deadline: float) -> None:
        """Read one reply, whosever it is; the others may write meanwhile."""
        self._reading = True
        self._turn.release()
        try:
            line = self._line(deadline)
        except ModelGone as error:
            self._lost = error
            return
        finally:
            self._turn.acquire()
            self._reading = False
            self._turn.notify_all()
        try:
            found = dict(json.loads(line))
        except (TypeError, ValueError):
            self._lost = ModelGone(f"the model's process gave something that is not a reply: {line[:80]!r}")
            self._end()
            return
        identity = int(found.get("id") or 0)
        if "piece" in found:
            if identity in self._heard:
                self._heard[identity](str(found["piece"]))
        else:
            self._heard.pop(identity, None)
            self._replies[identity] = found

    def _line(self, deadline: float) -> bytes:
        assert self._process is not None and self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0:
                self._end()
                raise ModelGone("no answer in time; the model's process was ended")
            if select.select([pipe], [], [], left)[0]:
                data = os.read(pipe, 1 << 16)
                if not data:
                    raise self._gone()
                self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _gone(self) -> ModelGone:
        """Why the process has ended."""
        if self._closed:
            return ModelGone("closed")
        process = self._process
        assert process is not None
        code = process.wait(10)
        last = self._last_words()
        self._end()
        how = f"was killed by {_signal(-code)}" if code < 0 else f"ended with code {code}"
        return ModelGone(f"the model's process {how}{f': {last}' if last else ''}")

    def _last_words(self) -> str:
        """The last line that it wrote to its standard error."""
        if self._errors is None:
            return ""
        self._errors.seek(0)
        lines = self._errors.read()[-8192:].decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def _end(self) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None or process.stdin.closed:
            return
        process.kill()
        process.wait()
        with suppress(BrokenPipeError):  # words that it never read
            process.stdin.close()
        process.stdout.close()
        if self._errors is not None:
            self._errors.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def _hello(found: Settings) -> Hello:
    options = [Option(**option) for option in cast("list[dict[str, Any]]", found["options"])]
    known: dict[str, Any] = {key: found[key] for key in Hello.__dataclass_fields__ if key != "options"}
    return Hello(**known, options=options)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

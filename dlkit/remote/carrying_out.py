"""On the far side: a command carried out by this dlkit, in a process of its own, whose words go back as they come."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from dlkit.bounded import SETTINGS
from dlkit.interpreter import python
from dlkit.runs.mirrors import CALLED

CHUNK = 1 << 16
GRACE_SECONDS = 5.0
"""A command whose asker is gone has so long to end by itself."""


def carried_out(
    workspace: Path, told: Mapping[str, object], incoming: IO[bytes]
) -> Iterator[tuple[dict[str, object], bytes]]:
    """The command's words, and files that it is to read; then its code. It is interrupted when the asker goes."""
    words = told.get("words")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError("no words of a command")
    with tempfile.TemporaryDirectory(prefix="dlkit-remote-") as folder:
        child = subprocess.Popen(
            [*python("dlkit", *_with_files(words, told.get("texts"), Path(folder)))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={
                **os.environ,
                "DLKIT_WORKSPACE": str(workspace.absolute()),
                "PYTHONUTF8": "1",
                CALLED: str(told.get("called", "")),
            },
            start_new_session=True,  # what it starts is to outlive the connection, as at a terminal
        )
        try:
            yield from _streams(child, incoming)
        finally:
            _end(child)
        yield {"done": True, "code": child.returncode}, b""


def _with_files(words: Sequence[str], texts: object, folder: Path) -> list[str]:
    """The words, with the files that the asker sent along in the places of theirs."""
    found = list(words)
    for place, text in (texts if isinstance(texts, dict) else {}).items():
        if not isinstance(text, str) or len(text) > SETTINGS or not place.isdecimal() or int(place) >= len(found):
            raise ValueError("a file that was sent along is none")
        path = folder / f"sent-{place}.toml"
        path.write_text(text, encoding="utf-8")
        found[int(place)] = str(path)
    return found


def _streams(child: subprocess.Popen[bytes], incoming: IO[bytes]) -> Iterator[tuple[dict[str, object], bytes]]:
    assert child.stdout is not None and child.stderr is not None
    with selectors.DefaultSelector() as ready:
        for stream, name in ((child.stdout, "out"), (child.stderr, "err"), (incoming, "asker")):
            ready.register(stream, selectors.EVENT_READ, name)
        open_ones = 2
        while open_ones:
            for key, _ in ready.select():
                data = os.read(key.fd, CHUNK)
                if key.data == "asker":  # who waits for an answer says nothing: it is the end
                    return
                if data:
                    yield {"stream": key.data}, data
                else:
                    ready.unregister(key.fileobj)
                    open_ones -= 1


def _end(child: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGINT, signal.SIGKILL):
        with suppress(subprocess.TimeoutExpired):
            child.wait(0.0 if child.poll() is not None else 0.05)
            break
        with suppress(OSError):
            child.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
    for stream in (child.stdout, child.stderr):
        if stream is not None:
            stream.close()

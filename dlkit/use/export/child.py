"""The process that an export is proved in: ``python -I child.py FOLDER``. It has what a stranger has, the folder and
what run.py needs: torch, pydantic and dlkit are not to be had, though they are installed.

It answers requests, each a line of JSON and the arrays that it names, in NumPy's own format; answers are alike.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Mapping
from typing import IO, Any

Told = Mapping[str, Any]
"""A request, or an answer: JSON values by name."""
Arrays = Mapping[str, Any]
"""NumPy arrays by name."""
Folder = Any
"""The module run.py of the folder, and what it makes."""
HIDDEN = ("torch", "torchvision", "pydantic", "dlkit", "onnx", "onnxscript")


def main(folder: str) -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is talk
    for name in HIDDEN:
        sys.modules[name] = None  # type: ignore[assignment]
    sys.path.insert(0, folder)
    import run  # type: ignore[import-not-found]  # the folder's

    at_work = _AtWork(run)
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        try:
            told, arrays = at_work.answer(request, read_arrays(sys.stdin.buffer, request["arrays"]))
        # Whatever the folder's code raises is the answer: whoever asks makes a verdict of it.
        except Exception as error:
            told, arrays = {"error": f"{type(error).__name__}: {error}"}, {}
        send(answers, told, arrays)


class _AtWork:
    """The folder's networks and answering, opened when they are first asked."""

    def __init__(self, run: Folder) -> None:
        self._run = run
        self._open: dict[tuple[str, bool, int], Any] = {}

    def answer(self, request: Told, arrays: Arrays) -> tuple[Told, Arrays]:
        if request["do"] == "run":
            return {}, self._opened("networks", request)(request["graph"], **arrays)
        if request["do"] == "time":
            return {"seconds": self._timed(request, arrays)}, {}
        asked = self._opened("load", request)
        inputs = asked.read(request["words"])
        return {"answers": [asked.predict([value])[0] for value in inputs]}, {}

    def _timed(self, request: Told, arrays: Arrays) -> list[float]:
        run, seconds = self._opened("networks", request), []
        for _ in range(request["times"]):
            began = time.perf_counter()
            run(request["graph"], **arrays)
            seconds.append(time.perf_counter() - began)
        return seconds

    def _opened(self, what: str, request: Told) -> Folder:
        key = what, bool(request.get("int8")), int(request.get("threads", 1))
        if key not in self._open:
            self._open[key] = getattr(self._run, what)(*key[1:])
        return self._open[key]


def send(file: IO[bytes], told: Told, arrays: Arrays) -> None:
    """One message: a line, then the arrays, each of so many bytes as the line says."""
    import numpy as np

    parts = {}
    for name, array in arrays.items():
        whole = io.BytesIO()  # NumPy asks a real file where it stands, which a pipe cannot say
        np.save(whole, array, allow_pickle=False)
        parts[name] = whole.getvalue()
    file.write(json.dumps({**told, "arrays": {name: len(part) for name, part in parts.items()}}).encode() + b"\n")
    for part in parts.values():
        file.write(part)
    file.flush()


def read_arrays(file: IO[bytes], sizes: Mapping[str, int]) -> Arrays:
    """The arrays of a message, by name."""
    import numpy as np

    return {name: np.load(io.BytesIO(file.read(size)), allow_pickle=False) for name, size in sizes.items()}


if __name__ == "__main__":
    main(sys.argv[1])

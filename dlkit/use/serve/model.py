"""``Model``: the near end of a worker's process, for the process that listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from dlkit.errors import DlkitError
from dlkit.json_types import Settings
from dlkit.use.serve.frames import HEAD, LENGTH, Frame, packed

LOADING = 300.0
"""Seconds that a model may take to load."""


class ModelGone(DlkitError):
    """The worker has ended, or did not answer in time."""


class NotLoaded(DlkitError):
    """The worker says why there is no model; ``exit_code`` is that of the error there."""


class Model:
    """One worker: it answers one request after the other."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> dict[str, object]:
        """Start the process; what it says of itself. NotLoaded, ModelGone."""
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(*self._words, stdin=pipe, stdout=pipe)
        told = (await self._frame(LOADING)).told
        if "hello" not in told:
            error = NotLoaded(str(told.get("error")))
            code = told.get("exit_code")
            error.exit_code = code if isinstance(code, int) else 1
            raise error
        hello = told["hello"]
        assert isinstance(hello, dict)
        return hello

    async def ask(self, told: Settings, parts: Sequence[bytes], seconds: float) -> AsyncIterator[dict[str, object]]:
        """Pieces, if there are any, then the reply. ModelGone: there is none, and the worker is to be replaced."""
        process = self._process
        if process is None or process.stdin is None or process.returncode is not None:
            raise ModelGone("the model's process has ended")
        try:
            process.stdin.write(packed(told, parts))
            async with asyncio.timeout(seconds):
                await process.stdin.drain()
        except (OSError, TimeoutError) as error:
            raise ModelGone("the model's process takes no questions") from error
        while True:
            found = (await self._frame(seconds)).told
            yield found
            if "answers" in found:
                return

    async def end(self) -> None:
        """Kill the process, if there is one, and wait for it."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _frame(self, seconds: float) -> Frame:
        process = self._process
        assert process is not None and process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                length, count = HEAD.unpack(await process.stdout.readexactly(HEAD.size))
                told = json.loads(await process.stdout.readexactly(length))
                parts = []
                for _ in range(count):
                    (size,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
                    parts.append(await process.stdout.readexactly(size))
        except TimeoutError as error:
            raise ModelGone(f"the model did not answer within {seconds:g} s") from error
        except (asyncio.IncompleteReadError, OSError) as error:
            raise ModelGone("the model's process has ended") from error
        return Frame(told, parts)

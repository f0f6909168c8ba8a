"""What the page offers to click on: examples that a process of its own takes from the run's validation data, once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from dlkit.bounded import parse_json
from dlkit.json_types import Json
from dlkit.present.output import say

WAITING = 120.0
"""Seconds that a data set may take to be read."""
MOST_BYTES = 4_000_000


class Offered:
    """``words`` are the process's; without any there is nothing to offer."""

    def __init__(self, words: Sequence[str] = ()) -> None:
        self._words = words
        self._found: asyncio.Task[list[Json]] | None = None

    async def examples(self) -> list[Json]:
        """Looked for when they are wanted first; empty where there are none, which standard error says why."""
        if self._found is None:
            self._found = asyncio.create_task(self._look())
        return await asyncio.shield(self._found)

    async def stop(self) -> None:
        if self._found is not None and not self._found.done():
            self._found.cancel()
            with suppress(asyncio.CancelledError):
                await self._found

    async def _look(self) -> list[Json]:
        if not self._words:
            return []
        process = await asyncio.create_subprocess_exec(
            *self._words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the server, which ends it
        )
        try:
            async with asyncio.timeout(WAITING):
                found = parse_json(await _all_of(process))
        except (TimeoutError, ValueError):
            say("no examples for the page: the process that looks for them gave none")
            return []
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        return found if isinstance(found, list) else []


async def _all_of(process: asyncio.subprocess.Process) -> bytes:
    """What it writes until it ends; ValueError if that is too much."""
    assert process.stdout is not None
    found = b""
    while part := await process.stdout.read(65536):
        found += part
        if len(found) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
    return found

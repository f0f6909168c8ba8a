"""One tab's app process: started, fed, ended."""

from __future__ import annotations

import asyncio
import json
import shlex
from asyncio import IncompleteReadError, StreamReader
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import WSCloseCode, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from dlkit.present.output import say

PATIENCE_SECONDS = 2.0
"""For each way of asking a process to end, the next being ruder."""
TAIL_BYTES = 16_384
REASON_BYTES = 120
"""WebSockets close with at most 123."""
MARK = b"__GANGLION__\n"
PRELUDE_LINES = 10
"""At most so many lines of whatever else was printed come before Textual's mark."""
FOREIGN = ("TMUX", "STY", "KITTY_WINDOW_ID")
"""What the server's own terminal is; the app's is the browser's."""


class Session(AppService):
    """``words`` is the app's command line, ``websocket`` has been prepared, ``light`` is what the browser says of its
    colours."""

    def __init__(self, words: Sequence[str], websocket: web.WebSocketResponse, downloads: DownloadManager, light: bool):
        self.words = words
        self.light = light
        self.websocket = websocket
        self._outcome: tuple[int, str] = (WSCloseCode.OK, "")
        self._starting = asyncio.Lock()
        self._stopped = False
        super().__init__(
            shlex.join(words),
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=self._end,
            download_manager=downloads,
        )

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        environment = super()._build_environment(width, height)
        for name in FOREIGN:
            environment.pop(name, None)
        return environment | {
            "TEXTUAL_DRIVER": "dlkit.web.driver:Driver",
            "DLKIT_IMAGES": "browser",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "COLORFGBG": "0;15" if self.light else "15;0",
        }

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """In a session of its own: Ctrl-C is the server's, which then ends its apps."""
        self._process = process = await asyncio.create_subprocess_exec(
            *self.words,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self._build_environment(width, height),
            start_new_session=True,
        )
        assert process.stdin is not None
        self._stdin = process.stdin
        return process

    async def start(self, width: int, height: int) -> None:
        """Start the process, unless its end has come first."""
        async with self._starting:
            if not self._stopped:
                await super().start(width, height)

    async def set_terminal_size(self, width: int, height: int) -> None:
        await super().set_terminal_size(cells(width), cells(height))

    async def run(self) -> None:
        """Hand on what the app writes, to its end; then say how it ended."""
        process = self._process
        assert process is not None and process.stdout is not None and process.stderr is not None
        errors = asyncio.create_task(_tail(process.stderr))
        with suppress(IncompleteReadError):
            with suppress(LookupError, TypeError, ValueError):  # a packet that makes no sense
                if await _begins(process.stdout):
                    await self._hand_on(process.stdout)
            with suppress(ProcessLookupError):  # still there, but speaking no protocol that is known here
                process.kill()
        text, code = await errors, await process.wait()
        if text:
            say(text)
        if code:
            self._outcome = WSCloseCode.INTERNAL_ERROR, _reason(text, code)
        await self._end()

    async def _end(self) -> None:
        code, reason = self._outcome
        message = reason.encode()[:REASON_BYTES].decode(errors="ignore").encode()  # no half of a letter
        await self.websocket.close(code=code, message=message)

    async def _hand_on(self, stdout: StreamReader) -> None:
        """Packets: one byte for the kind, four for the length, the payload. Read to the end even when the tab is gone,
        or the app would hang in writing them. Textual's mark comes again where an app is opened again."""
        handlers = {b"D": self.on_data, b"M": self.on_meta, b"P": self.on_packed}
        while (kind := await stdout.readexactly(1)) in (*handlers, MARK[:1]):
            if kind == MARK[:1]:
                await stdout.readline()
                continue
            payload = await stdout.readexactly(int.from_bytes(await stdout.readexactly(4), "big"))
            with suppress(ConnectionError):
                await handlers[kind](payload)

    async def on_meta(self, data: bytes) -> None:
        """As it comes, except that the process's end is the end, not its saying so: only then is it known how. Pictures
        are the page's own."""
        if data.startswith(b'{"type": "picture"'):
            await self.remote_write_str(json.dumps(["dlkit_picture", json.loads(data)]))
        elif b'"type": "exit"' not in data:
            await super().on_meta(data)

    async def stop(self) -> None:
        """End the process: by asking, by its input, by SIGTERM, by SIGKILL."""
        async with self._starting:  # a process that is being started cannot be ended yet, nor left
            self._stopped = True
            task, process = self._task, self._process
        if task is None or process is None:
            return
        await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)
        for way in (self._ask, process.terminate, process.kill):
            with suppress(ProcessLookupError):
                way()
            done, _ = await asyncio.wait([task], timeout=PATIENCE_SECONDS)
            if done and process.returncode is not None:
                break

    def _ask(self) -> None:
        self.stdin.write(self.encode_packet(b"M", b'{"type": "quit"}'))
        self.stdin.close()


def cells(count: object, default: int = 80) -> int:
    """A width or height that makes sense, of what a client sent."""
    try:
        return max(1, min(int(str(count)), 1000))
    except ValueError:
        return default


async def _begins(stdout: StreamReader) -> bool:
    for _ in range(PRELUDE_LINES):
        line = await stdout.readline()
        if line in (MARK, b""):
            return bool(line)
    return False


async def _tail(stream: StreamReader) -> str:
    """The end of what it says, when it has said everything."""
    kept = b""
    while data := await stream.read(4096):
        kept = (kept + data)[-TAIL_BYTES:]
    return kept.decode("utf-8", "replace").strip()


def _reason(text: str, code: int) -> str:
    """One line for the page: what Python said last, else how the process ended."""
    lines = [line.strip(" │╭╮╰╯─") for line in text.splitlines()]
    last = next((line for line in reversed(lines) if line), "")
    return last or (f"killed by signal {-code}" if code < 0 else f"exit code {code}")

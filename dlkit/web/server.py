"""The server: the page, its WebSocket, its files, downloads. Every route is behind the guard."""

from __future__ import annotations

import asyncio
import logging
import shlex
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from string import Template
from typing import NoReturn
from urllib.parse import quote

import textual_serve
from aiohttp import WSCloseCode, web
from textual_serve.server import Server

from dlkit.errors import in_words
from dlkit.present.output import say
from dlkit.web.guard import Guard
from dlkit.web.session import Session, cells
from dlkit.web.sockets import Sockets

STATIC = Path(__file__).parent / "static"
XTERM = Path(textual_serve.__file__).parent / "static"
FILES = {
    "dlkit.css": STATIC / "dlkit.css",
    "dlkit.js": STATIC / "dlkit.js",
    "icon.svg": STATIC / "icon.svg",
    "xterm.css": XTERM / "css" / "xterm.css",
    "textual.js": XTERM / "js" / "textual.js",
}
"""All that is served from the disk."""
FONT_SIZES = range(8, 41)
TABS = 8
"""Open at once, where nobody says otherwise: each is a process of some 100 MB."""
LONGEST_MESSAGE = 1 << 20
"""Bytes of a message, which is a key or what somebody pastes."""
LONGEST_LINE = 200
"""Characters of a line about a request that made no sense."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class WebServer(Server):
    """textual-serve's server: its page, protocol and downloads, with other doors.

    One app process a tab, started by ``words``, of ``tabs`` at most; they end with their tab, and all of them with the
    server.
    """

    def __init__(self, guard: Guard, words: Sequence[str], *, tabs: int = TABS, sockets: Sockets | None = None) -> None:
        super().__init__(shlex.join(words), "127.0.0.1", guard.port)
        self.guard = guard
        self.tabs = tabs
        self.sockets = sockets or Sockets()
        self._open_tabs = 0
        self.words = words
        self.sessions: dict[Session, web.WebSocketResponse] = {}

    async def run(self, listener: socket.socket, ready: Callable[[str], None]) -> None:
        """``serve`` until SIGINT, SIGTERM or SIGHUP."""
        logging.getLogger("textual-serve").setLevel(logging.CRITICAL)  # it logs with local variables
        _in_one_line(logging.getLogger("aiohttp.server"))
        ended = asyncio.Event()
        for one in SIGNALS:
            if one != signal.SIGHUP or signal.getsignal(one) != signal.SIG_IGN:  # nohup means it
                asyncio.get_running_loop().add_signal_handler(one, ended.set)
        await self.serve_until(ended, listener, ready)

    async def serve_until(self, ended: asyncio.Event, listener: socket.socket, ready: Callable[[str], None]) -> None:
        """Serve on a listening socket; ``ready`` hears the address."""
        runner = web.AppRunner(await self._make_app(), access_log=None, shutdown_timeout=1.0, lingering_time=1.0)
        await runner.setup()
        assert runner.server is not None
        watching = asyncio.create_task(self.sockets.watch(runner.server))
        try:
            await web.SockSite(runner, listener).start()
            ready(self.guard.url)
            await ended.wait()
        finally:
            watching.cancel()
            await runner.cleanup()

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[self.sockets.middleware, self.guard.middleware])
        app.add_routes(
            [
                web.get("/", self.handle_index, name="index"),
                web.get("/ws", self.handle_websocket, name="websocket"),
                web.get("/download/{key}", self.handle_download, name="download"),
                web.get("/static/{name}", self.handle_static, name="static"),
            ]
        )
        app.on_response_prepare.append(self.guard.add_headers)
        app.on_shutdown.append(self.on_shutdown)
        return app

    async def on_shutdown(self, app: web.Application) -> None:
        """New tabs are refused by now; end the others."""
        await asyncio.gather(*(self._end(session) for session in list(self.sessions)))

    async def _end(self, session: Session) -> None:
        closing = self.sessions[session].close(code=WSCloseCode.GOING_AWAY, message=b"dlkit web has ended")
        await asyncio.gather(asyncio.wait_for(closing, 2.0), session.stop(), return_exceptions=True)

    async def handle_index(self, request: web.Request) -> web.Response:
        wanted = cells(request.query.get("fontsize"), 16)
        page = Template((STATIC / "index.html").read_text(encoding="utf-8")).substitute(
            websocket=f"ws://{request.host}/ws",
            font_size=max(FONT_SIZES.start, min(wanted, FONT_SIZES.stop - 1)),
        )
        return web.Response(text=page, content_type="text/html")

    async def handle_static(self, request: web.Request) -> web.StreamResponse:
        path = FILES.get(request.match_info["name"])
        return web.FileResponse(path) if path else _absent("file")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A tab: an app process from here to its end."""
        websocket = web.WebSocketResponse(heartbeat=15, compress=False, max_msg_size=LONGEST_MESSAGE)
        # Counted before anything is waited for: a hundred that ask at once are a hundred.
        self._open_tabs += 1
        try:
            await websocket.prepare(request)
            if self._open_tabs > self.tabs:
                message = f"{self.tabs} tabs are open: close one, or start dlkit web with --tabs {self.tabs + 1}"
                await websocket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=message.encode())
            else:
                await self._tab(request, websocket)
        finally:
            self._open_tabs -= 1
        return websocket

    async def _tab(self, request: web.Request, websocket: web.WebSocketResponse) -> None:
        session = Session(self.words, websocket, self.download_manager, light=request.query.get("light") == "1")
        self.sessions[session] = websocket
        try:
            await session.start(cells(request.query.get("width"), 80), cells(request.query.get("height"), 24))
            await self._process_messages(websocket, session)
        except (AssertionError, LookupError, TypeError, ValueError, AttributeError, RecursionError):
            await websocket.close(code=WSCloseCode.UNSUPPORTED_DATA, message=b"not a message of the interface")
        except OSError as error:
            await websocket.close(code=WSCloseCode.INTERNAL_ERROR, message=str(error).encode()[:120])
        finally:
            await session.stop()
            self.sessions.pop(session, None)

    async def handle_download(self, request: web.Request) -> web.StreamResponse:
        """What an app of an open tab has delivered under this key, and nothing else; nothing in it is run."""
        key = request.match_info["key"]
        try:
            found = await self.download_manager.get_download_metadata(key)
        except KeyError:
            return _absent("download")
        if found.app_service not in self.sessions:
            return _absent("download")
        response = web.StreamResponse(headers={"Content-Security-Policy": "default-src 'none'; sandbox"})
        response.content_type = found.mime_type or "application/octet-stream"
        way = "inline" if found.open_method == "browser" else "attachment"
        response.headers["Content-Disposition"] = f"{way}; filename*=UTF-8''{quote(found.file_name)}"
        await response.prepare(request)
        async for chunk in self.download_manager.download(key):
            await response.write(chunk)
        await response.write_eof()
        return response


class _OneLine(logging.Handler):
    """What aiohttp logs with a traceback: in a line, without."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        say(f"{record.getMessage()}{f': {in_words(error)}' if error else ''}"[:LONGEST_LINE])


def _in_one_line(logger: logging.Logger) -> None:
    logger.handlers = [_OneLine()]
    logger.propagate = False


def _absent(what: str) -> NoReturn:
    raise web.HTTPNotFound(text=f"no such {what}\n")

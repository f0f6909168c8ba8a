"""Serving the interface to a browser on this machine."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import nullcontext
from pathlib import Path

from dlkit.errors import UsageError
from dlkit.interpreter import python
from dlkit.present.output import print_json, print_result, say

HOST = "127.0.0.1"
MOST_TABS = 100
"""Each is a process of some 100 MB."""


def serve(workspace: Path, *, port: int, tabs: int, open_browser: bool, as_json: bool) -> int:
    """Serve the interface until Ctrl-C; returns the exit code. UsageError for a port that is in use or not allowed."""
    if not 1 <= tabs <= MOST_TABS:
        raise UsageError(f"--tabs must be 1 to {MOST_TABS}; {tabs} is not")
    need_extra()
    with listen(port) as listener:
        from dlkit.web.guard import Guard
        from dlkit.web.opening import in_browser
        from dlkit.web.server import WebServer

        words = python("dlkit", "tui", "--workspace", str(workspace.absolute()))
        server = WebServer(Guard(listener.getsockname()[1]), words, tabs=tabs)

        def ready(url: str) -> None:
            if as_json:
                print_json({"event": "serving", "url": url}, indent=None, flush=True)
            else:
                print_result(url, flush=True)
            say("open this address in a browser on this machine; Ctrl-C ends it, jobs go on")

        with in_browser(server.guard.url) if open_browser else nullcontext():
            asyncio.run(server.run(listener, ready))
    return 0


def need_extra() -> None:
    try:
        import textual_serve  # noqa: F401
    except ImportError as error:
        raise UsageError('the interface in a browser needs textual-serve: pip install "dlkit[web]"') from error


def listen(port: int) -> socket.socket:
    """A socket on loopback; 0 is any free port. UsageError if the port is in use or not allowed."""
    if not 0 <= port <= 65535:
        raise UsageError(f"--port must be 1 to 65535, or 0 for a free one; {port} is not")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port whose last server has just ended
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise UsageError(f"--port {port} {_why(error)}: give another, or leave --port out for a free one") from error
    return listener


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "is in use"
    if error.errno == errno.EACCES:
        return "is not allowed to you (ports below 1024 are the system's)"
    return f"cannot be opened ({error.strerror})"

"""Serving a run's model over HTTP."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import secrets
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from dlkit.errors import UsageError
from dlkit.present.output import print_json, print_result, say
from dlkit.use.serve.limits import Limits

MOST_WORKERS = 64
LEAVING = 5.0
"""Seconds in which questions that wait are still answered when the server is told to end."""


@dataclass(frozen=True)
class Serving:
    """``title``: what is served, for people; ``words``: the command line of a worker; ``token``: empty: one is made
    where one is needed; ``examples``: the command line of what looks for them, empty: the page has none of data."""

    title: str
    words: Sequence[str]
    host: str = "127.0.0.1"
    port: int = 0
    workers: int = 1
    token: str = ""
    limits: Limits = field(default_factory=Limits)
    examples: Sequence[str] = ()


def serve(serving: Serving, *, as_json: bool) -> int:
    """Serve until Ctrl-C or SIGTERM; the exit code. UsageError for a port that is in use or not allowed."""
    if not 1 <= serving.workers <= MOST_WORKERS:
        raise UsageError(f"--workers {serving.workers}: must be 1 to {MOST_WORKERS}")
    need_extra()
    with listen(serving.host, serving.port) as listener:
        port = listener.getsockname()[1]
        token = serving.token or ("" if is_loopback(serving.host) else secrets.token_urlsafe(32))
        url = address(serving.host, port, token)

        def ready(hello: dict[str, object]) -> None:
            if as_json:
                print_json({"event": "serving", "url": url, "task": hello["task"]}, indent=None, flush=True)
            else:
                print_result(url, flush=True)
                say(f"{serving.title} answers here, in a browser or by POST /predict; Ctrl-C ends it")

        with asyncio.Runner(loop_factory=_quick_loop()) as runner:
            runner.run(_run(serving, listener, token, ready))
    return 0


def _quick_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where there is one (not on Windows); None: Python's own."""
    try:
        import uvloop
    except ImportError:
        return None
    make: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return make


def need_extra() -> None:
    try:
        import httptools  # noqa: F401
        import python_multipart  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise UsageError('to serve needs starlette and uvicorn: pip install "dlkit[serve]"') from error


async def _run(
    serving: Serving, listener: socket.socket, token: str, ready: Callable[[dict[str, object]], None]
) -> None:
    import uvicorn

    from dlkit.use.serve.app import Served
    from dlkit.use.serve.batching import Batcher
    from dlkit.use.serve.connections import config
    from dlkit.use.serve.figures import Figures
    from dlkit.use.serve.guard import Guard
    from dlkit.use.serve.model import Model
    from dlkit.use.serve.offered import Offered

    figures = Figures()
    batcher = Batcher(lambda: Model(serving.words), serving.workers, serving.limits, figures)
    starting = asyncio.ensure_future(batcher.start())
    loop, asked_to_end = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked_to_end.set)
    ending = asyncio.ensure_future(asked_to_end.wait())
    await asyncio.wait({starting, ending}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting
        return
    await starting
    guard = Guard(hosts(serving.host, listener.getsockname()[1]), token)
    offered = Offered(serving.examples)
    app = Served(serving.title, batcher, serving.limits, figures, guard, offered).app()
    server = uvicorn.Server(config(app, serving.limits))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    running = asyncio.ensure_future(_serve(server, listener))
    ready(batcher.hello)
    await asyncio.wait({running, ending}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await running
    await offered.stop()
    await batcher.stop(LEAVING)
    say(figures.told())


async def _serve(server: object, listener: socket.socket) -> None:
    await server._serve([listener])  # type: ignore[attr-defined]  # serve() would take the signals


def listen(host: str, port: int) -> socket.socket:
    """A socket; 0 is any free port. UsageError if host or port cannot be had."""
    if not 0 <= port <= 65535:
        raise UsageError(f"--port must be 1 to 65535, or 0 for a free one; {port} is not")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once (TCP_NODELAY) where a socket says its protocol; else every answer waits 40 ms for Nagle.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port whose last server has just ended
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise UsageError(_why(host, port, error)) from error
    return listener


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"--port {port} is in use: give another, or leave --port out for a free one"
    if error.errno == errno.EACCES:
        return f"--port {port} is not allowed to you (ports below 1024 are the system's): give another"
    return (
        f"--host {host} cannot be listened on: {error.strerror or error}; 127.0.0.1 is this machine alone, 0.0.0.0 all"
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can ask."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def hosts(host: str, port: int) -> tuple[str, ...]:
    """What the Host header may be; beyond loopback anything, since the token says who asks."""
    if not is_loopback(host):
        return ()
    names = (host if ":" not in host else f"[{host}]", "127.0.0.1", "localhost")
    return tuple(dict.fromkeys(f"{name}:{port}" for name in names))


def address(host: str, port: int, token: str) -> str:
    """What to open in a browser."""
    name = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")


def token_of(given: str) -> str:
    """A token as an option has it, or the environment; UsageError for one that can be guessed."""
    found = given or os.environ.get("DLKIT_SERVE_TOKEN", "")
    if found and len(found) < 16:
        raise UsageError("--token must have 16 characters or more: whoever guesses it may ask")
    return found

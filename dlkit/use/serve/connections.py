"""Connections that say nothing: closed after a while, and no more of them open than are allowed."""

from __future__ import annotations

import asyncio

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dlkit.use.serve.limits import Limits


class Connection(HttpToolsProtocol):
    """Uvicorn's, with a time in which a request's head must have come."""

    limits = Limits()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._slow: asyncio.TimerHandle | None = None
        if len(self.connections) > self.limits.connections:
            transport.close()
            return
        self._wait()

    def on_headers_complete(self) -> None:
        self._stop()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._stop()
        self._slow = self.loop.call_later(self.limits.slow, self._too_slow)

    def _stop(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _too_slow(self) -> None:
        # What a client has not read cannot be sent either: such a connection is not closed but ended.
        self.transport.abort() if self.transport.get_write_buffer_size() else self.transport.close()


def config(app: object, limits: Limits) -> Config:
    """Of a server of ``app`` whose socket is open already."""
    protocol = type("LimitedConnection", (Connection,), {"limits": limits})
    return Config(
        app,  # type: ignore[arg-type]
        http=protocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,  # nobody stands between; what a client says of itself is believed by nothing here
        timeout_keep_alive=int(limits.slow),
        timeout_graceful_shutdown=5,
        backlog=min(2048, 2 * limits.connections),
    )

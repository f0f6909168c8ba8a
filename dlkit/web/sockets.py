"""Connections on which nothing happens are closed, and there are never too many of them.

Whoever may connect to loopback may keep connections open: without a request, with half of one, or after one. Each of
them is a descriptor of this process. aiohttp waits for the end of a request's headers as long as it takes.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from dlkit.web.guard import Handler

IDLE_SECONDS = 20.0
"""How long a connection may be without a request that is being answered. A browser opens another when it needs one."""
MOST = 200
"""Connections without one that are kept: a page needs six."""


class Sockets:
    """``middleware`` must be the server's first; ``watch`` runs as long as it does."""

    def __init__(self, idle: float = IDLE_SECONDS, most: int = MOST) -> None:
        self._idle, self._most = idle, most
        self._since: dict[RequestHandler, float] = {}
        self._answering: set[RequestHandler] = set()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        connection = request.protocol
        self._answering.add(connection)
        try:
            return await handler(request)
        finally:
            self._answering.discard(connection)
            self._since[connection] = monotonic()

    async def watch(self, server: web.Server) -> None:
        while True:
            await asyncio.sleep(min(1.0, self._idle / 4))
            self.close_idle(server.connections)

    def close_idle(self, connections: list[RequestHandler]) -> None:
        """Close those that have been idle for too long, and the oldest where there are too many."""
        now = monotonic()
        self._since = {one: self._since.get(one, now) for one in connections}
        idle = sorted((one for one in connections if one not in self._answering), key=lambda one: self._since[one])
        surplus = len(idle) - self._most
        for place, connection in enumerate(idle):
            if place < surplus or now - self._since[connection] > self._idle:
                _abort(connection)


def _abort(connection: RequestHandler) -> None:
    # Not closed: what was sent to somebody who does not read it would be waited for.
    if isinstance(transport := connection.transport, asyncio.Transport):
        transport.abort()

"""``Front``: what stands before every route: who may ask, what every answer says of itself, and what is counted.

Written to ASGI itself: Starlette's own base of such classes runs each route as a task beside it and hands the answer
over piece by piece, which costs more than all else of a small question.
"""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dlkit.use.serve.figures import Figures
from dlkit.use.serve.guard import HEADERS, Guard

KNOWN = ("/predict", "/schema", "/health", "/ready", "/metrics")
"""Paths that are counted by themselves: a client's own words are no labels."""
_RAW = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class Front:
    """Around ``app``, as ASGI has it."""

    def __init__(self, app: ASGIApp, figures: Figures, guard: Guard) -> None:
        self._app, self._figures, self._guard = app, figures, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, status = time.perf_counter(), 500

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                there = {name for name, _ in headers}
                headers.extend(pair for pair in _RAW if pair[0] not in there)
            await send(message)

        try:
            await (self._guard.refusal(Request(scope)) or self._app)(scope, receive, told)
        finally:
            path = scope["path"] if scope["path"] in KNOWN else "/"
            self._figures.request(path, status, time.perf_counter() - began)

"""The routes: questions, the page, what it is made of, and how the server does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from dlkit.use.serve.asked import Asked, asked, key_of
from dlkit.use.serve.batching import Batcher, Job, Unavailable, pieces_of
from dlkit.use.serve.figures import Figures
from dlkit.use.serve.front import Front
from dlkit.use.serve.guard import Guard
from dlkit.use.serve.limits import Limits
from dlkit.use.serve.offered import Offered
from dlkit.use.serve.openapi import document

STATIC = Path(__file__).parent / "static"
PAGE = {"/": "page.html", "/page.js": "page.js", "/page.css": "page.css"}
CLIENTS = {"failed": 500, "plugin": 500}
"""Statuses by an error's kind; what else is wrong is the question."""


class Served:
    """What the routes share."""

    def __init__(
        self, title: str, batcher: Batcher, limits: Limits, figures: Figures, guard: Guard, offered: Offered
    ) -> None:
        self._title, self._batcher, self._limits, self._figures = title, batcher, limits, figures
        self._guard, self._offered = guard, offered

    def app(self) -> Starlette:
        routes = [
            Route("/predict", self._predict, methods=["POST"]),
            Route("/schema", self._schema),
            Route("/about", self._about),
            Route("/examples", self._examples),
            Route("/health", self._health),
            Route("/ready", self._ready),
            Route("/metrics", self._metrics),
            *(Route(path, self._page) for path in PAGE),
        ]
        front = Middleware(Front, figures=self._figures, guard=self._guard)
        return Starlette(routes=routes, middleware=[front], exception_handlers={HTTPException: _failed})

    async def _predict(self, request: Request) -> Response:
        found = await asked(request, self._limits)
        if found.stream and self._batcher.hello.get("streams"):
            job = self._job(found, found.questions[0], streamed=True)
            return StreamingResponse(self._events(job), media_type="text/event-stream")
        jobs = [self._job(found, question) for question in found.questions]
        answers = await asyncio.gather(*(self._answer(job) for job in jobs))
        if not found.single:
            return JSONResponse({"answers": answers})
        (answer,) = answers
        status = CLIENTS.get(str(answer["kind"]), 422) if "error" in answer else 200
        return JSONResponse(answer, status)

    def _job(self, found: Asked, question: object, *, streamed: bool = False) -> Job:
        pieces = asyncio.Queue[str | None]() if streamed else None
        job = Job(question, found.options, key_of(found.options), found.show and not streamed, pieces)
        try:
            self._batcher.put(job)
        except Unavailable as error:
            raise _unavailable(error) from None
        return job

    async def _answer(self, job: Job) -> dict[str, object]:
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await job.answer
        except Unavailable as error:
            raise _unavailable(error) from None
        except TimeoutError:
            raise _unavailable(Unavailable(f"no answer within {self._limits.seconds:g} s")) from None

    async def _events(self, job: Job) -> AsyncIterator[str]:
        async with aclosing(pieces_of(job)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                yield _event("piece", {"text": piece})
        try:
            yield _event("answer", await self._answer(job))
        except HTTPException as error:
            yield _event("error", {"error": error.detail})

    async def _schema(self, request: Request) -> Response:
        return JSONResponse(document(self._title, self._batcher.hello, self._limits))

    async def _about(self, request: Request) -> Response:
        return JSONResponse({"title": self._title, **self._batcher.hello})

    async def _examples(self, request: Request) -> Response:
        return JSONResponse({"examples": await self._offered.examples()})

    async def _health(self, request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def _ready(self, request: Request) -> Response:
        ready = self._batcher.ready
        return PlainTextResponse("ready\n" if ready else "the model is being started\n", 200 if ready else 503)

    async def _metrics(self, request: Request) -> Response:
        return PlainTextResponse(self._figures.text(self._batcher.ready), media_type="text/plain; version=0.0.4")

    async def _page(self, request: Request) -> Response:
        return FileResponse(STATIC / PAGE[request.url.path])


def _event(name: str, told: dict[str, object]) -> str:
    return f"event: {name}\ndata: {json.dumps(told, ensure_ascii=False)}\n\n"


def _unavailable(error: Unavailable) -> HTTPException:
    return HTTPException(503, str(error), {"Retry-After": "1"})


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)

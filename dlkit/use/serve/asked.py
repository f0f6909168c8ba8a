"""A request of /predict, read within its limits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from dlkit.bounded import parse_json
from dlkit.use.serve.limits import Limits

RAW = ("image/", "application/octet-stream", "text/plain")
"""Types of bodies that are one question, as its file has it."""
ALLOWED = "application/json, multipart/form-data with a 'file', or the bytes of a file (image/…, text/plain)"


@dataclass(frozen=True)
class Asked:
    """``single``: one question, whose answer is not in a list; ``stream``: piece by piece; ``show``: drawn too."""

    questions: Sequence[object]
    options: dict[str, object]
    single: bool
    stream: bool = False
    show: bool = False


async def asked(request: Request, limits: Limits) -> Asked:
    """HTTPException says what is wrong with it, and what is allowed."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "multipart/form-data") and not kind.startswith(RAW):
        raise HTTPException(415, f"Content-Type {kind!r:.80} is not understood: send {ALLOWED}")
    bounded = _Bounded(request, limits)
    try:
        async with asyncio.timeout(limits.slow):
            if kind == "multipart/form-data":
                found = await _form(bounded.request, limits)
            elif kind == "application/json":
                found = _of_json(await bounded.request.body())
            else:
                found = Asked([await bounded.request.body()], {}, single=True)
    except TimeoutError:
        raise HTTPException(408, f"the body did not come within {limits.slow:g} s") from None
    except ClientDisconnect:
        raise HTTPException(400, "the client has gone") from None
    if len(found.questions) > limits.questions:
        raise HTTPException(413, f"{len(found.questions)} questions at once; {limits.questions} are allowed")
    if found.stream and not found.single:
        raise HTTPException(422, "only one question at a time is streamed")
    return _with_query(found, request)


class _Bounded:
    """A request whose body ends where the limit is."""

    def __init__(self, request: Request, limits: Limits) -> None:
        self._limit, self._receive, self._come = limits.body, request.receive, 0
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > limits.body:
            raise self._too_large()
        self.request = Request(request.scope, self._bounded)

    async def _bounded(self) -> dict[str, object]:
        message = await self._receive()
        body = message.get("body", b"")
        self._come += len(body) if isinstance(body, bytes) else 0
        if self._come > self._limit:
            raise self._too_large()
        return dict(message)

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"a body has {self._limit} bytes at most")


def _of_json(body: bytes) -> Asked:
    try:
        told = parse_json(body)
    except ValueError as error:
        raise HTTPException(400, f"not JSON: {error}") from None
    if not isinstance(told, dict) or ("question" in told) == ("questions" in told):
        raise HTTPException(422, 'a body is {"question": …} or {"questions": […]}, with "options" if they differ')
    unknown = sorted(set(told) - {"question", "questions", "options", "stream", "show"})
    if unknown:
        raise HTTPException(422, f"unknown: {', '.join(unknown)[:200]}; known are question(s), options, stream, show")
    options, questions = told.get("options") or {}, told.get("questions")
    if not isinstance(options, dict) or not isinstance(questions, (list, type(None))):
        raise HTTPException(422, '"options" is an object, "questions" a list')
    listed: list[object] = [told["question"]] if questions is None else [*questions]
    stream, show = told.get("stream") is True, told.get("show") is True
    return Asked(listed, {**options}, questions is None, stream, show)


async def _form(request: Request, limits: Limits) -> Asked:
    async with request.form(max_files=limits.questions, max_fields=8, max_part_size=limits.body) as form:
        files = [item for _, item in form.multi_items() if isinstance(item, UploadFile)]
        questions: list[object] = [await file.read() for file in files]
        text = form.get("options", "{}")
    if not questions:
        raise HTTPException(422, "a form has a file, or several")
    try:
        options = parse_json(text.encode()) if isinstance(text, str) else None
    except ValueError as error:
        raise HTTPException(400, f"options: not JSON: {error}") from None
    if not isinstance(options, dict):
        raise HTTPException(422, '"options" is a JSON object')
    return Asked(questions, {**options}, single=len(questions) == 1)


def _with_query(found: Asked, request: Request) -> Asked:
    stream = found.stream or "text/event-stream" in request.headers.get("accept", "")
    show = found.show or request.query_params.get("show") == "1"
    return Asked(found.questions, found.options, found.single, stream and found.single, show)


def key_of(options: dict[str, object]) -> str:
    """Equal for equal options."""
    return json.dumps(options, sort_keys=True)

"""``--notify URL``: the finished event, sent to whoever wants to know."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from dlkit.errors import RunError
from dlkit.events import Finished, told
from dlkit.json_types import Settings
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.log import tail_events
from dlkit.strict_numbers import encode

ATTEMPTS = 2
PAUSE_SECONDS = 1.0
"""Between two attempts."""
SCHEMES = ("http", "https")


def post(url: str, record: Settings, timeout: float = 10) -> str:
    """POST a record as JSON; returns what went wrong, empty if nothing did. Never raises.

    ``timeout`` is in seconds, of each of two attempts. What was understood and refused (4xx) is not tried again.
    """
    if urlsplit_scheme(url) not in SCHEMES:
        return f"{url!r} is neither http nor https"
    body = json.dumps(encode(record), ensure_ascii=False, allow_nan=False, default=str).encode()
    problem, again = "", True
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        problem, again = _send(url, body, timeout)
        if not again:
            break
    return problem


def finished_record(run: RunFolder) -> dict[str, object]:
    """The ``finished`` line of a run, as ``train --json`` has it, with its ``task`` and ``host``.

    Of a run that was interrupted it has the same keys, as far as the folder tells them, and that as its ``state``.
    """
    summary, ends = summarise(run), list[Finished]()
    with suppress(RunError):  # of a log that cannot be read the summary says so
        ends = [event for event in tail_events(run.events) if isinstance(event, Finished)]
    if ends and summary.state != "interrupted":
        found = json.loads(told(ends[-1]))
    else:
        found = {
            "event": Finished.event,
            "run": run.id,
            "state": summary.state,
            "metrics": dict(summary.metrics),
            "seconds": summary.seconds,
            "steps": summary.step,
            "reason": summary.reason,
        }
    return {**found, "task": summary.task, "host": summary.host}


def urlsplit_scheme(url: str) -> str:
    """The scheme in lower case; empty where that is not an address."""
    try:
        return urlsplit(url).scheme.lower()
    except ValueError:
        return ""


class _SameKind(HTTPRedirectHandler):
    """Follows redirects to http(s) with the body, as urllib does not; never from https to http."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        before, after = urlsplit_scheme(req.full_url), urlsplit_scheme(newurl)
        if after != before and (before, after) != ("http", "https"):
            raise URLError(f"redirected from {before} to {after or 'nowhere'}, which is not followed")
        if code == 303:  # it was taken, and the answer lies elsewhere
            return super().redirect_request(req, fp, code, msg, headers, newurl)
        return Request(newurl, data=req.data, headers=dict(req.header_items()), method="POST")

    http_error_308 = HTTPRedirectHandler.http_error_302


def _send(url: str, body: bytes, timeout: float) -> tuple[str, bool]:
    """One attempt: what went wrong, and whether to try again."""
    try:
        headers = {"Content-Type": "application/json", "User-Agent": "dlkit"}
        with _opener().open(Request(url, data=body, headers=headers, method="POST"), timeout=timeout):
            return "", False
    except HTTPError as error:
        error.close()
        return f"the answer was {error.code} {error.reason}", error.code >= 500
    except URLError as error:
        return str(error.reason), True  # not reached: a server that restarts may answer a second later
    except (OSError, HTTPException) as error:
        return str(error) or type(error).__name__, True
    except ValueError as error:  # an address that only looks like one
        return str(error), False


def _opener() -> OpenerDirector:
    return build_opener(_SameKind)

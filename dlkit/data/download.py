"""Downloading one file: resumed where it broke off, its size and SHA-256 verified.

Addresses are https; plain http only to this machine and to a mirror that the user named. Every byte is proved by the
declared SHA-256 in the end, so nothing that a server says on the way needs to be believed.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPMessage, HTTPResponse
from importlib.metadata import version
from pathlib import Path
from typing import IO, cast
from urllib.parse import urljoin, urlsplit
from urllib.request import Request

from dlkit.data.extract import write_all
from dlkit.data.layout import file_sha256
from dlkit.errors import DataError
from dlkit.steering import one_line

Progress = Callable[[int], None]
"""Told how many bytes of the file are there."""

ATTEMPTS = 5
"""Tries in a row that bring nothing new before a download is given up."""
BACKOFF = 0.5
"""Seconds before the second of them; doubled every time."""
TIMEOUT = 30.0
"""Seconds without a byte that count as a broken connection."""
REPORT_EVERY = float(os.environ.get("DLKIT_REPORT_SECONDS") or 10.0)
"""Seconds between lines of progress where there is no terminal."""
_CHUNK = 1 << 18
_PASSING = (408, 425, 429)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)\Z")


class _Broken(Exception):
    """The connection broke, or the server has a passing trouble: worth another try."""


def download(
    url: str, part: Path, *, size: int, sha256: str, plain_http: bool = False, progress: Progress | None = None
) -> None:
    """Fetch ``url`` into ``part``, going on from what is there already.

    DataError: unreachable or disk full (``part`` is kept for the next try); not ``size`` bytes, or not of that SHA-256
    (``part`` is deleted, both values are named).
    """
    best, failures = -1, 0
    while True:
        try:
            _transfer(url, part, size, plain_http, progress or (lambda _: None))
            break
        except _Broken as error:
            # Tries count only while they bring nothing: a poor connection that keeps getting further will get there.
            have = _length(part)
            best, failures = max(best, have), 1 if have > best else failures + 1
            if failures == ATTEMPTS:
                kept = f"; {have} of {size} bytes are kept in {part} for the next try" if have else ""
                raise DataError(f"{url}: {error}{kept}") from error
            time.sleep(BACKOFF * 2 ** (failures - 1))
    check(part, size, sha256, url, spoilt=part)


def check(path: Path, size: int, sha256: str, who: str, spoilt: Path | None = None) -> None:
    """DataError if a file's size or SHA-256 is another (an empty one is not checked); ``spoilt`` is deleted then."""
    found = _length(path)
    if found != size:
        _discard(spoilt)
        raise DataError(f"{who}: {found} bytes, expected {size}")
    digest = file_sha256(path) if sha256 else ""
    if digest != sha256.lower():
        _discard(spoilt)
        raise DataError(f"{who}: SHA-256 {digest}, expected {sha256}")


def _transfer(url: str, part: Path, size: int, plain_http: bool, progress: Progress) -> None:
    """One connection: append to ``part`` until it has ``size`` bytes."""
    have = _length(part)
    # Too much cannot be continued: it is another file, or a damaged one.
    if have > size:
        _discard(part)
        have = 0
    if have == size:
        return
    with _opened(url, have, part, plain_http) as answer:
        start = _start(answer, url, part, have, size)
        try:
            # Unbuffered, so that what is on the disk is what a killed process got: the next try goes on from there.
            file = part.open("ab" if start else "wb", buffering=0)
        except OSError as error:
            raise DataError(f"{part}: cannot be written: {error.strerror}") from error
        with file:
            _copy(answer, file, start, url, part, size, progress)


def _copy(
    answer: HTTPResponse, file: IO[bytes], have: int, url: str, part: Path, size: int, progress: Progress
) -> None:
    while have <= size:
        progress(have)
        try:
            chunk = answer.read1(_CHUNK)
        except (http.client.HTTPException, OSError) as error:
            raise _Broken(f"the connection broke: {error}") from error
        if not chunk:
            break
        write_all(file, chunk)
        have += len(chunk)
    if have < size:
        raise _Broken(f"the connection broke off after {have} of {size} bytes")
    if have > size:
        _discard(part)
        raise DataError(f"{url}: sends more than the expected {size} bytes")


def _start(answer: HTTPResponse, url: str, part: Path, have: int, size: int) -> int:
    """Where the answer's content begins; DataError if the server has a file of another size."""
    total, start = answer.headers.get("Content-Length", ""), 0
    if answer.status == 206:
        match = _CONTENT_RANGE.match(answer.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != have:
            _discard(part)
            raise _Broken(f"asked for what follows byte {have}, got {answer.headers.get('Content-Range')!r}")
        total, start = match[2], have
    if total.isdigit() and int(total) != size:
        _discard(part)
        raise DataError(f"{url}: {total} bytes are there, expected {size}")
    return start


def _opened(url: str, have: int, part: Path, plain_http: bool) -> HTTPResponse:
    check_address(url, plain_http)
    # Unencoded: sizes and ranges are of the file, not of what a server makes of it on the way.
    headers = {"User-Agent": f"dlkit/{version('dlkit')}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = Request(url, headers=headers)
    try:
        return cast(HTTPResponse, _opener(url, plain_http).open(request, timeout=TIMEOUT))
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and have:  # there is less than we have: not the same file
                _discard(part)
                raise _Broken("has fewer bytes than were fetched before") from error
            # What the server says for good is not asked for again: 404 stays 404.
            if error.code < 500 and error.code not in _PASSING:
                raise DataError(f"{url}: the server answers {error.code} {error.reason}") from error
            raise _Broken(f"the server answers {error.code} {error.reason}") from error
    except (http.client.HTTPException, OSError) as error:
        raise _Broken(str(getattr(error, "reason", error)) or type(error).__name__) from error


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirection only to addresses that would do to begin with."""

    def __init__(self, plain_http: bool) -> None:
        self._plain_http = plain_http

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        try:
            check_address(urljoin(req.full_url, newurl), self._plain_http)
        except DataError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(url: str, plain_http: bool) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [_Redirects(plain_http)]
    # A proxy cannot reach this machine by the name that this machine has for itself.
    if _loopback(url):
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)


def check_address(url: str, plain_http: bool) -> None:
    """DataError unless ``url`` is https, or http to this machine, or ``plain_http`` is allowed."""
    scheme = urlsplit(url).scheme
    if scheme != "https" and not (scheme == "http" and (plain_http or _loopback(url))):
        raise DataError(f"{url}: is not https; only a mirror that you name may be http")


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _discard(path: Path | None) -> None:
    if path is not None:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def shown(name: str, size: int, say: Callable[[str], None]) -> Iterator[Progress]:
    """A progress display: tqdm on a terminal, else now and then a line through ``say``."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(total=size, desc=one_line(name), unit="B", unit_scale=True, file=sys.stderr, leave=False) as bar:

            def move(have: int) -> None:
                bar.update(have - bar.n)

            yield move
        return
    last = time.monotonic()

    def line(have: int) -> None:
        nonlocal last
        if time.monotonic() - last >= REPORT_EVERY:
            last = time.monotonic()
            say(f"{name}: {have / 1e6:.1f} of {size / 1e6:.1f} MB")

    yield line

"""Downloading one file: resumed where it broke off, its size and SHA-256 verified.

Addresses are https; plain http only to this machine and to a mirror that the user named. Every byte is proved by the
declared SHA-256 in the end, so nothing that a server says on the way needs to be believed. Nor may it keep us: besides
the seconds without a byte those of a whole file are bounded.
"""

from __future__ import annotations

import contextlib
import http.client
import math
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from importlib.metadata import version
from pathlib import Path
from typing import IO, cast
from urllib.request import Request

from dlkit.data.extract import write_all
from dlkit.data.layout import file_sha256
from dlkit.data.opener import check_address, opener
from dlkit.errors import DataError, UsageError
from dlkit.steering import one_line, own_stream

Progress = Callable[[int], None]
"""Told how many bytes of the file are there."""

ATTEMPTS = 5
"""Tries in a row that bring nothing new before a download is given up."""
BACKOFF = 0.5
"""Seconds before the second of them; doubled every time."""
TIMEOUT = 30.0
"""Seconds without a byte that count as a broken connection."""
PATIENCE, SLOWEST = 600.0, 10_000.0
"""Unless somebody says otherwise a file may take so many seconds, and one for each so many bytes."""
REPORT_EVERY = 10.0
"""Seconds between lines of progress where there is no terminal; $DLKIT_REPORT_SECONDS says otherwise."""
_CHUNK = 1 << 18
_PASSING = (408, 425, 429)
# Nineteen digits are more than any file has; Python refuses to make a number of thousands.
_LENGTH = re.compile(r"[0-9]{1,19}\Z")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-[0-9]+/([0-9]{1,19}|\*)\Z")


class _Broken(Exception):
    """The connection broke, or the server has a passing trouble: worth another try."""


class _OverdueError(OSError):
    """The time for the whole file is over."""


@dataclass(frozen=True)
class _Deadline:
    """When a file must be there: ``time.monotonic()``, and how many seconds that was."""

    at: float
    seconds: float

    @classmethod
    def of(cls, seconds: float) -> _Deadline:
        return cls(time.monotonic() + seconds, seconds)

    def check(self) -> None:
        if time.monotonic() > self.at:
            raise _OverdueError(f"not there within {self.seconds:g} seconds")


def download(
    url: str,
    part: Path,
    *,
    size: int,
    sha256: str,
    plain_http: bool = False,
    progress: Progress | None = None,
    seconds: float | None = None,
) -> None:
    """Fetch ``url`` into ``part``, going on from what is there already; all tries together may take ``seconds``.

    DataError: unreachable, too slow, or disk full (``part`` is kept for the next try); not ``size`` bytes, or not of
    that SHA-256 (``part`` is deleted, both values are named).
    """
    deadline = _Deadline.of(PATIENCE + size / SLOWEST if seconds is None else seconds)
    best, failures = -1, 0
    while True:
        try:
            _transfer(url, part, size, plain_http, progress or (lambda _: None), deadline)
            break
        except _OverdueError as error:
            kept = f"; {_length(part)} of {size} bytes are kept in {part}" if part.exists() else ""
            raise DataError(f"{url}: {error}{kept}; dlkit data get --max-time SECONDS waits longer") from error
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


def _transfer(url: str, part: Path, size: int, plain_http: bool, progress: Progress, deadline: _Deadline) -> None:
    """One connection: append to ``part`` until it has ``size`` bytes."""
    have = _length(part)
    # Too much cannot be continued: it is another file, or a damaged one.
    if have > size:
        _discard(part)
        have = 0
    if have == size:
        return
    with _opened(url, have, part, plain_http, deadline) as answer:
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
        except _OverdueError:
            raise
        except (http.client.HTTPException, OSError, ValueError) as error:
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
    if _LENGTH.match(total) and int(total) != size:
        _discard(part)
        raise DataError(f"{url}: {total} bytes are there, expected {size}")
    return start


def _opened(url: str, have: int, part: Path, plain_http: bool, deadline: _Deadline) -> HTTPResponse:
    check_address(url, plain_http)
    deadline.check()
    # Unencoded: sizes and ranges are of the file, not of what a server makes of it on the way.
    headers = {"User-Agent": f"dlkit/{version('dlkit')}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        request = Request(url, headers=headers)
        return cast(HTTPResponse, opener(url, plain_http, deadline.check).open(request, timeout=TIMEOUT))
    except urllib.error.HTTPError as error:
        with contextlib.closing(error):
            if error.code == 416 and have:  # there is less than we have: not the same file
                _discard(part)
                raise _Broken("has fewer bytes than were fetched before") from error
            # What the server says for good is not asked for again: 404 stays 404.
            if error.code < 500 and error.code not in _PASSING:
                raise DataError(f"{url}: the server answers {error.code} {error.reason}") from error
            raise _Broken(f"the server answers {error.code} {error.reason}") from error
    except (http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, _OverdueError):
            raise reason from error
        raise _Broken(str(reason) or type(error).__name__) from error
    # Of what no connection can be made to: a host that is none, a port out of range, here or where we are sent.
    except (ValueError, OverflowError) as error:
        raise DataError(f"{url}: no address to fetch from, or it leads to none: {error}") from error


def seconds_of(variable: str) -> float | None:
    """The seconds that an environment variable gives; None if it gives none. UsageError if they are no number."""
    text = os.environ.get(variable, "")
    try:
        value = float(text) if text else None
    except ValueError:
        value = math.nan
    if value is not None and not 0 < value < math.inf:
        raise UsageError(f"${variable} must be a number of seconds above 0, not {text!r}")
    return value


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

        file = own_stream(sys.stderr)
        with tqdm(total=size, desc=one_line(name), unit="B", unit_scale=True, file=file, leave=False) as bar:

            def move(have: int) -> None:
                bar.update(have - bar.n)

            yield move
        return
    last, every = time.monotonic(), seconds_of("DLKIT_REPORT_SECONDS") or REPORT_EVERY

    def line(have: int) -> None:
        nonlocal last
        if time.monotonic() - last >= every:
            last = time.monotonic()
            say(f"{name}: {have / 1e6:.1f} of {size / 1e6:.1f} MB")

    yield line

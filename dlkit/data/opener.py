"""Connections to servers that may say anything: http.client and urllib, mended where they would wait for ever."""

from __future__ import annotations

import contextlib
import http.client
import io
import ipaddress
import socket
import urllib.request
from collections.abc import Callable
from functools import partial
from http.client import HTTPMessage, HTTPResponse
from typing import IO, cast
from urllib.parse import urljoin, urlsplit
from urllib.request import Request

from dlkit.errors import DataError

Check = Callable[[], None]
"""Raises an error when the time is over."""


class _Timed(io.RawIOBase):
    """A connection's bytes, with a look at the clock for each that come.

    The limit on a pause is of no use against a server that sends a byte before each ends. Here it meets all of them:
    a status line, headers and trailers without end are read in loops that nothing else could end.
    """

    def __init__(self, inner: io.RawIOBase, check: Check) -> None:
        self._inner, self._check = inner, check

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        self._check()
        return self._inner.readinto(buffer)

    def close(self) -> None:
        self._inner.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, check: Check, sock: socket.socket, *arguments: object, **options: object) -> None:
        super().__init__(sock, *arguments, **options)  # type: ignore[arg-type]
        self.fp = io.BufferedReader(_Timed(self.fp.detach(), check))


class _Http(urllib.request.HTTPHandler):
    def __init__(self, check: Check) -> None:
        super().__init__()
        self._check = check

    def http_open(self, request: Request) -> HTTPResponse:
        return self.do_open(partial(_connection, http.client.HTTPConnection, self._check), request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, check: Check) -> None:
        super().__init__()
        self._check = check

    def https_open(self, request: Request) -> HTTPResponse:
        return self.do_open(partial(_connection, http.client.HTTPSConnection, self._check), request)


def _connection(
    kind: type[http.client.HTTPConnection], check: Check, host: str, **options: object
) -> http.client.HTTPConnection:
    made = kind(host, **options)  # type: ignore[arg-type]
    made.response_class = partial(_Response, check)  # type: ignore[assignment]
    return made


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirection only to addresses that would do to begin with."""

    def __init__(self, plain_http: bool) -> None:
        self._plain_http = plain_http

    def http_error_302(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> HTTPResponse | None:
        # Closed, or urllib would read all that comes with a redirection, which may have no end.
        fp.close()
        return cast("HTTPResponse | None", super().http_error_302(req, fp, code, msg, headers))

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        try:
            check_address(urljoin(req.full_url, newurl), self._plain_http)
        except DataError as error:
            raise DataError(f"{req.full_url}: is redirected to {error}") from error
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def opener(url: str, plain_http: bool, check: Check) -> urllib.request.OpenerDirector:
    """What opens ``url`` and what it redirects to; ``check`` is asked before each read from a connection."""
    handlers: list[urllib.request.BaseHandler] = [_Redirects(plain_http), _Http(check), _Https(check)]
    # A proxy cannot reach this machine by the name that this machine has for itself.
    if _is_loopback(url):
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)


def check_address(url: str, plain_http: bool) -> None:
    """DataError unless ``url`` is https, or http to this machine, or ``plain_http`` is allowed."""
    try:
        scheme, _ = urlsplit(url).scheme, urlsplit(url).port
    except ValueError as error:
        raise DataError(f"{url}: not an address: {error}") from error
    if scheme != "https" and not (scheme == "http" and (plain_http or _is_loopback(url))):
        raise DataError(f"{url}: is not https; only a mirror that you name may be http")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"

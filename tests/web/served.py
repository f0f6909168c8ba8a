"""Servers in processes of their own, and requests to them as they go over the wire."""

from __future__ import annotations

import http.client
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil

from waiting import LONG

SMALL = Path(__file__).parent / "small.py"


@dataclass
class Answer:
    """``location`` and ``cookie`` (``name=value``) are empty where there is none."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def cookie(self) -> str:
        return self.headers.get("set-cookie", "").partition(";")[0]


class Served:
    """A server that has printed its address."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.port = urlsplit(url).port or 0
        self.token = parse_qs(urlsplit(url).query)["token"][0]
        self.host = f"127.0.0.1:{self.port}"
        self.base = f"http://{self.host}"

    def ask(self, path: str, *headers: tuple[str, str], method: str = "GET", host: str | None = None) -> Answer:
        """Exactly these headers; ``host`` is this server's unless given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONG)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in [("Host", self.host if host is None else host), *headers]:
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, fields, b"" if answer.status == 101 else answer.read())
        finally:
            connection.close()

    def cookie(self) -> tuple[str, str]:
        """The header with the cookie that the token is exchanged for."""
        return "Cookie", self.ask(f"/?token={self.token}").cookie

    def apps(self) -> list[psutil.Process]:
        """The processes that it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> tuple[int, str]:
        """Its exit code, and what it has said on stderr."""
        self.process.terminate()
        _, said = self.process.communicate(timeout=LONG)
        return self.process.returncode, said


def start(*words: str) -> Served:
    """The process of a command line, when it has printed its address."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return Served(process, line.strip())


def stop(served: Served) -> None:
    with suppress(psutil.NoSuchProcess):
        for app in served.apps():
            app.kill()
    served.process.kill()
    served.process.communicate()

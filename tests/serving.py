"""A server in a process of its own, with workers that have no model, and how it is asked."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

WORKER = Path(__file__).parent / "light_worker.py"
SERVER = """
import json, sys
from dlkit.use.serve.command import Serving, serve
from dlkit.use.serve.limits import Limits
given = json.loads(sys.argv[1])
limits = Limits(**given.pop("limits", {}))
sys.exit(serve(Serving("light", [sys.executable, sys.argv[2]], limits=limits, **given), as_json=True))
"""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        found = urlsplit(self.url).port
        assert found
        return found

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, path: str, body: object = None, **headers: str) -> Reply:
        """GET, or POST of JSON or bytes; a header's underscores are hyphens."""
        connection = self.connection()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        kind = {} if isinstance(body, bytes) or body is None else {"Content-Type": "application/json"}
        try:
            connection.request("GET" if body is None else "POST", path, data, {**kind, **given})
            found = connection.getresponse()
            return Reply(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())
        finally:
            connection.close()


@contextmanager
def light(**given: Any) -> Iterator[Server]:
    """Given is what ``Serving`` takes; ``limits`` as a mapping."""
    words = [sys.executable, "-P", "-c", SERVER, json.dumps(given), str(WORKER)]
    with started(words) as server:
        yield server


@contextmanager
def started(words: list[str]) -> Iterator[Server]:
    """The server of a command that prints its address as JSON."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, f"it ended with {process.wait()}"
        yield Server(process, json.loads(line)["url"])
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

"""``--notify URL``: the finished event as JSON, to a server of this machine."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from dlkit.jobs import notify
from dlkit.jobs.notify import finished_record, post
from toy import toy_attempt, toy_run
from waiting import LONG


class Server(HTTPServer):
    """Answers each path as ``answers`` says (status, location); keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[tuple[int, str]]] = {}
        self.got: list[tuple[str, str, dict[str, Any], str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(("POST", self.path, json.loads(body), self.headers["Content-Type"]))
        self._answer()

    def do_GET(self) -> None:
        self.server.got.append(("GET", self.path, {}, ""))
        self._answer()

    def _answer(self) -> None:
        status, location = (self.server.answers.get(self.path) or [(200, "")]).pop(0)
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(notify, "PAUSE_SECONDS", 0.01)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def test_the_finished_line_arrives_with_who_and_where(server: Server, tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    assert post(f"{server.url}/hook", finished_record(run)) == ""
    ((method, path, body, kind),) = server.got
    assert (method, path, kind) == ("POST", "/hook", "application/json")
    line = json.loads(run.events.read_text().splitlines()[-1])
    record = run.read()
    line["state"] = line.pop("status")
    assert body == {**line, "task": "toy", "host": record["host"]}
    assert (body["event"], body["state"]) == ("finished", "completed")


def test_a_run_that_died_is_told_as_interrupted(tmp_path: Path) -> None:
    events = iter(toy_attempt(tmp_path).events())
    next(events)
    run = next(iter((tmp_path / "runs").iterdir()))
    from dlkit.runs.folder import RunFolder

    folder = RunFolder(run)
    events.close()
    lines = folder.events.read_text().splitlines(keepends=True)
    folder.events.write_text("".join(lines[:-1]))  # as if it had been killed before its last word
    folder.update(state="running", reason="its process was ended by SIGKILL", result=None)
    found = finished_record(folder)
    assert (found["event"], found["state"], found["run"]) == ("finished", "interrupted", run.name)
    assert found["reason"] == "its process was ended by SIGKILL"


def test_a_server_in_trouble_is_asked_twice(server: Server) -> None:
    server.answers["/hook"] = [(503, ""), (200, "")]
    assert post(f"{server.url}/hook", {"a": 1}) == ""
    assert len(server.got) == 2
    server.answers["/hook"] = [(500, ""), (502, "")]
    assert "502" in post(f"{server.url}/hook", {"a": 1})


def test_a_refusal_is_final(server: Server) -> None:
    server.answers["/hook"] = [(404, ""), (200, "")]
    assert "404" in post(f"{server.url}/hook", {})
    assert len(server.got) == 1


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_gets_the_same_body(server: Server, code: int) -> None:
    server.answers["/hook"] = [(code, "/other")]
    assert post(f"{server.url}/hook", {"a": math.inf}) == ""
    assert [(method, path, body) for method, path, body, _ in server.got] == [
        ("POST", "/hook", {"a": "inf"}),
        ("POST", "/other", {"a": "inf"}),
    ]


@pytest.mark.parametrize("place", ["file:///etc/hostname", "ftp://127.0.0.1/x", "gopher://x"])
def test_redirects_to_anything_else_are_not_followed(server: Server, place: str) -> None:
    server.answers["/hook"] = [(302, place)] * 2
    assert post(f"{server.url}/hook", {})
    assert {path for _, path, _, _ in server.got} == {"/hook"}


def test_an_endless_redirect_ends(server: Server) -> None:
    server.answers["/hook"] = [(302, "/hook")] * 100
    assert post(f"{server.url}/hook", {})


@pytest.mark.parametrize("url", ["file:///tmp/x", "ftp://h/x", "nonsense", "", "http://", "http://[", "http://h:x/"])
def test_what_is_no_address_is_a_problem_not_an_error(url: str) -> None:
    assert post(url, {"a": 1}, timeout=1)


def test_nobody_there(server: Server) -> None:
    free = Server()
    free.server_close()
    assert "refused" in post(free.url, {}, timeout=2).lower()


def test_a_server_that_never_answers_costs_two_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket
    import time

    monkeypatch.setattr(notify, "PAUSE_SECONDS", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        assert "timed out" in post(f"http://127.0.0.1:{silent.getsockname()[1]}/", {}, timeout=0.2)
        assert time.monotonic() - began < LONG

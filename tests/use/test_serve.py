"""``dlkit serve``: what is asked over HTTP is answered, within limits, whatever clients and models do."""

from __future__ import annotations

import json
import random
import socket
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from jsonschema import Draft202012Validator

from dlkit.cli.main import main
from dlkit.errors import UsageError
from dlkit.use.serve.command import address, hosts, listen, token_of
from serving import Server, light
from waiting import until

LIMITS = {"body": 200_000, "questions": 8, "waiting": 64, "seconds": 5.0, "slow": 1.5, "gather": 0.02}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with light(limits=LIMITS) as found:
        yield found


def predict(server: Server, question: object, **more: object) -> Any:
    reply = server.ask("/predict", {"question": question, **more})
    return reply.told if reply.status == 200 else (reply.status, reply.told)


def test_questions_are_answered(server: Server) -> None:
    assert predict(server, "hello") == {"answer": {"said": "hello", "together": 1}}
    assert predict(server, "hello", options={"loud": True})["answer"]["said"] == "HELLO"
    several = server.ask("/predict", {"questions": ["a", "wrong", {"b": [1]}]}).told["answers"]
    assert [one.get("answer", {}).get("said") for one in several] == ["a", None, {"b": [1]}]
    assert several[1] == {"error": "no such order", "kind": "data"}
    assert predict(server, "wrong") == (422, {"error": "no such order", "kind": "data"})
    assert predict(server, "broken")[0] == 500
    assert predict(server, "x", show=True)["shown"] == [{"kind": "text", "title": "said", "text": "it"}]


def test_files_are_taken_as_a_form_and_as_they_are(server: Server) -> None:
    form = (
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        b'12345\r\n--B\r\nContent-Disposition: form-data; name="options"\r\n\r\n{"loud": true}\r\n--B--\r\n'
    )
    found = server.ask("/predict", form, Content_Type="multipart/form-data; boundary=B")
    assert found.told["answer"]["said"] == "5 BYTES"
    assert server.ask("/predict", b"1234", Content_Type="image/png").told["answer"]["said"] == "4 bytes"


def test_an_answer_is_not_held_back() -> None:
    """Its head and body are two writes: without TCP_NODELAY the second waits 40 ms for the first's receipt."""
    with light(limits={**LIMITS, "gather": 0.5}) as server, closing(server.connection()) as connection:
        seconds = []
        for _ in range(20):
            began = time.perf_counter()
            connection.request("POST", "/predict", b'{"question": "x"}', {"Content-Type": "application/json"})
            assert connection.getresponse().read()
            seconds.append(time.perf_counter() - began)
    # Nor does whoever asks alone wait for company: the median is below both.
    assert statistics.median(seconds) < 0.035


def test_what_was_done_is_said_at_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    with light(limits=LIMITS) as server:
        assert predict(server, "x")["answer"]
    assert "1 question answered, 1.0 together on average" in capfd.readouterr().err


def test_text_comes_piece_by_piece(server: Server) -> None:
    reply = server.ask("/predict", {"question": "go on"}, Accept="text/event-stream")
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = [block.split("\ndata: ") for block in reply.body.decode().strip().split("\n\n")]
    assert [name for name, _ in events] == ["event: piece"] * 3 + ["event: answer"]
    assert [json.loads(data).get("text") for _, data in events[:3]] == ["one ", "two\n\n", "three"]


def test_simultaneous_questions_are_answered_together(server: Server) -> None:
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda number: predict(server, f"q{number}")["answer"], range(48)))
    assert [one["said"] for one in found] == [f"q{number}" for number in range(48)]
    assert max(one["together"] for one in found) > 1
    sizes = server.ask("/metrics").body.decode()
    assert (
        "# TYPE dlkit_batch_size histogram" in sizes and 'dlkit_requests_total{path="/predict",status="200"}' in sizes
    )


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (b"x", {"Content_Type": "application/zip"}, 415, "is not understood: send application/json"),
        (b"[1", {"Content_Type": "application/json"}, 400, "not JSON"),
        (b"[" * 5000, {"Content_Type": "application/json"}, 400, "not JSON"),
        (b'{"question": 1, "questions": []}', {"Content_Type": "application/json"}, 422, "a body is"),
        (b'{"question": 1, "path": "/etc"}', {"Content_Type": "application/json"}, 422, "unknown: path"),
        (b'{"questions": [1,2,3,4,5,6,7,8,9]}', {"Content_Type": "application/json"}, 413, "8 are allowed"),
        (b"x" * 200_001, {"Content_Type": "image/png"}, 413, "200000 bytes at most"),
        (b"--B--", {"Content_Type": "multipart/form-data; boundary=B"}, 422, "a form has a file"),
        (b"nonsense", {"Content_Type": "multipart/form-data"}, 400, "boundary"),
        (b"{}", {"Content_Type": "application/json", "Origin": "http://evil.example"}, 403, "Origin"),
        (b"{}", {"Content_Type": "application/json", "Host": "evil.example"}, 403, "Host"),
    ],
)
def test_what_is_wrong_is_said(server: Server, body: bytes, headers: dict[str, str], status: int, said: str) -> None:
    reply = server.ask("/predict", body, **headers)
    assert (reply.status, said in reply.body.decode()) == (status, True), reply.body


def test_page_schema_and_health(server: Server) -> None:
    page = server.ask("/")
    assert page.headers["content-type"].startswith("text/html") and b"page.js" in page.body
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in ("/page.js", "/page.css"):
        assert b"http" not in server.ask(path).body
    document = server.ask("/schema").told
    assert document["openapi"] == "3.1.0" and "/predict" in document["paths"]
    body = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    Draft202012Validator.check_schema(body["schema"])
    assert body["example"] == {"question": "hello"}
    assert (server.ask("/health").body, server.ask("/ready").status) == (b"alive\n", 200)
    assert server.ask("/../etc/passwd").status == 404 and server.ask("/predict").status == 405


def test_a_model_that_dies_or_hangs_is_started_again() -> None:
    with light(limits={**LIMITS, "seconds": 1.0}) as server:
        for order in ("die", "hang"):
            status, told = predict(server, order)
            assert status == 503 and ("ended" in told["error"] or "within 1 s" in told["error"])
            until(lambda: isinstance(predict(server, "again"), dict), "the worker is there again")
        assert "dlkit_worker_restarts_total 2" in server.ask("/metrics").body.decode()


def test_too_many_questions_are_told_to_come_again() -> None:
    with light(limits={**LIMITS, "waiting": 2, "batch": 1, "gather": 0.0}) as server, ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda _: server.ask("/predict", {"question": "late"}), range(12)))
        assert {reply.status for reply in found} == {200, 503}
        refused = next(reply for reply in found if reply.status == 503)
        assert "2 questions wait already" in refused.told["error"] and refused.headers["retry-after"] == "1"


def test_whoever_waits_is_answered_when_the_server_ends() -> None:
    with light(limits=LIMITS) as server, ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(predict, server, "late") for _ in range(4)]
        time.sleep(0.2)
        server.process.terminate()
        assert [one.result(30)["answer"]["said"] for one in asked] == ["late"] * 4


def test_slow_connections_are_closed_and_hold_nobody_up(server: Server) -> None:
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    try:
        for number, one in enumerate(slow):
            one.sendall(b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1" if number % 2 else b"G")
        assert predict(server, "still here")["answer"]["said"] == "still here"
        for one in slow:
            one.settimeout(30)
            assert one.recv(100) == b""
    finally:
        for one in slow:
            one.close()
    late = socket.create_connection(("127.0.0.1", server.port))
    with late:
        late.settimeout(30)
        head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 50\r\n"
        late.sendall(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
        assert b" 408 " in late.recv(400)


HEADS = (
    b"POST /predict HTTP/1.1",
    b"GET / HTTP/1.1",
    b"GET /schema HTTP/1.0",
    b"PUT /predict HTTP/1.1",
    b"\x16\x03\x01",
)
PARTS = (
    b"\r\n", b"Host: 127.0.0.1", b"Host: %b", b"Content-Length: 5",
    b"Content-Length: -1", b"Content-Length: 99999999999",
    b"Content-Length: 1\r\nContent-Length: 2", b"Transfer-Encoding: chunked", b"Content-Type: application/json",
    b"Content-Type: multipart/form-data; boundary=" + b"B" * 300, b"Content-Type: image/png", b"Expect: 100-continue",
    b"A" * 9000, b": ", b"\0\xff", b"X: \r\n y", b'{"question": "hi"}', b"ffffffffffffffff\r\n", b"0\r\n\r\n", b"[[[[",
)  # fmt: skip


def hostile(server: Server, count: int, seed: int) -> None:
    """Send nonsense, some of it nearly right; what comes back is a status or the end of the connection."""
    drawn = random.Random(seed)
    host = f"Host: 127.0.0.1:{server.port}".encode()
    for _ in range(count):
        lines = [drawn.choice(HEADS), host, *drawn.choices(PARTS, k=drawn.randrange(8))]
        data = bytearray(drawn.choice((b"\r\n", b"\n")).join(lines) + b"\r\n\r\n" + drawn.choice(PARTS))
        for _ in range(drawn.choice((0, 0, 1, 5))):
            data[drawn.randrange(len(data))] = drawn.randrange(256)
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as one:
            try:
                one.sendall(data)
                one.shutdown(socket.SHUT_WR)
                head = one.recv(12)
                assert not head or (head[:7] == b"HTTP/1." and head[9:10] in b"1234"), head
            except (ConnectionError, BrokenPipeError):
                continue


def survived(server: Server, count: int) -> None:
    process = psutil.Process(server.process.pid)
    hostile(server, 100, 0)
    before = process.memory_info().rss
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda seed: hostile(server, count // 4, seed), range(1, 5)))
    assert predict(server, "fine")["answer"]["said"] == "fine"
    assert process.memory_info().rss - before < 40_000_000
    assert "dlkit_worker_restarts_total 0" in server.ask("/metrics").body.decode()


def test_hostile_requests_stop_nothing(server: Server) -> None:
    survived(server, 400)


@pytest.mark.slow
def test_ten_thousand_hostile_requests_stop_nothing() -> None:
    with light(limits=LIMITS) as server:
        survived(server, 10_000)


def test_beyond_loopback_a_token_is_needed() -> None:
    with light(host="0.0.0.0", limits=LIMITS) as server:
        token = server.url.partition("?token=")[2]
        assert len(token) > 30
        assert server.ask("/predict", {"question": "x"}).status == 401 == server.ask("/").status
        assert server.ask("/health").status == 200
        good = server.ask("/predict", {"question": "x"}, Authorization=f"Bearer {token}")
        assert good.status == 200
        entered = server.ask(f"/?token={token}")
        cookie = entered.headers["set-cookie"]
        assert entered.status == 303 and "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
        assert server.ask("/", Cookie=cookie.partition(";")[0]).status == 200


def test_ports_hosts_and_tokens(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"--port {port} is in use"):
            listen("127.0.0.1", port)
    with pytest.raises(UsageError, match=r"--host nowhere\.invalid cannot be listened on"):
        listen("nowhere.invalid", 0)
    with pytest.raises(UsageError, match="1 to 65535"):
        listen("127.0.0.1", 70_000)
    with pytest.raises(UsageError, match="16 characters"):
        token_of("short")
    assert hosts("0.0.0.0", 80) == () and "localhost:80" in hosts("127.0.0.1", 80)
    assert address("::1", 80, "") == "http://[::1]:80/"
    assert main(["serve", "nothing", "--workspace", str(tmp_path)]) == 2
    assert "no run 'nothing'" in capsys.readouterr().err

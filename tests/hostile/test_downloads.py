"""Servers that say anything, break off anywhere and never end: an error that names the address, in bounded time."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlkit.cli.main import main
from dlkit.data import download as module
from dlkit.data.download import download
from dlkit.errors import DataError
from hostile.misbehaving import Answer, Misbehaving, for_ever, misbehaving, says

BODY = bytes(range(256)) * 40
OK = b"HTTP/1.1 200 OK\r\n"
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Misbehaving]:
    monkeypatch.setattr(module, "BACKOFF", 0.0)
    with misbehaving() as found:
        yield found


def fetch(server: Misbehaving, part: Path, seconds: float = 60.0, have: bytes = b"") -> bytes:
    if have:
        part.write_bytes(have)
    download(server.url, part, size=len(BODY), sha256=SHA256, seconds=seconds)
    return part.read_bytes()


def refused(server: Misbehaving, part: Path, answer: Answer, seconds: float = 60.0, have: bytes = b"") -> str:
    server.answers = [answer]
    with pytest.raises(DataError) as caught:
        fetch(server, part, seconds, have)
    assert server.url in str(caught.value)
    return str(caught.value)


LONG_NUMBER = b"9" * 5000


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 206 x\r\nContent-Range: bytes 10-" + LONG_NUMBER + b"/" + LONG_NUMBER,
        b"HTTP/1.1 206 x\r\nContent-Range: bytes " + LONG_NUMBER + b"-1/2",
        b"HTTP/1.1 206 x\r\nContent-Range: bytes \xb2-\xb2/\xb2",
        OK + b"Content-Length: " + LONG_NUMBER,
        OK + b"Content-Length: \xb2",
        OK + b"Content-Length: -5",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + LONG_NUMBER + b"\r\nhello",
        b"HTTP/9.9 " + LONG_NUMBER + b" \r\n",
        b"HTTP/1.1 200",
        b"\0" * 100_000,
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000,
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000,
    ],
)
def test_malformed_answers_are_named(server: Misbehaving, tmp_path: Path, head: bytes) -> None:
    refused(server, tmp_path / "f.part", says(head, b"\r\n\r\n", BODY[:100]), have=BODY[:10])


@pytest.mark.parametrize(
    "location",
    [
        *(b"http://[::1", b"http://127.0.0.1:99999999/f", b"http://127.0.0.1:x/", b"http://127.0.0.1:-1/"),
        *(b"https://" + b"a" * 300 + b".example/", b"http://\xff\xfe/", b"https://a..b/", b"//", b"file:///etc/passwd"),
    ],
)
def test_redirections_to_nowhere_are_named(server: Misbehaving, tmp_path: Path, location: bytes) -> None:
    refused(server, tmp_path / "f.part", says(b"HTTP/1.1 302 Found\r\nLocation: ", location, b"\r\n\r\n"))


def test_a_loop_of_redirections_ends(server: Misbehaving, tmp_path: Path) -> None:
    message = refused(server, tmp_path / "f.part", says(b"HTTP/1.1 302 Found\r\nLocation: /file.bin\r\n\r\n"))
    assert "302" in message and "loop" in message
    assert server.asked <= 11


@pytest.mark.parametrize("address", ["http://[::1", "https://" + "ä" * 100 + ".example", "http://localhost:99999999"])
def test_a_mirror_that_is_no_address_is_named(
    tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLKIT_WORKSPACE", str(tmp_path))
    assert main(["data", "get", "mnist", "--mirror", address]) == DataError.exit_code
    assert address in capsys.readouterr().err


@pytest.mark.parametrize(
    "answer",
    [
        for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        for_ever(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", b"A: b\r\n"),
        for_ever(OK, b"x: y"),
        for_ever(b"HTTP/1.1 302 Found\r\nLocation: /file.bin\r\nX: y\r\n\r\n", b"x" * 65536),
        for_ever(OK + b"\r\n", b"x" * 65536),
        for_ever(b"HTTP/1.1 404 no\r\n\r\n", b"x" * 65536),
    ],
)
def test_what_never_ends_is_ended(server: Misbehaving, tmp_path: Path, answer: Answer) -> None:
    began = time.monotonic()
    refused(server, tmp_path / "f.part", answer, seconds=0.3)
    assert time.monotonic() - began < 20


def test_a_byte_now_and_then_is_not_waited_for(server: Misbehaving, tmp_path: Path) -> None:
    def drips(connection: object) -> None:
        connection.sendall(OK + b"\r\n")  # type: ignore[attr-defined]
        for i in range(1000):
            connection.sendall(BODY[i : i + 1])  # type: ignore[attr-defined]
            time.sleep(0.02)

    message = refused(server, tmp_path / "f.part", drips, seconds=0.3)
    assert "not there within 0.3 seconds" in message and "--max-time" in message and "are kept in" in message
    assert BODY.startswith((tmp_path / "f.part").read_bytes())
    # What came is a beginning of the file, from which the next try goes on.
    have = (tmp_path / "f.part").stat().st_size
    rest = b"HTTP/1.1 206 x\r\nContent-Range: bytes %d-%d/%d\r\n\r\n" % (have, len(BODY) - 1, len(BODY))
    server.answers = [says(rest, BODY[have:])]
    assert fetch(server, tmp_path / "f.part") == BODY


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon"])
def test_a_limit_that_is_none_is_refused(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLKIT_WORKSPACE", str(tmp_path))
    assert main(["data", "get", "mnist", "--max-time", text]) == 2
    assert "number of seconds above 0" in capsys.readouterr().err
    monkeypatch.setenv("DLKIT_DOWNLOAD_SECONDS", text)
    assert main(["data", "get", "mnist"]) == 2
    assert "DLKIT_DOWNLOAD_SECONDS" in capsys.readouterr().err


WORDS = (
    b"HTTP/1.1 |HTTP/1.0 |200|206|302|416|503|404|100| OK|\r\n|\r\n\r\n|\n|Content-Length: |Content-Range: bytes |"
    b"Transfer-Encoding: chunked|Location: |/file.bin|0|5|10240|-|*/|/|\xff|\0|:|ffff|http://[|Connection: close|"
    b"9999999999999999999999999|\r\n0\r\n\r\n"
).split(b"|")
"""What answers are made of."""
HONEST = [
    OK + b"Content-Length: 10240\r\n\r\n" + BODY,
    OK + b"Transfer-Encoding: chunked\r\n\r\n2800\r\n" + BODY + b"\r\n0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: /file.bin\r\n\r\n",
    b"HTTP/1.1 206 x\r\nContent-Range: bytes 10-10239/10240\r\n\r\n" + BODY[10:],
]


def mangled(generator: random.Random) -> bytes:
    """An honest answer with its beginning cut, words put in, bytes changed; or one of words alone."""
    answer = bytearray(generator.choice(HONEST))
    if generator.random() < 0.3:
        answer = bytearray(b"".join(generator.choices(WORDS, k=generator.randrange(1, 20))))
    for _ in range(generator.randrange(1, 5)):
        at = min(generator.randrange(1 + len(answer)), generator.randrange(120))
        end = at + generator.choice([0, 0, 1, 5, len(answer)])
        answer[at:end] = generator.choice([*WORDS, generator.randbytes(3)])
    return bytes(answer)


def attack(server: Misbehaving, folder: Path, seed: int, count: int) -> None:
    generator = random.Random(seed)
    part = folder / "f.part"
    for _ in range(count):
        server.answers = [says(mangled(generator)) for _ in range(3)]
        part.unlink(missing_ok=True)
        if generator.random() < 0.4:
            part.write_bytes(BODY[:10])
        began = time.monotonic()
        try:
            download(server.url, part, size=len(BODY), sha256=SHA256, seconds=20)
        except DataError as error:
            assert server.url in str(error)
        else:
            assert part.read_bytes() == BODY
        assert time.monotonic() - began < 15
        assert [path.name for path in folder.iterdir()] in ([], ["f.part"])


def test_whatever_a_server_says_the_file_or_an_error_comes_of_it(
    server: Misbehaving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ATTEMPTS", 2)
    attack(server, tmp_path, 0, 150)


@pytest.mark.slow
def test_whatever_a_server_says_five_thousand_times(
    server: Misbehaving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ATTEMPTS", 2)
    attack(server, tmp_path, 1, 5000)

"""A server that anybody on this machine may connect to: whatever they send, it goes on, and costs a line at most."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import psutil
import pytest

from dlkit.web import server as module
from dlkit.web.command import listen
from dlkit.web.guard import Guard
from dlkit.web.server import WebServer
from dlkit.web.sockets import Sockets
from waiting import LONG

APP = ["sh", "-c", "echo __GANGLION__; exec cat >/dev/null"]
"""It begins as Textual does, and reads to the end."""


class Running:
    """A server in this process; ``said`` are the lines that it has written."""

    def __init__(self, server: WebServer, said: list[str]) -> None:
        self.server, self.said = server, said
        self.port = server.guard.port
        self.host = server.guard.hosts[0]

    async def raw(self, data: bytes, eof: bool = False) -> bytes:
        """Send bytes, and give what came until the connection was closed; ``eof``: after them, the end is sent."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(data)
            if eof:
                writer.write_eof()
            return await asyncio.wait_for(reader.read(1 << 20), LONG)
        except ConnectionError:
            return b""
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    @property
    def cookie(self) -> str:
        return f"{self.server.guard.cookie}={self.server.guard._secret}"

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        headers = {"Cookie": self.cookie, "Origin": f"http://{self.host}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.ws_connect(f"http://{self.host}/ws", max_msg_size=0) as socket,
        ):
            yield socket

    async def alive(self) -> bool:
        url, limit = f"http://{self.host}/", aiohttp.ClientTimeout(LONG)
        async with (
            aiohttp.ClientSession(headers={"Cookie": self.cookie}) as session,
            session.get(url, timeout=limit) as answer,
        ):
            return answer.status == 200


@asynccontextmanager
async def running(monkeypatch: pytest.MonkeyPatch, **options: object) -> AsyncIterator[Running]:
    said: list[str] = []
    before = set(psutil.Process().children())  # other tests' server of training processes lives as long as all of them
    monkeypatch.setattr(module, "say", said.append)
    module._in_one_line(module.logging.getLogger("aiohttp.server"))
    with listen(0) as listener:
        server = WebServer(Guard(listener.getsockname()[1]), APP, **options)  # type: ignore[arg-type]
        ended, ready = asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(server.serve_until(ended, listener, lambda url: ready.set()))
        await ready.wait()
        try:
            yield Running(server, said)
        finally:
            ended.set()
            await serving
    left = set(psutil.Process().children()) - before
    assert not [child for child in left if child.status() != psutil.STATUS_ZOMBIE]


async def closed(socket: aiohttp.ClientWebSocketResponse) -> tuple[int | None, str]:
    async with asyncio.timeout(LONG):
        while (message := await socket.receive()).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
            pass
    return message.data, str(message.extra)


async def test_tabs_are_bounded_and_closing_one_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(monkeypatch, tabs=2) as found:
        async with found.tab(), found.tab():
            async with found.tab() as third:
                code, reason = await closed(third)
            assert code == 1013 and "2 tabs are open" in reason and "--tabs 3" in reason
            assert len(found.server.sessions) == 2
        async with asyncio.timeout(LONG):
            while not await answers(found):
                await asyncio.sleep(0.01)


async def answers(found: Running) -> bool:
    """Whether a new tab does."""
    async with found.tab() as tab:
        await tab.send_json(["ping", "1"])
        message = await tab.receive()
        return message.type is aiohttp.WSMsgType.TEXT and json.loads(message.data) == ["pong", "1"]


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02"]
)
async def test_a_connection_on_which_nothing_happens_is_closed(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    """Without a request, with half of one, and after one that was refused; one that is used stays."""
    async with running(monkeypatch, sockets=Sockets(idle=0.2)) as found, found.tab() as tab:
        reader, writer = await asyncio.open_connection("127.0.0.1", found.port)
        writer.write(sent)
        with suppress(ConnectionError):
            await asyncio.wait_for(reader.read(1 << 20), LONG)  # to its end
        writer.close()
        assert not tab.closed and await found.alive()


async def test_one_that_sends_a_byte_now_and_then_is_closed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(monkeypatch, sockets=Sockets(idle=0.3)) as found:
        _, writer = await asyncio.open_connection("127.0.0.1", found.port)
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(LONG):
                while True:
                    writer.write(b"G")
                    await writer.drain()
                    await asyncio.sleep(0.02)
        assert await found.alive()


async def test_there_are_never_too_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(monkeypatch, sockets=Sockets(idle=4.0, most=5)) as found:
        opened = [await asyncio.open_connection("127.0.0.1", found.port) for _ in range(40)]
        async with asyncio.timeout(LONG):  # to the ends of the oldest
            for reader, _ in opened[:35]:
                with suppress(ConnectionError):
                    await reader.read()
        assert await found.alive()
        for _, writer in opened:
            writer.close()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: HOST\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: HOST\r\nA: " + b"x" * 20_000 + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: HOST\r\n" + b"A: b\r\n" * 500 + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\n\r\nhello", 413),
        (b"GET / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: HOST\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"NONSENSE\r\n\r\n", 400),
        (b"\0\xff\r\n\r\n", 400),
    ],
)
async def test_what_is_too_large_or_makes_no_sense_is_refused_in_a_line(
    monkeypatch: pytest.MonkeyPatch, request_: bytes, status: int
) -> None:
    async with running(monkeypatch, sockets=Sockets(idle=0.2)) as found:
        answer = await found.raw(request_.replace(b"HOST", found.host.encode()))
        assert answer.split(b" ", 2)[1] == str(status).encode()
        assert len(found.said) <= 1 and all("\n" not in line and len(line) <= 200 for line in found.said)
        assert await found.alive()


async def test_a_message_that_is_too_large_ends_its_tab_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(monkeypatch) as found, found.tab() as other:
        for message in (json.dumps(["stdin", "x" * (2 << 20)]), "[" * 500_000, '["stdin", {"a": 1}]'):
            async with found.tab() as tab:
                await tab.send_str(message)
                assert (await closed(tab))[0] in (1009, 1003)
        assert not other.closed and await found.alive()


WORDS = (
    b"GET |/|/ws|/static/dlkit.css|/download/x|?token=|?width=-1| HTTP/1.1|\r\n|\r\n\r\n|Host: |HOST|:|\0|\xff|\n| |"
    b"../../etc/passwd|%2e%2e|Cookie: COOKIE|Origin: http://HOST|Upgrade: websocket|Connection: upgrade|POST |9|"
    b"Sec-WebSocket-Version: 13|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==|Content-Length: 5|"
    b"Transfer-Encoding: chunked"
).split(b"|")
MESSAGES: list[Callable[[random.Random], str | bytes]] = [
    lambda generator: json.dumps(["stdin", "a\u0000\ud800"[: generator.randrange(3)] * generator.randrange(100)]),
    lambda generator: json.dumps(["resize", {"width": generator.choice((-1, 10**9, "x", None, [])), "height": 24}]),
    lambda generator: json.dumps(["resize", generator.choice((None, [], {}, 7, {"width": 1}))]),
    lambda generator: json.dumps(
        [generator.choice(("ping", "blur", "focus", "no such", "", None, 7)), {"a": [1] * 50}]
    ),
    lambda generator: json.dumps(generator.choice(([], {}, None, 7, "stdin", [["stdin"]], ["stdin"]))),
    lambda generator: generator.choice(("[" * 10_000, "9" * 5000, '{"a":' * 2000, "nan", "\ud7ff", "")),
    lambda generator: generator.randbytes(generator.randrange(200)),
]


async def attack(found: Running, seed: int, count: int) -> None:
    """A request of its own for each, then as many messages to tabs, which are opened again where they end."""
    generator = random.Random(seed)
    for begin in range(0, count // 4, 20):
        data = [
            b"".join(generator.choices(WORDS, k=generator.randrange(1, 25))) for _ in range(min(20, count // 4 - begin))
        ]
        host, cookie = found.host.encode(), found.cookie.encode()
        filled = [one.replace(b"HOST", host).replace(b"COOKIE", cookie) for one in data]
        for answer in await asyncio.gather(*(found.raw(one, eof=True) for one in filled)):
            assert answer == b"" or answer.startswith(b"HTTP/1.")
            assert b"Traceback" not in answer and b"root:" not in answer
    left = count - count // 80 * 20
    while left:
        async with found.tab() as tab:
            while left and not tab.closed:
                message = generator.choice(MESSAGES[:4] if generator.random() < 0.95 else MESSAGES)(generator)
                left -= 1
                try:
                    await (tab.send_bytes(message) if isinstance(message, bytes) else tab.send_str(message))
                except ConnectionError:
                    break
                if left % 50 == 0:
                    with suppress(TimeoutError):
                        await tab.receive(timeout=0.001)


async def attacked(monkeypatch: pytest.MonkeyPatch, seed: int, count: int) -> None:
    async with running(monkeypatch) as found:
        before = psutil.Process().num_fds()
        await attack(found, seed, count)
        assert await found.alive()
        assert len(found.said) <= count and not [line for line in found.said if "\n" in line]
        assert psutil.Process().num_fds() < before + 300


async def test_whatever_is_sent_the_server_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    await attacked(monkeypatch, 0, 600)


@pytest.mark.slow
async def test_twenty_thousand_messages_later_the_server_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    await attacked(monkeypatch, 1, 20_000)

"""Apps behind WebSockets: started, spoken with, ended, whatever happens."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp
import psutil
import pytest
from aiohttp import web as web_server
from hypothesis import given
from hypothesis import strategies as st
from textual_serve.download_manager import DownloadManager

from dlkit.web.session import Session, cells
from waiting import LONG, until
from web.served import SMALL, Served, start, stop
from web.small import DELIVERED


class Tab:
    """What the page does, without a browser: ``shown`` is all that the app has written."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.shown = ""
        self.told: list[Any] = []

    async def press(self, keys: str) -> None:
        await self.socket.send_json(["stdin", keys])

    async def until(self, wanted: str) -> None:
        """Read until that has been shown."""
        async with asyncio.timeout(LONG):
            while wanted not in self.shown:
                await self._read()

    async def end(self) -> tuple[int, str]:
        """Read to the end; the code it was closed with, and the reason."""
        async with asyncio.timeout(LONG):
            while (message := await self.socket.receive()).type not in (
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.CLOSED,
            ):
                pass
        return message.data, message.extra

    async def until_told(self, kind: str) -> Any:
        async with asyncio.timeout(LONG):
            while not (found := [data for what, data in self.told if what == kind]):
                await self._read()
        return found[0]

    async def _read(self) -> None:
        message = await self.socket.receive()
        if message.type == aiohttp.WSMsgType.BINARY:
            self.shown += message.data.decode()
        elif message.type == aiohttp.WSMsgType.TEXT:
            self.told.append(json.loads(message.data))
        else:
            raise AssertionError(f"closed: {message} after {self.shown[-300:]!r}")


@asynccontextmanager
async def tab(served: Served, query: str = "width=100&height=30") -> AsyncIterator[Tab]:
    """As its page opens it."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        async with client.get(served.url) as page:
            assert page.status == 200 and str(page.url) == f"{served.base}/"
        async with client.ws_connect(f"{served.base}/ws?{query}", origin=served.base) as socket:
            yield Tab(socket)


async def gone(processes: list[psutil.Process]) -> None:
    await asyncio.to_thread(until, lambda: not any(map(alive, processes)), f"left: {processes}")


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def test_dlkit_itself_comes_through_the_websocket(dlkit_web: Served) -> None:
    async with tab(dlkit_web) as page:
        await page.until("regression")
        apps = dlkit_web.apps()
        assert len(apps) == 1 and apps[0].cmdline()[1:5] == ["-P", "-m", "dlkit", "tui"]
    await gone(apps)


async def test_the_app_is_told_of_the_browser(small: Served) -> None:
    async with tab(small, "width=100&height=30&light=1") as page:
        await page.until("images browser theme 0;15")
        await page.until("size 100x30.")
        await page.socket.send_json(["resize", {"width": 61, "height": 17}])
        await page.until("size 61x17.")
        await page.until("focus elsewhere")
        await page.socket.send_json(["focus"])
        await page.until("focus here")
        await page.socket.send_json(["ping", "17"])
        assert await page.until_told("pong") == "17"


async def test_an_app_opened_again_in_its_process_goes_on_in_its_tab(small: Served) -> None:
    async with tab(small) as page:
        await page.socket.send_json(["focus"])
        await page.socket.send_json(["resize", {"width": 61, "height": 17}])
        await page.until("size 61x17.")
        await page.until("focus here")
        apps, page.shown = small.apps(), ""
        await page.press("r")
        await page.until("size 61x17.")
        await page.until("focus here")
        assert small.apps() == apps
        await page.press("q")
        assert await page.end() == (1000, "")


async def test_what_comes_while_an_app_is_opened_again_is_the_next_ones(small: Served) -> None:
    async with tab(small) as page:
        await page.until("size 100x30.")
        for width in range(41, 51):
            await page.press("r")
            await page.socket.send_json(["resize", {"width": width, "height": 17}])
            await page.until(f"size {width}x17.")
        await page.press("q")
        assert await page.end() == (1000, "")


class Closed:
    """A WebSocket that nobody listens to."""

    async def send_bytes(self, data: bytes) -> None: ...

    async def send_str(self, data: str) -> None: ...

    async def close(self, **how: object) -> None: ...


def session(*words: str) -> Session:
    return Session(words, cast(web_server.WebSocketResponse, Closed()), DownloadManager(), light=False)


async def test_an_app_that_is_being_started_when_its_tab_ends_is_ended() -> None:
    begun = session("cat")
    starting = asyncio.create_task(begun.start(80, 24))
    await asyncio.sleep(0)
    await begun.stop()
    await starting
    process = begun._process
    assert process is not None and process.returncode is not None
    late = session("cat")
    await late.stop()
    await late.start(80, 24)
    assert late._process is None


async def test_an_app_whose_packets_make_no_sense_is_ended() -> None:
    nonsense = "import time; print('__GANGLION__\\nM\\0\\0\\0\\2[]', end='', flush=True); time.sleep(600)"
    begun = session(sys.executable, "-c", nonsense)
    await begun.start(80, 24)
    assert begun._task is not None
    async with asyncio.timeout(LONG):
        await begun._task
    assert begun._process is not None and begun._process.returncode == -signal.SIGKILL


async def test_a_focus_that_comes_first_is_kept(small: Served) -> None:
    async with tab(small) as page:
        await page.socket.send_json(["focus"])
        await page.until("focus here")
        shown = len(page.shown)
        await page.socket.send_json(["resize", {"width": 50, "height": 10}])
        await page.until("size 50x10.")
        assert "elsewhere" not in page.shown[shown:]


async def test_sizes_that_make_no_sense(small: Served) -> None:
    async with tab(small, "width=x&height=-3") as page:
        await page.until("images browser")
        await page.socket.send_json(["resize", {"width": "x", "height": -1}])
        await page.socket.send_json(["resize", {"width": 44, "height": 12}])
        await page.until("size 44x12.")


@pytest.mark.parametrize("message", ["{", "[]", '["stdin", 5]', '["resize", 3]'])
async def test_rubbish_ends_the_tab_alone(small: Served, message: str) -> None:
    async with tab(small) as other, tab(small) as page:
        await page.until("images")
        await page.socket.send_str(message)
        assert (await page.end())[0] == 1003
        await other.until("images")
        await other.press("q")
        assert (await other.end())[0] == 1000


async def test_several_tabs_are_several_apps(small: Served) -> None:
    before = small.apps()  # perhaps one of the test before, about to end
    async with tab(small) as one, tab(small) as other:
        await one.until("focus")
        await other.until("focus")
        assert len(set(small.apps()) - set(before)) == 2
        await one.press("q")
        assert await one.end() == (1000, "")
        await other.socket.send_json(["resize", {"width": 33, "height": 9}])
        await other.until("size 33x9.")
        left = small.apps()
    await gone(left)


async def test_an_app_that_fails_says_so(another_small: Served) -> None:
    async with tab(another_small) as page:
        await page.until("focus")
        await page.press("x")
        code, reason = await page.end()
    assert code == 1011 and "it failed as it was told to" in reason
    async with tab(another_small) as page:
        await page.until("focus")
        another_small.apps()[0].kill()
        assert await page.end() == (1011, "killed by signal 9")
    status, said = another_small.end()
    assert status == 0 and "it failed as it was told to" in said
    assert another_small.token not in said


async def test_an_app_that_does_not_start_says_so() -> None:
    served = start(sys.executable, str(SMALL), "serve", "broken")
    try:
        async with tab(served) as page:
            assert await page.end() == (1011, "it does not start")
    finally:
        stop(served)


async def test_an_app_that_hangs_is_killed_with_its_tab(small: Served) -> None:
    async with tab(small) as page:
        await page.until("focus")
        apps = small.apps()
        await page.press("h")
        await asyncio.to_thread(until, lambda: apps[-1].status() == psutil.STATUS_STOPPED)
    await gone(apps)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
async def test_no_app_is_left_behind(another_small: Served, ending: signal.Signals) -> None:
    async with tab(another_small) as one, tab(another_small) as other:
        await one.until("focus")
        await other.until("focus")
        apps = another_small.apps()
        assert len(apps) == 2
        os.kill(another_small.process.pid, ending)
        code, _ = await one.end()
        await gone(apps)
    status = await asyncio.to_thread(another_small.process.wait, LONG)
    assert (status, code) == ((-9, None) if ending == signal.SIGKILL else (0, 1001))


async def test_what_an_app_delivers_can_be_fetched_once_and_not_run(small: Served) -> None:
    async with tab(small) as page:
        await page.until("focus")
        await page.press("d")
        path = f"/download/{await page.until_told('deliver_file_start')}"
        assert small.ask(path).status == 403
        assert small.ask(path, small.cookie(), host="evil.example").status == 403
        answer = await asyncio.to_thread(small.ask, path, small.cookie())
        assert answer.status == 200 and answer.body == DELIVERED
        assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''a%20%22page%22.html"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert small.ask(path, small.cookie()).status == 404
        page.told.clear()
        await page.press("d")
        path = f"/download/{await page.until_told('deliver_file_start')}"
    await asyncio.to_thread(until, lambda: small.ask(path, small.cookie()).status == 404, "its app is gone")


@given(st.text() | st.integers() | st.none() | st.floats() | st.dictionaries(st.text(), st.none()))
def test_sizes_make_sense(sent: object) -> None:
    assert 1 <= cells(sent) <= 1000
    assert cells("17") == cells(17) == 17


def test_a_port_in_use_is_said(small: Served, tmp_path: Path) -> None:
    code, out, said = web("--port", str(small.port))
    assert (code, out) == (2, "") and f"--port {small.port} is in use" in said and "a free one" in said
    code, out, said = web("--port", "70000")
    assert (code, out) == (2, "") and "1 to 65535" in said


def test_without_textual_serve_it_says_what_to_install() -> None:
    script = "import sys; sys.modules['textual_serve'] = None; from dlkit.cli.main import main; sys.exit(main(['web']))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=LONG)
    assert (done.returncode, done.stdout) == (2, "") and 'pip install "dlkit[web]"' in done.stderr


def web(*words: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "dlkit", "web", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONG)
    return done.returncode, done.stdout, done.stderr


def test_it_listens_on_loopback_only_and_at_the_port_asked_for(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "dlkit", "web", "--json", "--port", str(port), "--workspace", str(tmp_path / "none")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        listening = [one.laddr for one in psutil.Process(process.pid).net_connections() if one.status == "LISTEN"]
        process.send_signal(signal.SIGINT)
        rest, talk = process.communicate(timeout=LONG)
    assert set(said) == {"event", "url"} and said["event"] == "serving"
    assert said["url"].startswith(f"http://127.0.0.1:{port}/?token=")
    assert listening == [("127.0.0.1", port)] and (rest, process.returncode) == ("", 0)
    assert said["url"].partition("=")[2] not in talk and not (tmp_path / "none").exists()


def test_opening_a_browser_tells_nobody_else(tmp_path: Path) -> None:
    """A browser that writes down what it was given, and what that file says."""
    browser = tmp_path / "browser"
    browser.write_text(
        f"""#!/bin/sh
        echo "$1" > {tmp_path}/given
        cp "${{1#file://}}" {tmp_path}/page
        ls -ld "$(dirname "${{1#file://}}")" > {tmp_path}/mode
        """
    )
    browser.chmod(0o700)
    words = [sys.executable, "-m", "dlkit", "web", "--open", "--workspace", str(tmp_path / "none")]
    environment = os.environ | {"BROWSER": str(browser)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        until(lambda: (tmp_path / "mode").exists() and (tmp_path / "mode").read_text())
        process.terminate()
        process.communicate(timeout=LONG)
    given = (tmp_path / "given").read_text().strip()
    assert url.partition("=")[2] not in given and url in (tmp_path / "page").read_text()
    assert (tmp_path / "mode").read_text().startswith("drwx------")
    assert not Path(given.removeprefix("file://")).exists()

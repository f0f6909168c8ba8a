"""The page in a real browser: what a person sees and types, and what other pages cannot do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
import pytest

from dlkit.events import Sampled, SampleRef
from dlkit.runs.contents import save_sample
from dlkit.samples import Images
from recorded import record_run, write_events
from waiting import until
from web.browser import DOWN, ENTER, Browser, chromium, missing
from web.served import Served

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def browser(chrome: Browser) -> Iterator[Browser]:
    """With a tab of the test's own, and nothing in its logs."""
    first = chrome.tab()
    chrome.switch(chrome.new_tab())
    chrome.catch_terminal()
    chrome.open("about:blank")
    chrome.console(), chrome.requests()
    yield chrome
    chrome.close_tab()
    chrome.switch(first)


@pytest.fixture
def elsewhere() -> Iterator[ThreadingHTTPServer]:
    """Another server on this machine; ``pages`` is what it answers, by path."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = server.pages.get(self.path, "").encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.pages = {}
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def errors(browser: Browser) -> list[str]:
    """What the console says, but for textual.js's two remarks."""
    return [line for line in browser.console() if '"ping=' not in line and '"CLOSED"' not in line]


def test_pictures_are_real_pixels_and_go_with_their_cells(browser: Browser, dlkit_web: Served, tmp_path: Path) -> None:
    run = record_run(tmp_path / "workspace")
    pixels = np.full((1, 8, 8, 3), (200, 40, 90), np.uint8)
    pixels[0, 0, 0] = (1, 255, 2)
    file = save_sample(run, Images(name="pink", images=pixels), "100-pink")
    write_events(run, [Sampled(step=100, samples=[SampleRef(kind="images", name="pink", title="", file=file)])], 3)
    browser.open(dlkit_web.url)
    browser.until(r"> ")
    browser.press("2")
    browser.until(run.id[:15])
    browser.press(ENTER)
    browser.until("s Samples")
    browser.press("s")
    browser.until("browser")
    colours = """
        const canvas = document.getElementById("pictures");
        if (!canvas) return [];
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const found = new Map();
        for (let i = 0; i < data.length; i += 4) {
          const colour = `${data[i]},${data[i + 1]},${data[i + 2]}`;
          if (data[i + 3]) found.set(colour, (found.get(colour) ?? 0) + 1);
        }
        return [...found];"""
    until(lambda: dict(browser.run(colours)).get("200,40,90"), "the picture")
    found = dict(browser.run(colours))
    assert max(found, key=lambda colour: found[colour]) == "200,40,90", "an image of one colour fills its cells"
    greens = [colour for colour in found if int(colour.split(",")[1]) > 200 > 100 > int(colour.split(",")[0])]
    assert greens, "and its first pixel is there"
    browser.press("c")
    until(lambda: not browser.run(colours), "the picture's end")
    assert not [line for line in errors(browser) if "getImageData" not in line], "which this test alone calls often"


def test_the_interface_opens_with_the_keyboard_in_it(browser: Browser, dlkit_web: Served) -> None:
    browser.open(dlkit_web.url)
    browser.until(r"> classification .*\n +regression ")
    assert (browser.url, browser.title) == (f"{dlkit_web.base}/", "dlkit")
    browser.press(DOWN)
    browser.until(r"\n> regression ")
    assert browser.run("return document.cookie") == ""
    assert dlkit_web.token not in browser.run(
        "return document.documentElement.outerHTML + JSON.stringify(history.state)"
    )
    asked = [urlsplit(url) for url in browser.requests()]
    assert {url.netloc for url in asked if url.scheme != "data"} == {dlkit_web.host}
    assert "/static/textual.js" in {url.path for url in asked}
    assert errors(browser) == []


def test_a_run_is_started_by_keys_and_completes(browser: Browser, dlkit_web: Served) -> None:
    browser.open(dlkit_web.url)
    browser.until(r"> classification .*\n +regression ")
    browser.press(DOWN)
    browser.until(r"\n> regression ")
    browser.press(ENTER)
    browser.until(r"Start \(ctrl\+s\).*ready")
    browser.press(ENTER)
    browser.until("completed")
    assert errors(browser) == []


def test_the_app_follows_the_window_and_a_reload(browser: Browser, small: Served) -> None:
    browser.open(small.url)
    browser.until("focus here")
    columns, rows = browser.run("return [window.caught.cols, window.caught.rows]")
    browser.until(f"size {columns}x{rows}\\.")
    browser.resize(700, 500)
    until(lambda: browser.run("return window.caught.cols") < columns)
    smaller, lower = browser.run("return [window.caught.cols, window.caught.rows]")
    browser.until(f"size {smaller}x{lower}\\.")
    browser.resize(1000, 720)
    (app,) = small.apps()
    browser.reload()
    browser.until("focus here")
    until(lambda: not psutil.pid_exists(app.pid) or app.status() == psutil.STATUS_ZOMBIE)
    assert len(small.apps()) == 1 and errors(browser) == []


def test_colours_and_font_size(browser: Browser, small: Served) -> None:
    for scheme, told in (("dark", "15;0"), ("light", "0;15")):
        browser.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        browser.open(small.url)
        browser.until(f"images browser theme {told}")
    columns = browser.run("return window.caught.cols")
    browser.open(f"{small.url}&fontsize=32")
    browser.until("size")
    assert browser.url.endswith("/?fontsize=32") and browser.run("return window.caught.cols") * 2 <= columns + 1


def test_the_clipboard(browser: Browser, small: Served) -> None:
    permissions = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    browser.command("Browser.grantPermissions", origin=small.base, permissions=permissions)
    browser.open(small.url)
    browser.until("focus here")
    browser.press("c")
    until(lambda: browser.run("return navigator.clipboard.readText()") == "copied in the app")
    browser.run("return navigator.clipboard.writeText('from elsewhere')")
    key = {"key": "v", "code": "KeyV", "windowsVirtualKeyCode": 86, "modifiers": 2}
    browser.command("Input.dispatchKeyEvent", type="keyDown", commands=["paste"], **key)
    browser.command("Input.dispatchKeyEvent", type="keyUp", **key)
    browser.until(r"pasted: from elsewhere\.")


def test_a_download_is_shown_and_not_run(browser: Browser, small: Served) -> None:
    browser.open(small.url)
    browser.until("focus here")
    page, tabs = browser.tab(), set(browser.tabs())
    browser.press("d")
    until(lambda: set(browser.tabs()) - tabs)
    browser.switch((set(browser.tabs()) - tabs).pop())
    until(lambda: "document.title" in browser.run("return document.documentElement.outerHTML"))
    assert browser.title != "run" and "/download/" in browser.url
    browser.close_tab()
    browser.switch(page)


def test_an_app_that_ends_says_how_and_can_be_opened_again(browser: Browser, small: Served) -> None:
    browser.open(small.url)
    for key, said in (("x", "ended with an error.*told to"), ("q", "was closed. Jobs go on")):
        browser.until("focus here")
        browser.press(key)
        browser.until_told(said)
        browser.press(ENTER)
        until(lambda: browser.run("return !document.body.classList.contains('-closed')"))
    browser.until("focus here")
    assert errors(browser) == []


def test_a_server_that_ends_says_so(browser: Browser, another_small: Served) -> None:
    browser.open(another_small.url)
    browser.until("focus here")
    another_small.end()
    browser.until_told("dlkit web has ended")
    assert errors(browser) == []


def test_two_servers_in_one_browser(browser: Browser, small: Served, another_small: Served) -> None:
    for served in (small, another_small, small):
        browser.open(served.url)
        browser.until("focus here")
    browser.open(f"{another_small.base}/")
    browser.until("focus here")
    browser.open(small.url.replace(small.token, another_small.token))
    assert "the token is wrong" in browser.run("return document.body.innerText")


def test_the_address_works_from_another_sites_page(
    browser: Browser, small: Served, elsewhere: ThreadingHTTPServer
) -> None:
    """A strict cookie does not travel with the redirect then: the page asks once more by itself."""
    elsewhere.pages = {"/": f'<a href="{small.url}">here</a>'}
    browser.command("Network.clearBrowserCookies")
    browser.open(f"http://localhost:{elsewhere.server_port}/")
    browser.click("a")
    browser.until("focus here")
    assert browser.url == f"{small.base}/"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_other_page_can_drive_it(browser: Browser, small: Served, elsewhere: ThreadingHTTPServer, host: str) -> None:
    """In the browser that has the cookie, which the browser even sends along from the same host's other ports."""
    elsewhere.pages = {
        "/": f"""<p id="seen"></p><iframe src="{small.base}/"></iframe><script>
        const seen = (word) => document.getElementById("seen").append(word + " ");
        const socket = new WebSocket("ws://{small.host}/ws");
        socket.onopen = () => seen("open");
        socket.onclose = () => seen("socket");
        const wanted = fetch("{small.base}/", {{ credentials: "include", mode: "no-cors" }});
        wanted.then(() => seen("page"), () => seen("fetch"));
        </script>"""
    }
    browser.open(small.url)
    browser.until("focus here")
    apps = len(small.apps())
    browser.open(f"http://{host}:{elsewhere.server_port}/")
    until(lambda: len(browser.run("return document.getElementById('seen').textContent").split()) == 2)
    assert set(browser.run("return document.getElementById('seen').textContent").split()) == {"socket", "fetch"}
    until(lambda: len(small.apps()) == apps - 1, "the one that was left has ended, and none has begun")


def test_without_webgl(small: Served, tmp_path: Path) -> None:
    """textual.js alone shows an empty page there."""
    with chromium(tmp_path, "--disable-3d-apis") as browser:
        browser.catch_terminal()
        browser.open(small.url)
        browser.until("focus here")
        assert browser.run("return document.createElement('canvas').getContext('webgl2')") is None
        assert errors(browser) == []


def test_two_tabs_on_one_workspace(browser: Browser, dlkit_web: Served) -> None:
    browser.open(dlkit_web.url)
    browser.until("> classification")
    first = browser.tab()
    browser.switch(browser.new_tab())
    browser.catch_terminal()
    browser.open(f"{dlkit_web.base}/")
    browser.until("> classification")
    assert len(dlkit_web.apps()) == 2
    browser.close_tab()
    until(lambda: len(dlkit_web.apps()) == 1)
    browser.switch(first)
    browser.press(DOWN)
    browser.until(r"\n> regression ")

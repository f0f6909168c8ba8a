"""The page on which a person tries a served model, in a real browser, on a phone and a desk."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from serving import WORKER, Server, started
from waiting import until
from web.browser import Browser, chromium, missing

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]

SERVER = """
import json, sys
from dlkit.use.serve.command import Serving, serve
sys.exit(serve(Serving("a model", [sys.executable, sys.argv[1], sys.argv[2]]), as_json=True))
"""
NUMBER = {"type": "number"}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
ROW = {"type": "object", "properties": {"area": NUMBER, "kind": {"type": "string", "enum": ["flat", "house"]}}}
PAGES: Mapping[str, Mapping[str, object]] = {
    "text": {"asks": "text", "streams": False, "schema": {"question": {"type": "string"}, "example": "hello"}},
    "prompt": {"asks": "prompt", "streams": True, "schema": {"question": {"type": "string"}, "example": "go on"}},
    "row": {"asks": "row", "streams": False, "schema": {"question": ROW, "example": {"area": 3.5, "kind": "house"}}},
    "image": {"asks": "image", "streams": False, "schema": {"question": {"type": "string"}, "example": PIXEL}},
    "seed": {"asks": "seed", "streams": False, "schema": {
        "question": {"type": "integer", "minimum": 0}, "example": 7}},
}  # fmt: skip
SAID = {"text": "hello", "row": '"kind": "house"', "image": "bytes", "seed": "7"}


@contextmanager
def served(kind: str) -> Iterator[Server]:
    """A model whose questions are of this kind."""
    told = PAGES[kind]
    schema = {**told["schema"], "answer": {"type": "object"}}  # type: ignore[dict-item]
    with started([sys.executable, "-P", "-c", SERVER, str(WORKER), json.dumps({**told, "schema": schema})]) as server:
        yield server


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as found:
        yield found


def said(browser: Browser) -> str:
    return str(browser.run("return document.getElementById('answer').textContent"))


def looked_at(browser: Browser, url: str, width: int) -> None:
    browser.command("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1,
                    mobile=width < 500)  # fmt: skip
    browser.open(url)
    until(lambda: browser.run("return !document.getElementById('examples').hidden"), "there is an example to click")
    assert browser.run("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("kind", PAGES)
def test_an_example_is_asked_with_a_click(browser: Browser, kind: str) -> None:
    wanted = SAID.get(kind, "one two\n\nthree")
    with served(kind) as server:
        for width in (390, 1280):
            looked_at(browser, server.url, width)
            browser.click(".example")
            until(lambda: wanted in said(browser), f"{kind} is answered")
            assert browser.run("return document.documentElement.scrollWidth") <= width
        hosts = {url.split("/")[2] for url in browser.requests() if url.startswith("http")}
        assert hosts <= {f"127.0.0.1:{server.port}"} and browser.console() == []


def test_what_is_typed_is_asked_with_its_options_and_errors_are_said(browser: Browser) -> None:
    with served("text") as server:
        looked_at(browser, server.url, 390)
        browser.click("textarea")
        browser.press("abc")
        browser.click("#options summary")
        browser.click("#options input[type=checkbox]")
        browser.click("button[type=submit]")
        until(lambda: "ABC" in said(browser), "it is answered, loudly")
        browser.run("document.querySelector('textarea').value = 'wrong'")
        browser.click("button[type=submit]")
        until(lambda: "no such order" in said(browser), "what is wrong is said")


def test_a_row_is_typed_into_its_columns(browser: Browser) -> None:
    with served("row") as server:
        looked_at(browser, server.url, 1280)
        browser.click("input[inputmode=decimal]")
        browser.press("12")
        browser.click("button[type=submit]")
        until(lambda: '"area": 12' in said(browser), "the row is answered")


def test_an_image_is_dropped(browser: Browser) -> None:
    with served("image") as server:
        looked_at(browser, server.url, 390)
        browser.run(
            "const data = new DataTransfer(); data.items.add(new File([new Uint8Array(5)], 'a.png', "
            "{type: 'image/png'})); document.querySelector('.drop').dispatchEvent("
            "new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}))"
        )
        browser.click("button[type=submit]")
        until(lambda: "5 bytes" in said(browser), "the file is answered")

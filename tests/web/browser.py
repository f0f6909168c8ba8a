"""A headless Chromium, driven by WebDriver's protocol: JSON over HTTP, to a chromedriver on loopback."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ENTER, ESCAPE, DOWN = "\ue007", "\ue00c", "\ue015"
PATIENCE = 20.0
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # Chromium has none for root in a container
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
# The terminal is a local variable of textual.js: it is caught when that gives it its first add-on.
_CATCH = """
Object.defineProperty(Object.prototype, "fitAddon", {
  configurable: true,
  set(addon) { delete Object.prototype.fitAddon; this.fitAddon = addon; window.caught = this.terminal; },
});
"""
_READ = """
const terminal = window.caught;
if (!terminal) return null;
const buffer = terminal.buffer.active, lines = [];
for (let i = 0; i < terminal.rows; i++) lines.push(buffer.getLine(buffer.viewportY + i)?.translateToString(true) ?? "");
return lines.join("\\n");
"""


def missing() -> str:
    """Why there is no browser to test with; empty if there is."""
    absent = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    return f"not installed: {', '.join(absent)}" if absent else ""


class Browser:
    """One window. Methods raise OSError where the driver refuses."""

    def __init__(self, address: str, options: dict[str, Any]) -> None:
        self._address = address
        self._session = ""
        capabilities = {"browserName": "chrome", "goog:chromeOptions": options}
        capabilities["goog:loggingPrefs"] = {"browser": "ALL", "performance": "ALL"}
        answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self._session = f"/session/{answer['sessionId']}"

    def catch_terminal(self) -> None:
        """Have the pages of this tab, brought to the front, keep their terminal for ``screen``."""
        self.command("Page.bringToFront")
        self.command("Page.addScriptToEvaluateOnNewDocument", source=_CATCH)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._address + path, data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]

    def _post(self, path: str, **body: Any) -> Any:
        return self._ask("POST", self._session + path, body)

    def open(self, url: str) -> None:
        self._post("/url", url=url)

    def reload(self) -> None:
        self._post("/refresh")

    @property
    def url(self) -> str:
        return str(self._ask("GET", f"{self._session}/url"))

    @property
    def title(self) -> str:
        return str(self._ask("GET", f"{self._session}/title"))

    def command(self, name: str, **parameters: Any) -> Any:
        """A command of the DevTools protocol."""
        return self._post("/goog/cdp/execute", cmd=name, params=parameters)

    def run(self, script: str) -> Any:
        """What a script in the page returns."""
        return self._post("/execute/sync", script=script, args=[])

    def press(self, *keys: str) -> None:
        """Type into whatever has the focus."""
        element = next(iter(self._ask("GET", f"{self._session}/element/active").values()))
        self._post(f"/element/{element}/value", text="".join(keys))

    def click(self, selector: str) -> None:
        element = next(iter(self._post("/element", using="css selector", value=selector).values()))
        self._post(f"/element/{element}/click")

    def resize(self, width: int, height: int) -> None:
        self._post("/window/rect", width=width, height=height)

    def new_tab(self) -> str:
        """Its handle; ``switch`` goes there."""
        return str(self._post("/window/new", type="tab")["handle"])

    def tab(self) -> str:
        return str(self._ask("GET", f"{self._session}/window"))

    def tabs(self) -> list[str]:
        return list(self._ask("GET", f"{self._session}/window/handles"))

    def switch(self, handle: str) -> None:
        self._post("/window", handle=handle)

    def close_tab(self) -> None:
        self._ask("DELETE", f"{self._session}/window")

    def screen(self) -> str:
        """The text that the page's terminal shows."""
        return self.run(_READ) or ""

    def until(self, wanted: str) -> str:
        """Wait until the terminal shows a pattern; all of its text then."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(wanted, text := self.screen()):
            assert time.monotonic() < deadline, f"no {wanted!r} on the screen:\n{text}"
            time.sleep(0.1)
        return text

    def until_told(self, wanted: str) -> None:
        """Wait for the page's own words, outside the terminal."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(wanted, text := self.run("return document.getElementById('why').innerText")):
            assert time.monotonic() < deadline, f"no {wanted!r} in the page: {text!r}"
            time.sleep(0.05)

    def console(self) -> list[str]:
        """What the console has said since last asked."""
        return [entry["message"] for entry in self._post("/se/log", type="browser")]

    def requests(self) -> list[str]:
        """The addresses that pages have asked for since last asked."""
        messages = [json.loads(entry["message"])["message"] for entry in self._post("/se/log", type="performance")]
        sent = {
            "Network.requestWillBeSent": lambda p: p["request"]["url"],
            "Network.webSocketCreated": lambda p: p["url"],
        }
        return [sent[message["method"]](message["params"]) for message in messages if message["method"] in sent]

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._ask("GET", f"{self._session}/screenshot")))

    def quit(self) -> None:
        self._ask("DELETE", self._session)


@contextmanager
def chromium(folder: Path, *flags: str) -> Iterator[Browser]:
    """A browser with a profile of its own in ``folder``, which is gone when left."""
    driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert driver.stdout is not None
        ports = (re.search(r"started successfully on port (\d+)", line) for line in driver.stdout)
        port = next(found[1] for found in ports if found)
        arguments = [*FLAGS, f"--user-data-dir={folder / 'profile'}", "--window-size=1000,720", *flags]
        options = {"args": arguments, "binary": shutil.which("chromium")}
        browser = Browser(f"http://127.0.0.1:{port}", options)
        try:
            yield browser
        finally:
            browser.quit()
    finally:
        driver.terminate()
        driver.wait(10)
        driver.stdout.close()

"""No name of a file, a folder, a column or a class, no cell and no server's answer steers the terminal."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dlkit.cli.main import main
from dlkit.data import download
from installed import all_but
from planted import EVIL, WRITTEN
from steering import Listen, listen

__all__ = ["listen"]

CELL = WRITTEN.replace("\n", " ").replace("\r", "")
"""What fits into a row of a table."""
FAST = ["--steps", "2", "--batch-size", "4", "--device", "cpu"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two columns of numbers, one of words, all of them planted, in a file of such a name."""
    path = tmp_path / f"{WRITTEN}.csv"
    rows = [f'{i},"{CELL}{i % 3}",{i * 2}' for i in range(40)]
    path.write_text("\n".join([f'"a{CELL}","b{CELL}","c{CELL}"', *rows]), encoding="utf-8")
    return path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two classes of ten images."""
    folder = tmp_path / f"images{WRITTEN}"
    for label in ("a", "b"):
        (folder / f"{label}{WRITTEN}").mkdir(parents=True)
        for i in range(10):
            Image.new("L", (8, 8), i * 20).save(folder / f"{label}{WRITTEN}" / f"{i}{WRITTEN}.png")
    return folder


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLKIT_WORKSPACE", str(tmp_path / "ws"))
    monkeypatch.setenv("DLKIT_DISABLE", all_but("regression", "classification"))
    monkeypatch.chdir(tmp_path)


def heard(listen: Listen, *lines: list[str]) -> str:
    """What the command lines say together, looked through."""
    said = ""
    with listen() as ear:
        ear.read()
        for words in lines:
            with suppress(SystemExit):
                main(words)
            said += ear.check(*words)
    return said


def test_of_a_users_table(table: Path, listen: Listen) -> None:
    options = ["--dataset", "files", "--dataset.path", str(table), "--dataset.delimiter", ","]
    shown, trained = ["data", "show", "regression", *options], ["train", "regression", *options, *FAST]
    asked = [["predict", "last", row] for row in (f"1,{CELL}1", f"{CELL},1", WRITTEN, str(table))]
    looked = [[word, "last", *more] for word in ("show", "evaluate", "sample") for more in ([], ["--json"])]
    said = heard(listen, shown, [*shown, "--json"], [*trained, "--name", "fine"], *looked, *asked)
    assert "forged" in said and "completed" in said
    table.write_text(table.read_text() + f'\n1,"{WRITTEN}",{WRITTEN}')
    assert "forged" in heard(
        listen, shown, trained, [*shown, "--dataset.target", EVIL], [*shown, "--dataset.ignore", EVIL]
    )


def test_of_a_users_images(images: Path, listen: Listen) -> None:
    options = ["--dataset", "files", "--dataset.path", str(images), "--dataset.size", "8"]
    shown = ["data", "show", "classification", *options]
    trained = ["train", "classification", *options, "--model", "mlp", *FAST]
    file = str(next(images.rglob("*.png")))
    said = heard(listen, shown, trained, ["evaluate", "last"], ["predict", "last", file], ["show", "last", "--samples"])
    assert "forged" in said and "completed" in said
    Path(file).write_bytes(b"no image")
    (images / f"c{EVIL}").mkdir()
    said = heard(listen, shown, ["predict", "last", file], ["predict", "last", str(images)])
    assert "forged" in said


@pytest.mark.parametrize("status", [404, 503])
def test_of_a_server(status: int, listen: Listen, loud_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "BACKOFF", 0.001)
    said = heard(listen, ["data", "get", "mnist", "--mirror", f"{loud_server}/{status}"])
    assert "forged" in said


@pytest.fixture
def loud_server() -> Iterator[str]:
    """Says no in words of its own; the path begins with the status."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reason = "e\x1b]0;owned\x07\x1b[35;7mv\x9b2J forged"
            self.send_response_only(int(self.path.split("/")[1]), reason)
            self.send_header("X-Reason", json.dumps(reason))
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()

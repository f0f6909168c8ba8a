"""``python -m dlkit.testing.probe PLUGIN OUT``: loads one plugin in a fresh process and writes what that did.

Python tells of files, sockets and processes by audit events. What is printed, whoever started this reads.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from dlkit.catalog import Catalog, Plugin, load_config, load_target
from dlkit.errors import DlkitError

HEAVY = (
    "torch",
    "torchvision",
    "textual",
    "matplotlib",
    "sklearn",
    "scipy",
    "pandas",
    "transformers",
    "tensorflow",
    "jax",
)
"""Packages whose import takes a tenth of a second or more."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FILES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod")
_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind", "socket.sendto")
_PROCESSES = ("subprocess.Popen", "os.system", "os.fork", "os.exec", "os.posix_spawn")


class Loaded(TypedDict):
    """What loading a plugin did. ``heavy``: packages that its entry point imported; ``heavy_options``: those that came
    with the module of options, or of a task's contract, by component; ``refused``: components whose names are taken.
    """

    state: str
    reason: str
    traceback: str
    seconds: float
    heavy: list[str]
    heavy_options: dict[str, list[str]]
    files: list[str]
    network: list[str]
    started: list[str]
    changed: list[str]
    components: list[dict[str, str]]
    refused: list[str]


class _Heard:
    """What the audit hook was told while it listened; it cannot be taken away again."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.network: list[str] = []
        self.started: list[str] = []
        self.listening = False
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.listening:
            return
        if (event == "open" and _writes(arguments)) or event in _FILES:
            self.files.append(f"{event.removeprefix('os.')} {arguments[0]!s}")
        elif event in _NETWORK:
            self.network.append(f"{event} {arguments[1:]!r}")
        elif event in _PROCESSES:
            self.started.append(f"{event} {arguments[:2]!r}")


def _writes(arguments: tuple[object, ...]) -> bool:
    """Whether an ``open`` may change a file: mode and flags, as Python's or the system's function was called."""
    _, mode, flags = arguments
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITING)


def main(words: list[str]) -> int:
    name, out = words
    sys.dont_write_bytecode = True  # Python's own doing
    heard, before = _Heard(), _state()
    catalog = Catalog.discover()
    heard.listening = True
    with suppress(DlkitError):  # it is in the plugin's state
        catalog.load(name, bare=True)
    heard.listening = False
    plugin = next(found for found in catalog.plugins if found.name == name)
    heavy, after = _heavy(), _state()
    started = [f"thread {thread.name}" for thread in threading.enumerate() if thread is not threading.main_thread()]
    changed = [what for what, value in after.items() if value != before[what]]
    found: Loaded = {
        "state": plugin.state, "reason": plugin.reason, "traceback": plugin.traceback, "seconds": plugin.seconds,
        "heavy": heavy, "heavy_options": {}, "files": heard.files, "network": heard.network,
        "started": [*heard.started, *started], "changed": changed, "components": [_told(s) for s in plugin.specs],
        "refused": [],
    }  # fmt: skip
    if plugin.usable and not heavy:
        found["heavy_options"] = dict(_heavy_options(catalog, plugin))
    catalog.load_all()
    found["refused"] = [refused.reason for refused in plugin.refused]
    Path(out).write_text(json.dumps(found), encoding="utf-8")
    os._exit(0)  # what it has left running is told, and not waited for


def _told(spec: object) -> dict[str, str]:
    return {key: str(getattr(spec, key, "")) for key in ("kind", "name", "summary", "title")}


def _heavy() -> list[str]:
    return [name for name in HEAVY if name in sys.modules]


def _heavy_options(catalog: Catalog, plugin: Plugin) -> Iterator[tuple[str, list[str]]]:
    """Options first, then contracts of tasks; the first that loads something is to blame for it."""
    known: set[str] = set()
    contracts = [(spec, load_target) for spec in plugin.specs if spec.kind == "task"]
    for spec, load in [*((spec, load_config) for spec in plugin.specs), *contracts]:
        try:
            load(spec, catalog)
        except DlkitError:
            continue  # another rule's affair
        if new := set(_heavy()) - known:
            known |= new
            yield f"{spec.kind} {spec.name}", sorted(new)


def _state() -> dict[str, object]:
    """What of this process is everybody's."""
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)}
    return {
        "the environment": dict(os.environ), "the current folder": Path.cwd(), "sys.path": list(sys.path),
        "sys.excepthook": sys.excepthook, "signal handlers": signals, "the recursion limit": sys.getrecursionlimit(),
        "sys.stdout": sys.stdout, "sys.stderr": sys.stderr,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

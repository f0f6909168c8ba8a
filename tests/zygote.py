"""Training processes that begin in milliseconds: forked from one that has imported torch.

They are processes like any other, with their own signals, files and locks, under a real supervisor; what is left out
is three seconds of imports. ``serve`` is the server, this module as a script the client, which a launcher of the toy
plugin starts in place of ``python -m dlkit.jobs.rank``, and which lives and dies with the process that it stands for.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PRELOAD = ("torch", "torch._dynamo", "dlkit.engine.start", "dlkit.engine.supervised", "dlkit.jobs.rank", "toy_parts",
           "extras_parts", "sklearn.datasets")  # fmt: skip


@contextmanager
def serving(folder: Path) -> Iterator[Path]:
    """The server, while entered; its socket is what DLKIT_ZYGOTE must name."""
    address = folder / "zygote"
    server = subprocess.Popen([sys.executable, __file__, "serve", str(address)])
    try:
        deadline = time.monotonic() + 60
        while not address.exists():
            assert server.poll() is None and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)
        yield address
    finally:
        server.kill()
        server.wait()


def command(run_folder: Path, nproc: int, config: Any) -> list[str]:
    """The launcher."""
    assert nproc == 1
    return [sys.executable, "-I", "-S", __file__, "ask", os.environ["DLKIT_ZYGOTE"], str(run_folder)]


def serve(address: str) -> None:
    from importlib import import_module

    for name in PRELOAD:
        import_module(name)
    for plugin in ("dlkit_regression", "dlkit_classification", "dlkit_scratch"):
        for part in ("models", "losses", "metrics", "trainer", "datasets.diabetes", "datasets.digits"):
            try:
                import_module(f"{plugin}.{part}")
            except ImportError:
                continue
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{address}.tmp")
    listener.listen(64)
    Path(f"{address}.tmp").rename(address)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _become(connection)
        connection.close()


def _become(connection: socket.socket) -> None:
    """In the forked process: be what was asked for, until the client is gone."""
    import threading

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    message, descriptors, _, _ = socket.recv_fds(connection, 1 << 20, 2)
    if not message:  # the client was killed before it could ask
        os._exit(1)
    asked = json.loads(message)
    for target, descriptor in zip((1, 2), descriptors, strict=True):
        os.dup2(descriptor, target)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])

    def wait_for_the_end() -> None:
        connection.recv(1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    from dlkit.jobs import rank
    from dlkit.runs import faults

    faults._label, _, count = os.environ.get("DLKIT_FAULT", "").partition(":")
    faults._left = int(count or 1)
    code = 1
    try:
        code = rank.main(asked["words"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.send(bytes([code]))
        os._exit(code)


def ask(address: str, words: list[str]) -> int:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    asked = {"words": words, "environment": dict(os.environ), "folder": str(Path.cwd())}
    socket.send_fds(connection, [json.dumps(asked).encode()], [1, 2])
    code = connection.recv(1)
    if not code:  # it died without a word: so does this one
        os.kill(os.getpid(), signal.SIGKILL)
    return code[0]


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(ask(sys.argv[2], sys.argv[3:]))

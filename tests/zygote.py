"""Processes that train or answer and begin in milliseconds: forked from one that has imported torch.

They are processes like any other, with their own signals, files and locks, under a real supervisor; what is left out
is three seconds of imports. ``serve`` is the server, this module as a script the client, which a launcher of the toy
plugin starts in place of ``python -m dlkit.jobs.rank``, and which lives and dies with the process that it stands for;
``stand_in`` gives the same for any module that is run with ``python -m``.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module, invalidate_caches

TYPE_CHECKING = False  # as typing has it: hundreds of clients are started, each of which would import these for 7 ms
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

PRELOAD = (
    "torch",
    "torch._dynamo",
    "dlkit.engine.start",
    "dlkit.engine.supervised",
    "dlkit.jobs.rank",
    "dlkit.jobs.launch",
    "dlkit.use.helper",
    "dlkit.engine.probe.process",
    "toy_parts",
    "extras_parts",
    "sklearn.datasets",
)
LINGER_SECONDS = 1.0
"""How long the ranks that are left are given to say so, once one has failed."""


@contextmanager
def serving(folder: Path) -> Iterator[Path]:
    """The server, while entered; its socket is what DLKIT_ZYGOTE must name."""
    import subprocess

    address = folder / "zygote"
    server = subprocess.Popen([sys.executable, __file__, "serve", str(address)])
    try:
        deadline = time.monotonic() + 120
        while not address.exists():
            assert server.poll() is None and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)
        yield address
    finally:
        server.kill()
        server.wait()


def command(run_folder: Path, nproc: int, config: Any) -> list[str]:
    """The launcher."""
    return [sys.executable, "-I", "-S", __file__, "ask", os.environ["DLKIT_ZYGOTE"], str(nproc), str(run_folder)]


def stand_in(module: str, *words: str) -> list[str]:
    """In place of ``dlkit.interpreter.python``."""
    return [sys.executable, "-I", "-S", __file__, "be", os.environ["DLKIT_ZYGOTE"], module, *words]


def serve(address: str) -> None:
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
    os.rename(f"{address}.tmp", address)  # noqa: PTH104
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
    message, descriptors, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    if not message:  # the client was killed before it could ask
        os._exit(1)
    asked = json.loads(message)
    for target, descriptor in zip(asked["descriptors"], descriptors, strict=True):
        os.dup2(descriptor, target)
    own = _folders(asked["environment"])
    sys.path[:] = [*own, *(path for path in sys.path if path not in {*own, *_folders(os.environ)})]
    invalidate_caches()
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])

    def wait_for_the_end() -> None:
        connection.recv(1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    from dlkit.runs import faults

    faults._label, _, count = os.environ.get("DLKIT_FAULT", "").partition(":")
    faults._left = int(count or 1)
    end = os._exit

    def leave(code: int) -> None:
        connection.send(bytes([code]))
        end(code)

    os._exit = leave  # type: ignore[assignment]  # who is told to end at once says so too
    code = 1
    try:
        code = import_module(asked["module"]).main(asked["words"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        leave(code)


def _folders(environment: Mapping[str, str]) -> list[str]:
    """Where Python looks for modules because the environment says so."""
    return [folder for folder in environment.get("PYTHONPATH", "").split(os.pathsep) if folder]


def be(address: str, module: str, words: list[str]) -> int:
    """Be ``python -m module words``, its standard input too."""
    connection = _begun(address, words, {}, module, (0, 1, 2))
    code = connection.recv(1)
    if not code:  # it died without a word: so does this one
        os.kill(os.getpid(), signal.SIGKILL)
    return code[0]


def ask(address: str, ranks: int, words: list[str]) -> int:
    """Be the process, or for several of them what torchrun is: when one fails, the others are ended."""
    environments = surroundings(ranks) if ranks > 1 else [{}]
    waiting = [_begun(address, words, own) for own in environments]
    patience = None
    failed = False
    while waiting:
        ready = select.select(waiting, [], [], patience)[0]
        if not ready:  # what is still there dies with its connection
            break
        for connection in ready:
            waiting.remove(connection)
            code = connection.recv(1)
            if ranks == 1 and not code:  # it died without a word: so does this one
                os.kill(os.getpid(), signal.SIGKILL)
            if ranks == 1:
                return code[0]
            if code != b"\0":
                failed, patience = True, LINGER_SECONDS
    return int(failed)


def surroundings(ranks: int) -> list[dict[str, str]]:
    """The environment variables of each rank, as torchrun sets them."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(ranks)}
    return [{**common, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(ranks)]


def _begun(
    address: str,
    words: list[str],
    own: dict[str, str],
    module: str = "dlkit.jobs.rank",
    descriptors: tuple[int, ...] = (1, 2),
) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    asked = {
        "module": module,
        "words": words,
        "environment": {**os.environ, **own},
        "folder": os.getcwd(),  # noqa: PTH109
        "descriptors": descriptors,
    }
    socket.send_fds(connection, [json.dumps(asked).encode()], descriptors)
    return connection


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    elif sys.argv[1] == "be":
        sys.exit(be(sys.argv[2], sys.argv[3], sys.argv[4:]))
    else:
        sys.exit(ask(sys.argv[2], int(sys.argv[3]), sys.argv[4:]))

"""Commands as other users give them: real processes with changed ids, forked from one that has loaded everything.

The interpreter may lie where only root reads, so that what a command imports must be there before the ids change:
``serve`` runs every command once as root. It needs root; ``Users`` is what tests talk to.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

TEAM, ALICE, BOB = 64_101, 64_001, 64_002
"""A group of both, and two users, each with a group of the same number."""


class Told(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


class Users:
    """``users(BOB, "runs", …)``: a command of somebody's, in a process of its own."""

    def __init__(self, server: subprocess.Popen[str]) -> None:
        self._server = server

    def __call__(self, user: int, *words: str, umask: int = 0o022, group: int | None = None) -> Told:
        assert self._server.stdin is not None and self._server.stdout is not None
        asked = {"user": user, "group": group or user, "umask": umask, "words": words}
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        return Told(*json.loads(self._server.stdout.readline()))


@contextmanager
def users(search_path: str) -> Iterator[Users]:
    """The server, while entered."""
    environment = {**os.environ, "PYTHONPATH": search_path, "OMP_NUM_THREADS": "1", "DLKIT_DEVICES": ""}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, __file__], env=environment, stdin=pipe, stdout=pipe, text=True, cwd="/"
    ) as server:
        yield Users(server)
        assert server.stdin is not None
        server.stdin.close()


def _serve() -> None:
    from dlkit.cli.main import main

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory() as folder:
        where = ["--workspace", folder]
        for words in (
            ["train", "toy", "--device", "cpu", "--engine.threads", "1", "--epochs", "1", "--quiet"],
            ["resume", "last", "--epochs", "2", "--quiet"],
            ["evaluate", "last", "--split", "val"],
            ["predict", "last", "1,2,3"],
            *(["runs"], ["tasks"], ["show", "last"], ["queue", "list"], ["queue", "run"], ["rename", "last", "x"]),
        ):
            main([*words, *where])
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)


def _answer(asked: dict[str, object]) -> Told:
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = os.fork()
        if child == 0:
            _be(asked, out.fileno(), err.fileno())
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read())
        return Told(code, *texts)


def _be(asked: dict[str, object], out: int, err: int) -> None:
    """In the forked process: somebody else, who gives one command."""
    from dlkit.cli.main import main

    code = 99
    try:
        os.setgroups([int(str(asked["group"]))])
        os.setgid(int(str(asked["group"])))
        os.setuid(int(str(asked["user"])))
        os.umask(int(str(asked["umask"])))
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.environ["XDG_RUNTIME_DIR"] = ""
        words = asked["words"]
        assert isinstance(words, list)
        code = main([str(word) for word in words])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()

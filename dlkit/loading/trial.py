"""Importing a plugin in a process of its own, where it may crash, hang or take all memory: of those that did so before.

``python -m dlkit.loading.trial NAME VALUE FILE`` writes what came of it to FILE; nothing written: it did not come back.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from math import inf
from pathlib import Path

from dlkit.errors import in_words
from dlkit.interpreter import SAFE_PATH, python
from dlkit.loading.found import GROUP

SECONDS = 20.0
"""A plugin is imported in some milliseconds, over a network in seconds at first: one that takes longer hangs."""
WELL = "well"


def limit() -> float:
    """Seconds after which an import is given up: $DLKIT_LOAD_SECONDS, else SECONDS."""
    try:
        seconds = float(os.environ.get("DLKIT_LOAD_SECONDS", ""))
    except ValueError:
        return SECONDS
    return seconds if 0 < seconds < inf else SECONDS


def tried(entry: EntryPoint) -> str:
    """What is wrong with a plugin that crashed a process before; empty: it can be imported now."""
    from tempfile import TemporaryDirectory

    seconds = limit()
    with TemporaryDirectory(prefix="dlkit-trial-") as folder:
        told = Path(folder) / "told"
        code = _code(python("dlkit.loading.trial", entry.name, entry.value, str(told)), seconds)
        said = told.read_text(encoding="utf-8") if told.is_file() else ""
    if said == WELL:
        return ""
    return said or _words(code, seconds)


def _code(words: Sequence[str], seconds: float) -> int | None:
    """The exit code of a command that is killed, with what it started, after so many seconds; None: it was."""
    import subprocess

    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, **SAFE_PATH, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                process.kill()


def _words(code: int | None, seconds: float) -> str:
    if code is None:
        return f"has not been imported within {seconds:g} s"
    if code >= 0:
        return f"ended the process that imported it, with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    what = {"SIGSEGV": " (a segmentation fault)", "SIGABRT": " (an abort)", "SIGKILL": " (killed, perhaps for memory)"}
    return f"crashed the process that imported it: {name}{what.get(name, '')}"


def main(argv: Sequence[str]) -> int:
    name, value, told = argv
    _limit_memory()
    try:
        from dlkit.loading.declared import declare

        declare(EntryPoint(name, value, GROUP))
        said = WELL
    # The plugin boundary: what an import raises is what is asked for.
    except BaseException as error:
        said = in_words(error)
    Path(told).write_text(said, encoding="utf-8")
    os._exit(0)  # whatever threads it has started


def _limit_memory() -> None:
    """Half of the machine's memory: an import that takes more raises MemoryError, and kills nothing else."""
    try:
        import resource

        half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (half, most))
    except (ImportError, ValueError, OSError):
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

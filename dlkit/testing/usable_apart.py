"""What is wrong with plugins, found out in a process of its own: importing a stranger's code may end the process.

``python -m dlkit.testing.usable_apart DONE`` writes, on what was its stdout, a line of JSON with each component's
problems; the first so many components are passed over, since another process has dealt with them.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import IO, TypedDict

from dlkit.catalog import Catalog, Plugin
from dlkit.components import Spec
from dlkit.interpreter import SAFE_PATH, python
from dlkit.processes import die_with_parent
from dlkit.testing.usable import ComponentProblem, listed_problems, problem_of, problems_of

SECONDS = 120.0
"""What importing one component may take: the first brings torch along."""
DIED = "importing it ended the process that did so, with "
MODULE = "dlkit.testing.usable_apart"


class _Told(TypedDict):
    problems: list[str]


def check(catalog: Catalog) -> list[ComponentProblem]:
    """As ``dlkit.testing.usable.check_plugins``; a component that ends the process, or hangs, is named, and the others
    are looked at."""
    found, left = listed_problems(catalog), list(_components(catalog))
    done = 0
    while done < len(left):
        for problems in _process(done):
            plugin, spec = left[done]
            found += [problem_of(plugin, spec, text) for text in problems]
            done += 1
            if done == len(left):
                break
    places = {plugin.name: place for place, plugin in enumerate(catalog.plugins)}
    return sorted(found, key=lambda problem: places[problem["plugin"]])


def _components(catalog: Catalog) -> Iterator[tuple[Plugin, Spec]]:
    return ((plugin, spec) for plugin in catalog.plugins for spec in plugin.specs)


def _process(done: int) -> Iterator[list[str]]:
    """The problems of one component after the other, from the first that is not done on, until the process ends; of the
    one that it ended with, how."""
    with subprocess.Popen(
        python(MODULE, str(done)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **SAFE_PATH, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as process:
        try:
            yield from _heard(process)
        finally:
            process.kill()


def _heard(process: subprocess.Popen[str]) -> Iterator[list[str]]:
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=SECONDS)
        except queue.Empty:
            yield [f"it has not been imported within {SECONDS:g} s"]
            return
        if not line:
            yield [f"{DIED}{_how(process.wait())}"]
            return
        told: _Told = json.loads(line)
        yield told["problems"]


def _read(stream: IO[str], lines: queue.SimpleQueue[str]) -> None:
    for line in stream:
        lines.put(line)
    lines.put("")


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return signal.Signals(-code).name if -code in {*signal.Signals} else f"signal {-code}"


def main(argv: list[str]) -> int:
    die_with_parent()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)  # what plugins print must not stand among what is told
        catalog = Catalog.load_everything(lenient=True)
        for _, spec in [*_components(catalog)][int(argv[0]) :]:
            told: _Told = {"problems": problems_of(catalog, spec)}
            out.write(f"{json.dumps(told)}\n")
            out.flush()
    os._exit(0)  # threads that plugins have left behind are not waited for


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

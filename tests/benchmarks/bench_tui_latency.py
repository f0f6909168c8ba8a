"""How long after a key the screen changes, while sixteen jobs write; and what the interface costs when nobody types.

    uv run python tests/benchmarks/bench_tui_latency.py [--keys 300] [--rate 5000] [--seconds 20]

1 000 runs, 16 of them live; a whole process on a pseudo-terminal of 120×40, the screen read by an emulator (pyte). A
key counts until the row it moves the cursor to is shown as the one under the cursor. Cost: CPU time of the process over
the time, with every live job writing once a second and nobody typing.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))
from dlkit.runs.folder import RunFolder
from dlkit.runs.index import list_runs, note
from recorded import record_run, record_runs
from terminal import Terminal

LIVE = 16
LINES = 40
BUSY = Path(__file__).parent.parent / "busy.py"


@contextmanager
def writing(runs: list[RunFolder], rate: float) -> Iterator[None]:
    words = [sys.executable, str(BUSY), str(rate), *(str(run.path) for run in runs)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.stdin.close()
            process.wait(10)


def opened(workspace: Path) -> Terminal:
    words = [str(Path(sys.executable).with_name("dlkit")), "tui", "--workspace", str(workspace)]
    terminal = Terminal(words, columns=120, lines=LINES)
    terminal.wait_for("classification")
    return terminal


def cursor_line(terminal: Terminal) -> int:
    """Where the row under the cursor is; -1 if it is not in sight."""
    return next((i for i in range(LINES) if terminal.starts_with(i, ">")), -1)


def key_times(terminal: Terminal, count: int) -> list[float]:
    """Seconds from a key to the cursor's move, in the list of runs."""
    found, rng, down = [], random.Random(0), True
    for i in range(count):
        terminal.drain(rng.uniform(0.02, 0.12))
        before = cursor_line(terminal)
        down = not (before >= 30 or (before > 3 and i % 7 == 0))
        sent = terminal.send("j" if down else "k")
        moved = terminal.wait_until(lambda b=before: cursor_line(terminal) not in (b, -1), 5.0)
        found.append(moved - sent)
    return found


def cost(terminal: Terminal, seconds: float) -> float:
    """CPU seconds a second."""
    process = psutil.Process(terminal.process.pid)
    times = process.cpu_times()
    began, before = time.monotonic(), times.user + times.system
    terminal.drain(seconds)
    times = process.cpu_times()
    return (times.user + times.system - before) / (time.monotonic() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=300)
    parser.add_argument("--rate", type=float, default=5000.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        os.environ["DLKIT_CONFIG"] = str(workspace / "config")
        for run in record_runs(workspace, 1000 - LIVE):
            note(workspace, run)
        live = [record_run(workspace, -1 - i, state="interrupted") for i in range(LIVE)]
        list_runs(workspace)
        with writing(live, options.rate), opened(workspace) as terminal:
            terminal.send("2")
            terminal.wait_for("1000 runs")  # what runs is told at home too
            times = sorted(key_times(terminal, options.keys))
            p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
            print(
                f"{options.rate:.0f} events/s: key to screen {statistics.median(times) * 1e3:.1f} ms median, "
                f"{p99 * 1e3:.1f} ms p99 (wanted: 50), longest {times[-1] * 1e3:.1f} ms, {len(times)} keys; "
                f"{100 * cost(terminal, options.seconds / 2):.0f} % of a core"
            )
        with writing(live, LIVE), opened(workspace) as terminal:
            for key, name in (("1", "tasks"), ("2", "runs"), ("3", "queue")):
                terminal.send(key)
                terminal.drain(2.0)
                share = 100 * cost(terminal, options.seconds)
                print(f"1 Hz a job, nobody types, {name}: {share:.1f} % of a core (wanted: 30)")
            memory = psutil.Process(terminal.process.pid).memory_info().rss
            print(f"memory {memory / 1e6:.0f} MB (wanted: 200)")


if __name__ == "__main__":
    main()

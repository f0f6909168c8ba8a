"""Half an hour with the interface open on sixteen live jobs: its memory, and whether it has seen everything.

    uv run python tests/benchmarks/bench_tui_soak.py [--minutes 30] [--rate 200]

1 000 runs, 16 of them live, RATE events a second in all. The interface stands on the screen of a live run and goes
through its panes and the areas all the time. Memory is the process's resident memory, told every minute; at the end the
writers stop, and the step on the screen must be that of the log's last line.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))
from bench_tui_latency import LIVE, opened, writing
from dlkit.runs.folder import RunFolder
from dlkit.runs.index import list_runs, note
from recorded import record_run, record_runs
from terminal import Terminal

TOUR = ("c", "s", "l", "m", "o", "e", "c", "1", "2", "3", "4", "2")
"""Panes of the run, areas, and back to the run."""


def tour(terminal: Terminal, seconds: float) -> None:
    """Go through everything, a key every half second."""
    deadline = time.monotonic() + seconds
    for key in itertools.cycle(TOUR):
        if time.monotonic() >= deadline and key == "c":
            return
        terminal.send(key)
        terminal.drain(0.5)


def last_step(run: RunFolder) -> int:
    record = json.loads(run.events.read_bytes().splitlines()[-1])
    return int(record["first"] + record["count"] - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=200.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        os.environ["DLKIT_CONFIG"] = str(workspace / "config")
        for run in record_runs(workspace, 1000 - LIVE):
            note(workspace, run)
        live = [record_run(workspace, -1 - i, state="interrupted") for i in range(LIVE)]
        list_runs(workspace)
        newest = live[-1]
        with opened(workspace) as terminal:
            with writing(live, options.rate):
                process = psutil.Process(terminal.process.pid)
                terminal.send("2")
                terminal.wait_for("running")
                terminal.drain(1.0)
                terminal.send("\r")
                terminal.wait_for(newest.id)
                memory = []
                for minute in range(round(options.minutes)):
                    tour(terminal, 60.0)
                    memory.append(process.memory_info().rss / 1e6)
                    print(f"minute {minute + 1}: {memory[-1]:.1f} MB, {process.num_threads()} threads", flush=True)
            step = last_step(newest)
            terminal.wait_for(lambda text: str(step) in text.replace(" ", "").replace(",", ""), 20.0)
        early = memory[min(4, len(memory) - 1)]
        written = options.rate * options.minutes * 60
        print(f"{options.minutes:g} minutes, {written:.0f} events: {memory[-1]:.0f} MB at the end")
        print(f"(wanted: 200), {memory[-1] - early:+.1f} MB since minute 5; the last of {step} steps is on the screen")


if __name__ == "__main__":
    main()

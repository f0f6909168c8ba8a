"""From the command to the screen: dlkit with all plugins and 1 000 runs, against a Textual app of one widget.

    uv run python tests/benchmarks/bench_tui_start.py [--rounds 7]

Whole processes on a pseudo-terminal, the screen read by an emulator (pyte), interleaved A B B A. "First paint" is the
first screen with the areas' line and the key line; "tasks" is when the list of tasks stands there with its last runs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from dlkit.runs.folder import RunFolder
from dlkit.runs.index import list_runs, note
from recorded import record_runs
from terminal import Terminal

BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("hello from one widget")
Bare().run()
"""


def bare() -> tuple[float, float]:
    with Terminal([sys.executable, "-c", BARE]) as terminal:
        moment = terminal.wait_for("hello from one widget") - terminal.began
        return moment, moment


def dlkit(workspace: Path) -> tuple[float, float]:
    words = [str(Path(sys.executable).with_name("dlkit")), "tui", "--workspace", str(workspace)]
    with Terminal(words) as terminal:
        first = terminal.wait_for(lambda text: "1 Home" in text and "Quit" in text) - terminal.began
        tasks = terminal.wait_for(lambda text: "classification" in text and " ago" in text) - terminal.began
        return first, tasks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        os.environ["DLKIT_CONFIG"] = str(workspace / "config")
        for run in record_runs(workspace, 1000):
            note(workspace, RunFolder(run.path))
        list_runs(workspace)
        results: dict[str, list[tuple[float, float]]] = {"bare": [], "dlkit": []}
        bare(), dlkit(workspace)  # files into the cache
        for i in range(options.rounds):
            for name in ("bare", "dlkit") if i % 2 == 0 else ("dlkit", "bare"):
                results[name].append(bare() if name == "bare" else dlkit(workspace))
    one = statistics.median(first for first, _ in results["bare"])
    first = statistics.median(first for first, _ in results["dlkit"])
    tasks = statistics.median(tasks for _, tasks in results["dlkit"])
    print(f"a Textual app of one widget {one:.3f} s")
    print(f"dlkit: first paint {first:.3f} s (wanted: 0.6), {first / one:.2f}× the bare app (wanted: 2.5)")
    print(f"       tasks with their last runs {tasks:.3f} s, {tasks / one:.2f}×")


if __name__ == "__main__":
    main()

"""What a picture of decision regions at 160×50 cells costs: computed and drawn, for a terminal and for the interface.

    uv run python tests/benchmarks/bench_points.py

Prints medians in milliseconds, and the seconds of a default run of each model.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable

import torch
from rich.style import Style
from textual.geometry import Size

import dlkit
from dlkit.present.plane import cells
from dlkit.present.samples import render
from dlkit.samples import Plane
from dlkit.tui.sample.planes import Runs, plane, strip_of
from dlkit.tui.shared.terminal import Pictures
from dlkit_points.explorer import Explorer

COLUMNS, LINES, TIMES = 160, 50, 50


def milliseconds(call: Callable[[], object]) -> float:
    """Of one call, in the median."""
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as where:
        for model in ("mlp", "perceptron", "scratch-mlp"):
            began = time.perf_counter(), time.process_time()
            run = dlkit.train("points", model=model, workspace=where)
            wall, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
            explorer = run.predictor()
            assert isinstance(explorer, Explorer)
            picture = explorer._regions(explorer._training_marks())
            computed = milliseconds(lambda e=explorer: e._regions(e._training_marks()))
            laid_out = milliseconds(lambda p=picture: list(cells(p, COLUMNS, LINES).runs()))
            written = milliseconds(lambda p=picture: render(p, colour=True, width=COLUMNS))
            shown = milliseconds(lambda p=picture: in_the_interface(p))
            print(
                f"{model}: computed {computed:.1f} ms, {COLUMNS}x{LINES} cells {laid_out:.1f} ms, as text at "
                f"most 100 wide {written:.1f} ms, in the interface {shown:.1f} ms; a default run {wall:.1f} s "
                f"({cpu:.1f} s of CPU)",
                flush=True,
            )


def in_the_interface(picture: Plane) -> None:
    (widget,) = plane(picture, Size(COLUMNS + 8, LINES + 4), Pictures(), True)
    assert isinstance(widget, Runs)
    for line in widget.lines:
        strip_of(line, Style())


if __name__ == "__main__":
    main()

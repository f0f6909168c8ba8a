"""``python busy.py RATE RUN_FOLDER …``: holds the runs' locks and writes RATE events a second into their logs.

What sixteen jobs in full flight look like from outside, without their computing. Ends when stdin closes.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from dlkit.events import MetricsLogged
from dlkit.runs.folder import RunFolder
from dlkit.runs.lock import RunLock
from dlkit.runs.log import EventLog

PERIOD = 0.05


def write(runs: list[RunFolder], rate: float) -> None:
    logs = [EventLog(run.events) for run in runs]
    written, began = 0, time.monotonic()
    while True:
        due = int((time.monotonic() - began) * rate)
        for i in range(written, due):
            log, step = logs[i % len(logs)], 101 + i // len(logs)
            values = {"train/loss": [math.exp(-step / 1e4)], "val/mse": [math.exp(-step / 2e4)], "lr": [0.01]}
            log.append(MetricsLogged(first=step, count=1, values=values, epoch=step // 100, rate=rate / len(logs)))
        written = due
        time.sleep(PERIOD)


def main() -> None:
    runs = [RunFolder(Path(name)) for name in sys.argv[2:]]
    with ExitStack() as stack:
        for run in runs:
            stack.enter_context(RunLock(run.lock))
        threading.Thread(target=write, args=(runs, float(sys.argv[1])), daemon=True).start()
        print("writing", flush=True)
        sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()

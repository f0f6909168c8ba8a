"""Lists of another machine's runs and a live curve, over a real sshd on loopback.

    uv run python tests/benchmarks/bench_remote.py [RUNS]

``first``: no connection, no copy. ``again``: ssh keeps the connection, nothing has changed. Beside each stands what ssh
alone takes on this machine at that moment (``true`` over there), and ``dlkit runs --local``, in turn: on a busy machine
the ratio is what can be compared.
"""

from __future__ import annotations

import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent)]

from dlkit.events import MetricsLogged  # noqa: E402
from dlkit.remote.defined import Remote, add  # noqa: E402
from dlkit.remote.refreshing import Keepers  # noqa: E402
from dlkit.remote.ssh import words  # noqa: E402
from dlkit.runs import index, mirrors  # noqa: E402
from dlkit.runs.folder import RunFolder  # noqa: E402
from recorded import record_run, record_runs, write_events  # noqa: E402
from sshd import Sshd, missing  # noqa: E402

ROUNDS = 9
DLKIT = [str(Path(sys.executable).with_name("dlkit"))]


def main() -> None:
    if why := missing():
        sys.exit(why)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(prefix="r") as folder:
        top = Path(folder)
        os.environ |= {"DLKIT_CONFIG": f"{top}/c", "DLKIT_CACHE": f"{top}/k", "DLKIT_WORKSPACE": f"{top}/own"}
        server = Sshd(top / "sshd")
        server.start()
        os.environ["DLKIT_SSH"] = server.ssh
        try:
            there = Remote("box", "127.0.0.1", str(top / "far"), shlex.join(DLKIT))
            add(there)
            for run in record_runs(top / "far", count):
                index.note(top / "far", run)
            _lists(there, server)
            _curve(there, top / "far")
        finally:
            server.stop()


def _took(line: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return time.perf_counter() - began


def _lists(there: Remote, server: Sshd) -> None:
    """A B B A: ssh alone, the list, the list, ssh alone; with a connection, and without."""
    ssh = [*words(there)[:-1], "true"]
    local = [*DLKIT, "runs", "--local"]
    listing = [*DLKIT, "runs", "--refresh"]
    found: dict[str, list[float]] = {name: [] for name in ("ssh first", "first", "ssh again", "again", "local")}
    for number in range(ROUNDS):
        order = ("ssh first", "first") if number % 2 else ("first", "ssh first")
        for name in order:
            server.drop()
            shutil.rmtree(mirrors.top(), ignore_errors=True)
            found[name].append(_took(ssh if name == "ssh first" else listing))
        _took(listing)
        turns = (("ssh again", ssh), ("again", listing), ("local", local), ("again", listing), ("ssh again", ssh))
        for name, line in turns:
            found[name].append(_took(line))
    for name, times in found.items():
        print(f"{name:10} median {1000 * statistics.median(times):6.0f} ms, fastest {1000 * min(times):6.0f} ms")


def _curve(there: Remote, workspace: Path) -> None:
    """How long after it was written a line of a run's log is in the copy."""
    run = record_run(workspace, 5000, state="interrupted")
    keepers = Keepers()
    keepers.open({"box": there})
    copy = RunFolder(mirrors.place("box") / "runs" / run.id)
    keepers.watch(copy)
    while not copy.events.exists() or copy.events.stat().st_size < run.events.stat().st_size:
        time.sleep(0.01)
    late = []
    for step in range(40):
        write_events(run, [MetricsLogged(first=101 + step, count=1, values={"val/mse": (1.0,)})], 1000 + step)
        began, size = time.perf_counter(), run.events.stat().st_size
        while copy.events.stat().st_size < size:
            time.sleep(0.002)
        late.append(time.perf_counter() - began)
        threading.Event().wait(0.11 + 0.013 * (step % 7))
    keepers.close()
    worst = 1000 * max(late)
    middle = 1000 * statistics.median(late)
    print(f"curve      median {middle:6.0f} ms, longest {worst:6.0f} ms until a line is in the copy")
    print("           and at most 500 ms more until the interface looks at it")


if __name__ == "__main__":
    main()

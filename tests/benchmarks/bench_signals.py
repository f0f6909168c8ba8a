"""Ctrl-C, SIGTERM and the ends of tabs at random instants, beside busy loops: how many are lost?

    uv run python tests/benchmarks/bench_signals.py [PART …] [--count 300] [--busy 2] [--seed 1]

``watch``   Ctrl-C while ``dlkit watch`` starts, catches up, and looks on
``jobs``    SIGTERM to a worker from its first instruction on
``again``   an app opened again in its process, a new size coming meanwhile
``tabs``    tabs closed while their app starts, and while it runs
``server``  SIGINT, SIGTERM or SIGHUP to the server of two tabs

One is lost if nothing has come of it after 60 seconds. Prints a line of JSON a part; the exit code is 1 if any was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

import aiohttp  # noqa: E402
import psutil  # noqa: E402

import workers  # noqa: E402
import zygote  # noqa: E402
from dlkit.jobs.detach import start_worker  # noqa: E402
from dlkit.runs.folder import create  # noqa: E402
from dlkit.runs.lock import RunLock  # noqa: E402
from installed import install_metadata  # noqa: E402
from web.served import SMALL, Served, start, stop  # noqa: E402
from web.test_sessions import alive, tab  # noqa: E402

PATIENCE = 60.0
Part = Callable[[Path, int, random.Random], Counter[str]]


@contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes that do nothing but compute."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def watch(folder: Path, count: int, dice: random.Random) -> Counter[str]:
    record = {"task": "toy", "state": "running", "host": socket.gethostname(), "metric": "val/mse", "direction": "min"}
    run = create(folder / "runs", "toy", "linear", record, "")
    found: Counter[str] = Counter()
    with RunLock(run.lock):
        for _ in range(count):
            words = [sys.executable, "-m", "dlkit", "watch", str(run.path)]
            with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
                time.sleep(dice.uniform(0.0, 0.8))
                process.send_signal(signal.SIGINT)
                try:
                    _, said = process.communicate(timeout=PATIENCE)
                except subprocess.TimeoutExpired:
                    process.kill()
                    found["lost"] += 1
                else:
                    found["detached" if "detached" in said else f"ended with {process.returncode}"] += 1
    return found


def jobs(folder: Path, count: int, dice: random.Random) -> Counter[str]:
    site = folder / "site"
    for name in ("toy", "extras"):
        install_metadata(site, f"dlkit-{name}", name, name)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(site), str(TESTS), str(TESTS.parent)])
    sys.path.insert(0, str(site))
    os.environ["DLKIT_DEVICES"] = str(folder / "devices")
    found: Counter[str] = Counter()
    with zygote.serving(folder) as address:
        os.environ["DLKIT_ZYGOTE"] = str(address)
        for _ in range(count):
            run = workers.make_job(folder / "work", {"launcher": {"name": "zygote"}}, **workers.ENDLESS)
            worker = start_worker(run)
            time.sleep(dice.uniform(0.0, 1.5))
            worker.send_signal(signal.SIGTERM)
            try:
                worker.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                worker.kill()
                found["lost"] += 1
            else:
                ended, _, when = str(run.read().get("reason")).partition(", ")
                found[f"{run.read()['state']}: {when or ended}"] += 1
    return found


def again(folder: Path, count: int, dice: random.Random) -> Counter[str]:
    async def go(served: Served) -> Counter[str]:
        found: Counter[str] = Counter()
        async with tab(served) as page:
            await page.until("size 100x30.")
            for i in range(count):
                width = 40 + i % 50
                await page.press("r")
                await asyncio.sleep(dice.choice([0.0, dice.uniform(0.0, 0.3)]))
                await page.socket.send_json(["resize", {"width": width, "height": 17}])
                try:
                    async with asyncio.timeout(PATIENCE):
                        await page.until(f"size {width}x17.")
                except TimeoutError:
                    found["lost"] += 1
                    break
                found["seen"] += 1
                page.shown = ""
        return found

    return with_server(go)


def tabs(folder: Path, count: int, dice: random.Random) -> Counter[str]:
    async def go(served: Served) -> Counter[str]:
        found: Counter[str] = Counter()
        for _ in range(count):
            async with tab(served) as page:
                with suppress(TimeoutError):
                    async with asyncio.timeout(dice.uniform(0.0, 1.5)):
                        await page.until("never shown")
                apps = served.apps()
            found["ended" if await gone(apps) else "lost"] += 1
        return found

    return with_server(go)


def server(folder: Path, count: int, dice: random.Random) -> Counter[str]:
    async def go(served: Served, number: signal.Signals) -> str:
        async with tab(served) as one, tab(served):
            with suppress(TimeoutError):
                async with asyncio.timeout(dice.uniform(0.0, 2.0)):
                    await one.until("never shown")
            apps = served.apps()
            os.kill(served.process.pid, number)
            closed = False
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    while (await one.socket.receive()).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                        pass
                    closed = True
        code = await asyncio.to_thread(served.process.wait, PATIENCE)
        return f"{number.name}: {code}" if closed and await gone(apps) else "lost"

    found: Counter[str] = Counter()
    for i in range(count):
        number = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[i % 3]
        found[with_server(lambda served, number=number: go(served, number))] += 1  # type: ignore[misc]
    return found


def with_server(use):  # type: ignore[no-untyped-def]
    served = start(sys.executable, str(SMALL), "serve")
    try:
        return asyncio.run(use(served))
    finally:
        stop(served)


async def gone(apps: list[psutil.Process]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while any(map(alive, apps)):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


PARTS: dict[str, Part] = {part.__name__: part for part in (watch, jobs, again, tabs, server)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--count", type=int, default=300, help="signals a part")
    parser.add_argument("--busy", type=int, default=2, help="busy loops beside")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    lost = 0
    for name in options.parts or PARTS:
        with tempfile.TemporaryDirectory() as folder, busy(options.busy):
            began = time.monotonic()
            found = PARTS[name](Path(folder), options.count, random.Random(options.seed))
        lost += found["lost"]
        seconds = round(time.monotonic() - began, 1)
        print(json.dumps({"part": name, "count": found.total(), "lost": found["lost"], "seconds": seconds, **found}))
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())

"""What the interface's work threads keep."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextvars import ContextVar
from pathlib import Path

from dlkit.tui.shared.work_threads import WorkThreads
from screens import opened

seen: ContextVar[object] = ContextVar("seen")


def test_an_idle_thread_holds_nothing_of_its_last_work() -> None:
    class Held:
        pass

    held = Held()
    gone = weakref.ref(held)
    with WorkThreads(1) as threads:
        threads.submit(seen.set, held).result()
        del held
        threads.submit(int).result()  # the thread has let go of the first call's own names
        gc.collect()
        assert gone() is None


async def test_the_interface_works_in_such_threads(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, _):
        keeps = ContextVar("keeps", default=False)
        assert await app.run_worker(lambda: keeps.set(True) and keeps.get(), thread=True).wait()
        loop = asyncio.get_running_loop()
        assert not any(await asyncio.gather(*(loop.run_in_executor(None, keeps.get) for _ in range(20))))

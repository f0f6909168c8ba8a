"""The queue and the devices, as a screen."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from rich.cells import cell_len

from dlkit.gpus import Gpu
from dlkit.jobs.claims import Claim, hold
from dlkit.jobs.shares import cpu_slots
from dlkit.monitor import devices as measured
from dlkit.monitor.devices import Devices, DeviceUse, Disk, GpuSample, HostSample, disk_of
from dlkit.monitor.machine_words import host_in_words
from dlkit.runs.folder import RunFolder
from dlkit.runs.naming import rename
from dlkit.tui.queue.machine import picture
from dlkit.tui.queue.screen import QueueScreen, bars
from dlkit.tui.shared.dialogs import Ask, Confirm
from dlkit.tui.shared.table import Table
from live import live_run
from recorded import record_run
from screens import notices, opened, press, shown, until


def waiting(workspace: Path, number: int, *, priority: int = 0, after: tuple[str, ...] = ()) -> RunFolder:
    """A job that waits; no scheduler is there."""
    job = {"since": time.time() - number, "priority": priority, "after": list(after), "queued": True, "device": "cpu",
           "nproc": 1, "gpu_memory": None}  # fmt: skip
    return record_run(workspace, number, state="queued", job=job)


def order(app: object) -> list[str]:
    return [row.key for row in app.screen.query_one(Table).rows]  # type: ignore[attr-defined]


async def test_an_idle_queue_shows_the_devices(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, pilot):
        await press(pilot, "3")
        await until(
            pilot,
            lambda: (
                "CPU," in shown(app) and " GB" in shown(app) and "each core now" in shown(app) and "free" in shown(app)
            ),
        )
        await until(pilot, lambda: "nothing runs or waits" in shown(app))
        await press(pilot, "x", "enter", "plus", "minus")
        assert app.current_mode == "queue"
    assert not (tmp_path / "scheduler.json").exists()


async def test_jobs_in_their_order_with_the_reason_each_waits(tmp_path: Path) -> None:
    first, second, third = (waiting(tmp_path, i, priority=p) for i, p in ((1, 0), (2, 5), (3, 0)))
    last = waiting(tmp_path, 4, priority=9, after=(first.id,))
    with hold(("cpu",), run="somebody", workspace=tmp_path):
        async with opened(tmp_path, (140, 30)) as (app, pilot):
            await press(pilot, "3")
            await until(pilot, lambda: len(order(app)) == 4)
            assert [name for name in order(app) if name != last.id] == [second.id, third.id, first.id]
            text = shown(app)
            assert f"1 of 1 slot taken by somebody (process {os.getpid()})" in text
            assert f"after {first.id}" in text
            assert "4 waiting" in text and "no scheduler" in text
            app.screen.query_one(Table).go_to(first.id)
            await press(pilot, *["plus"] * 6)
            await until(pilot, lambda: next(n for n in order(app) if n != last.id) == first.id)
            assert first.read()["job"]["priority"] == 6
            await press(pilot, "minus")
            await until(pilot, lambda: first.read()["job"]["priority"] == 5)


async def test_a_job_is_made_urgent_and_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlkit.tui.queue.screen.wake", lambda workspace: True)
    monkeypatch.setattr("dlkit.jobs.releasing.wake", lambda workspace: True)
    first, second = waiting(tmp_path, 1), waiting(tmp_path, 2)
    async with opened(tmp_path, (140, 30)) as (app, pilot):
        await press(pilot, "3")
        await until(pilot, lambda: order(app) == [second.id, first.id])
        app.screen.query_one(Table).go_to(first.id)
        await press(pilot, "u")
        await until(pilot, lambda: order(app) == [first.id, second.id] and "urgent" in shown(app))
        await press(pilot, "p")
        await until(pilot, lambda: "held by" in shown(app) and bool(first.read()["job"].get("held")))
        await press(pilot, "p")
        await until(pilot, lambda: "held by" not in shown(app))
        await press(pilot, "u")
        await until(pilot, lambda: first.read()["job"]["urgent"] is False)


async def test_a_foreign_job_waits_for_whoever_names_it(tmp_path: Path) -> None:
    run = waiting(tmp_path, 1)
    run.config.write_text(run.config.read_text() + "# changed by hand\n")
    async with opened(tmp_path, (160, 30)) as (app, pilot):
        await press(pilot, "3")
        await until(pilot, lambda: "foreign" in shown(app) and f"dlkit resume {run.id}" in shown(app))
        await press(pilot, "plus")
        await until(pilot, lambda: any(f"{run.id} is foreign" in text for text in notices(app)))
        await press(pilot, "enter")
        await until(pilot, lambda: "r starts it without what could do harm" in shown(app))
        await press(pilot, "escape", "3", "x")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await press(pilot, "y")
        await until(pilot, lambda: order(app) == [])
    assert run.read()["state"] == "stopped" and run.read()["job"]["priority"] == 0


async def test_a_waiting_job_is_cancelled_after_a_yes(tmp_path: Path) -> None:
    run = waiting(tmp_path, 1)
    async with opened(tmp_path) as (app, pilot):
        await press(pilot, "3")
        await until(pilot, lambda: order(app) == [run.id])
        await press(pilot, "x")
        assert isinstance(app.screen, Confirm)
        await press(pilot, "n")
        assert run.read()["state"] == "queued"
        await press(pilot, "x", "y")
        await until(pilot, lambda: order(app) == [])
    assert run.read()["state"] == "stopped"


async def test_a_running_job_is_stopped_from_the_queue(tmp_path: Path) -> None:
    with live_run(tmp_path) as live:
        async with opened(tmp_path) as (app, pilot):
            await press(pilot, "3")
            await until(pilot, lambda: order(app) == [live.run.id])
            assert "running" in shown(app)
            await press(pilot, "plus")
            await until(pilot, lambda: any("does not wait" in t or "started" in t for t in notices(app)))
            await press(pilot, "x", "y")
            await until(pilot, lambda: live.run.read()["state"] == "stopped")


async def test_slots(tmp_path: Path) -> None:
    async with opened(tmp_path) as (app, pilot):
        await press(pilot, "3", "c")
        assert isinstance(app.screen, Ask)
        await press(pilot, "ctrl+u", "x", "enter")
        await until(pilot, lambda: any("must be a whole number" in told for told in notices(app)))
        await press(pilot, "c", "ctrl+u", "3", "enter")
        await until(pilot, lambda: "3 CPU slots" in shown(app))
    assert cpu_slots(tmp_path) == 3


async def test_reasons_name_runs_as_people_do(tmp_path: Path) -> None:
    """By the name where it is the only one; two of one name are told apart by their ids."""
    first, second = (waiting(tmp_path, i) for i in (3, 2))
    rename(first, "wide net")
    last = waiting(tmp_path, 1, after=(first.id,))
    async with opened(tmp_path, (140, 30)) as (app, pilot):
        with hold(("cpu",), run=second.id, workspace=tmp_path):
            rename(second, "narrow net")
            await press(pilot, "3")
            await until(pilot, lambda: "taken by narrow net (process" in shown(app))
            await until(pilot, lambda: "behind wide net" in shown(app) and "after wide net, which" in shown(app))
            await until(pilot, lambda: "used by narrow net" in shown(app))
            rename(second, "wide net")
            await until(pilot, lambda: f"after {first.id} (wide net)" in shown(app))
        app.screen.query_one(Table).go_to(first.id)
        await press(pilot, "x")
        assert "Take wide net" in shown(app)
    assert last.read()["state"] == "queued"


def test_devices_measure_the_machine_and_name_who_has_it(tmp_path: Path) -> None:
    devices = Devices()
    with hold(("cpu",), run="a-run", workspace=tmp_path):
        first = devices.poll()
    assert first is not None and devices.poll() is None, "once a second"
    cpu = first[0]
    assert cpu.key == "cpu" and [claim.run for claim in cpu.claims] == ["a-run"]
    assert len(cpu.cores) == psutil.cpu_count() and all(0 <= core <= 100 for core in cpu.cores)
    assert cpu.use == pytest.approx(sum(cpu.cores) / len(cpu.cores))
    assert 0 < cpu.memory < cpu.total and cpu.use is not None and 0 <= cpu.use <= 100


def test_what_was_measured_is_kept_and_the_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = Devices()
    told = iter(
        [SimpleNamespace(read_bytes=0, write_bytes=10), SimpleNamespace(read_bytes=10**6, write_bytes=10), None]
    )
    monkeypatch.setattr(psutil, "disk_io_counters", lambda: next(told))
    gpu = Gpu(0, "GPU-a", "H200", 80, 30, {}, 97, 61, 250.5)
    monkeypatch.setattr(measured, "gpus", lambda: [gpu])
    before: Sequence[HostSample] = ()
    for _ in range(3):
        devices._looked = -1e9
        found = devices.poll()
        assert found is not None and found[1].celsius == 61
        assert devices.samples[:-1] == before, "replaced, so that another thread may look at it"
        before = devices.samples
    first, second, third = devices.samples
    assert first.read is None and second.read is not None and second.read > 0 and second.written == 0
    assert third.read is None, "where it is not told"
    assert second.gpus == {"GPU-a": GpuSample(97, 50, 61, 250.5)} and len(second.cores) == psutil.cpu_count()
    disk = disk_of(tmp_path / "not" / "there")
    assert disk is not None and 0 < disk.free <= disk.total


def host(place: int, **changed: object) -> HostSample:
    whole = HostSample(1000.0 + place, (100.0, 40.0), 4 * 10**9, 2.0, 1e6, 2e6, 55.0,
                       {"GPU-a": GpuSample(20.0, 6 * 10**9, 61, 250.0)})  # fmt: skip
    return whole._replace(**changed)  # type: ignore[arg-type]


CLAIM = Claim(("GPU-a",), "a-run", "/x", 1, None, 0.0, queued=True)
CPU = DeviceUse("cpu", "CPU, 2 cores", 70.0, 4 * 10**9, 8 * 10**9, (), (), (100.0, 40.0), 55.0)
GPU = DeviceUse("GPU-a", "cuda:0 NVIDIA H200", 20.0, 6 * 10**9, 8 * 10**9, (), (CLAIM,), (), 61.0)


@pytest.mark.parametrize(
    ("samples", "devices", "disk", "said"),
    [
        ([host(i) for i in range(20)], [CPU], Disk(5 * 10**9, 10**10), []),
        ([host(i) for i in range(20)], [CPU, GPU], None, ["cuda:0 NVIDIA H200 waits: 20 % busy in the last minute"]),
        ([host(i) for i in range(3)], [CPU, GPU], None, []),
        ([host(i) for i in range(20)], [CPU, GPU._replace(claims=())], None, []),
        ([host(i) for i in range(3)], [CPU._replace(memory=7_900_000_000)], Disk(10**8, 10**10),
         ["the disk has 100.0 MB left", "memory is nearly full (7.9 GB of 8.0 GB)"]),
        ([host(i, cores=(100.0, 100.0), load=7.0) for i in range(20)], [CPU], None, ["7 processes want 2 cores"]),
    ],
)  # fmt: skip
def test_what_is_conspicuous_about_the_machine_is_said(
    samples: list[HostSample], devices: list[DeviceUse], disk: Disk | None, said: list[str]
) -> None:
    found = host_in_words(samples, devices, disk)
    assert len(found) == len(said) and all(map(str.startswith, found, said))


@pytest.mark.parametrize("cores", [1, 2, 7, 96])
@pytest.mark.parametrize("room", [(76, 22), (156, 48), (30, 5)])
def test_the_machine_as_charts(room: tuple[int, int], cores: int) -> None:
    samples = [host(i, cores=(50.0,) * cores) for i in range(120)]
    text = picture(samples, [CPU, GPU], Disk(5 * 10**9, 10**10), room, lambda run: "baseline").plain
    assert all(cell_len(line) <= max(room[0], 76) for line in text.splitlines()[3:])
    for figure in (
        "CPU  50 % now", "Memory  4.0 GB now", "scale 0 to 8.0 GB", "Disks write  2.0 MB/s", "temperature  61 °C",
        "cuda:0 power  250 W", "5.0 GB of 10.0 GB free", "used by baseline, 61 °C",
    ):  # fmt: skip
        assert figure in text
    assert text.endswith("now") and "−2 min" in text
    assert text.count(" 50 %") >= (cores if cores > 1 else 0), "each core"


async def test_the_machine_is_measured_by_whoever_shows_it(tmp_path: Path) -> None:
    async with opened(tmp_path, (100, 40)) as (app, pilot):
        await press(pilot, "m")
        await until(pilot, lambda: "Memory" in shown(app) and "Disk of the workspace" in shown(app))
        assert "CPU" in shown(app) and "this machine" in shown(app).splitlines()[0]
        count = len(app.devices.samples)
        await press(pilot, "escape")
        assert isinstance(app.screen, QueueScreen) and app.screen._shown_sources
        await until(pilot, lambda: len(app.devices.samples) > count)
        await press(pilot, "m", "1")
        assert app.devices.samples[:count], "one course for all screens"


def test_bars() -> None:
    assert bars([0, 50, 100, 250, -3], 7) == "   ▄██ "

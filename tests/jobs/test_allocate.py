"""Who gets which device: a function of jobs, devices and claims."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.gpus import Gpu
from dlkit.jobs.allocate import (
    Decision,
    Machine,
    Need,
    Place,
    Queued,
    Wait,
    _used,
    anywhere,
    kind,
    place,
    plan,
    unshareable,
)
from dlkit.jobs.claims import Claim

GIB = 1 << 30


def gpu(position: int, free: int = 80, processes: Sequence[int] = ()) -> Gpu:
    """A GPU of 80 GiB, ``free`` of them free."""
    return Gpu(position, f"GPU-{position}", "NVIDIA H200", 80 * GIB, free * GIB, dict.fromkeys(processes))


def claim(*devices: str, run: str = "r1", memory: int | None = None, pid: int = 123) -> Claim:
    return Claim(devices, run, "/w", pid, None if memory is None else memory * GIB, 0.0, True)


def machine(
    *gpus: Gpu, claims: Sequence[Claim] = (), slots: int = 1, used: dict[tuple[int, str], int] | None = None
) -> Machine:
    return Machine(gpus, claims, slots, {key: size * GIB for key, size in (used or {}).items()})


def need(device: str, gib: int | None = None, nproc: int = 1) -> Need:
    return Need(device, nproc, None if gib is None else gib * GIB)


def job(identity: str, device: str = "cpu", gib: int | None = None, nproc: int = 1, **fields: Any) -> Queued:
    return Queued(
        identity,
        fields.get("since", 0.0),
        fields.get("priority", 0),
        fields.get("after", ()),
        need(device, gib, nproc),
    )


@pytest.mark.parametrize(
    ("wanted", "there", "message"),
    [
        (
            need("auto", nproc=4),
            machine(gpu(0), gpu(1)),
            "each process takes a GPU, and there is: cuda:0 (NVIDIA H200)",
        ),
        (
            need("cuda", nproc=3),
            machine(gpu(0), gpu(1)),
            "each process takes a GPU, and there is: cuda:0 (NVIDIA H200)",
        ),
        (need("mps", nproc=2), machine(), "processes cannot share an Apple GPU; give fewer with --nproc"),
        (need("auto", nproc=2), machine()._replace(mps=True), "processes cannot share an Apple GPU; give fewer"),
        (need("cuda", nproc=2), machine(gpu(0), gpu(1)), ""),
        (need("cuda", nproc=2), machine(), ""),  # the driver tells of none: torch is asked, in each process
        (need("cpu", nproc=4), machine(gpu(0)), ""),
        (need("auto", nproc=4), machine(), ""),
        (need("mps"), machine(), ""),
    ],
)
def test_more_processes_than_devices(wanted: Need, there: Machine, message: str) -> None:
    found = unshareable(wanted, there)
    assert found.startswith(message) and bool(found) == bool(message)


@pytest.mark.parametrize(
    ("wanted", "there", "found"),
    [
        (need("auto"), machine(), Place(("cpu",))),
        (need("auto"), machine(gpu(0)), Place(("GPU-0",), "GPU-0")),
        (need("cpu"), machine(gpu(0)), Place(("cpu",))),
        (need("cpu", nproc=4), machine(), Place(("cpu",))),
        (need("cpu"), machine(claims=[claim("cpu")], slots=2), Place(("cpu",))),
        (need("cpu"), machine(gpu(0), claims=[claim("GPU-0"), claim("mps")]), Place(("cpu",))),
        (need("mps"), machine(claims=[claim("cpu")]), Place(("mps",))),
        (need("cuda", nproc=2), machine(gpu(0), gpu(1, 81), gpu(2, 82)), Place(("GPU-2", "GPU-1"), "GPU-2,GPU-1")),
        (need("cuda"), machine(gpu(1), gpu(0)), Place(("GPU-0",), "GPU-0")),
        (need("cuda"), machine(gpu(0, processes=[4711]), gpu(1, 70)), Place(("GPU-1",), "GPU-1")),
        (need("cuda:1"), machine(gpu(0), gpu(1, 70)), Place(("GPU-1",))),
        (need("cuda", 40), machine(gpu(0, 60, [4711])), Place(("GPU-0",), "GPU-0", 40 * GIB)),
        (need("cuda", 40), machine(gpu(0, 40)), Place(("GPU-0",), "GPU-0", 40 * GIB)),
        (need("cuda", 40), machine(gpu(0), claims=[claim("GPU-0", memory=40)]), Place(("GPU-0",), "GPU-0", 40 * GIB)),
        # 30 of the 40 GiB that the claim declares are used, and so not free any more: 10 are to come.
        (
            need("cuda", 40),
            machine(gpu(0, 50), claims=[claim("GPU-0", memory=40)], used={(123, "GPU-0"): 30}),
            Place(("GPU-0",), "GPU-0", 40 * GIB),
        ),
        # More is free on the first, but it is promised.
        (
            need("cuda", 4),
            machine(gpu(0, 80), gpu(1, 60), claims=[claim("GPU-0", memory=30)]),
            Place(("GPU-1",), "GPU-1", 4 * GIB),
        ),
    ],
)
def test_a_job_that_fits_has_a_place(wanted: Need, there: Machine, found: Place) -> None:
    assert place(wanted, there) == found


H0, H1 = "cuda:0 (NVIDIA H200)", "cuda:1 (NVIDIA H200)"


@pytest.mark.parametrize(
    ("wanted", "there", "reason"),
    [
        (need("cpu"), machine(claims=[claim("cpu")]), "cpu: 1 of 1 slot taken by r1 (process 123)"),
        (need("mps"), machine(claims=[claim("mps")], slots=9), "mps: 1 of 1 slot taken by r1 (process 123)"),
        (
            need("cpu"),
            machine(claims=[claim("cpu"), claim("cpu", run="r2", pid=7)], slots=2),
            "cpu: 2 of 2 slots taken by r1 (process 123), r2 (process 7)",
        ),
        (need("cuda"), machine(gpu(0), claims=[claim("GPU-0")]), f"{H0} is taken by r1 (process 123)"),
        (need("cuda"), machine(gpu(0), claims=[claim("GPU-0", memory=1)]), f"{H0} is taken by r1 (process 123)"),
        (need("cuda", 1), machine(gpu(0), claims=[claim("GPU-0")]), f"{H0} is taken by r1 (process 123)"),
        (need("cuda"), machine(gpu(0, processes=[4711])), f"{H0} is used by process 4711, which is not dlkit's"),
        (need("cuda", 40), machine(gpu(0, 12)), f"{H0}: 12.0 GiB free, 40.0 GiB asked for"),
        (
            need("cuda", 41),
            machine(gpu(0), claims=[claim("GPU-0", memory=40)]),
            f"{H0}: 40.0 GiB free, 41.0 GiB asked for",
        ),
        (
            need("cuda", 1),
            machine(gpu(0, 5), claims=[claim("GPU-0", memory=40)]),
            f"{H0}: 0 MiB free, 1.0 GiB asked for",
        ),
        (
            need("cuda", nproc=2),
            machine(gpu(0), gpu(1, 79, [9]), claims=[claim("GPU-0")]),
            f"{H0} is taken by r1 (process 123); {H1} is used by process 9, which is not dlkit's",
        ),
        # Who uses more than declared gives nobody anything.
        (
            need("cuda", 41),
            machine(gpu(0, 40), claims=[claim("GPU-0", memory=10)], used={(123, "GPU-0"): 40}),
            f"{H0}: 40.0 GiB free, 41.0 GiB asked for",
        ),
        (need("cuda:1"), machine(gpu(0), gpu(1), claims=[claim("GPU-1")]), f"{H1} is taken by r1 (process 123)"),
    ],
)
def test_a_job_that_waits_hears_who_has_what(wanted: Need, there: Machine, reason: str) -> None:
    assert place(wanted, there) == Wait(reason)


@pytest.mark.parametrize(
    ("wanted", "there", "reason"),
    [
        (need("cuda"), machine(), "asks for cuda; there is: no GPU"),
        (need("cuda:5"), machine(gpu(0), gpu(1)), f"asks for cuda:5; there is: {H0}, {H1}"),
        (need("cuda", nproc=4), machine(gpu(0), gpu(1)), f"asks for 4 GPUs; there is: {H0}, {H1}"),
        (need("auto", 90), machine(gpu(0)), f"asks for 90.0 GiB on a GPU; there is: {H0} with 80.0 GiB"),
        (need("cuda"), machine(claims=[claim("cpu")]), "asks for cuda; there is: no GPU"),
    ],
)
def test_what_can_never_be_had_is_said_with_what_there_is(wanted: Need, there: Machine, reason: str) -> None:
    assert place(wanted, there) == Wait(reason, never=True)


@pytest.mark.parametrize(
    ("wanted", "there", "found"),
    [
        (need("cpu"), machine(claims=[claim("cpu")]), Place(("cpu",))),
        (need("cuda"), machine(gpu(0), gpu(1), claims=[claim("GPU-0")]), Place(("GPU-1",), "GPU-1")),
        (need("cuda"), machine(gpu(0), claims=[claim("GPU-0")]), Place(("GPU-0",), "GPU-0")),
        (need("cuda"), machine(gpu(0, 9, [4711]), gpu(1, 10, [4712])), Place(("GPU-1",), "GPU-1")),
        # The one that was named, by the UUID that others look for, though a stranger is there.
        (need("cuda:0"), machine(gpu(0, 9, [4711]), gpu(1)), Place(("GPU-0",))),
        (need("cuda", 40), machine(gpu(0, 9)), Place(("GPU-0",), "GPU-0", 40 * GIB)),
        (need("cuda:3"), machine(gpu(0)), Place(("cuda:3",))),  # training will say that it is not there
    ],
)
def test_who_does_not_wait_goes_where_there_is_most_room(wanted: Need, there: Machine, found: Place) -> None:
    assert anywhere(wanted, there) == found


def reasons(decided: Sequence[tuple[Queued, Decision]]) -> dict[str, str]:
    return {j.id: d.reason if isinstance(d, Wait) else ",".join(d.devices) for j, d in decided}


def test_higher_priority_goes_first_then_the_older_then_by_id() -> None:
    jobs = [
        job("d", since=2),
        job("c", since=1),
        job("b", since=1),
        job("a", priority=-1),
        job("e", since=9, priority=1),
    ]
    decided = plan(jobs, machine(slots=2), {})
    assert [j.id for j, _ in decided] == ["e", "b", "c", "d", "a"]
    assert list(reasons(decided).values()) == [
        "cpu",
        "cpu",
        "cpu: 2 of 2 slots taken by e, which starts first, b, which starts first",
        "behind c",
        "behind c",
    ]


def test_a_job_takes_its_memory_from_those_behind_it_and_they_spread() -> None:
    jobs = [job(name, "cuda", 50, since=i) for i, name in enumerate("abc")]
    decided = reasons(plan(jobs, machine(gpu(0), gpu(1)), {}))
    assert decided["a"] == "GPU-0"
    assert decided["b"] == "GPU-1"
    assert decided["c"] == f"{H0}: 30.0 GiB free, 50.0 GiB asked for; {H1}: 30.0 GiB free, 50.0 GiB asked for"
    small = [job(name, "cuda", 4, since=i) for i, name in enumerate("abcd")]
    assert list(reasons(plan(small, machine(gpu(0), gpu(1)), {})).values()) == ["GPU-0", "GPU-1"] * 2


def test_kinds_of_device_do_not_hold_each_other_up() -> None:
    jobs = [job("a", "cuda", nproc=2), job("b", "cuda"), job("c", "cpu"), job("d", "auto", 1), job("e", "mps")]
    decided = reasons(plan(jobs, machine(gpu(0), gpu(1), claims=[claim("GPU-1")]), {}))
    waits = f"{H1} is taken by r1 (process 123)"
    assert decided == {"a": waits, "b": "behind a", "c": "cpu", "d": "behind a", "e": "mps"}


def test_what_can_never_start_holds_nobody_up() -> None:
    decided = plan([job("a", "cuda", 90), job("b", "cuda:7"), job("c", "cuda")], machine(gpu(0)), {})
    assert [d.never for _, d in decided if isinstance(d, Wait)] == [True, True]
    assert reasons(decided)["c"] == "GPU-0"
    behind = plan([job("a", "cuda"), job("b", "cuda:7")], machine(gpu(0), claims=[claim("GPU-0")]), {})
    assert behind[1][1] == Wait(f"asks for cuda:7; there is: {H0}", never=True)


@pytest.mark.parametrize(
    ("state", "reason", "never"),
    [
        ("running", "after x, which is running", False),
        ("queued", "after x, which is queued", False),
        ("failed", "after x, which is failed: until it is resumed and completed", False),
        ("stopped", "after x, which is stopped: until it is resumed and completed", False),
        ("interrupted", "after x, which is interrupted: until it is resumed and completed", False),
        (None, "after x, which is gone: it will never be completed", True),
    ],
)
def test_a_job_waits_until_those_it_comes_after_are_completed(state: str | None, reason: str, never: bool) -> None:
    states = {"done": "completed"} | ({"x": state} if state else {})
    decided = plan([job("a", after=["done", "x"]), job("b", since=1)], machine(), states)
    assert decided[0][1] == Wait(reason, never)
    assert decided[1][1] == Place(("cpu",)), "it holds nobody up: it is not the device that it waits for"
    assert plan([job("a", after=["done"])], machine(), states)[0][1] == Place(("cpu",))


DEVICES = ["auto", "cpu", "mps", "cuda", "cuda:0", "cuda:1"]
gibibytes = st.integers(1, 90)


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """Up to three GPUs, some with strangers on them; claims with and without declared memory, partly in use."""
    there = [
        gpu(i, draw(st.integers(0, 80)), draw(st.lists(st.integers(1000, 1002), max_size=1)))
        for i in range(draw(st.integers(0, 3)))
    ]
    names = ["cpu", "mps", *(g.uuid for g in there)]
    held: list[Claim] = []
    used: dict[tuple[int, str], int] = {}
    for pid in range(1, draw(st.integers(0, 4)) + 1):
        device = draw(st.sampled_from(names))
        memory = draw(st.none() | gibibytes) if device.startswith("GPU") else None
        held.append(claim(device, run=f"live-{pid}", memory=memory, pid=pid))
        used[pid, device] = draw(st.integers(0, 90))
    return machine(*there, claims=held, slots=draw(st.integers(1, 3)), used=used)


@st.composite
def queues(draw: st.DrawFn) -> list[Queued]:
    found = []
    for i in range(draw(st.integers(0, 8))):
        device = draw(st.sampled_from(DEVICES))
        nproc = 1 if ":" in device else draw(st.integers(1, 3))
        after = draw(st.lists(st.sampled_from(["done", "live", "bad", "absent"]), max_size=1))
        times: dict[str, int] = {"since": draw(st.integers(0, 2)), "priority": draw(st.integers(-1, 1))}
        found.append(job(f"j{i}", device, draw(st.none() | gibibytes), nproc, after=after, **times))
    return draw(st.permutations(found))


STATES = {"done": "completed", "live": "running", "bad": "failed"}


def placed(decided: Sequence[tuple[Queued, Decision]]) -> list[tuple[Queued, Place]]:
    return [(j, d) for j, d in decided if isinstance(d, Place)]


@given(queues(), machines())
def test_every_job_is_decided_once_in_order(jobs: list[Queued], there: Machine) -> None:
    decided = plan(jobs, there, STATES)
    assert [j for j, _ in decided] == sorted(jobs, key=lambda j: (-j.priority, j.since, j.id))
    assert all(d.reason for _, d in decided if isinstance(d, Wait))


@given(queues(), machines(), st.randoms(use_true_random=False))
def test_the_order_in_which_jobs_are_told_does_not_matter(
    jobs: list[Queued], there: Machine, dice: random.Random
) -> None:
    decided = plan(jobs, there, STATES)
    dice.shuffle(jobs)
    assert plan(jobs, there, STATES) == decided


@given(queues(), machines())
def test_no_device_is_shared_by_more_than_may(jobs: list[Queued], there: Machine) -> None:
    found = placed(plan(jobs, there, STATES))
    for device, slots in (("cpu", there.cpu_slots), ("mps", 1)):
        live = sum(device in c.devices for c in there.claims)
        assert sum(device in p.devices for _, p in found) <= max(0, slots - live)


@given(queues(), machines())
def test_a_gpu_s_memory_is_given_once(jobs: list[Queued], there: Machine) -> None:
    found = placed(plan(jobs, there, STATES))
    for one in there.gpus:
        new = [j.need.gpu_memory for j, p in found if one.uuid in p.devices]
        live = [c for c in there.claims if one.uuid in c.devices]
        if None in new:
            assert len(new) == 1
            assert not live
            assert not one.processes
        elif new:
            assert None not in [c.memory for c in live]
            promised = sum(max((c.memory or 0) - there.used[c.pid, one.uuid], 0) for c in live)
            assert sum(size or 0 for size in new) + promised <= one.free


@given(queues(), machines())
def test_a_place_is_what_was_asked_for(jobs: list[Queued], there: Machine) -> None:
    for j, p in placed(plan(jobs, there, STATES)):
        assert set(j.after) <= {"done"}
        if kind(j.need, there) != "gpu":
            assert p == Place((kind(j.need, there),))
            continue
        assert len(set(p.devices)) == len(p.devices) == j.need.nproc
        if ":" in j.need.device:
            assert p.visible is None
            assert [g.uuid for g in there.gpus if f"cuda:{g.position}" == j.need.device] == [*p.devices]
        else:
            assert p.visible == ",".join(p.devices)


@given(queues(), machines())
def test_nobody_overtakes_who_waits_for_a_device_of_its_kind(jobs: list[Queued], there: Machine) -> None:
    waiting: set[str] = set()
    for j, decision in plan(jobs, there, STATES):
        where = kind(j.need, there)
        if isinstance(decision, Place):
            assert where not in waiting
        elif not decision.never and set(j.after) <= {"done"}:
            waiting.add(where)


@given(queues(), machines())
def test_never_means_not_even_on_a_machine_that_nobody_uses(jobs: list[Queued], there: Machine) -> None:
    idle = machine(*(gpu(g.position) for g in there.gpus), slots=there.cpu_slots)
    for j in jobs:
        decision = place(j.need, there)
        if isinstance(decision, Wait) and decision.never:
            assert place(j.need, idle) == decision
        else:
            assert isinstance(place(j.need, idle), Place)


@given(queues(), machines())
def test_who_does_not_wait_claims_gpus_by_uuid(jobs: list[Queued], there: Machine) -> None:
    for j in jobs:
        found = anywhere(j.need, there)
        decision = place(j.need, there)
        if isinstance(decision, Place):
            assert found == decision
        elif kind(j.need, there) == "gpu" and not decision.never:
            assert set(found.devices) <= {g.uuid for g in there.gpus}
            assert len(found.devices) == j.need.nproc


def test_a_claim_s_memory_is_that_of_its_whole_process_tree() -> None:
    sleeper = "import sys, time; print(flush=True); time.sleep(60)"
    parent = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {sleeper!r}], stdout=subprocess.PIPE)\n"
        "child.stdout.readline(); print(child.pid, flush=True); sys.stdin.read(); child.kill()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", parent], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        there = gpu(0)._replace(processes={process.pid: 3, child: 4, os.getpid(): 100})
        unknown = gpu(1)._replace(processes={child: None})
        declared, whole = claim("GPU-0", memory=1, pid=process.pid), claim("GPU-0", pid=os.getpid())
        found = _used([there, unknown], [declared, whole])
    assert found == {(process.pid, "GPU-0"): 7, (process.pid, "GPU-1"): 0}
    assert _used([there], [declared]) == {(process.pid, "GPU-0"): 0}, "of a process that has ended, nothing"

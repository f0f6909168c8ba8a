"""Who gives way, as a function of the job, the machine and the jobs that run; and quotas, which are a part of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from dlkit.gpus import Gpu
from dlkit.jobs.allocate import Machine, Need, Place, Queued, Quota, Wait, place, plan
from dlkit.jobs.claims import Claim
from dlkit.jobs.preempting import Running, choose
from dlkit.runs.folder import RunFolder

GIB = 1 << 30


def running(name: str, *devices: str, priority: int = 0, since: float = 0.0, memory: int | None = None) -> Running:
    claim = Claim(devices or ("cpu",), name, "/w", hash(name) % 1000, memory, since, True)
    return Running(claim, RunFolder(Path("/w/runs") / name), priority)


def machine(
    there: Sequence[Running], slots: int = 1, gpus: Sequence[Gpu] = (), quotas: Sequence[Quota] = ()
) -> Machine:
    return Machine(gpus, [one.claim for one in there], slots, quotas=quotas)


def chosen(need: Need, there: Sequence[Running], **what: object) -> list[str] | None:
    found = choose(need, machine(there, **what), there)  # type: ignore[arg-type]
    return None if found is None else sorted(one.run.id for one in found)


def gpu(position: int, processes: Sequence[int] = ()) -> Gpu:
    return Gpu(position, f"gpu{position}", "test", 16 * GIB, 15 * GIB, dict.fromkeys(processes, GIB))


CPU, ONE, TWO = Need("cpu"), Need("cuda"), Need("cuda", 2)


def test_the_least_important_then_the_youngest() -> None:
    old, young = running("old", since=1.0), running("young", since=2.0)
    important = running("important", priority=1, since=3.0)
    assert chosen(CPU, [old, young, important], slots=3) == ["young"]
    assert chosen(CPU, [old, important], slots=2) == ["old"]
    assert chosen(CPU, [important], slots=1) == ["important"]


def test_nobody_where_nobody_is_enough() -> None:
    assert chosen(CPU, [], slots=1) is None
    assert chosen(TWO, [running("one", "gpu0")], gpus=[gpu(0)]) is None


def test_the_fewest_whose_devices_are_enough() -> None:
    both = running("both", "gpu0", "gpu1", since=1.0)
    third, fourth = running("third", "gpu2", since=2.0), running("fourth", "gpu3", since=3.0)
    gpus = [gpu(position) for position in range(4)]
    assert chosen(TWO, [both, third, fourth], gpus=gpus) == ["both"]
    assert chosen(ONE, [both, third, fourth], gpus=gpus) == ["fourth"]


def test_lesser_ones_though_they_are_more() -> None:
    both = running("both", "gpu0", "gpu1", priority=1)
    third, fourth = running("third", "gpu2"), running("fourth", "gpu3")
    assert chosen(TWO, [both, third, fourth], gpus=[gpu(position) for position in range(4)]) == ["fourth", "third"]


def test_of_many_none_that_is_needless() -> None:
    there = [running(f"r{i}", since=float(i)) for i in range(9)]
    found = chosen(CPU, there, slots=5)  # somebody has lowered the number of slots
    assert found == ["r4", "r5", "r6", "r7", "r8"]


def test_a_named_gpu_and_memory() -> None:
    first, second = running("first", "gpu0", since=2.0), running("second", "gpu1", since=1.0)
    gpus = [gpu(0), gpu(1)]
    assert chosen(Need("cuda:1"), [first, second], gpus=gpus) == ["second"]
    sharing = [running(f"s{i}", "gpu0", memory=6 * GIB, since=float(i)) for i in range(2)]
    assert chosen(Need("cuda", 1, 8 * GIB), sharing, gpus=[gpu(0)]) == ["s1"]


def test_what_a_victims_processes_use_is_free_then_and_a_strangers_is_not() -> None:
    victim = running("victim", "gpu0")._replace(pids={7, 8})
    assert chosen(ONE, [victim], gpus=[gpu(0, [7, 8])]) == ["victim"]
    assert chosen(ONE, [victim], gpus=[gpu(0, [7, 99])]) is None


def test_a_quota_is_kept_by_the_queue_and_by_urgent_jobs() -> None:
    own, other = running("own", since=1.0), running("other", since=2.0)
    other = other._replace(claim=other.claim._replace(workspace="/v"))
    quota = Quota(1, "/w", "this workspace's quota")
    there = machine([own, other], slots=3, quotas=[quota])
    assert place(CPU, there) == Wait("this workspace's quota: 1 of 1 held")
    assert chosen(CPU, [own, other], slots=3, quotas=[quota]) == ["own"]
    assert isinstance(place(CPU, machine([other], slots=3, quotas=[quota])), Place)
    everybody = machine([own, other], slots=3, quotas=[Quota(2, "", "your quota")])
    assert place(CPU, everybody) == Wait("your quota: 2 of 2 held")


def test_more_than_a_quota_never_starts() -> None:
    there = machine([], gpus=[gpu(0), gpu(1)], quotas=[Quota(1, "", "your quota")])
    assert place(TWO, there) == Wait("your quota: 0 of 1 held, 2 asked for", never=True)


def queued(name: str, **what: object) -> Queued:
    return Queued(**{"id": name, "since": 0.0, "priority": 0, "after": (), "need": CPU, **what})  # type: ignore[arg-type]


def test_urgent_first_and_who_is_held_stands_in_nobodys_way() -> None:
    jobs = [
        queued("a", priority=9),
        queued("b", urgent=True),
        queued("c", urgent=True, held="anna"),
        queued("d", at=9e9),
    ]
    decided = {job.id: decision for job, decision in plan(jobs, machine([], slots=1), {})}
    assert [*decided] == ["b", "c", "a", "d"]
    assert isinstance(decided["b"], Place)
    assert decided["c"] == Wait("held by anna: dlkit unpause puts it back", never=True)
    assert isinstance(decided["a"], Wait) and decided["a"].lacks
    assert (
        isinstance(decided["d"], Wait) and decided["d"].reason.startswith("not before 2255") and not decided["d"].lacks
    )


@pytest.mark.parametrize("count", [1, 3])
def test_a_place_of_the_plan_counts_for_the_quota(count: int) -> None:
    jobs = [queued(f"j{i}", since=float(i)) for i in range(3)]
    decided = plan(jobs, machine([], slots=3, quotas=[Quota(count, "/w", "this workspace's quota")]), {})
    assert sum(isinstance(decision, Place) for _, decision in decided) == count

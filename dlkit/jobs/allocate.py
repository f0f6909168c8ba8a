"""Who gets which device: a function of the jobs that wait, the devices, and the claims on them."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from dlkit.durations import moment
from dlkit.gpus import Gpu, gpus
from dlkit.jobs.claims import Claim, claims
from dlkit.jobs.memory import memory_text


class Need(NamedTuple):
    """What a job asks for: ``device`` as configured, processes, and bytes on each GPU (None: a GPU to itself)."""

    device: str
    nproc: int = 1
    gpu_memory: int | None = None


class Quota(NamedTuple):
    """How many devices, or slots of the CPU, may be held at once: by a ``workspace``'s jobs, or by all (empty).
    ``whose``: ``your quota``, as reasons begin."""

    most: int
    workspace: str
    whose: str

    def held(self, claims: Sequence[Claim]) -> int:
        """How many are; a claim that names no workspace is one of those that a plan is made for."""
        of = {self.workspace, ""} if self.workspace else None
        return sum(len(claim.devices) for claim in claims if of is None or claim.workspace in of)


class Machine(NamedTuple):
    """What there is, who has it, and how much one may have.

    ``used``: bytes that a claim's processes use on a GPU now, by (pid, UUID); ``mps``: an Apple GPU, which has no UUID.
    """

    gpus: Sequence[Gpu]
    claims: Sequence[Claim]
    cpu_slots: int
    used: Mapping[tuple[int, str], int] = {}
    mps: bool = False
    quotas: Sequence[Quota] = ()

    def position(self, gpu: Gpu) -> str:
        return f"cuda:{gpu.position} ({gpu.name})"


class Place(NamedTuple):
    """Where a job goes. ``visible``: its CUDA_VISIBLE_DEVICES, or None where that stays as it is."""

    devices: tuple[str, ...]
    visible: str | None = None
    memory: int | None = None


class Wait(NamedTuple):
    """Why a job cannot start now; ``never``: nothing that this machine's jobs do will change that. ``lacks``: all that
    it wants is what others have."""

    reason: str
    never: bool = False
    lacks: bool = False


Decision = Place | Wait


class Queued(NamedTuple):
    """A job that waits: the ``urgent`` first, then higher ``priority``, then the older.

    ``after``: runs that must be completed; ``at``: not before, in UTC seconds; ``held``: by whom, until somebody says
    otherwise.
    """

    id: str
    since: float
    priority: int
    after: Sequence[str]
    need: Need
    urgent: bool = False
    at: float = 0.0
    held: str = ""

    @property
    def rank(self) -> tuple[bool, int, float, str]:
        """Its place in the queue: the smaller, the sooner."""
        return (not self.urgent, -self.priority, self.since, self.id)


def machine_now(cpu_slots: int) -> Machine:
    """This machine as it is."""
    there, held = gpus(), claims()
    mps = sys.platform == "darwin" and platform.machine() == "arm64"
    return Machine(there, held, cpu_slots, _used(there, held), mps)


def kind(need: Need, machine: Machine) -> str:
    """``gpu``, ``cpu`` or ``mps``."""
    name = need.device.partition(":")[0]
    if name == "auto":
        return "gpu" if machine.gpus else "mps" if machine.mps else "cpu"
    return "gpu" if name == "cuda" else name


def unshareable(need: Need, machine: Machine) -> str:
    """Why so many processes can never have a device each here; empty: they can, or nothing tells."""
    where = kind(need, machine)
    help_ = "give fewer with --nproc, or --device cpu"
    if need.nproc > 1 and where == "mps":
        return f"processes cannot share an Apple GPU; {help_}"
    # Where the driver tells of no GPU, torch may know better: each process looks itself.
    if where == "gpu" and 0 < len(machine.gpus) < need.nproc:
        there = ", ".join(machine.position(gpu) for gpu in machine.gpus)
        return f"each process takes a GPU, and there is: {there}; {help_}"
    return ""


def place(need: Need, machine: Machine) -> Decision:
    """Where a job could start now, or why it cannot."""
    if (over := _over_quota(need, machine)) is not None:
        return over
    match kind(need, machine):
        case "gpu":
            return _on_gpus(need, machine)
        case "mps":
            return _on_one("mps", 1, machine)
        case _:
            return _on_one("cpu", machine.cpu_slots, machine)


def anywhere(need: Need, machine: Machine) -> Place:
    """Where a job goes that does not wait: where there is room, else where somebody else is too."""
    machine = machine._replace(quotas=())  # nobody waits for a share who does not wait for a device
    for claimed in (machine.claims, ()):  # as if nobody had anything, if there is no room: the foreground never waits
        found = place(need, machine._replace(claims=claimed))
        if isinstance(found, Place):
            return found
    there = _fitting(need, machine)
    if kind(need, machine) == "gpu" and there:
        return _freest(there, need, machine)
    return Place((need.device,))


def plan(
    jobs: Sequence[Queued], machine: Machine, states: Mapping[str, str], called: Callable[[str], str] = str
) -> list[tuple[Queued, Decision]]:
    """What becomes of every job, in the order of the queue; each that starts takes its place from those behind it.

    Among jobs of one kind of device nobody overtakes one that waits for it. ``called`` gives what reasons call the run
    of an id.
    """
    decided: list[tuple[Queued, Decision]] = []
    first: dict[str, str] = {}
    for job in sorted(jobs, key=lambda job: job.rank):
        where = kind(job.need, machine)
        decision: Decision | None = _not_yet(job, time.time()) or _after(job, states, called)
        # Strict order within a kind of device: else small jobs would keep a big one waiting for ever. Other kinds
        # overtake, since nothing that they take is what it waits for.
        if decision is None and where in first:
            decision = place(job.need, machine)
            if isinstance(decision, Place) or not decision.never:
                decision = Wait(f"behind {called(first[where])}", lacks=True)
        elif decision is None:
            decision = place(job.need, machine)
            if isinstance(decision, Place):  # it takes its place from those behind it, though it has not started yet
                claim = Claim(decision.devices, called(job.id), "", 0, decision.memory, 0.0, True)
                machine = machine._replace(claims=[*machine.claims, claim])
            elif not decision.never:
                decision = decision._replace(lacks=True)
                first.setdefault(where, job.id)
        decided.append((job, decision))
    return decided


def _not_yet(job: Queued, now: float) -> Wait | None:
    if job.held:
        return Wait(f"held by {job.held}: dlkit unpause puts it back", never=True)
    return Wait(f"not before {moment(job.at, now)}") if job.at > now else None


def _over_quota(need: Need, machine: Machine) -> Wait | None:
    wanted = need.nproc if kind(need, machine) == "gpu" else 1
    for quota in machine.quotas:
        held = quota.held(machine.claims)
        if held + wanted > quota.most:
            asked = f", {wanted} asked for" if wanted > 1 else ""
            return Wait(f"{quota.whose}: {held} of {quota.most} held{asked}", never=wanted > quota.most)
    return None


def _after(job: Queued, states: Mapping[str, str], called: Callable[[str], str]) -> Wait | None:
    for identity in job.after:
        state, who = states.get(identity, "gone"), called(identity)
        if state == "gone":
            return Wait(f"after {who}, which is gone: it will never be completed", never=True)
        # Completed and nothing else: a follower wants what the other run makes, the whole of it.
        if state != "completed":
            ended = state in ("failed", "stopped", "interrupted")
            return Wait(f"after {who}, which is {state}" + (": until it is resumed and completed" if ended else ""))
    return None


def _on_one(device: str, slots: int, machine: Machine) -> Decision:
    """A device that is shared by whole slots; processes of one job share one."""
    there = [claim for claim in machine.claims if device in claim.devices]
    if len(there) < slots:
        return Place((device,))
    who = ", ".join(_who(claim) for claim in there[:3])
    return Wait(f"{device}: {len(there)} of {slots} slot{'s' if slots > 1 else ''} taken by {who}")


def _on_gpus(need: Need, machine: Machine) -> Decision:
    fitting = _fitting(need, machine)
    impossible = _impossible(need, machine, fitting)
    if impossible:
        return Wait(impossible, never=True)
    reasons = {gpu.uuid: _taken(gpu, need, machine) for gpu in fitting}
    free = [gpu for gpu in fitting if not reasons[gpu.uuid]]
    if len(free) < need.nproc:
        return Wait("; ".join(reason for reason in reasons.values() if reason))
    return _freest(free, need, machine)


def _fitting(need: Need, machine: Machine) -> list[Gpu]:
    """The GPUs that a device names: the one of ``cuda:N``, else all."""
    index = need.device.partition(":")[2]
    return [gpu for gpu in machine.gpus if not index or gpu.position == int(index)]


def _freest(there: Sequence[Gpu], need: Need, machine: Machine) -> Place:
    """A place on those with the most free memory. ``cuda:N`` keeps the numbering that N was meant in."""
    chosen = sorted(there, key=lambda gpu: (-_free(gpu, machine), gpu.position))[: need.nproc]
    uuids = tuple(gpu.uuid for gpu in chosen)
    return Place(uuids, None if ":" in need.device else ",".join(uuids), need.gpu_memory)


def _free(gpu: Gpu, machine: Machine) -> int:
    """Bytes that nobody uses, nor has declared and will use; may be negative."""
    there = [claim for claim in machine.claims if gpu.uuid in claim.devices]
    return gpu.free - sum(max(0, (claim.memory or 0) - machine.used.get((claim.pid, gpu.uuid), 0)) for claim in there)


def _impossible(need: Need, machine: Machine, fitting: Sequence[Gpu]) -> str:
    there = ", ".join(machine.position(gpu) for gpu in machine.gpus) or "no GPU"
    if len(fitting) < need.nproc:
        several = f"{need.nproc} GPUs" if need.nproc > 1 else need.device
        return f"asks for {several}; there is: {there}"
    large = [gpu for gpu in fitting if gpu.total >= (need.gpu_memory or 0)]
    if len(large) < need.nproc:
        return f"asks for {memory_text(need.gpu_memory or 0)} on a GPU; there is: " + ", ".join(
            f"{machine.position(gpu)} with {memory_text(gpu.total)}" for gpu in fitting
        )
    return ""


def _taken(gpu: Gpu, need: Need, machine: Machine) -> str:
    """Why a job cannot have this GPU now; empty if it can."""
    there = [claim for claim in machine.claims if gpu.uuid in claim.devices]
    name = machine.position(gpu)
    whole = [claim for claim in there if claim.memory is None]
    if whole or (there and need.gpu_memory is None):
        return f"{name} is taken by {', '.join(_who(claim) for claim in (whole or there)[:3])}"
    if need.gpu_memory is None:  # a GPU to itself: strangers count too
        if gpu.processes:
            return f"{name} is used by process {min(gpu.processes)}, which is not dlkit's"
        return ""
    free = _free(gpu, machine)
    if free < need.gpu_memory:
        return f"{name}: {memory_text(max(0, free))} free, {memory_text(need.gpu_memory)} asked for"
    return ""


def _who(claim: Claim) -> str:
    return f"{claim.run} (process {claim.pid})" if claim.pid else f"{claim.run}, which starts first"


def _used(there: Sequence[Gpu], held: Sequence[Claim]) -> dict[tuple[int, str], int]:
    """What each claim's process tree uses of its GPUs; only asked where memory was declared."""
    found: dict[tuple[int, str], int] = {}
    for claim in held:
        if claim.memory is not None:
            pids = tree(claim.pid)
            for gpu in there:
                found[claim.pid, gpu.uuid] = sum(gpu.processes.get(pid) or 0 for pid in pids)
    return found


def tree(pid: int) -> set[int]:
    """A process and all that it has started."""
    import psutil

    try:
        process = psutil.Process(pid)
        return {pid, *(child.pid for child in process.children(recursive=True))}
    except psutil.Error:
        return set()

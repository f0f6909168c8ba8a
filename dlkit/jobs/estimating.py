"""What a run will take, asked of a process that takes its first steps; and ``gpu_memory = "auto"``, which rests on it.

Nothing here imports torch: the interface asks as well. Nothing is left in the workspace, and nothing is downloaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dlkit.config import Resolved
from dlkit.engine.probe.asking import Child, Died, child
from dlkit.errors import DataError, UsageError
from dlkit.jobs.allocate import Need, kind, machine_now
from dlkit.jobs.free_cores import FreeCores
from dlkit.jobs.memory import memory_text
from dlkit.runs.estimates import Estimate, from_json

Say = Callable[[str], None]
SECONDS = 4.0
"""Of training that is tried, beside an evaluation, samples and a checkpoint."""
AUTO = "auto"
ROOM = 1.1
"""What is asked for of a GPU, for each byte that was needed: later batches may be larger."""
_GRAIN = 64 << 20


def estimate(
    resolved: Resolved,
    workspace: Path,
    *,
    seconds: float = SECONDS,
    say: Say = lambda stage: None,
    begun: Callable[[Child], None] = lambda process: None,
) -> Estimate:
    """By a process of its own. ``begun`` gets it, to ``end`` it; ``say`` hears what is being done.

    What is wrong with the configuration, or lacking of its data, is raised as a run would; what does not fit into
    memory is an answer.
    """
    try:
        with child(workspace, offline=True) as process:  # what takes seconds must not begin with a download of hours
            begun(process)
            return asked(process, resolved, seconds=seconds, say=say)
    except DataError as error:
        hint = "Nothing is downloaded to tell how long it takes: dlkit data get does that"
        raise DataError(f"{error}. {hint}").hinting(hint) from error


def asked(process: Child, resolved: Resolved, *, seconds: float = SECONDS, say: Say = lambda stage: None) -> Estimate:
    """The same by a process that is there, which ends where it died of this."""
    free = FreeCores()(1).free  # as the run will find them: with fewer threads its steps are longer
    try:
        found = from_json(process.ask("estimate", resolved, say, seconds=seconds, cores=free))
    except Died as error:
        return Estimate(fits=False, problem=str(error), advice=advice(resolved, error.stage), device=_device(resolved))
    return replace(found, starting=process.started + found.starting)


def advice(resolved: Resolved, stage: str) -> list[str]:
    """What to change where memory ran out in this ``stage``, as words of a command line; the likeliest first."""
    engine, task = resolved.engine, resolved.task.name
    # The batch of training had room by then.
    if stage == "an evaluation" and engine.eval_batch_size > 1:
        return [f"--engine.eval-batch-size {engine.eval_batch_size // 2}: the evaluation took it"]
    found = []
    if stage != "building" and (half := engine.batch_size // 2):
        same = f" --accumulate {2 * engine.accumulate} keeps a step's samples" if engine.batch_size > 1 else ""
        found.append(f"--batch-size {half}:{same} (dlkit study {task} --batch-find finds the largest that fits)")
    apart = kind(Need(engine.device), machine_now(1)) != "cpu"
    if apart and stage != "building" and engine.data_on != "host":
        found.append("--engine.data-on host: the data stay in the host's memory")
    return [*found, f"a smaller model (dlkit train {task} --model {resolved.specs['model'].name} --help)"]


def _device(resolved: Resolved) -> str:
    return "" if resolved.engine.device == AUTO else resolved.engine.device


def settled(resolved: Resolved, workspace: Path, say: Say = lambda text: None) -> tuple[Resolved, Estimate | None]:
    """The configuration with what ``gpu_memory = "auto"`` turned out to mean, and the estimate that says so.

    UsageError: it does not fit, or its memory cannot be told.
    """
    if resolved.job.gpu_memory != AUTO:
        return resolved, None
    need = Need(resolved.engine.device, resolved.job.nproc)
    if (where := kind(need, machine_now(1))) != "gpu":
        say(f"gpu_memory auto: there is no GPU for it (it trains on {where}), so none of its memory is asked for")
        return _with_memory(resolved, None), None
    # Tried where it is handed over, not where it starts: the decision where it can start needs to know already.
    found = _told.get(key := cost_key(resolved))
    if found is None:
        say("gpu_memory auto: trying a few steps …")
        found = _told[key] = estimate(resolved, workspace)
    if not found.fits or found.device_memory is None:
        why = found.problem or "the device does not tell"
        raise UsageError(
            f"gpu_memory auto: how much it needs is not known: {why}. "
            "Give an amount (--gpu-memory 4GiB), or leave it out for a GPU to itself"
        )
    asked_for = -(-int(found.device_memory * ROOM) // _GRAIN) * _GRAIN
    say(f"gpu_memory auto: {memory_text(asked_for)} (a few steps took {memory_text(found.device_memory)})")
    return _with_memory(resolved, f"{asked_for >> 20}MiB"), found


def cost_key(resolved: Resolved) -> str:
    """Equal for configurations whose steps cost the same: numbers that only steer them are left out."""
    values = resolved.values()
    parts = {part: values[part] for part in ("model", "dataset")}
    names = {part: values[part].get("name") for part in ("loss", "trainer")}
    engine = {key: values["engine"].get(key) for key in ("batch_size", "epochs", "steps", "accumulate", "precision")}
    return json.dumps([resolved.task.name, parts, names, engine], sort_keys=True, default=str)


_told: dict[str, Estimate] = {}
"""What this process has tried already: a study hands over many runs of one kind."""


def _with_memory(resolved: Resolved, memory: str | None) -> Resolved:
    job = resolved.job.model_copy(update={"gpu_memory": memory})
    return replace(resolved, sections={**resolved.sections, "job": job})

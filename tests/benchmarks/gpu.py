"""What only a machine with a GPU can tell: run there as it is, or with ``--device cpu`` for the same paths, tiny.

    python tests/benchmarks/gpu.py [--device cuda] [--parts resume,waits] [--out FILE]

Parts run each in a process of its own with a limit of time, the most valuable first; one that fails, or takes too
long, does not keep the others from running. What they found is one JSON document on stdout and in ``--out``, written
anew after every part; it exits with 1 if a part failed. All together take 9 minutes at most.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent), str(ROOT)]

Found = dict[str, Any]
Part = Callable[[str, Path], Found]
TOTAL = 530.0
"""Seconds for all parts together."""
TRAIN: dict[str, Any] = {"epochs": 3, "batch_size": 16, "eval_every": "5 steps", "checkpoint_every": 0.01, "ema": 0.9}
LAYER: dict[str, Any] = {
    "dataset": {"name": "plane", "points": 300, "jitter": 0.1},
    "model": {"name": "mlp", "dropout": 0.3},
    "trainer": {"name": "supervised", "optimizer": "adamw"},
}


def resume(device: str, where: Path) -> Found:
    """A run that is left twice and resumed ends as one that nobody touched: the same bits."""
    from dlkit.engine import loop
    from outcome import close_at, outcome, values_of
    from toy import finish, toy_attempt, toy_resume

    loop.FLUSH_SECONDS = 0  # it can be left at every step
    engine = {**TRAIN, "device": device, "deterministic": True}
    whole = finish(toy_attempt(where, layer=LAYER, plugins=("extras",), **engine))
    run = close_at(toy_attempt(where, layer=LAYER, plugins=("extras",), **engine), 11)
    close_at(toy_resume(run, plugins=("extras",)), 25)
    finish(toy_resume(run, plugins=("extras",)))
    assert outcome(run) == outcome(whole), "the bits differ"
    assert values_of(run) == values_of(whole), "the recorded values differ"
    return {"steps": outcome(run)[0], "identity": run.read()["identity"]}


def waits(device: str, where: Path) -> Found:
    """No step of any task makes the host wait for the device; its first ones, which prepare things, apart."""
    return _each_task(lambda name: _steps_without_waiting(name, device, where))


def tasks(device: str, where: Path) -> Found:
    """The default run of every task (on the CPU a few small steps): seconds, steps a second, memory."""
    few = ["classification", "detection"] if device == "cpu" else []  # "waits" has each of them already
    return _each_task(lambda name: _default_run(name, device, where), few)


def evaluations(device: str, where: Path) -> Found:
    """Evaluations, samples and checkpoints change no weight."""
    from outcome import outcome
    from toy import finish, toy_attempt

    def trained(**engine: Any) -> str:
        how = {**TRAIN, "device": device, "deterministic": True, **engine}
        return outcome(finish(toy_attempt(where, layer=LAYER, plugins=("extras",), **how)))[1]

    rare = trained(eval_every="never", sample_every="never", checkpoint_every=30.0)
    assert trained(eval_every="2 steps", sample_every="3 steps") == rare, "the weights differ"
    return {"sha256": rare}


def kill(device: str, where: Path) -> Found:
    """kill -9 when there is a checkpoint, then resume: the bits of an undisturbed run."""
    from dlkit.runs.checkpoints import complete
    from outcome import outcome

    words = [
        "--epochs",
        "20",
        "--engine.checkpoint_every",
        "0.01",
        "--device",
        device,
        "--engine.deterministic",
        "true",
    ]
    words = [*words, "--model", "mlp", "--model.dropout", "0.3", "--loss", "troubled", "--loss.wait", "0.01"]
    process = _dlkit(["train", "toy", *words], where / "killed")
    runs = where / "killed" / "runs"
    _until(lambda: process.poll() is not None or any(complete(path) for path in runs.glob("*")))
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
    _done(_dlkit(["resume", "last"], where / "killed"))
    _done(_dlkit(["train", "toy", *words], where / "whole"))
    killed, whole = (_only_run(where / name) for name in ("killed", "whole"))
    assert outcome(killed) == outcome(whole), "the bits differ"
    return {"steps": outcome(whole)[0]}


def deterministic(device: str, where: Path) -> Found:
    """Detection with ``engine.deterministic``: every kernel has such a one, and two runs come to the same bits."""
    from outcome import finished, outcome
    from toy import finish

    runs = [finish(_small("detection", device, where, deterministic=True)) for _ in range(2)]
    for run in runs:
        assert finished(run).status == "completed", finished(run).reason
    assert outcome(runs[0])[1] == outcome(runs[1])[1], "the weights differ"
    return {"sha256": outcome(runs[0])[1]}


def memory(device: str, where: Path) -> Found:
    """A batch that the device has no memory for, with ``--on-oom halve``: half of it, and completed."""
    from dlkit.events import Retried
    from dlkit.runs.log import read_events

    words = ["--device", device, "--batch-size", "16", "--epochs", "2", "--on-oom", "halve"]
    _done(_dlkit(["train", "toy", *words, "--loss", "troubled", "--loss.scarce", "16"], where))
    run = _only_run(where)
    retried = [event.settings for event in read_events(run.events) if isinstance(event, Retried)]
    assert retried and retried[0]["engine.batch_size"] == 8, "it was not tried again with half"
    assert run.read()["state"] == "completed", run.read()["reason"]
    return {"retried": retried}


def stall(device: str, where: Path) -> Found:
    """Milliseconds for which a checkpoint of 10 MB holds up the loop."""
    import torch

    from bench_stall import taken, training
    from dlkit.engine.checkpoint_writer import Writer
    from dlkit.engine.device import choose_device

    there = choose_device(device)
    there.make_current()
    torch.set_default_device(there.torch_device)
    model, optimizer = training()
    torch.set_default_device("cpu")
    where.joinpath("checkpoints").mkdir(parents=True)
    writer, found = Writer(where, lambda: None, there), []
    for step in range(1, 4 if device == "cpu" else 40):
        there.synchronize()
        began = time.perf_counter()
        writer.submit(taken(model, optimizer, step))
        found.append((time.perf_counter() - began) * 1e3)
        writer.wait()
    return {"median_ms": statistics.median(found[1:]), "worst_ms": max(found[1:])}


def loader(device: str, where: Path) -> Found:
    """Batches a second of data on the device, and of data kept on the host."""
    import torch

    from dlkit.data.splits import TensorSplit
    from dlkit.engine.device import choose_device

    there, size = choose_device(device), 2_000 if device == "cpu" else 60_000
    split = TensorSplit({"image": torch.randn(size, 784), "label": torch.randint(10, (size,))})

    def rate(moved: Any) -> float:
        plan = moved.planner.plan(len(moved), 0, 0, 128)
        total = torch.zeros((), device=there.torch_device)
        there.synchronize()
        began = time.perf_counter()
        for batch in moved.batches(plan, seed=0, epoch=0):
            total += batch["image"].sum()
        there.synchronize()
        return len(plan) / (time.perf_counter() - began)

    ways = {"device": split.to(there), "host": split.kept_on_host(there)}
    return {name: max(rate(way) for _ in range(3)) for name, way in ways.items()}


def engine(device: str, where: Path) -> Found:
    """Microseconds that the engine itself adds to a step."""
    import bench_engine

    if device == "cpu":
        bench_engine.STEPS = 20_000
    return {"us_a_step": 1e6 * bench_engine.engine_seconds(where, device) / bench_engine.STEPS}


PARTS: Mapping[str, tuple[Part, float]] = {
    "resume": (resume, 60),
    "waits": (waits, 120),
    "tasks": (tasks, 150),
    "evaluations": (evaluations, 45),
    "kill": (kill, 60),
    "deterministic": (deterministic, 60),
    "memory": (memory, 60),
    "stall": (stall, 30),
    "loader": (loader, 30),
    "engine": (engine, 45),
}
"""By value: each with the seconds that it may take."""


def _each_task(ask: Callable[[str], Found], names: Sequence[str] = ()) -> Found:
    """What each task says; those that fail are named together, after all have been asked."""
    from kept_runs import RECIPES

    found, failed = {}, []
    for name in names or RECIPES:
        if name == "regression-scratch":  # NumPy's, which knows the CPU only
            continue
        try:
            found[name] = ask(name)
        except Exception as error:  # the other tasks are asked all the same
            traceback.print_exc()
            found[name] = {"error": f"{type(error).__name__}: {error}"[:500]}
            failed.append(name)
    if failed:
        raise PartFailed(f"failed: {', '.join(failed)}", found)
    return found


class PartFailed(AssertionError):
    """A part that found something out all the same."""

    def __init__(self, reason: str, found: Found) -> None:
        super().__init__(reason)
        self.found = found


def _small(name: str, device: str, where: Path, *, default: bool = False, **options: Any) -> Any:
    """A run of a task about to go: a few small steps, or with ``default`` as the task suggests it."""
    from dlkit.catalog import Catalog
    from dlkit.config import Layer, resolve
    from dlkit.data.context import make_context
    from dlkit.engine.start import start
    from kept_runs import ENGINE, RECIPES

    catalog, recipe = Catalog.load_everything(), {} if default else RECIPES[name]
    small = {} if default else {**ENGINE, **recipe.get("engine", {}), "sample_every": "never", "limit_batches": 8}
    layer = {**recipe, "engine": {**small, "device": device, "precision": "auto", **options}}
    resolved = resolve(catalog, name.partition("-")[0], [Layer("benchmark", layer)])
    return start(catalog, resolved, where, make_context(catalog, where, offline=True))


def _steps_without_waiting(name: str, device: str, where: Path) -> Found:
    import torch

    from dlkit.data.splits import Batch
    from dlkit.engine.device import choose_device
    from outcome import finished
    from toy import finish

    attempt = _small(name, device, where, eval_every="end")
    on_gpu, make = choose_device(device).kind == "cuda", attempt.job.trainer.step
    seen: list[int] = []

    def step(batches: Sequence[Batch], number: int) -> Any:
        if number < 3 or not on_gpu:
            return make(batches, number)
        torch.cuda.set_sync_debug_mode("error")
        try:
            return make(batches, number)
        finally:
            torch.cuda.set_sync_debug_mode("default")
            seen.append(number)

    attempt.job.trainer.step = step
    if on_gpu:
        _watch_batches(torch)
    run = finish(attempt)
    assert finished(run).status == "completed", finished(run).reason
    return {"steps_watched": len(seen)}


def _watch_batches(torch: Any) -> None:
    """The making of batches too, from the fourth of an epoch on: what an epoch begins with is copied once."""
    from dlkit.engine.loader import Loader

    made = getattr(Loader, "_unwatched", Loader._batches)

    def batches(self: Any, plan: Any) -> Iterator[Any]:
        found, number = iter(made(self, plan)), 0
        while True:
            torch.cuda.set_sync_debug_mode("error" if number > 3 else "default")
            try:
                batch = next(found, None)
            finally:
                torch.cuda.set_sync_debug_mode("default")
            if batch is None:
                return
            number += 1
            yield batch

    Loader._unwatched = made  # type: ignore[attr-defined]
    Loader._batches = batches  # type: ignore[method-assign]


def _default_run(name: str, device: str, where: Path) -> Found:
    from dlkit.engine.device import choose_device
    from outcome import finished
    from toy import finish

    tiny = device == "cpu"
    # Ended by the clock, so that all tasks have their turn: what counts is that the default goes, and how fast.
    attempt = _small(name, device, where, default=not tiny, **({} if tiny else {"max_time": 8.0}))
    run = finish(attempt)
    end = finished(run)
    assert end.status == "completed", end.reason
    memory = choose_device(device).memory()
    return {
        "steps": end.steps,
        "seconds": end.seconds,
        "steps_a_second": end.steps / max(end.train_seconds, 1e-9),
        "device_memory": memory.used,
    }


def _environment(workspace: Path) -> dict[str, str]:
    """Where ``dlkit`` finds the plugins that tests bring along."""
    site = workspace.parent / f"{workspace.name}-site"
    for name in ("toy", "extras"):
        folder = site / f"dlkit_{name}-1.0.dist-info"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dlkit-{name}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[dlkit]\n{name} = {name}\n")
    path = os.pathsep.join([str(site), str(HERE.parent), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "DLKIT_DEVICES": str(site)}


def _dlkit(words: Sequence[str], workspace: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dlkit", *words, "--workspace", str(workspace)]
    return subprocess.Popen(command, env=_environment(workspace), stdout=sys.stderr)


def _done(process: subprocess.Popen[bytes]) -> None:
    code = process.wait()
    assert code == 0, f"exit code {code}"


def _only_run(workspace: Path) -> Any:
    from dlkit.runs.folder import RunFolder

    (path,) = (workspace / "runs").glob("2*")
    return RunFolder(path)


def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.02)


def run_part(name: str, device: str, seconds: float) -> Found:
    """One part in a process of its own, and how it went."""
    began = time.monotonic()
    command = [sys.executable, __file__, "--device", device, "--one", name]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, process_group=0)
    try:
        said, _ = process.communicate(timeout=seconds)
        found: Found = json.loads(said.splitlines()[-1]) if said.strip() else {"error": f"exit {process.returncode}"}
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # with whatever it started
        process.communicate()
        found = {"error": f"took longer than {seconds:.0f} s"}
    return {"ok": "error" not in found, "seconds": round(time.monotonic() - began, 1), **found}


def run_here(name: str, device: str) -> Found:
    """What one part finds; what it raises, as ``error``."""
    part, _ = PARTS[name]
    with tempfile.TemporaryDirectory() as folder:
        try:
            return {"found": part(device, Path(folder) / name)}
        except BaseException as error:  # the part's boundary: its reason is its result
            traceback.print_exc()
            return {"error": f"{type(error).__name__}: {error}"[:2000], "found": getattr(error, "found", {})}


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.one:
        print(json.dumps(run_here(options.one, options.device)))
        return 0
    import torch

    end = time.monotonic() + TOTAL
    told: Found = {"device": options.device, "torch": torch.__version__, "parts": {}}
    for name in options.parts.split(","):
        left = end - time.monotonic()
        limit = min(PARTS[name][1], left)
        told["parts"][name] = run_part(name, options.device, limit) if left > 5 else {"ok": False, "error": "no time"}
        if options.out:
            options.out.write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1))
    return 0 if all(part["ok"] for part in told["parts"].values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

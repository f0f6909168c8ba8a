"""Device faults, planted one by one: for each, the check that is to notice it, and does not without it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import complete_box_iou_loss  # type: ignore[import-untyped]

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import make_context
from dlkit.data.splits import Ragged, Split, TensorSplit
from dlkit.engine import checkpoint_writer, exactness, loop, step_log
from dlkit.engine.attempt import Attempt
from dlkit.engine.columns import columns as read_columns
from dlkit.engine.device import Device
from dlkit.engine.device.base import Done
from dlkit.engine.distributed import World
from dlkit.engine.start import start
from dlkit.errors import UsageError
from dlkit_detection.augment import _moved
from kept_runs import ENGINE, RECIPES
from outcome import close_at, finished, outcome
from pretend_device import Pretend, installed
from toy import finish, toy_attempt, toy_resume

Patch = pytest.MonkeyPatch
Check = Callable[[Path, Pretend, Patch], bool]
PLUGINS = ("extras", "pretend_device")
NOISY: dict[str, Any] = {"trainer": {"name": "noisy", "optimizer": "adamw"}, "model": {"name": "mlp", "dropout": 0.3}}


class Mutant(NamedTuple):
    """``plant`` makes the fault; ``sound`` says whether all is well, as far as one can see."""

    plant: Callable[[Patch], None]
    sound: Check


def attempt(where: Path, **engine: Any) -> Attempt:
    return toy_attempt(where, layer=NOISY, plugins=PLUGINS, **{"device": "auto", **engine})


def nothing_waits(task: str) -> Check:
    def sound(where: Path, device: Pretend, patch: Patch) -> bool:
        seen = _four_steps(task, where, device)
        return not seen.waits

    return sound


def kernels_are_deterministic(where: Path, device: Pretend, patch: Patch) -> bool:
    return not _four_steps("detection", where, device).nondeterministic


def _four_steps(task: str, where: Path, device: Pretend) -> Any:
    catalog, recipe = Catalog.load_everything(), RECIPES[task]
    few = {"steps": 2, "device": "auto", "eval_every": "end", "sample_every": "never"}
    layer = {**recipe, "engine": {**ENGINE, **recipe.get("engine", {}), **few}}
    made = start(catalog, resolve(catalog, task, [Layer("test", layer)]), where, make_context(catalog, where))
    device.watch(made.job)
    finish(made)
    return device.seen


def the_toy_never_waits(where: Path, device: Pretend, patch: Patch) -> bool:
    made = attempt(where, checkpoint_every=1e-6)
    device.watch(made.job)
    return finished(finish(made)).status == "completed" and not device.reads


def it_is_current_before_anything_is_put(where: Path, device: Pretend, patch: Patch) -> bool:
    made = attempt(where)
    built = len(device.calls)
    finish(made)
    return device.calls[0] == "make_current" == device.calls[built:][0]


def checkpoints_hold_what_was_there(where: Path, device: Pretend, patch: Patch) -> bool:
    return finished(finish(attempt(where))).status == "completed"


def a_resume_draws_on(where: Path, device: Pretend, patch: Patch) -> bool:
    patch.setattr(loop, "FLUSH_SECONDS", 0)
    run = close_at(attempt(where), 7)
    device.seed(99)
    return outcome(finish(toy_resume(run, plugins=PLUGINS))) == outcome(finish(attempt(where)))


def data_that_do_not_fit_are_told_apart(where: Path, device: Pretend, patch: Patch) -> bool:
    made = attempt(where, data_on="device")
    device.room = device.used + 1
    try:
        return "--engine.data_on host" in finished(finish(made)).reason
    except Exception:  # out of the run's boundary
        return False


def data_stay_on_the_host(where: Path, device: Pretend, patch: Patch) -> bool:
    made = attempt(where, data_on="host", batch_size=8, eval_batch_size=8)
    before = len(device.put_sizes)
    finish(made)
    return max(device.put_sizes[before:]) < made.job.data.train.nbytes / 2


def seconds_count_what_is_queued(where: Path, device: Pretend, patch: Patch) -> bool:
    """Reading is where a device's work is waited for: here it takes 0.3 s in all, which are seconds of training."""

    def columns(rows: Any, first: int) -> Any:
        time.sleep(0.3 if rows else 0.0)
        return read_columns(rows, first)

    patch.setattr(step_log, "columns", columns)
    return finished(finish(attempt(where, eval_every="never", sample_every="never", steps=4))).train_seconds >= 0.3


class Peers(World):
    """Notices being left."""

    left = False

    def close(self) -> None:
        self.left = True


def a_failing_rank_tears_nothing_down(where: Path, device: Pretend, patch: Patch) -> bool:
    made, peers = attempt(where), Peers()
    made = replace(made, job=replace(made.job, world=peers))
    patch.setattr(made.job.trainer, "step", lambda batches, number: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        for _ in made.events(report=where / ".report-0.json"):
            pass
    return not peers.left


def another_model_is_told(where: Path, device: Pretend, patch: Patch) -> bool:
    run = finish(attempt(where))
    patch.setattr(Pretend, "model_name", lambda self: "Pretend 2")
    try:
        toy_resume(run, plugins=PLUGINS, epochs=4)
    except UsageError as error:
        return "the device was Pretend 1, is Pretend 2" in str(error)
    return False


def memory_is_told_apart(where: Path, device: Pretend, patch: Patch) -> bool:
    made = attempt(where)
    device.watch(made.job)
    stream = made.events()
    next(stream)
    device.room = device.used + 1
    *_, end = stream
    return getattr(end, "reason", "").startswith("out of memory on pretend")


def planted(target: object, name: str, value: object) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(target, name, value)


def planted_at(path: str, value: object) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(path, value)


def stage_without_waiting(self: Pretend, pairs: Any) -> Done:
    return (_stage(self, pairs), Done())[1]


def width_from_the_device(self: Ragged, index: Any) -> int:
    rows = torch.from_numpy(index)
    return int((self.offsets[rows + 1] - self.offsets[rows]).max())


def through_the_host(image: Tensor, boxes: Tensor, zoom: Tensor, shift: Tensor) -> Any:
    zoom.tolist()
    return _moved(image, boxes, zoom, shift)


def spatial(outputs: Any, targets: Any, smoothing: float) -> Tensor:
    logits = outputs["classes"].transpose(1, 2)
    return F.cross_entropy(logits, targets.labels, reduction="none", label_smoothing=smoothing)


def at_once(data: Any, engine: Any, device: Device) -> tuple[Split, Split]:
    return data.train.to(device), data.val.to(device)


def only_queued(patch: Patch) -> None:
    """The clock stops before the steps are read."""
    read, record = step_log.StepLog.read, step_log.StepLog.record
    patch.setattr(step_log.StepLog, "read", lambda self: [])
    patch.setattr(step_log.StepLog, "record", lambda self, parts: record(self, read(self)))


def waiting_submit(self: checkpoint_writer.Writer, shot: Any) -> None:
    self._device.synchronize()
    _submit(self, shot)


_stage, _submit = Pretend.stage, checkpoint_writer.Writer.submit
_MOVED = "dlkit_detection.augment._moved"

MUTANTS: dict[str, Mutant] = {
    "not made current": Mutant(
        planted(Pretend, "make_current", lambda self: None), it_is_current_before_anything_is_put
    ),
    "copies not awaited": Mutant(planted(Pretend, "stage", stage_without_waiting), checkpoints_hold_what_was_there),
    "a checkpoint waits for the device": Mutant(
        planted(checkpoint_writer.Writer, "submit", waiting_submit), the_toy_never_waits
    ),
    "generator not stored": Mutant(planted(Pretend, "generator_state", lambda self: None), a_resume_draws_on),
    "generator not restored": Mutant(
        planted(Pretend, "set_generator_state", lambda self, state: None), a_resume_draws_on
    ),
    "widths read from the device": Mutant(
        planted(Ragged, "width", width_from_the_device), nothing_waits("translation")
    ),
    "augmentation through the host": Mutant(planted_at(_MOVED, through_the_host), nothing_waits("detection")),
    "plans from pageable memory": Mutant(
        planted(TensorSplit, "_beside_columns", lambda self, index: index.to(self.device)), nothing_waits("regression")
    ),
    "overlap by a mask": Mutant(
        lambda patch: patch.setitem(_overlaps(), "ciou", complete_box_iou_loss), nothing_waits("detection")
    ),
    "a loss over places": Mutant(planted_at("dlkit_detection.losses._class_loss", spatial), kernels_are_deterministic),
    "data placed without a word": Mutant(planted(loop, "place", at_once), data_that_do_not_fit_are_told_apart),
    "data on the device all the same": Mutant(
        planted(TensorSplit, "kept_on_host", TensorSplit.to), data_stay_on_the_host
    ),
    "seconds of queueing": Mutant(only_queued, seconds_count_what_is_queued),
    "a failing rank tears down": Mutant(
        planted(loop.Loop, "_part", lambda self, *_: self._world.close()), a_failing_rank_tears_nothing_down
    ),
    "another model not compared": Mutant(
        planted(exactness, "_identity", lambda device: {"kind": "", "model": "", "count": 1, "driver": ""}),
        another_model_is_told,
    ),
    "memory's error not known": Mutant(
        planted(Pretend, "is_out_of_memory", Device.is_out_of_memory), memory_is_told_apart
    ),
}


def _overlaps() -> dict[str, Any]:
    from dlkit_detection.losses import OVERLAPS

    found: dict[str, Any] = OVERLAPS
    return found


@pytest.fixture
def device() -> Iterator[Pretend]:
    with installed() as there:
        yield there


@pytest.mark.parametrize("name", MUTANTS)
@pytest.mark.parametrize("planted", [False, True])
def test_each_is_noticed(
    name: str, planted: bool, tmp_path: Path, device: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant = MUTANTS[name]
    if planted:
        mutant.plant(monkeypatch)
    assert mutant.sound(tmp_path, device, monkeypatch) is not planted

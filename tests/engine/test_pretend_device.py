"""What goes wrong on accelerators, on one that is pretended: each check is shown a fault that it must find."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from dlkit.data.splits import Batch
from dlkit.engine import loop
from dlkit.engine.attempt import Attempt
from dlkit.engine.device import Device, is_out_of_memory
from dlkit.engine.device.base import Done, Memory
from dlkit.engine.placing import TooLarge
from dlkit.errors import UsageError
from dlkit.events import Event, Finished
from dlkit.runs.checkpoints import complete
from dlkit.runs.folder import RunFolder
from outcome import close_at, finished, outcome, values_of
from pretend_device import NoisyTrainer, NoRoom, Pretend, installed
from toy import finish, toy_attempt, toy_resume, toy_run

PLUGINS = ("extras", "pretend_device")
NOISY: dict[str, Any] = {"trainer": {"name": "noisy", "optimizer": "adamw"}, "model": {"name": "mlp", "dropout": 0.3}}


@pytest.fixture
def device() -> Iterator[Pretend]:
    with installed() as there:
        yield there


def attempt(where: Path, layer: dict[str, Any] | None = None, **engine: Any) -> Attempt:
    made = toy_attempt(where, layer=layer or NOISY, plugins=PLUGINS, **{"device": "auto", **engine})
    assert isinstance(made.job.placement.device, Pretend)
    return made


def often(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A checkpoint at every step, as far as the writer keeps up."""
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    return {"checkpoint_every": 1e-6, "keep": 100}


@pytest.mark.parametrize("mapped", [False, True])
def test_a_run_on_it_is_a_run_on_the_cpu(tmp_path: Path, device: Pretend, mapped: bool) -> None:
    layer = {"dataset": {"mapped": mapped, "jitter": 0.1}}
    ours = finish(attempt(tmp_path, layer, batch_size=8, ema=0.9))
    cpu = toy_run(tmp_path, layer=layer, batch_size=8, ema=0.9)
    assert ours.read()["device"] == "pretend" and cpu.read()["device"] == "cpu"
    assert outcome(ours)[1] == outcome(cpu)[1]
    assert values_of(ours) == values_of(cpu)


def test_it_is_named_and_counted(tmp_path: Path, device: Pretend) -> None:
    made = attempt(tmp_path)
    assert made.job.summary["device"] == "pretend"
    assert device.identity().model == "Pretend 1" and device.identity().count == 1
    weights = sum(t.nbytes for t in made.job.trainer.model.state_dict().values())
    before = device.memory().used
    assert before >= weights
    split = made.job.data.train.to(device)
    taken = device.memory().used - before
    assert taken == sum(column.nbytes for column in split.columns.values())  # type: ignore[attr-defined]
    assert split.to(device) is split, "it is there already"
    del split
    assert device.memory().used == before


class TestCopies:
    """Host buffers hold nothing before the copies were waited for."""

    def stored(self, run: RunFolder) -> list[str]:
        return [checkpoint.sha256 for checkpoint in complete(run.path)]

    def test_what_is_stored_is_what_was_there(
        self, tmp_path: Path, device: Pretend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = finish(attempt(tmp_path, **often(monkeypatch)))
        assert finished(run).status == "completed" and not device.pending
        assert len(set(self.stored(run))) == len(self.stored(run)) > 1

    def test_a_writer_that_does_not_wait_is_caught(
        self, tmp_path: Path, device: Pretend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begin = Pretend.stage

        def stage(self: Pretend, pairs: Any) -> Any:
            begin(self, pairs)
            return Done()

        monkeypatch.setattr(Pretend, "stage", stage)
        run = finish(attempt(tmp_path))
        assert finished(run).status == "failed"
        assert "became NaN or infinite" in finished(run).reason

    def test_the_loop_does_not_wait_in_the_writers_place(
        self, tmp_path: Path, device: Pretend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        finish(attempt(tmp_path, **often(monkeypatch)))
        assert "synchronize" not in device.reads


class TestGenerator:
    """The device draws from a generator of its own: stored, restored, and left alone by evaluations."""

    def interrupted(self, where: Path) -> RunFolder:
        run = close_at(attempt(where), 7)
        Pretend.there.seed(99)  # type: ignore[union-attr]  # another process would find it in any state
        return finish(toy_resume(run, plugins=PLUGINS))

    def differs(self, where: Path) -> bool:
        return outcome(self.interrupted(where)) != outcome(finish(attempt(where)))

    def disturbed(self, where: Path) -> bool:
        """Whether evaluations and samples change the weights."""
        rare, frequent = (finish(attempt(where, eval_every=every, sample_every=every)) for every in ("end", "2 steps"))
        return outcome(rare)[1] != outcome(frequent)[1]

    @pytest.fixture(autouse=True)
    def every_step(self, device: Pretend, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)

    def test_a_resume_draws_on(self, tmp_path: Path) -> None:
        assert not self.differs(tmp_path)

    def test_evaluations_draw_apart(self, tmp_path: Path) -> None:
        assert not self.disturbed(tmp_path)

    def test_one_that_is_not_restored_is_caught(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Pretend, "set_generator_state", lambda self, state: None)
        assert self.differs(tmp_path) and self.disturbed(tmp_path)

    def test_one_that_is_not_stored_is_caught(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Pretend, "generator_state", lambda self: None)
        assert self.differs(tmp_path) and self.disturbed(tmp_path)


class TestSteps:
    """A step starts work and reads none of it."""

    def reads(self, where: Path, device: Pretend, layer: dict[str, Any], **engine: Any) -> list[str]:
        made = attempt(where, layer, steps=4, epochs=None, **engine)
        device.watch(made.job)
        assert finished(finish(made)).status == "completed"
        return device.reads

    @pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
    @pytest.mark.parametrize("engine", [{}, {"accumulate": 2, "clip": 1.0, "ema": 0.9, "probe_every": 1}])
    def test_nothing_is_read(self, tmp_path: Path, device: Pretend, optimizer: str, engine: dict[str, Any]) -> None:
        layer = {"model": {"name": "mlp", "dropout": 0.1}, "trainer": {"optimizer": optimizer, "schedule": "cosine"}}
        assert self.reads(tmp_path, device, layer, **engine) == []

    def test_nothing_is_read_of_two_networks(self, tmp_path: Path, device: Pretend) -> None:
        assert self.reads(tmp_path, device, {"model": {"name": "rivals"}}) == []

    @pytest.mark.parametrize("read", [float, Tensor.tolist, bool, Tensor.cpu, lambda loss: torch.stack([loss]).numpy()])
    def test_a_trainer_that_reads_is_caught(
        self, tmp_path: Path, device: Pretend, monkeypatch: pytest.MonkeyPatch, read: Any
    ) -> None:
        def losses(self: NoisyTrainer, batch: Batch) -> Mapping[str, Tensor]:
            found = super(NoisyTrainer, self).losses(batch)
            read(found["loss"].detach())
            return found

        monkeypatch.setattr(NoisyTrainer, "losses", losses)
        assert len(self.reads(tmp_path, device, NOISY)) >= 4

    def test_a_trainer_that_waits_is_caught(
        self, tmp_path: Path, device: Pretend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def losses(self: NoisyTrainer, batch: Batch) -> Mapping[str, Tensor]:
            self.setup.device.synchronize()
            return super(NoisyTrainer, self).losses(batch)

        monkeypatch.setattr(NoisyTrainer, "losses", losses)
        assert self.reads(tmp_path, device, NOISY) == ["synchronize"] * 4


class TestMemory:
    """What does not fit is an end of its own, with the way out."""

    def starved(self, made: Attempt, device: Pretend, **how: Any) -> Iterator[Event]:
        """A run whose splits and weights fit, and whose batches do not."""
        device.watch(made.job)
        stream = made.events(**how)
        yield next(stream)
        device.room = device.used + 1
        yield from stream

    def test_it_says_where_and_what_to_do(self, tmp_path: Path, device: Pretend) -> None:
        made = attempt(tmp_path)
        end = [*self.starved(made, device)][-1]
        assert isinstance(end, Finished) and end.status == "failed"
        assert end.reason.startswith("out of memory on pretend: try a smaller --batch-size, --accumulate, or --on-oom")

    def test_the_supervisor_hears_of_it(self, tmp_path: Path, device: Pretend) -> None:
        """For ``--on-oom halve``."""
        report = tmp_path / ".report-0.json"
        with pytest.raises(NoRoom):
            [*self.starved(attempt(tmp_path), device, report=report)]
        said = json.loads(report.read_text())
        assert said["kind"] == "memory" and said["reason"].startswith("out of memory on pretend")

    def test_a_device_that_does_not_know_its_own_error_is_caught(
        self, tmp_path: Path, device: Pretend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Pretend, "is_out_of_memory", Device.is_out_of_memory)
        end = [*self.starved(attempt(tmp_path), device)][-1]
        assert isinstance(end, Finished) and end.reason.startswith("NoRoom: ")

    def test_data_that_do_not_fit_end_the_run_with_what_helps(self, tmp_path: Path, device: Pretend) -> None:
        made = attempt(tmp_path, data_on="device")
        device.room = device.used + 1
        run = finish(made)
        assert run.read()["state"] == "failed"
        assert finished(run).reason == (
            "out of memory on pretend: the data (0.00 GB) do not fit beside the model; give --engine.data_on host; "
            "no checkpoint was written before"
        )

    def test_a_smaller_batch_is_not_tried_for_data_that_do_not_fit(self, tmp_path: Path, device: Pretend) -> None:
        made, report = attempt(tmp_path, data_on="device"), tmp_path / ".report-0.json"
        device.room = device.used + 1
        with pytest.raises(TooLarge):
            [*made.events(report=report)]
        assert json.loads(report.read_text())["kind"] == "final"

    @pytest.mark.parametrize(("data_on", "mapped"), [("host", False), ("host", True), ("auto", False)])
    def test_data_that_stay_on_the_host_train_the_same(
        self, tmp_path: Path, device: Pretend, monkeypatch: pytest.MonkeyPatch, data_on: str, mapped: bool
    ) -> None:
        layer = {"dataset": {"mapped": mapped, "jitter": 0.1}}
        whole = finish(attempt(tmp_path, layer))
        made = attempt(tmp_path, layer, data_on=data_on)
        before = len(device.put_sizes)
        size = sum(split.nbytes for split in (made.job.data.train, made.job.data.val))
        if data_on == "auto":
            monkeypatch.setattr(Pretend, "memory", lambda self: Memory(0, 2 * size - 1))
        if not mapped:  # samples that are made one by one are made on the host, with whatever that reads of its own
            device.watch(made.job)
        run = finish(made)
        assert finished(run).status == "completed", finished(run).reason
        assert outcome(run)[1] == outcome(whole)[1] and values_of(run) == values_of(whole)
        assert device.reads == []
        assert max(device.put_sizes[before:]) < size or mapped

    def test_a_model_that_does_not_fit_makes_no_run(self, tmp_path: Path) -> None:
        with installed(room=10), pytest.raises(UsageError, match=r"model '.*' does not fit into memory"):
            attempt(tmp_path)
        assert not (tmp_path / "runs").exists() or not [*(tmp_path / "runs").iterdir()]


@pytest.mark.parametrize(
    ("error", "memory"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), True),
        (MemoryError(), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9.05 GB)"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("shapes do not fit"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_errors_of_memory_are_told_apart(error: BaseException, memory: bool) -> None:
    assert is_out_of_memory(error) is memory

"""Checkpoints: everything, without pickle, whole or not at all."""

from __future__ import annotations

import io
import json
import pickle
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from dlkit.data.randomness import generators, restore_generators
from dlkit.engine import checkpoint as storage
from dlkit.engine import loop
from dlkit.engine.average import MovingAverage
from dlkit.engine.checkpoint_writer import Writer, prune
from dlkit.engine.device import Cpu
from dlkit.engine.tensor_files import HEADER_LIMIT, read_tensors, write_tensors
from dlkit.errors import RunError
from dlkit.runs.checkpoints import choose, complete
from dlkit.use.load import load_predictor
from outcome import close_at, outcome
from toy import finish, toy_attempt, toy_catalog, toy_resume, toy_run

EXTRAS = ("extras",)
TIED = {"model": {"name": "mlp", "tied": True}}


@pytest.fixture
def no_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may pickle anything."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("pickle was used")

    for name in ("dump", "dumps", "load", "loads"):
        monkeypatch.setattr(pickle, name, refuse)
    monkeypatch.setattr(torch, "save", refuse)
    monkeypatch.setattr(torch, "load", refuse)


@pytest.mark.usefixtures("no_pickle")
def test_no_pickle_on_any_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    engine: dict[str, Any] = {"ema": 0.9, "checkpoint_every": 1e-6}
    layer = {**TIED, "trainer": {"optimizer": "adamw"}}
    run = close_at(toy_attempt(tmp_path, layer=layer, plugins=EXTRAS, **engine), 8)
    finish(toy_resume(run, plugins=EXTRAS))
    toy_attempt(tmp_path, layer=layer, plugins=EXTRAS, init_from=run.id)
    load_predictor(toy_catalog(*EXTRAS), run).predictor.predict([[1, 2, 3]])


def test_files_are_tensors_or_json_and_nothing_else(tmp_path: Path) -> None:
    run = finish(toy_attempt(tmp_path, layer={"trainer": {"optimizer": "adam"}}, plugins=EXTRAS, ema=0.5))
    for checkpoint in complete(run.path):
        names = {path.name for path in checkpoint.folder.iterdir()}
        assert names == {*checkpoint.manifest.files, "manifest.json"}
        assert {Path(name).suffix for name in names} == {".safetensors", ".json"}
    for path in (path for path in run.path.rglob("*") if path.is_file() and path.stat().st_size):
        if path.suffix in (".json", ".jsonl"):
            for line in path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]:
                json.loads(line, parse_constant=pytest.fail)
        elif path.suffix == ".safetensors":
            read_tensors(run.path, str(path.relative_to(run.path)))
        else:
            assert path.name == "config.toml"
        with pytest.raises((pickle.UnpicklingError, EOFError, ValueError, KeyError, IndexError, AttributeError)):
            pickle.load(io.BytesIO(path.read_bytes()))


def test_tied_weights_are_stored_once_and_stay_tied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    whole = finish(toy_attempt(tmp_path, layer=TIED, plugins=EXTRAS))
    run = close_at(toy_attempt(tmp_path, layer=TIED, plugins=EXTRAS), 7)
    finish(toy_resume(run, plugins=EXTRAS))
    assert outcome(run) == outcome(whole)
    chosen = choose(run.path, "last")
    assert dict(chosen.manifest.aliases) == {"third.weight": "second.weight"}
    model = load_predictor(toy_catalog(*EXTRAS), run, "last").predictor.model
    assert model.second.weight is model.third.weight
    assert torch.equal(model.third.weight, storage.tensors_of(chosen, storage.MODEL)["second.weight"])


def test_predictions_use_the_average_where_there_is_one(tmp_path: Path) -> None:
    run = toy_run(tmp_path, ema=0.9)
    chosen = choose(run.path, "last")
    live = storage.tensors_of(chosen, storage.MODEL)
    averaged = storage.load_state(chosen)["averaged"]
    model = load_predictor(toy_catalog(), run, "last").predictor.model
    assert torch.equal(model.linear.weight, averaged["linear.weight"])
    assert not torch.equal(model.linear.weight, live["linear.weight"])


def test_an_older_average_of_what_is_not_stored_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Buffers that are no part of the state were averaged once."""
    real = MovingAverage.tensors
    monkeypatch.setattr(MovingAverage, "tensors", lambda self: {**real(self), "scratch": torch.zeros(2)})
    run = toy_run(tmp_path, ema=0.5)
    chosen = choose(run.path, "last")
    assert "scratch" in storage.load_state(chosen)["averaged"]
    model = load_predictor(toy_catalog(), run, "last").predictor.model
    assert torch.equal(model.linear.weight, storage.load_state(chosen)["averaged"]["linear.weight"])


def test_every_generator_is_stored() -> None:
    state = generators()

    def draw() -> list[float]:
        return [random.random(), random.gauss(0, 1), *np.random.normal(size=3), *torch.randn(3).tolist()]

    first = draw()
    restore_generators(state)
    assert draw() == first


def checkpoint_of(tmp_path: Path) -> Any:
    return choose(toy_run(tmp_path).path, "last")


@pytest.mark.parametrize("size", [HEADER_LIMIT + 1, 1 << 40, (1 << 64) - 1])
def test_a_header_that_claims_too_much_is_not_read(tmp_path: Path, size: int) -> None:
    (tmp_path / "init.safetensors").write_bytes(size.to_bytes(8, "little") + b"{" * 100)
    with pytest.raises(RunError, match=rf"its header claims {size} bytes"):
        read_tensors(tmp_path, "init.safetensors")


@pytest.mark.parametrize("content", [b"", b"\x08", b"\x08\0\0\0\0\0\0\0{}", b"\x80\x04K\x01."])
def test_what_is_no_tensor_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "init.safetensors").write_bytes(content)
    with pytest.raises(RunError, match=r"init\.safetensors"):
        read_tensors(tmp_path, "init.safetensors")


def test_what_is_written_can_be_read_however_many_tensors(tmp_path: Path) -> None:
    names = [f"transformer.blocks.{i}.attention.projection.weight" for i in range(20_000)]
    write_tensors({name: torch.zeros(1) for name in names}, tmp_path, "init.safetensors")
    assert len(read_tensors(tmp_path, "init.safetensors")) == 20_000


def truncate(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-8])


def alter(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def bomb(folder: Path) -> None:
    path = folder / "state.safetensors"
    size = path.stat().st_size
    path.write_bytes((1 << 50).to_bytes(8, "little") + bytes(size - 8))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncate, "has no checkpoint yet"),
        (alter, "model.safetensors was altered"),
        (bomb, "state.safetensors was altered"),
    ],
)
def test_a_damaged_checkpoint_is_not_predicted_from(
    tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    run = toy_run(tmp_path, epochs=1)
    damage(choose(run.path).folder)
    with pytest.raises(RunError, match=message):
        load_predictor(toy_catalog(), run)


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    run, other = toy_run(tmp_path), finish(toy_attempt(tmp_path, layer=TIED, plugins=EXTRAS))
    shutil.rmtree(run.checkpoints)
    shutil.copytree(other.checkpoints, run.checkpoints)
    with pytest.raises(
        RunError, match=r"belongs to task 'toy', model 'mlp'; this run is of task 'toy', model 'linear'"
    ):
        load_predictor(toy_catalog(), run)
    with pytest.raises(RunError, match=r"belongs to task 'toy', model 'mlp'"):
        toy_resume(run, epochs=9)


def test_weights_that_no_longer_fit_are_named(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    run.config.write_text(run.config.read_text().replace("bias = true", "bias = false"))
    with pytest.raises(RunError, match=r"(?s)do not fit the model as it is now: .*linear\.bias"):
        load_predictor(toy_catalog(), run)


def test_state_that_is_no_json_fails_the_run_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dlkit.engine.supervised import SupervisedTrainer

    plain = SupervisedTrainer.state
    monkeypatch.setattr(SupervisedTrainer, "state", lambda self: {**plain(self), "turn": {"who": object()}})
    reason = toy_run(tmp_path).read()["reason"]
    assert "trainer.turn.who: object cannot be stored" in reason


def test_pruning_keeps_the_newest_and_the_best(tmp_path: Path) -> None:
    run = toy_run(tmp_path, epochs=1)
    (first,) = complete(run.path)
    for step, best in ((10, True), (20, True), (30, False), (40, False)):
        folder = first.folder.with_name(f"step-{step:08d}")
        shutil.copytree(first.folder, folder)
        manifest = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps({**manifest, "step": step, "best": best}))
    removed = prune(complete(run.path), keep=1)
    assert [c.step for c in removed] == [6, 10, 30]
    assert [c.step for c in complete(run.path)] == [20, 40]


def test_the_writer_raises_what_went_wrong_and_goes_on(tmp_path: Path) -> None:
    broken = True

    def sync() -> None:
        if broken:
            raise OSError(5, "Input/output error")

    writer = Writer(tmp_path, sync, Cpu())
    model = torch.nn.Linear(2, 1)
    from toy_options import ToyInfo

    fields = {"step": 1, "epoch": 0, "batch": 1, "best": False, "task": "t", "model": "m", "metrics": {}}
    writer.submit(storage.snapshot(model, {"a": torch.ones(2)}, ToyInfo(features=2), fields))
    with pytest.raises(OSError, match="Input/output error"):
        writer.wait()
    assert list((tmp_path / "checkpoints").iterdir()) == []
    broken = False
    writer.submit(storage.snapshot(model, {"a": torch.ones(2)}, ToyInfo(features=2), fields))
    ((written, _),) = writer.wait()
    assert (written.problems(), written.step) == ([], 1)


def test_what_is_staged_is_what_was_submitted(tmp_path: Path) -> None:
    """Training goes on while a checkpoint is being written."""
    from toy_options import ToyInfo

    writer = Writer(tmp_path, lambda: None, Cpu())
    model = torch.nn.Linear(50, 50)
    expected = {}
    for step in range(1, 6):
        torch.nn.init.constant_(model.weight, step)
        fields = {"step": step, "epoch": 0, "batch": 1, "best": False, "task": "t", "model": "m", "metrics": {}}
        writer.submit(storage.snapshot(model, {}, ToyInfo(features=2), fields))
        expected[step] = float(step)
    torch.nn.init.constant_(model.weight, -1)
    done = writer.wait()
    assert done[-1][0].step == 5, "the newest is never left out"
    for written, _ in done:
        weights = storage.tensors_of(written, storage.MODEL)["weight"]
        assert weights.unique().tolist() == [expected[written.step]]
    save_file({}, tmp_path / "init.safetensors")
    assert read_tensors(tmp_path, "init.safetensors") == {}

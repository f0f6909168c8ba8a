"""A checkpoint with hashes that are right and contents that are not: RunError names it, and nothing else happens."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from dlkit.engine import checkpoint as storage
from dlkit.engine.build import build_model, build_task
from dlkit.errors import RunError
from dlkit.events import Finished
from dlkit.runs import contents
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.folder import RunFolder
from dlkit.runs.stored import readable, stored_config
from dlkit.use.load import load_predictor
from hostile.bad_runs import delete
from hostile.fuzzing import Findings
from hostile.mutations import mutated_json, mutated_tensors
from toy import toy_attempt, toy_catalog, toy_resume, toy_run

TENSORS = ("model.safetensors", "state.safetensors", "info.safetensors")
DOCUMENTS = ("state.json", "info.json", "manifest.json")


class Victim(NamedTuple):
    """A run of one checkpoint, and the bytes of its files by name."""

    workspace: Path
    run: RunFolder
    folder: Path
    files: Mapping[str, bytes]

    def change(self, name: str, data: bytes) -> None:
        """Another content of a file, and what the manifest says of it."""
        (self.folder / name).write_bytes(data)
        if name != "manifest.json":
            manifest: dict[str, Any] = json.loads(self.files["manifest.json"])
            manifest["files"][name] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            (self.folder / "manifest.json").write_text(json.dumps(manifest))

    def restore(self) -> None:
        for name, data in self.files.items():
            (self.folder / name).write_bytes(data)


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    folder = tmp_path_factory.mktemp("checkpoints")
    layer = {"trainer": {"optimizer": "adamw"}}
    run = toy_run(folder / "workspace", layer=layer, epochs=1, ema=0.9, keep=1)
    (last,) = complete(run.path)
    files = {path.name: path.read_bytes() for path in last.folder.iterdir()}
    assert files.keys() >= {*TENSORS, *DOCUMENTS}
    yield Victim(folder / "workspace", run, last.folder, files)
    delete(folder)


def readers(victim: Victim) -> dict[str, Callable[[], object]]:
    """Everything that is made of a checkpoint."""
    catalog, run = toy_catalog(), victim.run
    resolved = stored_config(catalog, run, readable(run))
    task = build_task(catalog, resolved.task)

    def model() -> None:
        chosen = choose(run.path, "last")
        built = build_model(catalog, resolved, task.Info(features=3))
        storage.load_model(chosen, built, averaged=False)
        storage.load_model(chosen, built, averaged=True)

    return {
        "complete": lambda: [(c.size, c.sha256) for c in complete(run.path)],
        "contents": lambda: contents.checkpoints(run),
        "check": lambda: storage.check(choose(run.path, "last"), "toy", "linear"),
        "model": model,
        "state": lambda: storage.load_state(choose(run.path, "last")),
        "info": lambda: storage.load_info(choose(run.path, "last"), task.Info),
        "predictor": lambda: load_predictor(catalog, run, "last").predictor.predict([[1.0, 2.0, 3.0]]),
        "init_from": lambda: toy_attempt(victim.workspace / "another", epochs=1, init_from=f"{run.path}@last"),
    }


NAMED = r"init_from|step-0000|checkpoint|manifest|run\.json"


def fuzz(victim: Victim, seed: int, calls: int) -> Findings:
    findings = Findings()
    every = readers(victim)
    number = 0
    while findings.calls < calls and not findings.enough:
        number += 1
        random = Random(f"{seed} {number}")
        name = random.choice((*TENSORS, *DOCUMENTS))
        victim.change(name, (mutated_tensors if name in TENSORS else mutated_json)(victim.files[name], random))
        for reader, read in every.items():
            if reader == "init_from" and random.random() < 0.8:  # it builds a whole job
                continue
            findings.attempt(f"{reader}, seed {seed} {number}, {name}", read, NAMED)
        if random.random() < 0.1:
            findings.attempt(f"resume, seed {seed} {number}, {name}", lambda: resumed(victim), NAMED)
        victim.restore()
    return findings


def resumed(victim: Victim) -> None:
    """Everything is put back before the first event."""
    record = victim.run.record.read_bytes()
    before = {path: path.read_bytes() for path in (victim.run.events, victim.run.config)}
    try:
        events = toy_resume(victim.run, epochs=2).events()
        for event in events:
            assert not getattr(event, "traceback", ""), event.traceback  # type: ignore[attr-defined]
            if event.event == "resumed":
                break
        events.close()
    finally:
        victim.run.record.write_bytes(record)
        for path, data in before.items():
            path.write_bytes(data)
        for folder in victim.run.checkpoints.iterdir():
            if folder != victim.folder:
                delete(folder)


def state_with(victim: Victim, change: Callable[[dict[str, Any], dict[str, Tensor]], None]) -> None:
    """Another ``trainer`` in state.json, other tensors in state.safetensors."""
    document, tensors = json.loads(victim.files["state.json"]), load(victim.files["state.safetensors"])
    change(document["trainer"], tensors)
    victim.change("state.json", json.dumps(document).encode())
    manifest = (victim.folder / "manifest.json").read_bytes()
    victim.change("state.safetensors", data := save(tensors))
    both = json.loads(manifest)
    both["files"]["state.safetensors"] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (victim.folder / "manifest.json").write_text(json.dumps(both))


def momentum(trainer: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    name = next(name for name in tensors if name.endswith("exp_avg"))
    tensors[name] = torch.zeros(7)


def rate(trainer: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    trainer["optimizers"][0]["param_groups"][0]["lr"] = "fast"


def fewer(trainer: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    trainer["optimizers"] = []


@pytest.mark.parametrize(
    ("change", "said"),
    [(momentum, "exp_avg is not of the form"), (rate, "lr is 'fast'"), (fewer, "does not fit the run")],
)
def test_a_state_that_does_not_fit_is_said_before_the_first_step(
    victim: Victim, change: Callable[[dict[str, Any], dict[str, Tensor]], None], said: str
) -> None:
    before = {path: path.read_bytes() for path in (victim.run.record, victim.run.events, victim.run.config)}
    try:
        state_with(victim, change)
        *_, end = toy_resume(victim.run, epochs=2).events()
    finally:
        victim.restore()
        for path, data in before.items():
            path.write_bytes(data)
    assert isinstance(end, Finished)
    assert (end.status, end.traceback) == ("failed", "")
    assert said in end.reason and victim.folder.name in end.reason


def test_a_number_gets_no_memory(victim: Victim) -> None:
    """``features`` of 10¹¹: a model of 400 GB."""
    try:
        victim.change("info.json", json.dumps({"features": 10**11, "offset": 0.0}).encode())
        with pytest.raises(RunError, match=rf"{victim.folder.name}: its info asks for a model of 400000000004 bytes"):
            load_predictor(toy_catalog(), victim.run)
    finally:
        victim.restore()


def test_checkpoints_with_right_hashes(victim: Victim) -> None:
    findings = fuzz(victim, seed=1, calls=300)
    assert not findings.report(), findings.report()


@pytest.mark.slow
def test_checkpoints_with_right_hashes_at_length(victim: Victim) -> None:
    findings = fuzz(victim, seed=2, calls=20_000)
    assert not findings.report(), findings.report()
    assert findings.calls >= 20_000

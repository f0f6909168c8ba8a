"""``predict``, ``sample``, ``export``, ``evaluate`` and ``resume`` of a stranger's run: an answer, or what is wrong."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from at_length import times
from dlkit.cli.main import main
from dlkit.runs.checkpoints import complete
from dlkit.runs.folder import RunFolder
from hostile.bad_runs import contents, delete
from hostile.fuzzing import Findings
from hostile.mutations import mutated_json, mutated_lines, mutated_tensors, mutated_toml
from outcome import close_at
from toy import toy_attempt

CONFIG = """task = "toy"
[dataset]
name = "plane"
[model]
name = "linear"
[loss]
name = "mse"
[trainer]
name = "supervised"
optimizer = "sgd"
lr = 0.05
[inference]
name = "values"
[engine]
epochs = 2
batch_size = 48
eval_every = "1 epoch"
sample_every = "end"
device = "cpu"
seed = 0
"""
"""Nothing of jobs: what starts processes of its own is tested where processes are."""


class Victim(NamedTuple):
    workspace: Path
    run: RunFolder
    checkpoint: Path
    files: Mapping[Path, bytes]

    def restore(self) -> None:
        """As it was, whatever a resume has added."""
        for path in sorted(self.run.path.rglob("*"), reverse=True):
            if path.is_symlink() or (path.is_file() and path not in self.files):
                path.unlink()
            elif path.is_dir() and not any(path.iterdir()) and path not in (self.run.samples, self.run.checkpoints):
                path.rmdir()
        for path, data in self.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def change(self, path: Path, data: bytes) -> None:
        """Another content, its hash in the manifest."""
        path.write_bytes(data)
        if path.parent == self.checkpoint and path.name != "manifest.json":
            manifest: dict[str, Any] = json.loads(self.files[self.checkpoint / "manifest.json"])
            manifest["files"][path.name] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            (self.checkpoint / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    """A run that was stopped after its first epoch of two."""
    folder = tmp_path_factory.mktemp("inference")
    (folder / "outside").mkdir()
    (folder / "outside" / "kept").write_text("kept")
    layer = {"trainer": {"optimizer": "adamw"}}
    attempt = toy_attempt(folder / "workspace", layer=layer, epochs=2, batch_size=48, keep=1, checkpoint_every=1e-6)
    run = close_at(attempt, 3)
    run.config.write_text(CONFIG.replace("sgd", "adamw"))
    last = complete(run.path)[-1].folder
    files = {path: path.read_bytes() for path in sorted(run.path.rglob("*")) if path.is_file()}
    yield Victim(folder / "workspace", run, last, files)
    delete(folder)


def mutated(path: Path, data: bytes, random: Random) -> bytes:
    match path.suffix:
        case ".json":
            return mutated_json(data, random)
        case ".jsonl":
            return mutated_lines(data, random)
        case ".toml":
            return mutated_toml(data, random)
        case _:
            return mutated_tensors(data, random)


COMMANDS = (
    ["predict", "1,2,3"], ["predict", "1,2,3", "--json"], ["sample"], ["sample", "--json", "--checkpoint", "last"],
    ["evaluate"], ["evaluate", "--split", "val", "--checkpoint", "last"],
    ["export", "--format", "safetensors", "--force"], ["resume", "--quiet"],
)  # fmt: skip


def fuzz(victim: Victim, seed: int, calls: int) -> Findings:
    findings, before = Findings(), contents(victim.workspace.parent / "outside")
    fitting = [path for path in victim.files if path.suffix in (".json", ".toml", ".jsonl", ".safetensors")]
    number = 0
    while findings.calls < calls and not findings.enough:
        number += 1
        random = Random(f"{seed} {number}")
        path = random.choice(fitting)
        victim.change(path, mutated(path, victim.files[path], random))
        for command, *words in random.sample(COMMANDS, 3):
            line = [command, victim.run.id, *words, "--workspace", str(victim.workspace)]
            findings.attempt(f"{command} {words}, seed {seed} {number}, {path.name}", lambda line=line: main(line))  # type: ignore[misc]
        victim.restore()
    assert contents(victim.workspace.parent / "outside") == before
    return findings


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder; nothing is written into it but what is asked for."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_record_that_names_no_task(victim: Victim, toy_installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(victim.files[victim.run.record])
    try:
        victim.change(victim.run.record, json.dumps({k: v for k, v in record.items() if k != "task"}).encode())
        assert main(["predict", victim.run.id, "1,2,3", "--workspace", str(victim.workspace)]) == 1
    finally:
        victim.restore()
    assert capsys.readouterr().err == f"dlkit predict: {victim.run.record}: it names no task\n"


def test_commands_with_a_mutated_run(victim: Victim, toy_installed: Path, here: Path) -> None:
    findings = fuzz(victim, seed=1, calls=60)
    assert not findings.report(), findings.report()
    assert set(os.listdir(here)) <= {"exports"}  # noqa: PTH208


@pytest.mark.slow
def test_commands_with_a_mutated_run_at_length(victim: Victim, toy_installed: Path, here: Path) -> None:
    findings = fuzz(victim, seed=2, calls=times(5_000))
    assert not findings.report(), findings.report()
    assert findings.calls >= times(5_000)
    assert set(os.listdir(here)) <= {"exports"}  # noqa: PTH208

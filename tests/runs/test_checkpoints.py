"""Checkpoints as one sees them without torch: complete ones, last, best, and damage."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlkit.errors import RunError, UsageError
from dlkit.runs.checkpoints import SPLIT_FORMAT, Manifest, choose, complete

CONTENT = {"model.safetensors": b"weights", "state.json": b"{}"}


def make(run: Path, step: int, best: bool = False, **fields: Any) -> Path:
    folder = run / "checkpoints" / f"step-{step:08d}"
    folder.mkdir(parents=True)
    files = {}
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
        files[name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest = Manifest(
        step=step, epoch=0, batch=step, best=best, task="t", model="m", metrics={}, files=files, created=1.0
    )
    (folder / "manifest.json").write_text(json.dumps({**manifest.to_dict(), **fields}))
    return folder


def steps(run: Path) -> list[int]:
    return [checkpoint.step for checkpoint in complete(run)]


def test_last_and_best_are_computed(tmp_path: Path) -> None:
    for step, best in ((5, True), (10, True), (100_000_000, False), (20, False)):
        make(tmp_path, step, best)
    assert steps(tmp_path) == [5, 10, 20, 100_000_000]
    assert choose(tmp_path, "last").step == 100_000_000
    assert choose(tmp_path, "best").step == choose(tmp_path).step == 10
    assert choose(tmp_path, "20").step == 20
    assert choose(tmp_path).size == sum(map(len, CONTENT.values()))
    assert choose(tmp_path).sha256 == hashlib.sha256(b"weights").hexdigest()


def test_without_a_best_one_it_is_the_last(tmp_path: Path) -> None:
    make(tmp_path, 5)
    make(tmp_path, 7)
    assert choose(tmp_path, "best").step == 7


@pytest.mark.parametrize("which", ["3", "first", "-1", ""])
def test_what_is_not_there_is_answered_with_what_is(tmp_path: Path, which: str) -> None:
    make(tmp_path, 5)
    make(tmp_path, 12)
    with pytest.raises(UsageError, match=rf"no checkpoint {which!r} in .*: give best, last or one of the steps 5, 12"):
        choose(tmp_path, which)


def test_a_run_without_any_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has no checkpoint yet"):
        choose(tmp_path)


def remove_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def half_a_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text()[:50])


def cut_short(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"weight")


def remove_file(folder: Path) -> None:
    (folder / "state.json").unlink()


def rewrite(**fields: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))

    return change


@pytest.mark.parametrize(
    "damage",
    [
        remove_manifest,
        half_a_manifest,
        cut_short,
        remove_file,
        rewrite(format=SPLIT_FORMAT + 1),
        rewrite(format="two"),
        rewrite(files=[]),
        rewrite(files={"model.safetensors": {}}),
        rewrite(files={"model.safetensors": 7}),
        rewrite(files=None),
        rewrite(step=None),
    ],
)
def test_an_unreadable_one_is_left_out(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    make(tmp_path, 5)
    damage(make(tmp_path, 10))
    make(tmp_path, 15)
    assert steps(tmp_path) == [5, 15]


def test_an_unfinished_one_is_none(tmp_path: Path) -> None:
    make(tmp_path, 5).rename(tmp_path / "checkpoints" / ".step-00000005.tmp")
    assert steps(tmp_path) == []


def test_fields_of_a_later_release_are_passed_over(tmp_path: Path) -> None:
    make(tmp_path, 5, colour="red")
    assert steps(tmp_path) == [5]


def test_problems_are_named(tmp_path: Path) -> None:
    checkpoint_folder = make(tmp_path, 5)
    (checkpoint,) = complete(tmp_path)
    assert checkpoint.problems() == []
    (checkpoint_folder / "model.safetensors").write_bytes(b"Weights")
    assert checkpoint.problems() == ["model.safetensors was altered: its SHA-256 is not the manifest's"]
    (checkpoint_folder / "model.safetensors").write_bytes(b"w")
    (checkpoint_folder / "state.json").unlink()
    assert checkpoint.problems() == ["model.safetensors has 1 bytes, not 7", "state.json is missing"]

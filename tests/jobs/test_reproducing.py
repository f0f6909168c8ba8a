"""A run that is trained again is proved equal, or the first step and metric that differ are named, and why."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import toy_parts
from at_length import ALL
from dlkit import component_choice
from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import make_context
from dlkit.engine import loop
from dlkit.engine.loader import Loader
from dlkit.engine.start import start
from dlkit.errors import RunError, UsageError
from dlkit.jobs.reproducing import again, plan_again
from dlkit.runs import commands
from dlkit.runs.checkpoints import Checkpoint, complete
from dlkit.runs.folder import RunFolder
from dlkit.runs.reproductions import Reproduction, reproductions
from outcome import stop_at, values_of
from small import UNTRAINED, models, small
from toy import finish, toy_attempt, toy_catalog, toy_fork, toy_resume, toy_run

ENGINE: dict[str, Any] = {
    "epochs": 4, "ema": 0.9, "eval_every": "4 steps", "checkpoint_every": 0.001, "keep": 100, "threads": 1
}  # fmt: skip
LAYER: dict[str, Any] = {
    "model": {"name": "linear", "dropout": 0.2},
    "trainer": {"optimizer": "adamw", "lr": 0.02, "schedule": "cosine"},
}


@pytest.fixture(autouse=True)
def _every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)


def reproduced(run: RunFolder, catalog: Catalog | None = None, **words: Any) -> Reproduction:
    stream = again(catalog or toy_catalog(), plan_again(run, **words), run.path.parent.parent)
    while True:
        try:
            next(stream)
        except StopIteration as ended:
            found: Reproduction = ended.value
            return found


def test_a_run_is_proved_equal_and_the_proof_is_on_record(tmp_path: Path) -> None:
    run = toy_run(tmp_path, layer=LAYER, **ENGINE)
    before = {path.name: path.stat().st_mtime_ns for path in run.path.iterdir()}
    found = reproduced(run)
    assert found.equal and found.weights and (found.begin, found.until, found.around) == (0, 24, ())
    assert found.values > 30 and reproductions(run) == [found]
    after = {path.name: path.stat().st_mtime_ns for path in run.path.iterdir()}
    assert {**after, "reproductions.jsonl": 0} == {**before, "reproductions.jsonl": 0}, "beside it, not over it"
    assert (tmp_path / "runs" / found.run).is_dir()


def test_a_part_of_it(tmp_path: Path) -> None:
    run = toy_run(tmp_path, layer=LAYER, **ENGINE)
    steps = [c.step for c in complete(run.path)]
    found = reproduced(run, begin=str(steps[1]), until=steps[-2])
    assert found.equal and found.weights and (found.begin, found.until) == (steps[1], steps[-2])
    assert not reproduced(run, until=1).weights or steps[0] == 1
    for words, message in (({"until": 99}, "the last checkpoint of"), ({"begin": "last"}, "nothing to train again")):
        with pytest.raises(UsageError, match=message):
            plan_again(run, **words)  # type: ignore[arg-type]


def test_what_was_set_is_set_again_where_it_was(tmp_path: Path) -> None:
    run = stop_at(toy_attempt(tmp_path, layer=LAYER, **ENGINE), 7)
    commands.append(run.commands, "set", "trainer.lr", 0.1)
    for _ in toy_resume(run).events(commands_from=0):
        pass
    assert reproduced(run).equal
    later = next(c for c in complete(run.path) if c.manifest.settings)
    assert reproduced(run, begin=str(later.step)).equal


def test_a_changed_row_of_the_data_is_named_at_the_step_that_meets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = toy_run(tmp_path, layer=LAYER, **ENGINE)
    build = toy_parts.build_plane

    def changed(config: Any, context: Any) -> Any:
        data = build(config, context)
        data.train.columns["y"][5] += 1
        return data

    attempt = toy_attempt(tmp_path / "other", layer=LAYER, **ENGINE)
    job = attempt.job
    plan = Loader(job.data.train, None, job.resolved.engine, job.placement.device, job.course).plan(0)
    met = next(number for number in range(len(plan)) if 5 in plan[number]) + 1
    monkeypatch.setattr(toy_parts, "build_plane", changed)
    found = reproduced(run, threads=2)
    assert not found.equal and (found.metric, found.step) == ("train/loss", met)
    assert any("the data differs" in line for line in found.around)
    assert "threads was 1, is 2" in found.around


def test_another_number_of_threads_is_named_where_sums_are_first_rounded_otherwise(tmp_path: Path) -> None:
    """Sums of so many terms are split by thread; where that shows first is looked up in an ordinary run's log."""
    size: dict[str, Any] = {"epochs": None, "steps": 4, "batch_size": 160_000, "eval_every": "never", "keep": 9}
    layer = {"dataset": {"name": "plane", "points": 200_000}}
    run, other = (toy_run(tmp_path, layer=layer, **size, checkpoint_every=0.001, threads=count) for count in (1, 2))
    was, came = values_of(run), values_of(other)
    differ = sorted(
        (step, name) for name, step in was if was[name, step] != came[name, step] and not name.endswith("_per_second")
    )
    if not differ:
        pytest.skip("one thread and two round alike here")
    found = reproduced(run, threads=2)
    assert not found.equal and (found.step, found.metric) == differ[0] and found.around == ("threads was 1, is 2",)


def flip(checkpoint: Checkpoint) -> None:
    """A bit of what the optimizer remembers, the checkpoint being whole all the same."""
    path = checkpoint.folder / "state.safetensors"
    data = bytearray(path.read_bytes())
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    place = 8 + length + header["trainer.optimizers.0.state.0.exp_avg"]["data_offsets"][0]
    value = np.frombuffer(bytes(data[place : place + 4]), np.uint32) ^ np.uint32(1 << 23)
    data[place : place + 4] = value.tobytes()
    path.write_bytes(bytes(data))
    manifest = json.loads((checkpoint.folder / "manifest.json").read_text())
    manifest["files"][path.name]["sha256"] = sha256(bytes(data)).hexdigest()
    (checkpoint.folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_flipped_bit_of_a_fork_is_named_where_its_effect_is_first_seen(tmp_path: Path) -> None:
    parent = toy_run(tmp_path, layer=LAYER, **ENGINE)
    begin = complete(parent.path)[1]
    run = finish(toy_fork(parent, str(begin.step)))
    assert reproduced(run).equal
    flip(next(c for c in complete(run.path) if c.step == begin.step))
    found = reproduced(run)
    assert not found.equal and found.begin == begin.step
    # The next step's loss is still that of the weights before it; an evaluation behind it sees the new ones.
    evaluated = (begin.step + 1) % 4 == 0
    assert found.step == begin.step + (1 if evaluated else 2)
    assert found.metric.startswith("val/" if evaluated else "train/loss")
    assert reproductions(run)[-1] == found


def test_another_length_is_told(tmp_path: Path) -> None:
    run = toy_run(tmp_path, layer=LAYER, **ENGINE)
    finish(toy_resume(run, epochs=6))
    found = reproduced(run)
    assert not found.equal and "it was given 36 steps in place of 24 at step 24" in found.around


def test_what_cannot_be_trained_again(tmp_path: Path) -> None:
    parent = toy_run(tmp_path, layer=LAYER, **ENGINE)
    run = finish(toy_fork(parent, str(complete(parent.path)[0].step)))
    shutil.rmtree(complete(run.path)[0].folder)
    with pytest.raises(RunError, match="the checkpoint it began with is gone: give --from, of"):
        plan_again(run)
    parent.update(processes=2)
    with pytest.raises(UsageError, match="trained by 2 processes"):
        plan_again(parent)


@pytest.mark.slow
def test_every_task_is_reproduced(tmp_path: Path) -> None:
    """By the model that its runs have; by every one where there is time."""
    catalog = Catalog.load_everything()
    usual = {(spec.name, component_choice.usual(catalog, spec)["model"]) for spec in catalog.specs("task")}
    for task, model in models(catalog):
        if (task, model) in UNTRAINED or not (ALL or (task, model) in usual):
            continue
        resolved = resolve(catalog, task, [Layer("test", small(task, model, steps=10, eval_every="5 steps"))])
        run = finish(start(catalog, resolved, tmp_path, make_context(catalog, tmp_path)))
        found = reproduced(run, catalog)
        assert found.equal and found.weights, (task, model, found)
        shutil.rmtree(tmp_path / "runs")

"""A fork goes on with the whole state of a checkpoint: unchanged, to the same bits; changed, from there on."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from at_length import ALL
from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import make_context
from dlkit.engine import loop
from dlkit.engine.checkpoint import load_state
from dlkit.engine.start import fork, start
from dlkit.errors import RunError, UsageError
from dlkit.events import Forked, Resumed
from dlkit.jobs.forking import plan
from dlkit.runs import branching, commands
from dlkit.runs.branching import past_of
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.contents import stored_sections
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.log import history, read_events
from outcome import close_at, finished, outcome, stop_at, values_of
from small import UNTRAINED, models, small
from toy import finish, toy_attempt, toy_fork, toy_resume, toy_run

ENGINE: dict[str, Any] = {
    "epochs": 6, "accumulate": 2, "ema": 0.9, "eval_every": "4 steps", "checkpoint_every": 0.001, "keep": 100,
    "probe_every": 3, "threads": 1,
}  # fmt: skip
LAYER: dict[str, Any] = {
    "dataset": {"name": "plane", "jitter": 0.2},
    "model": {"name": "linear", "dropout": 0.2},
    "trainer": {"optimizer": "adamw", "lr": 0.02, "schedule": "cosine", "weight_decay": 0.01},
}
SEARCH = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def parent() -> Iterator[RunFolder]:
    before, loop.FLUSH_SECONDS = loop.FLUSH_SECONDS, 0.0
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        yield toy_run(Path(folder).resolve(), layer=LAYER, **ENGINE)
    loop.FLUSH_SECONDS = before


@SEARCH
@given(st.data())
def test_nothing_changed_ends_as_the_parent_did(parent: RunFolder, data: st.DataObject) -> None:
    step = data.draw(st.sampled_from([c.step for c in complete(parent.path)][:-1]))
    run = finish(toy_fork(parent, str(step)))
    assert outcome(run) == outcome(parent)
    own, whole = values_of(run), values_of(parent)
    assert own.items() <= whole.items() and {key for key in whole if key[1] > step} <= own.keys()
    assert choose(run.path, "best").sha256 == choose(parent.path, "best").sha256
    assert summarise(run).best == summarise(parent).best


def test_it_says_where_it_comes_from_and_needs_its_parent_no_more(tmp_path: Path) -> None:
    parent = toy_run(tmp_path, layer=LAYER, **ENGINE)
    chosen = complete(parent.path)[0]
    attempt = toy_fork(parent, str(chosen.step), {"trainer": {"lr": 0.5}})
    shutil.rmtree(parent.path)
    run = finish(attempt)
    first = read_events(run.events)[0]
    assert isinstance(first, Forked) and (first.parent, first.from_step) == (parent.id, chosen.step)
    assert first.changes == {"trainer.lr": [0.02, 0.5]} and first.exact
    said = run.read()["forked_from"]
    assert (said["id"], said["step"], said["sha256"]) == (parent.id, chosen.step, chosen.sha256)
    assert stored_sections(run)["trainer"]["lr"] == 0.5
    again = toy_fork(run, "last", {"engine": {"epochs": 9}})
    assert again.run.read()["forked_from"]["before"] == [{"id": parent.id, "step": chosen.step}]


def test_what_the_parent_measured_is_kept_up_to_the_branch(parent: RunFolder) -> None:
    step = complete(parent.path)[-2].step
    run = toy_fork(toy_fork(parent, str(step)).run).run
    steps, values = history(past_of(run), "train/loss")
    whole = dict(zip(*history(read_events(parent.events), "train/loss"), strict=True))
    assert dict(zip(steps, values, strict=True)) == {at: value for at, value in whole.items() if at <= step}


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_rate_changed_at_a_fork_is_one_that_was_set_there(tmp_path: Path, schedule: str) -> None:
    layer = {**LAYER, "trainer": {**LAYER["trainer"], "schedule": schedule}}
    parent = stop_at(toy_attempt(tmp_path, layer=layer, **ENGINE), 7)
    run = finish(toy_fork(parent, "last", {"trainer": {"lr": 0.1}}))
    commands.append(parent.commands, "set", "trainer.lr", 0.1)
    for _ in toy_resume(parent).events(commands_from=0):
        pass
    assert outcome(run)[:2] == outcome(parent)[:2]


def test_what_was_set_before_the_branch_goes_on(tmp_path: Path) -> None:
    parent = stop_at(toy_attempt(tmp_path, layer=LAYER, **ENGINE), 7)
    commands.append(parent.commands, "set", "trainer.lr", 0.1)
    attempt = toy_resume(parent)
    for _ in attempt.events(commands_from=0):
        pass
    middle = next(c for c in complete(parent.path) if c.manifest.settings)
    run = finish(toy_fork(parent, str(middle.step)))
    assert outcome(run)[:2] == outcome(parent)[:2] and stored_sections(run)["trainer"]["lr"] == 0.1
    back = toy_fork(parent, str(middle.step), {"trainer": {"lr": 0.02}})
    assert back.run.read()["forked_from"]["changes"] == {"trainer.lr": [0.1, 0.02]}
    assert not choose(back.run.path, "last").manifest.settings


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"optimizer": "adamw", "weight_decay": 0.0}, {"weight_decay": 0.1}),
        ({"optimizer": "adam", "weight_decay": 0.1}, {"weight_decay": 0.0, "beta1": 0.5}),
        ({"optimizer": "sgd", "momentum": 0.9}, {"momentum": 0.5, "l1": 0.01}),
        ({"optimizer": "muon"}, {"momentum": 0.5, "weight_decay": 0.1}),
    ],
)
def test_what_a_rule_remembers_goes_on_under_other_options(tmp_path: Path, before: Any, now: Any) -> None:
    """Of other groups of parameters, too: each parameter's memory is its own."""
    layer = {"model": {"name": "mlp"}, "trainer": {"lr": 0.01, **before}}
    parent = stop_at(toy_attempt(tmp_path, layer=layer, plugins=("extras",), threads=1), 7)
    attempt = toy_fork(parent, "last", {"trainer": now}, plugins=("extras",))
    trainer = attempt.job.trainer
    stored = load_state(choose(parent.path, "last"))["trainer"]["optimizers"]
    stream = attempt.events()
    next(stream)  # everything has been put back
    for key, value in now.items():
        if key in ("momentum", "weight_decay"):
            assert trainer.optimizers_made[0].param_groups[0][key] == value
    kept = [m for o in trainer.optimizers_made for memory in o.state.values() for m in memory.values()]
    there = [m for saved in stored for memory in saved["state"].values() for m in memory.values()]
    assert sums(kept) == pytest.approx(sums(there)) and there
    for _ in stream:
        pass
    assert finished(attempt.run).status == "completed"


def sums(found: Sequence[object]) -> list[float]:
    return sorted(float(one.double().sum()) for one in found if isinstance(one, torch.Tensor))


def test_another_rule_and_an_average_begin_afresh_where_that_is_allowed(tmp_path: Path) -> None:
    parent = stop_at(toy_attempt(tmp_path, layer=LAYER, **{**ENGINE, "ema": 0.0}), 7)
    changed = {"trainer": {"optimizer": "sgd"}, "engine": {"ema": 0.9}}
    with pytest.raises(
        UsageError, match=r"engine\.ema: an average .*trainer\.optimizer: another rule .*--allow-inexact"
    ):
        toy_fork(parent, "last", changed)
    run = finish(toy_fork(parent, "last", changed, allow_inexact=True))
    first = read_events(run.events)[0]
    assert isinstance(first, Forked) and not first.exact and len(first.differences) == 2
    assert finished(run).status == "completed"


def test_other_data_have_a_best_of_their_own(tmp_path: Path) -> None:
    parent = stop_at(toy_attempt(tmp_path, layer=LAYER, **ENGINE), 7)
    run = finish(toy_fork(parent, "last", {"dataset": {"noise": 30.0}}, allow_inexact=True))
    best = choose(run.path, "best")
    assert best.manifest.best and best.step > 7 and (summarise(run).best or 0) > 100
    toy_resume(run, epochs=7)  # its fingerprint is that of the data it was trained on


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model": {"bias": False}}, r"model\.bias: the weights fit this model alone: dlkit train --init-from"),
        ({"engine": {"batch_size": 8}}, r"engine\.batch_size: the same step is another place in the data; --allow-in"),
        ({"dataset": {"points": 64}}, r"dataset\.points: the data differ"),
        ({"trainer": {"lr": -1.0}}, r"trainer\.lr = -1\.0"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_starts(parent: RunFolder, changed: Any, message: str) -> None:
    there = sorted(parent.path.parent.iterdir())
    with pytest.raises(UsageError, match=message):
        toy_fork(parent, str(complete(parent.path)[0].step), changed)
    assert sorted(parent.path.parent.iterdir()) == there


def test_at_its_end_there_is_nothing_to_fork_but_more_steps(parent: RunFolder) -> None:
    with pytest.raises(UsageError, match=r"is at its end at step \d+ of \d+: give --epochs or --steps, or an earlier"):
        toy_fork(parent)
    for shorter in ({"epochs": 1}, {"epochs": None, "steps": 1}):  # known before anything is built
        with pytest.raises(UsageError, match="is at its end"):
            toy_fork(parent, "last", {"engine": shorter})
    assert outcome(finish(toy_fork(parent, "last", {"engine": {"epochs": 7}})))[0] == 7 * outcome(parent)[0] // 6


def test_cut_short_it_resumes_from_the_branch_or_its_own_checkpoint(parent: RunFolder) -> None:
    step = complete(parent.path)[0].step
    run = close_at(toy_fork(parent, str(step)), step + 3)
    shutil.rmtree(choose(run.path, "last").folder)  # killed before its first checkpoint
    finish(toy_resume(run))
    assert outcome(run) == outcome(parent)
    resumed = next(event for event in read_events(run.events) if isinstance(event, Resumed))
    assert isinstance(read_events(run.events)[0], Forked) and resumed.exact


def test_a_checkpoint_that_goes_while_it_is_copied_leaves_nothing(parent: RunFolder, monkeypatch: Any) -> None:
    there = sorted(parent.path.parent.iterdir())

    def gone(*_: object) -> None:
        raise FileNotFoundError(2, "No such file", "model.safetensors")

    monkeypatch.setattr(branching, "_copy", gone)
    with pytest.raises(RunError, match="was removed while it was copied"):
        toy_fork(parent, str(complete(parent.path)[0].step))
    assert sorted(parent.path.parent.iterdir()) == there


@pytest.mark.slow
def test_random_checkpoints_over_all_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty where there is time; in CI a dozen, of as many tasks."""
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    catalog, drawn = Catalog.load_everything(), random.Random(22)
    pairs = [pair for pair in models(catalog) if pair not in UNTRAINED]
    drawn.shuffle(pairs)
    one_each = list({task: (task, model) for task, model in pairs}.values())
    for task, model in (pairs * 50)[:50] if ALL else one_each[:12]:
        layer = small(task, model, steps=12, eval_every="5 steps", checkpoint_every=1e-6, keep=100)
        resolved = resolve(catalog, task, [Layer("test", layer)])
        parent = finish(start(catalog, resolved, tmp_path, make_context(catalog, tmp_path)))
        step = drawn.choice([c for c in complete(parent.path) if c.step < 12])
        planned = plan(catalog, step, lambda task, names: None)
        run = finish(fork(catalog, planned, tmp_path, make_context(catalog, tmp_path)))
        assert outcome(run) == outcome(parent), (task, model, step.step)
        shutil.rmtree(tmp_path / "runs")

"""Plugins planted to disturb: only their own components suffer, each named."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlkit.engine import build
from dlkit.errors import PluginError
from dlkit.events import Finished, Notice, Sampled
from dlkit.runs.log import read_events
from dlkit.task import Column
from toy import finish, toy_attempt, toy_run
from toy_options import ToyTask
from toy_parts import SquaredError

TIMED = ("seconds", "updated")
SPOILT = "a sample is left out: inference 'unruly': "
SPOILT_SAMPLES = {
    "samples raise": ("no samples: inference 'unruly': ZeroDivisionError: no samples", 0),
    "samples exit": ("no samples: inference 'unruly': SystemExit: no samples", 0),
    "samples are none": ("no samples: inference 'unruly': TypeError: 'NoneType' object is not iterable", 0),
    "two samples of one name": (f"{SPOILT}two samples are called 'rows'", 1),
    "a ragged table": (f"{SPOILT}table sample 'ragged': row 1 has 1 cells for 2 headers", 1),
    "a short curve": (f"{SPOILT}curve sample 'fit': 1 values of line 'found' for 2 x", 1),
    "a name with a slash": (f"{SPOILT}text sample '../../out': a name has 1 to 100 characters, no '/' or '\\'", 1),
    "a stranger": (f"{SPOILT}a str is not a dlkit.samples.Sample", 1),
    "a tensor in a cell": (f"{SPOILT}TypeError: Object of type Tensor is not JSON serializable", 1),
}


def unruly(part: str, way: str) -> dict[str, Any]:
    return {part: {"name": "unruly", "way": way}}


@pytest.mark.parametrize(("way", "said", "left"), [(w, *v) for w, v in SPOILT_SAMPLES.items()], ids=SPOILT_SAMPLES)
def test_what_goes_wrong_with_samples_is_a_notice_and_training_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], way: str, said: str, left: int
) -> None:
    run = finish(toy_attempt(tmp_path, layer=unruly("inference", way), plugins=["unruly"], sample_every="1 epoch"))
    assert run.read()["state"] == "completed"
    events = list(read_events(run.events))
    assert [event.text for event in events if isinstance(event, Notice)] == [said] * 3
    assert [len(event.samples) for event in events if isinstance(event, Sampled)] == [left] * (3 if left else 0)
    assert len(list(run.samples.iterdir())) == 3 * left
    assert ("Traceback" in capfd.readouterr().err) == ("Error:" in said or "Exit:" in said)
    other = toy_run(tmp_path, sample_every="never")
    assert other.read()["result"] == {**run.read()["result"], **{k: other.read()["result"][k] for k in TIMED}}


SPOILT_PARTS = {
    ("dataset", "raises"): "dataset 'unruly': ZeroDivisionError: no data",
    ("dataset", "exits"): "dataset 'unruly': SystemExit: no data",
    ("dataset", "train lacks y"): "dataset 'unruly': lacks 'y', declared as float32[N]; it has: x",
    ("dataset", "val lacks y"): "dataset 'unruly': its validation split: lacks 'y', declared as float32[N]; it has: x",
    ("dataset", "val is misshapen"): (
        "dataset 'unruly': its validation split: 'y' is float32[2, 1], declared as float32[N]"
    ),
    ("dataset", "val has other features"): (
        "model 'linear', given x float32[2, 5] of dataset 'unruly': RuntimeError: "
    ),
    ("dataset", "info is wrong"): "dataset 'unruly': info does not fit the task's ToyInfo: features: ",
    ("dataset", "augmentation raises"): "dataset 'unruly': its augmentation: KeyError: 'image'",
    ("dataset", "augmentation draws a list"): (
        "dataset 'unruly': its augmentation draws 'shift' as a list, not as an array [2, …]"
    ),
    ("dataset", "augmentation draws too few"): "draws 'shift' as float64[1], not as an array [2, …]",
    ("dataset", "augmentation drops y"): "dataset 'unruly': its augmentation: lacks 'y', declared as float32[N]",
    ("dataset", "augmentation changes the type"): "'x' is float64[2, 3], declared as float32[N,D]",
    ("dataset", "augmentation changes the number"): "'x' is float32[4, 3]: axis N has 4, not 2",
    ("dataset", "augmentation returns nothing"): "its augmentation: gives a NoneType, not a dict of x, y",
    ("model", "raises"): "model 'unruly': ZeroDivisionError: no model",
    ("model", "is a function"): "model 'unruly' built a function, not a torch.nn.Module",
    ("model", "outputs raise"): (
        "model 'unruly', given x float32[2, 3] of dataset 'plane': ZeroDivisionError: no outputs"
    ),
    ("model", "outputs have an axis too many"): "model 'unruly': 'outputs' is float32[2, 1], declared as float32[N]",
    ("model", "outputs have another type"): "model 'unruly': 'outputs' is int64[2], declared as float32[N]",
    ("model", "outputs of other samples"): "model 'unruly': 'outputs' is float32[4]: axis N has 4, not 2",
    ("model", "outputs are text"): "model 'unruly': 'outputs' is a str, declared as float32[N]",
    ("model", "outputs are none"): "model 'unruly': 'outputs' is a NoneType, declared as float32[N]",
    ("loss", "raises"): "loss 'unruly': ZeroDivisionError: no loss",
    ("loss", "raises when called"): "loss 'unruly': ValueError: no loss",
    ("loss", "cannot be called"): "loss 'unruly' built a NoneType, which cannot be called",
    ("loss", "is a tensor"): "loss 'unruly' returned float32[], not a dict with 'loss'",
    ("loss", "lacks loss"): "loss 'unruly' returned a dict of 'mse', not a dict with 'loss'",
    ("loss", "is a vector"): "loss 'unruly': 'loss' is float32[2], not a tensor with one number",
    ("loss", "is a number"): "loss 'unruly': 'loss' is a float, not a tensor with one number",
    ("loss", "has no gradient"): "loss 'unruly': 'loss' has no gradient",
    ("loss", "records a vector"): "loss 'unruly': 'each' is float32[2], not a tensor with one number",
    ("loss", "counts cannot be called"): "loss 'unruly': its counts is a int, which cannot be called",
    ("loss", "counts raise"): "loss 'unruly': KeyError: 'weight'",
    ("loss", "counts an int"): "loss 'unruly': its count is a int, not a tensor with one number",
    ("loss", "counts nothing"): "loss 'unruly': its count is a NoneType, not a tensor with one number",
    ("loss", "counts each sample"): "loss 'unruly': its count is float32[2], not a tensor with one number",
    ("loss", "counts below zero"): "loss 'unruly': its count is -1, not a finite number ≥ 0",
    ("loss", "counts not a number"): "loss 'unruly': its count of 'far' is nan, not a finite number ≥ 0",
    ("loss", "counts without end"): "loss 'unruly': its count of 'far' is inf, not a finite number ≥ 0",
    ("loss", "counts a stranger"): (
        "loss 'unruly': its count of 'further': it returns no such entry; it returns: 'loss', 'near', 'far'"
    ),
    ("loss", "counts a list"): "loss 'unruly': its count of 'far' is a list, not a tensor with one number",
    ("loss", "total cannot be called"): "loss 'unruly': its total is a float, which cannot be called",
    ("loss", "total raises"): "loss 'unruly': KeyError: 'furthest'",
    ("loss", "total is a number"): "loss 'unruly': its total is a float, not a tensor with one number",
    ("loss", "total is a vector"): "loss 'unruly': its total is float32[3], not a tensor with one number",
    ("loss", "total has no gradient"): "loss 'unruly': its total has no gradient",
    ("loss", "total of other parts"): "loss 'unruly': its total of the entries is 20, their 'loss' is 12",
    ("loss", "total is not linear"): (
        "loss 'unruly': its total is not linear: of the entries it is 12, of twice the entries 48"
    ),
    ("trainer", "raises"): "trainer 'unruly': ZeroDivisionError: no trainer",
    ("inference", "raises"): "inference 'unruly': ZeroDivisionError: no predictor",
}


@pytest.mark.parametrize(("part", "way"), SPOILT_PARTS, ids=map("-".join, SPOILT_PARTS))
def test_what_cannot_work_is_refused_by_name_before_there_is_a_run(tmp_path: Path, part: str, way: str) -> None:
    with pytest.raises(PluginError) as refused:
        toy_attempt(tmp_path, layer=unruly(part, way), plugins=["unruly"])
    assert SPOILT_PARTS[part, way] in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 4
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("way", ["counts all parts", "counts one part"])
def test_counts_and_totals_that_fit_are_taken(tmp_path: Path, way: str) -> None:
    run = finish(toy_attempt(tmp_path, layer=unruly("loss", way), plugins=["unruly"], accumulate=2))
    assert run.read()["state"] == "completed"


def test_what_others_train_in_the_same_catalogue_goes_on(tmp_path: Path) -> None:
    attempt = toy_attempt(tmp_path, plugins=["unruly"])
    assert finish(attempt).read()["state"] == "completed"


@pytest.mark.parametrize("way", ["metrics raise", "update raises", "compute raises"])
def test_metrics_that_raise_name_their_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    def broken(*_: object) -> Any:
        raise ZeroDivisionError("no figures")

    owner, name = {
        "metrics raise": (ToyTask, "metrics"),
        "update raises": (SquaredError, "update"),
        "compute raises": (SquaredError, "compute"),
    }[way]
    monkeypatch.setattr(owner, name, broken)
    run = finish(toy_attempt(tmp_path))
    record = run.read()
    assert record["state"] == "failed"
    assert record["reason"].startswith("task 'toy': metrics: ZeroDivisionError: no figures; ")
    (end,) = [event for event in read_events(run.events) if isinstance(event, Finished)]
    assert "in broken" in end.traceback


def test_axes_that_info_and_outputs_share_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ToyTask, "outputs", Column("float32[N,features]"))
    with pytest.raises(PluginError, match=r"model 'unruly': 'outputs' is float32\[2, 1\]: axis features has 1, not 3"):
        toy_attempt(tmp_path, layer=unruly("model", "outputs have an axis too many"), plugins=["unruly"])


def test_axes_that_batch_and_outputs_share_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ToyTask, "outputs", Column("float32[N,D]"))
    with pytest.raises(PluginError, match=r"model 'unruly': 'outputs' is float32\[2, 1\]: axis D has 1, not 3"):
        toy_attempt(tmp_path, layer=unruly("model", "outputs have an axis too many"), plugins=["unruly"])


def test_trying_parts_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss that draws and keeps count, an augmentation, a model with statistics: all as without having been tried."""
    layer = {"dataset": {"jitter": 0.5}, "model": {"name": "mlp"}, **unruly("loss", "is sound")}

    def built() -> tuple[object, ...]:
        trainer = toy_attempt(tmp_path, layer=layer, plugins=["extras", "unruly"]).job.trainer
        states = [*trainer.model.state_dict().values(), *trainer.setup.loss.state_dict().values()]
        drawn = random.random(), np.random.random(), torch.rand(()).item()
        return *drawn, *(state.tolist() for state in states)

    tried = built()
    monkeypatch.setattr(build, "try_loss", lambda *_: None)
    monkeypatch.setattr(build, "try_augmentation", lambda *_: None)
    assert tried == built()

"""Commands name the component whose code fails, show where, and exit with 4."""

from __future__ import annotations

from collections.abc import Callable
from importlib import invalidate_caches
from pathlib import Path

import pytest

from installed import all_but, install_metadata
from outcome import Outcome


@pytest.fixture
def unruly(toy_installed: Path) -> None:
    """The plugin planted to disturb, installed beside the toy one."""
    install_metadata(toy_installed, "dlkit-unruly", "unruly", "unruly")


BUILT = {
    ("dataset", "raises"): "dataset 'unruly': ZeroDivisionError: no data",
    ("model", "raises"): "model 'unruly': ZeroDivisionError: no model",
    ("loss", "raises when called"): "loss 'unruly': ValueError: no loss",
    ("trainer", "raises"): "trainer 'unruly': ZeroDivisionError: no trainer",
    ("inference", "raises"): "inference 'unruly': ZeroDivisionError: no predictor",
}


@pytest.mark.parametrize(("part", "way"), BUILT, ids=map("-".join, BUILT))
def test_train_names_what_cannot_be_built_and_makes_no_run(
    dlkit: Callable[..., Outcome], unruly: None, tmp_path: Path, part: str, way: str
) -> None:
    words = ("train", "toy", "--workspace", tmp_path)
    outcome = dlkit(*words, f"--{part}", "unruly", f"--{part}.way", way)
    assert outcome.code == 4
    assert outcome.err.endswith(f"dlkit train: {BUILT[part, way]}\n")
    assert "Traceback" in outcome.err and "unruly_parts.py" in outcome.err
    assert not (tmp_path / "runs").exists()
    assert dlkit(*words).code == 0  # what others offer for the task goes on


def trained(dlkit: Callable[..., Outcome], workspace: Path, way: str) -> None:
    words = (
        "--workspace",
        workspace,
        "--inference",
        "unruly",
        "--inference.way",
        way,
        "--engine.sample_every",
        "never",
    )
    assert dlkit("train", "toy", "--workspace", workspace, *words).code == 0


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("predict raises", "ZeroDivisionError: no answer"),
        ("predict exits", "SystemExit: no answer"),
        ("show raises", "ZeroDivisionError: no picture"),
    ],
)
def test_predict_names_the_predictor_that_raises(
    dlkit: Callable[..., Outcome], unruly: None, tmp_path: Path, way: str, said: str
) -> None:
    trained(dlkit, tmp_path, way)
    outcome = dlkit("predict", "last", "1,2,3", "--workspace", tmp_path)
    assert outcome.code == 4
    assert "Traceback" in outcome.err
    assert outcome.err.endswith(f"dlkit predict: inference 'unruly': {said}\n")


def test_predict_names_a_sample_that_cannot_be_shown(
    dlkit: Callable[..., Outcome], unruly: None, tmp_path: Path
) -> None:
    trained(dlkit, tmp_path, "shows a ragged table")
    outcome = dlkit("predict", "last", "1,2,3", "--workspace", tmp_path)
    assert outcome.code == 4
    assert outcome.err == "dlkit predict: inference 'unruly': table sample 'ragged': row 1 has 1 cells for 2 headers\n"


def test_sample_names_the_predictor_that_raises(dlkit: Callable[..., Outcome], unruly: None, tmp_path: Path) -> None:
    trained(dlkit, tmp_path, "samples raise")
    outcome = dlkit("sample", "last", "--workspace", tmp_path)
    assert outcome.code == 4
    assert outcome.err.endswith("dlkit sample: inference 'unruly': ZeroDivisionError: no samples\n")


CLAIMER = """
from dlkit import *

@hookimpl
def dlkit_tasks():
    defaults = dict(dataset="diabetes", model="linear", loss="mse", trainer="supervised", inference="values")
    return [TaskSpec(name="aaa", title="A", summary="s", target="nowhere:x", defaults=defaults, metric="val/a",
                     direction="max", presets="aaa_plugin:nowhere")]

@hookimpl
def dlkit_models():
    return [ModelSpec(name="linear", task=task, summary="s", target="nowhere:x") for task in ("regression", "aaa")]

@hookimpl
def dlkit_datasets():
    return [DatasetSpec(name="diabetes", task="any", summary="s", target="nowhere:x")]

@hookimpl
def dlkit_event(run, event):
    raise RuntimeError("no")
"""


def test_another_task_trains_beside_all_that_is_planted(
    dlkit: Callable[..., Outcome],
    unruly: None,
    write_plugin: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A plugin first in every order that claims its names, one that does not load, an observer that raises."""
    write_plugin("zzz", "raise SystemExit('no')")
    monkeypatch.syspath_prepend(str(write_plugin("aaa", CLAIMER)))
    monkeypatch.setenv("DLKIT_DISABLE", all_but("toy", "regression"))
    invalidate_caches()
    words = ("--model", "linear", "--dataset", "diabetes", "--workspace", tmp_path, "--engine.eval_every", "never")
    # So long that the observer's thread has its turn before the run ends: what it does is told at a later flush.
    outcome = dlkit("train", "regression", *words, "--max-time", "3", "--steps", "1000000")
    assert outcome.code == 0
    assert "observer 'aaa' switched off: RuntimeError: no" in outcome.err
    problems = {(p["plugin"], p["kind"], p["name"]) for p in dlkit("plugins", "--check", "--json").json}
    assert {("aaa", "model", "linear"), ("aaa", "dataset", "diabetes"), ("zzz", "", "")} <= problems
    assert {plugin for plugin, _, _ in problems} == {"aaa", "zzz"}

"""What a data set is told when it is built again for a run that there is: the checkpoint's ``info``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import toy_parts
from dlkit.data.context import Context, make_context
from dlkit.data.splits import Data
from dlkit.use.load import evaluate_run, load_predictor, validation_split
from toy import finish, toy_catalog, toy_resume, toy_run
from toy_options import ToyInfo


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the toy's data set finds in ``context.earlier()``, each time it is built."""
    found: list[Any] = []
    build = toy_parts.build_plane

    def ask(config: Any, context: Context) -> Data:
        found.append(context.earlier())
        return build(config, context)

    monkeypatch.setattr(toy_parts, "build_plane", ask)
    return found


def test_a_new_run_has_no_earlier_info_and_a_resumed_or_measured_one_its_checkpoints(
    told: list[Any], tmp_path: Path
) -> None:
    run = toy_run(tmp_path)
    assert told == [None]
    finish(toy_resume(run, epochs=5))
    context = Context(tmp_path / "data")
    evaluate_run(toy_catalog(), run, context)
    loaded = load_predictor(toy_catalog(), run)
    assert validation_split(toy_catalog(), loaded, context) is not None
    assert told[1:] == [ToyInfo(features=3, offset=0.25)] * 3
    assert context.earlier() is None


def test_a_run_without_a_checkpoint_begins_anew(told: list[Any], tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    for path in sorted((run.path / "checkpoints").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    finish(toy_resume(run, epochs=5))
    assert told == [None, None]


def test_a_workspaces_context_says_where_data_and_other_runs_are(tmp_path: Path) -> None:
    said: list[str] = []
    context = make_context(toy_catalog(), tmp_path, offline=True, say=said.append)
    assert (context.data, context.workspace, context.offline) == (tmp_path / "data", tmp_path, True)
    assert context.sources.keys() == {source.name for source in toy_catalog().specs("source")}
    context.say("downloading")
    assert said == ["downloading"]

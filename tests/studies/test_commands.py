"""``dlkit study …`` as people type it: asked, watched, stopped, extended, the best shown, removed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asked import asked, recorded, runs_of
from dlkit.cli.main import main
from dlkit.studies.folder import StudyFolder, list_studies
from dlkit.studies.state import state_of
from schemas import check
from waiting import until

Quick = dict[str, str]
Captured = pytest.CaptureFixture[str]
TOY = ["--device", "cpu", "--engine.threads", "1", "--epochs", "1", "--launcher", "zygote"]


class Typed:
    """``typed("list")``: ``dlkit study list`` in this process."""

    def __init__(self, workspace: Path, capsys: Captured) -> None:
        self._workspace, self._capsys = workspace, capsys

    def __call__(self, *words: str, code: int = 0) -> tuple[str, str]:
        self._capsys.readouterr()
        found = main(["study", *words, "--workspace", str(self._workspace)])
        out, err = self._capsys.readouterr()
        assert found == code, err
        return out, err

    def json(self, schema: str, *words: str) -> Any:
        found = json.loads(self(*words, "--json")[0])
        check(schema, found)
        return found


@pytest.fixture
def typed(workspace: Path, capsys: Captured) -> Typed:
    return Typed(workspace, capsys)


@pytest.fixture
def asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody decides what comes next."""
    for module in ("waking", "driver"):
        monkeypatch.setattr(f"dlkit.studies.{module}.wake", lambda *_: False, raising=False)
    for module in ("list", "show", "watch", "stop", "resume", "extend", "start"):
        monkeypatch.setattr(f"dlkit.cli.study_{module}.wake", lambda *_: False)


def only(workspace: Path) -> StudyFolder:
    (study,) = list_studies(workspace)
    return study


def test_from_the_question_to_the_answer(workspace: Path, quick: Quick, typed: Typed) -> None:
    words = (
        "toy",
        "--vary",
        "lr=0.02,0.05",
        "--vary",
        "model.dropout=0,0.5",
        "--seeds",
        "2",
        "--yes",
        "--no-probe",
        *TOY,
    )
    found = typed.json("study-show", *words)
    study = only(workspace)
    assert (found["study"], found["state"], found["ended"], found["failed"]) == (study.id, "finished", 8, 0)
    assert len(found["settings"]) == 4 and found["keys"] == ["trainer.lr", "model.dropout"]
    assert len(found["tested"]) == 1 and not found["tested"][0]["problem"]
    out, err = typed("show", "last")
    assert out.splitlines()[0].startswith(f"{study.id}: finished, 8 of 8 trials, in ")
    assert f"dlkit study best {study.short}" in err
    (listed,) = typed.json("study-list", "list")
    assert listed["study"] == study.id and listed["planned"] == 8
    best = typed.json("study-best", "best", study.short)
    assert best["run"] in best["settings"][0]["runs"]
    _same_again(workspace, best["command"], best["config"])
    more = typed.json("study-show", "extend", study.short, "--seeds", "1", "--top", "1")
    assert more["ended"] == more["planned"] == 9 and more["state"] == "finished"
    removed = typed.json("study-remove", "remove", study.short, "--runs", "--yes")
    assert len(removed["runs"]) == 9 and not list((workspace / "runs").iterdir()) and not list_studies(workspace)


def _same_again(workspace: Path, command: str, config: dict[str, Any]) -> None:
    """The command trains what was trained, option for option."""
    import shlex

    from dlkit.catalog import Catalog
    from dlkit.cli.flags import layers_of, split_words
    from dlkit.config import resolve

    tool, train, task, *words = shlex.split(command)
    assert (tool, train) == ("dlkit", "train")
    catalog = Catalog.load_everything()
    assert resolve(catalog, task, layers_of(catalog, task, split_words(words))).values() == config


@pytest.mark.usefixtures("imported")
def test_detached_and_stopped(workspace: Path, quick: Quick, typed: Typed) -> None:
    slow = ["--loss", "troubled", "--loss.wait", "0.05", "--epochs", "30"]
    told = typed.json(
        "study-submitted", "toy", "--vary", "lr=0.02,0.05", "--yes", "--detach", *TOY[:-4], *slow, *TOY[-2:]
    )
    study = only(workspace)
    assert told["study"] == study.id and told["trials"] == 2
    until(lambda: any(run.path.is_dir() and run.read()["state"] == "running" for run in runs_of(study)))
    stopped = typed.json("study", "stop", "last")
    assert stopped["state"] == "stopped"
    assert {trial.state for trial in state_of(study).trials.values()} == {"stopped"}
    out, err = typed("watch", "last", code=130)
    assert "stopped, 2 of 2 trials" in out and "dlkit study resume" in err


def test_one_trial_goes_on(workspace: Path, typed: Typed, asleep: None) -> None:
    study = asked(workspace, "lr=0.1,0.2", seeds=2)
    recorded(study, {(0, 0): 1.0, (1, 0): 2.0}, state="failed")
    assert "there is no trial 7: there are 0 to 1" in typed("resume", "last", "--trial", "7", "--detach", code=2)[1]
    typed("resume", "last", "--trial", "1", "--detach")
    assert [trial.state for trial in state_of(study).trials.values()] == ["failed", "reopened"]
    assert "trial 1 is reopened: only one" in typed("resume", "last", "--trial", "1", "--detach", code=2)[1]


def test_what_would_be_trained(workspace: Path, typed: Typed) -> None:
    found = typed.json("study-plan", "toy", "--vary", "model=linear,mlp", "--vary", "model.width=4,8", "--seeds", "3",
                       "--print-trials", "--no-probe")  # fmt: skip
    values = [{"model.name": "linear"}, *({"model.name": "mlp", "model.width": width} for width in (4, 8))]
    assert [s["values"] for s in found["settings"]] == values
    assert found["trials"] == 9 and found["seeds"] == [0, 1, 2]
    out, err = typed("toy", "--vary", "model=linear,mlp", "--vary", "model.width=4,8", "--print-trials", "--no-probe")
    assert [line.split() for line in out.splitlines()] == [
        ["setting", "model", "model.width"], ["0", "linear", "-"], ["1", "mlp", "4"], ["2", "mlp", "8"]]  # fmt: skip
    assert "nothing was started" in err and not list(workspace.iterdir())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["toy"], "nothing to compare: give --vary KEY=VALUES"),
        (["tyo", "--vary", "lr=1,2"], "no task and no action 'tyo': did you mean 'toy'?"),
        (["lst"], "did you mean 'list'?"),
        (["toy", "--vary"], "--vary needs a value: KEY=VALUES"),
        (["toy", "--vary", "lr=0.1,0.2", "--trials", "3"], "--trials goes with --search random"),
        (["toy", "--vary", "lr=0.1,0.2", "--search", "rnadom"], "did you mean 'random'?"),
        (["toy", "--vary", "lr=0.1..0.2", "--search", "random"], "needs --trials N"),
        (["toy", "--vary", "lr=0.1,0.2", "--seeds", "0"], "--seeds 0: must be at least 1"),
        (["toy", "--vary", "lr=0.1,0.2", "--max-time", "soon"], "'soon' is not a duration"),
        (["toy", "--vary", "lr=0.1,0.2", "--queue"], "trials are queued always"),
        (["toy", "--vary", "lr=0.1,0.2", "--no-probe"], "Nobody to ask here: give --yes"),
        (["toy", "--vary", "lr=0.1,0.2", "--lr-find"], "--lr-find tries one configuration"),
        (["toy", "--batch-find", "--lr-find"], "give either --lr-find or --batch-find"),
        (["toy", "--vary", "lr=0.1,0.2", "--lrr", "3"], "unknown option --lrr"),
        (["show", "nothing"], "there are no studies in"),
        (["extend", "last", "--seeds", "2", "--trials", "3"], "give either --seeds N or --trials N"),
    ],
)
def test_bad_input_is_named_and_starts_nothing(
    workspace: Path, capsys: Captured, words: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main(["study", *words, "--workspace", str(workspace)]) == 2
    assert says in capsys.readouterr().err and not list(workspace.iterdir())


@pytest.mark.usefixtures("asleep")
def test_tables_for_other_programs(workspace: Path, typed: Typed) -> None:
    study = asked(workspace, "lr=0.1,0.2", seeds=2)
    recorded(study, {(0, 0): 1.0, (1, 0): 2.0, (0, 1): 1.5, (1, 1): 2.25})
    out, _ = typed("show", "last", "--csv")
    head, first, *_ = out.splitlines()
    assert head.startswith("setting,trainer.lr,val/mse mean,val/mse ± 95 %,n,planned,behind")
    assert first.startswith("0,0.1,1.25,")
    out, _ = typed("show", "last", "--md")
    assert out.splitlines()[0].startswith("| trainer.lr | val/mse |")
    out, _ = typed("show", "last", "--trials")
    assert len(out.splitlines()) == 5 and "run-3" in out
    assert len(typed.json("study-show", "show", "last")["trials"]) == 4


@pytest.mark.usefixtures("asleep")
def test_a_study_is_extended_by_settings_that_were_not_drawn_yet(workspace: Path, typed: Typed) -> None:
    study = asked(workspace, "lr=log:1e-3..1", search="random", trials=3)
    before = list(state_of(study).settings.values())
    typed("extend", "last", "--trials", "4", "--detach")
    after = list(state_of(study).settings.values())
    assert after[:3] == before and len({repr(values) for values in after}) == 7
    grid = asked(workspace, "lr=0.1,0.2")
    assert "it has all its settings" in typed("extend", grid.id, "--trials", "4", code=2)[1]


@pytest.mark.usefixtures("asleep")
def test_one_that_is_damaged_hides_no_other(workspace: Path, typed: Typed) -> None:
    good, bad = asked(workspace, "lr=0.1,0.2"), asked(workspace, "lr=0.1,0.3")
    bad.question.write_text("=")
    out, err = typed("list")
    assert good.id in out and bad.id in err and "study.toml" in err
    typed("show", bad.id, code=1)
    typed("remove", bad.id, "--yes")
    assert list_studies(workspace) == [good]

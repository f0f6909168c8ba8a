"""A workspace with one good run and many bad ones: every command shows the good one, names the bad, removes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dlkit.cli.main import COMMANDS, main
from dlkit.jobs.follow import LOST, state_now
from dlkit.runs.folder import ENDED, RunFolder
from hostile.bad_runs import KINDS, BadRun, contents, delete, make_bad_run
from toy import toy_run

Captured = pytest.CaptureFixture[str]
NAMED = (
    "run.json is brackets", "job.priority out of range, 1", "job.nproc out of range, 1", "total_steps out of range, 1",
    "created out of range, 1", "created out of range, 2", "an event of every 0", "a name of half a surrogate pair",
    "a folder whose name is no UTF-8", "run.json is a FIFO", "run.json is a link to an endless device",
    "an event of 200 million steps in 90 bytes", "run.json is torn", "run.json is NUL", "run.json is missing",
    "run.json is a folder", "run.json is a number of 5 000 digits", "a configuration 3 000 tables deep",
    "a folder 2 000 deep", "a folder that is a link to a run elsewhere", "run.lock is a FIFO", "run.json is a terabyte",
)  # fmt: skip
COUNT = 50
WITHOUT_RUNS = {
    "tui", "web", "plugins", "new-plugin", "check-plugin", "components", "data", "doctor", "study", "completion",
    "serve", "remote", "service",
}  # fmt: skip
"""Commands that look at no run; the interface's screens have tests of their own."""


@dataclass(frozen=True)
class Crowd:
    """``bad`` runs around a good one, and what lies beside the workspace as it was."""

    workspace: Path
    good: RunFolder
    bad: Sequence[BadRun]
    before: dict[str, bytes]


def gather(folder: Path, names: Sequence[str]) -> Crowd:
    workspace = folder / "workspace"
    good = toy_run(workspace, name="good", keep=3, checkpoint_every=1e-6)
    bad = [make_bad_run(workspace, name, number) for number, name in enumerate(names, 1)]
    return Crowd(workspace, good, bad, contents(folder / "outside"))


def some_kinds() -> list[str]:
    others = [name for name in KINDS if name not in NAMED]
    return [*NAMED, *Random(7).sample(others, COUNT - len(NAMED))]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """To be read only."""
    folder = tmp_path_factory.mktemp("crowd")
    yield gather(folder, some_kinds())
    delete(folder)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Callable[[Sequence[str]], Crowd]]:
    """A workspace to be changed."""
    folder = tmp_path / "fresh"
    folder.mkdir()
    yield lambda names: gather(folder, names)
    delete(folder)


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def dlkit(capsys: Captured, toy_installed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """A command in this process, in an empty folder: what it raises is a traceback at the terminal."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def call(crowd: Crowd, *words: str) -> Outcome:
        capsys.readouterr()
        code = main([*words, "--workspace", str(crowd.workspace)])
        return Outcome(code, *capsys.readouterr())

    return call


def test_runs_names_them_all(crowd: Crowd, dlkit: Command) -> None:
    found = {line["run"]: line for line in json.loads(dlkit(crowd, "runs", "--json").out)}
    assert found.keys() == {crowd.good.id, *(bad.run.id for bad in crowd.bad)}
    assert (found[crowd.good.id]["state"], found[crowd.good.id]["name"]) == ("completed", "good")
    for bad in crowd.bad:
        state, reason = found[bad.run.id]["state"], found[bad.run.id]["reason"]
        assert bad.damaged is None or (state == "damaged") == bad.damaged, (bad.kind, state, reason)
        assert reason or state != "damaged", bad.kind


def test_a_list_gives_the_reason(crowd: Crowd, dlkit: Command) -> None:
    lines = dlkit(crowd, "runs", "--limit", "1000").out.splitlines()
    damaged = [line for line in lines if " damaged " in line]
    assert sum(bad.damaged is True for bad in crowd.bad) <= len(damaged) <= len(crowd.bad)
    assert all(line.split()[-1] not in ("damaged", "-") for line in damaged)
    assert sum("good" in line for line in lines) == 1


def test_the_newest_run_is_a_whole_one(crowd: Crowd, dlkit: Command) -> None:
    """Who made the folder says when; of one that cannot be read that is not known."""
    assert json.loads(dlkit(crowd, "show", "last", "--json").out)["run"] == crowd.good.id


def words_of(run: RunFolder, other: RunFolder) -> dict[str, list[list[str]]]:
    """Every command that has to do with runs, each way it reads them."""
    return {
        "tasks": [["tasks"]],
        "train": [],  # below
        "queue": [["queue", "list"], ["queue", "list", "--json"]],
        "resume": [["resume", run.id, "--quiet"]],
        "reproduce": [["reproduce", run.id, "--quiet"]],
        "fork": [["fork", run.id, "--quiet", "--dry-run"], ["fork", run.id, "--quiet", "--steps", "1"]],
        "runs": [["runs"], ["runs", "--json"], ["runs", "--task", "toy"]],
        # Of what may be alive on another host, or waits in the queue, both wait for more.
        "watch": [["watch", run.id], ["watch", run.id, "--json"]] if state_now(run) in (*ENDED, *LOST) else [],
        "wait": [["wait", run.id, "--timeout", "0"]],
        "stop": [["stop", run.id, "--timeout", "0.01"]],
        "pause": [["pause", run.id, "--timeout", "0.01"]],
        "unpause": [["unpause", run.id, "--timeout", "0.01"]],
        "set": [["set", run.id, "trainer.lr", "0.01", "--timeout", "0.01"]],
        "ask": [["ask", run.id, "sample", "--timeout", "0.01"]],
        "show": [["show", run.id, "--log", "--samples", "--config"], ["show", run.id, "--json"]],
        "explain": [["explain", run.id], ["explain", run.id, other.id, "--json"]],
        "compare": [["compare", run.id, other.id], ["compare", run.id, other.id, "--json"]],
        "evaluate": [["evaluate", run.id]],
        "predict": [["predict", run.id, "1,2,3"]],
        "sample": [["sample", run.id]],
        "export": [["export", run.id, "--format", "safetensors", "--force"]],
        "report": [["report", run.id, "--force"]],
        "rename": [["rename", run.id, "other"]],
        "tag": [["tag", run.id, "planted"], ["tag", run.id]],
        "note": [["note", run.id, "planted"], ["note", run.id, "--show"]],
        "clean": [["clean", "--dry-run"], ["clean", "--dry-run", "--json", "--interrupted"]],
        "remove": [["remove", run.id, "--yes"]],
    }


def test_no_command_is_forgotten(crowd: Crowd) -> None:
    assert words_of(crowd.good, crowd.good).keys() | WITHOUT_RUNS == COMMANDS.keys()


READ = ("tasks", "queue", "runs", "show", "compare", "evaluate", "predict", "sample", "export", "report", "clean")


@pytest.mark.parametrize("command", READ)
def test_the_good_run_is_as_ever(crowd: Crowd, dlkit: Command, command: str) -> None:
    for words in words_of(crowd.good, crowd.bad[0].run)[command]:
        found = dlkit(crowd, *words)
        assert found.code == 0, (words, found.err)
        assert crowd.good.id in found.out + found.err or command in (
            "tasks",
            "queue",
            "predict",
            "sample",
            "export",
            "clean",
        )


def survives(crowd: Crowd, dlkit: Command, commands: Sequence[str], bad: BadRun) -> list[str]:
    """What is wrong after these commands were given a bad run."""
    wrong = []
    for command in commands:
        for words in words_of(bad.run, crowd.good)[command]:
            try:
                found = dlkit(crowd, *words)
            except Exception as error:  # what a person would see as a traceback
                wrong.append(f"{bad.kind}: {words}: {type(error).__name__}: {str(error)[:200]}")
                continue
            if found.code not in (0, 1, 2, 3, 4) or (found.code and not found.out + found.err):
                wrong.append(f"{bad.kind}: {words}: exit code {found.code}: {found.err[:200]}")
    return wrong


LOOKING = ("watch", "wait", "stop", "pause", "show", "compare", "predict", "sample", "export", "report")


def test_a_bad_run_is_looked_at(crowd: Crowd, dlkit: Command) -> None:
    # Half of them: the slow stage has every command with every kind.
    wrong = [line for bad in crowd.bad[::2] for line in survives(crowd, dlkit, LOOKING, bad)]
    assert not wrong, "\n".join(wrong)
    assert contents(crowd.workspace.parent / "outside") == crowd.before


CHANGING = (
    "rename",
    "tag",
    "note",
    "set",
    "ask",
    "unpause",
    "evaluate",
    "resume",
    "fork",
    "reproduce",
    "queue",
    "clean",
    "remove",
)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_every_command_survives_every_kind(fresh: Callable[..., Crowd], dlkit: Command, part: int) -> None:
    crowd = fresh(list(KINDS)[part::4])
    wrong = [line for bad in crowd.bad for line in survives(crowd, dlkit, [*LOOKING, *CHANGING], bad)]
    assert not wrong, "\n".join(wrong)
    stay = {bad.run.id for bad in crowd.bad if bad.kind in STAY}
    assert crowd.good.id in left(crowd) and left(crowd) - {crowd.good.id} <= stay
    assert contents(crowd.workspace.parent / "outside") == crowd.before


STAY = ("a folder that is a FIFO", "host of the wrong type")
"""What is no run at all, and what may be running on another host."""


def left(crowd: Crowd) -> set[str]:
    return {path.name for path in (crowd.workspace / "runs").iterdir()}


def test_they_are_removed(fresh: Callable[..., Crowd], dlkit: Command) -> None:
    crowd = fresh(some_kinds())
    found: Any = dlkit(crowd, "remove", *(bad.run.id for bad in crowd.bad), "--yes", "--json")
    assert found.code == 0, found.err[-500:]
    assert set(json.loads(found.out)["removed"]) == {bad.run.id for bad in crowd.bad}
    assert left(crowd) == {crowd.good.id}
    assert contents(crowd.workspace.parent / "outside") == crowd.before

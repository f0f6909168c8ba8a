"""What ``--json`` writes is what dlkit's schemas say: every command of the table, and every failure."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from dlkit.cli.main import COMMANDS
from dlkit.errors import in_parts, nearest
from dlkit.runs.finding import GIVE
from dlkit.runs.folder import RunFolder
from live import live_run
from recorded import record_run, record_seeds
from schemas import SCHEMAS, check
from toy import toy_run

NO_JSON = ("tui", "completion")
"""One draws, one writes for shells; neither writes for programs."""
IN_PLACE = {
    "tasks": [("tasks", [])],
    "plugins": [("plugins", []), ("plugins", ["--verbose"]), ("plugins-check", ["--check"])],
    "new-plugin": [("new-plugin", ["new-one", "--into", "OUT"])],
    "check-plugin": [("check-plugin", ["regression", "--only", "package-has-metadata"])],
    "components": [("components", []), ("components", ["--task", "toy"])],
    "data": [("data-list", ["list"]), ("data-show", ["show", "toy"])],
    "train": [("train-config", ["toy", "--print-config"])],  # and estimate: tests/cli/test_estimate.py
    "runs": [("runs", []), ("runs", ["task:toy", "--sort", "best"]), ("runs-group", ["--group", "task,lr"])],
    "study": [
        ("study-list", ["list"]),
        ("study-plan", ["toy", "--vary", "lr=0.1,0.2", "--print-trials", "--no-probe"]),
    ],
    "wait": [("wait", ["last"])],
    "show": [("show", ["last"]), ("show", ["last", "--html", "-o", "OUT"])],
    "explain": [("explain", ["last"]), ("explain-several", ["FIRST", "SECOND"])],
    "compare": [("compare", ["FIRST", "SECOND"]), ("compare-group", ["FIRST", "SECOND", "--group", "model"])],
    "report": [("report", ["last", "-o", "OUT.html"]), ("report", ["FIRST", "SECOND", "-o", "OUT.md"])],
    "fork": [("fork-plan", ["FIRST", "--epochs", "4", "--lr", "0.1", "--dry-run"])],
    "reproduce": [("reproduce", ["FIRST"]), ("reproduce", ["FIRST", "--until", "6"])],
    "evaluate": [("evaluate", ["last"])],
    "predict": [("predict", ["last", "1,2,3"])],
    "sample": [("sample", ["last"]), ("sample", ["last", "-o", "OUT"])],
    "export": [
        ("export", ["last", "-o", "OUT"]),
        ("export", ["last", "-o", "OUT/folder", "--format", "torch"]),
    ],
    "rename": [("rename", ["last", "a name"])],
    "tag": [("tag", ["last", "baseline", "paper"]), ("tag", ["last"]), ("tag", ["last", "--remove", "paper"])],
    "note": [("note", ["last", "better than it looks"]), ("note", ["last", "--show"])],
    "queue": [("queue-list", ["list"]), ("queue-list", ["run"]), ("queue-settings", ["settings", "--quota", "2"])],
    "service": [("service", ["status"]), ("service-plan", ["install", "--dry-run"])],
    "remote": [
        ("remote", ["add", "box", "me@box.example:work/space"]),
        ("remote-list", ["list"]),
        ("remote", ["remove", "box"]),
    ],
    "doctor": [("doctor", [])],
    "clean": [("clean", ["--dry-run"]), ("clean", ["--yes"])],
    "remove": [("remove-plan", ["FIRST", "--dry-run"]), ("remove", ["FIRST", "--yes"])],
}
"""Commands, each with its schema and words, on a workspace with two runs of the toy; what deletes comes last."""
FAILURES = {
    "tasks": ["--nonsense"], "plugins": ["--nonsense"], "check-plugin": ["nonsense"],
    "components": ["nonsense"], "data": ["get", "nonsense"],
    "new-plugin": ["Not a name"],
    "train": ["nonsense"], "queue": ["nonsense"], "resume": ["nonsense"], "fork": ["nonsense"],
    "reproduce": ["nonsense"],
    "runs": ["--limit", "0"],
    "study": ["nonsense"], "service": ["nonsense"],
    "watch": ["nonsense"], "wait": ["nonsense"], "stop": ["last"], "pause": ["last"], "unpause": ["nonsense"],
    "set": ["last", "trainer.lr", "x"], "ask": ["last", "nonsense"], "show": ["nonsense"], "compare": ["last"],
    "report": [], "explain": ["nonsense"],
    "evaluate": ["last", "--split", "nonsense"], "predict": ["last", "x"], "sample": ["last", "-n", "0"],
    "export": ["last", "--format", "nonsense"], "serve": ["last", "--port", "70000"],
    "rename": ["last", "two\nlines"], "tag": ["last", "two words"], "note": ["last", " "], "remove": ["last"],
    "clean": ["--task"], "doctor": ["--nonsense"], "web": ["--tabs", "0"], "tui": ["--nonsense"],
    "completion": ["nonsense"], "remote": ["nonsense"], "nonsense": [],
}  # fmt: skip
"""Words with which each command fails."""
KINDS = {2: "usage", 3: "data", 4: "plugin", 130: "interrupted"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schemas") / "workspace"
    for name in ("first", "second"):
        toy_run(folder, name=name)
    return folder


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_every_schema_is_one(path: Path) -> None:
    schema = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == path.name and schema["title"]


def test_every_command_is_driven() -> None:
    driven = {*IN_PLACE, "train", "resume", "watch", "stop", "pause", "unpause", "set", "ask", "web", "serve"}
    assert driven == set(COMMANDS) - set(NO_JSON)
    assert set(FAILURES) == {*COMMANDS, "nonsense"}


@pytest.mark.parametrize("command", IN_PLACE)
def test_documents(command, dlkit, workspace, tmp_path, monkeypatch):
    from toy_parts import ValuesPredictor

    monkeypatch.setenv("DLKIT_WORKSPACE", str(workspace))
    monkeypatch.setattr(ValuesPredictor, "exports", {"letters": "one of them"})
    monkeypatch.setattr(ValuesPredictor, "export", lambda self, form, folder: [])
    runs = sorted((workspace / "runs").iterdir())
    known = {"FIRST": runs[0].name, "SECOND": runs[-1].name, "OUT": str(tmp_path / "out")}
    known |= {f"OUT.{kind}": str(tmp_path / f"out.{kind}") for kind in ("html", "md")}
    for schema, words in IN_PLACE[command]:
        found = dlkit(command, *(known.get(word, word).replace("OUT/", f"{known['OUT']}/") for word in words), "--json")
        assert found.code == 0, found.err
        check(schema, found.json)


def test_a_run_from_its_first_event_to_its_last(dlkit, tmp_path):
    found = dlkit("train", "toy", "--epochs", "1", "--workspace", tmp_path, "--json", "--quiet")
    lines = [json.loads(line) for line in found.out.splitlines()]
    assert found.code == 0 and (lines[0]["event"], lines[-1]["event"]) == ("started", "finished")
    for line in lines:
        check("event", line)
    assert lines[0]["run"] == lines[-1]["run"] and lines[-1]["state"] == "completed"
    assert {line["epoch"] for line in lines if line["event"] == "metrics"} == {1}, "epochs count from 1"
    again = dlkit("resume", "last", "--epochs", "2", "--workspace", tmp_path, "--json")
    watched = dlkit("watch", "last", "--workspace", tmp_path, "--json")
    branch = dlkit("fork", "last", "--epochs", "3", "--lr", "0.1", "--workspace", tmp_path, "--json", "--quiet")
    assert json.loads(branch.out.splitlines()[0])["event"] == "forked"
    for line in [*branch.out.splitlines(), *again.out.splitlines(), *watched.out.splitlines()]:
        check("event", json.loads(line))
    assert json.loads(again.out.splitlines()[0])["run"] == lines[0]["run"]


def test_a_run_that_fails_says_so_in_its_last_event(dlkit, tmp_path):
    found = dlkit("train", "toy", "--model", "faulty", "--workspace", tmp_path, "--json")
    last = json.loads(found.out.splitlines()[-1])
    check("event", last)
    assert (found.code, last["state"]) == (1, "failed")


def test_orders_to_a_run(dlkit, tmp_path):
    with live_run(tmp_path) as live:
        where = ("--workspace", tmp_path, "--json")
        orders = [["set", "last", "trainer.lr", "0.01"], ["ask", "last", "sample"], ["pause", "last"],
                  ["unpause", "last"]]  # fmt: skip
        for words in orders:
            found = dlkit(*words, *where)
            assert found.code == 0, found.err
            check("control", found.json)
        found = dlkit("stop", "last", "--wait", *where)
        check("control", found.json)
        assert (found.json["run"], found.json["state"], found.json["obeyed"]) == (live.run.id, "stopped", True)


def test_a_damaged_run_and_those_that_have_not_begun(dlkit, tmp_path):
    """Whatever state they are in, and whatever they lack."""
    runs = [record_run(tmp_path, i, state=s) for i, s in enumerate(("completed", "failed", "interrupted", "queued"))]
    damaged = record_run(tmp_path, 9)
    damaged.record.write_text("{")
    where = ("--workspace", tmp_path, "--json")
    check("runs", dlkit("runs", *where).json)
    check("queue-list", dlkit("queue", "list", *where).json)
    for run in (*runs, damaged):
        check("show", dlkit("show", run.id, *where).json)
    check("compare", dlkit("compare", runs[0].id, damaged.id, *where).json)
    check("queue-cancel", dlkit("queue", "cancel", runs[3].id, *where).json)


def test_groups_with_a_run_alone(dlkit, tmp_path):
    settings: list[Mapping[str, object]] = [
        {"lr": 0.1, "seed": 0, "mse": 1.0},
        {"lr": 0.2, "seed": 0, "mse": float("nan")},
    ]
    runs = record_seeds(tmp_path, settings)
    found = dlkit("compare", *(run.id for run in runs), "--group", "lr", "--workspace", tmp_path, "--json")
    check("compare-group", found.json)


@pytest.mark.parametrize("command", FAILURES)
def test_failures_are_told_too(command, dlkit, workspace, monkeypatch, install_nothing):
    monkeypatch.setenv("DLKIT_WORKSPACE", str(workspace))
    found = dlkit(command, *FAILURES[command], "--json")
    assert found.code in (1, 2, 3, 4)
    check("error", found.json)
    error = found.json["error"]
    assert error["kind"] == KINDS.get(found.code, error["kind"])
    for part in (error["message"], error["hint"]):
        assert part in found.err, "what people are told"


@pytest.fixture
def install_nothing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody to ask: remove refuses."""
    import io

    monkeypatch.setattr(sys, "stdin", io.StringIO())
    yield


def test_a_hint_stands_apart(dlkit, tmp_path):
    error = dlkit("train", "toy", "--modle", "x", "--json").json["error"]
    assert error["message"] == "unknown option --modle"
    assert error["hint"].startswith("did you mean 'model'? There are: ")
    error = dlkit("runs", "--limit", "x", "--json").json["error"]
    assert error["message"].startswith("argument --limit") and error["hint"].startswith("usage: dlkit runs")


def test_what_is_known_stands_beside_the_error(dlkit, tmp_path):
    done, lost = record_run(tmp_path, 0), record_run(tmp_path, 1, state="queued")
    found = dlkit("wait", done.id, lost.id, "--timeout", "0", "--workspace", tmp_path, "--json")
    assert found.code == 1
    check("wait", found.json)
    assert [run["run"] for run in found.json["runs"]] == [done.id]
    assert lost.id in found.json["error"]["message"]


def test_json_behind_two_dashes_is_an_input(dlkit, workspace):
    found = dlkit("predict", "nonsense", "--workspace", workspace, "--", "--json")
    assert found.code == 2 and found.out == ""


def test_the_address_of_the_interface_in_a_browser(tmp_path: Path) -> None:
    pytest.importorskip("textual_serve")
    command = [sys.executable, "-m", "dlkit", "web", "--json", "--workspace", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        check("web", json.loads(process.stdout.readline()))
        process.terminate()


def test_handed_over(dlkit, tmp_path, monkeypatch):
    monkeypatch.setattr("dlkit.jobs.handover.wake", lambda workspace: None)  # nobody starts it
    found = dlkit("train", "toy", "--queue", "--workspace", tmp_path, "--json")
    check("submitted", found.json)
    assert found.json["state"] == "queued" and RunFolder(Path(found.json["path"])).id == found.json["run"]
    check("queue-priority", dlkit("queue", "priority", "last", "urgent", "--workspace", tmp_path, "--json").json)
    check("control", dlkit("pause", "last", "--release", "--workspace", tmp_path, "--json").json)
    check("control", dlkit("unpause", "last", "--workspace", tmp_path, "--json").json)
    check("queue-cancel", dlkit("queue", "cancel", "last", "--workspace", tmp_path, "--json").json)


def test_what_to_do_is_the_hint(dlkit, tmp_path):
    done = record_run(tmp_path, 0)
    where = ("--workspace", tmp_path, "--json")
    for words, message, hint in (
        (
            ["show", "nothing"],
            "no run 'nothing' in ",
            f"{GIVE}; newest: ",
        ),
        (["stop", "last"], f"{done.id} is completed", "dlkit resume "),
    ):
        error = dlkit(*words, *where).json["error"]
        assert error["message"].startswith(message) and not error["message"].endswith(":"), error
        assert hint in error["hint"]


@given(
    message=st.text(min_size=1), word=st.text(max_size=9), names=st.sets(st.from_regex(r"[a-z]{1,9}", fullmatch=True))
)
def test_message_and_hint_are_all_that_was_said(message: str, word: str, names: set[str]) -> None:
    """Whatever the message is, and whoever quotes it: nothing of the text is lost but the colon between them."""
    for hint in ("", nearest(word, names)):
        text = f"{message}: {hint}" if hint else message
        parts = in_parts("usage", text)
        said = [part for part in (parts["message"], parts["hint"]) if part]
        assert text.startswith(said[0]) and text.endswith(said[-1])
        assert len(text) - sum(map(len, said)) <= len("\n  ") and parts["kind"] == "usage"

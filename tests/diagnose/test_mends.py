"""Every command that a verdict names is one that dlkit takes, on the very run that it is said of."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import command_lines
from diagnose.planted_runs import Planted, toy, verdicts
from diagnose.test_planted import FAILING, LEARNING, deep
from diagnose.test_slow import spent, with_events
from dlkit.catalog import Catalog
from dlkit.cli import study_find
from dlkit.cli.main import COMMANDS, main
from dlkit.diagnose import Verdict, diagnose, read_record
from dlkit.diagnose.bound import BOUND
from dlkit.diagnose.words import ANYWHERE, document
from dlkit.runs.folder import RunFolder
from toy import toy_catalog

IN_FULL = ("train", "fork", "study")
"""Commands that resolve a configuration: they are run, as far as they tell what they would do."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[RunFolder, Verdict]]]:
    """Every verdict of some runs of each kind; of slow ones, and of one that goes on, as well."""
    workspace = tmp_path_factory.mktemp("mends") / "workspace"
    some = {fault.name: fault for fault in FAILING + LEARNING if not _is_of_points(fault)}
    runs = [fault.train(workspace) for fault in some.values()]
    found = [(run, verdict) for run in runs for verdict in verdicts(run)]
    longer = toy(deep(3e-3), epochs=3)(workspace)
    read = read_record(longer)
    slow = [
        *(spent(**{one.kind: 90.0, "steps": 9.0}) for one in BOUND),
        spent({"delayed": 60.0}, steps=100.0),
        spent({"delayed": 60.0, "busy": 400.0}, steps=100.0),
    ]
    found += [(longer, verdict) for told in slow for verdict in diagnose(with_events(read, told))]
    yield found


def _is_of_points(fault: Planted) -> bool:
    """Another task than the toy."""
    return "points" in fault.train.__qualname__ or "table" in fault.train.__qualname__


def test_each_is_understood(
    told: list[tuple[RunFolder, Verdict]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog = toy_catalog("faults")
    monkeypatch.setattr(Catalog, "load_everything", classmethod(lambda cls, **_: catalog))
    for name in ("_tell_sweep", "_tell_fit"):
        monkeypatch.setattr(study_find, name, lambda *_, **__: 0)
    for name in ("sweep", "largest_batch"):
        monkeypatch.setattr(study_find, name, lambda *_, **__: None)
    lines = {mend["command"]: run for run, verdict in told for mend in document(verdict, run)["mend"]}  # type: ignore[attr-defined]
    assert len(lines) > 40
    seen = set()
    for line in lines:
        tool, *words = shlex.split(line)
        assert tool == "dlkit" and words[0] in COMMANDS
        seen.add(words[0])
        if words[0] in IN_FULL:
            extra = {"train": ["--print-config"], "fork": ["--dry-run"], "study": []}[words[0]]
            assert main([*words, *extra]) == 0, (line, capsys.readouterr().err)
        else:
            head = 2 if words[0] in ("data", "queue") else 1  # whose actions have parsers of their own
            parser = command_lines._parser(tuple(words[:head]))
            if words[:2] != ["data", "show"]:  # which has a task's options
                assert not isinstance(parser, str), line
                parser.parse_args(words[head:])
    assert {"train", "fork", "study", "resume", "check-plugin", "clean"} <= seen


def test_every_kind_of_verdict_is_among_them(told: list[tuple[RunFolder, Verdict]]) -> None:
    names = {verdict.name for _, verdict in told}
    assert names >= {fault.name for fault in FAILING + LEARNING if not _is_of_points(fault)}
    assert names >= {"threads-fight", "busy-machine", *(one.name for one in BOUND)}


def test_a_workspace_elsewhere_is_named(told: list[tuple[RunFolder, Verdict]]) -> None:
    for run, verdict in told:
        for mend in document(verdict, run)["mend"]:  # type: ignore[attr-defined]
            if mend["command"].split()[1] not in ANYWHERE:
                assert Path(shlex.split(mend["command"])[-1]) == run.path.parent.parent

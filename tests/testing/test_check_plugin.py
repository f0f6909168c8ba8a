"""``dlkit check-plugin``: what it says, how it ends, what it keeps, and that a plugin which dies of it is a finding."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dlkit import __version__
from dlkit.catalog import Plugin
from dlkit.cli.main import main
from dlkit.errors import UsageError
from dlkit.testing.apart import working
from dlkit.testing.check import Check
from dlkit.testing.finding import Finding
from dlkit.testing.look import Look, tier_of
from dlkit.testing.notes import Notes, merged, read_notes
from dlkit.testing.package import package_at
from dlkit.testing.record import FILE, Record, hash_of, read_file, read_record, write_record
from dlkit.testing.rules import find_rule, rule_names
from dlkit.testing.worker import Order
from waiting import LONG

PROJECT = """
[project]
name = "dlkit-planted"
version = "1.0"
[project.entry-points.dlkit]
planted = "planted"
"""
DEADLY = """
import os
from dlkit import ModelSpec, hookimpl
from dlkit.config import Config

def build(config, info):
    os.abort()

@hookimpl
def dlkit_models():
    return [ModelSpec(name=name, task="points", summary="ends the process", target="planted:build")
            for name in ("deadly", "deadlier")]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "planted.py").write_text(DEADLY)
    return tmp_path


def test_a_component_that_ends_the_process_is_a_finding_and_the_others_are_looked_at(project: Path) -> None:
    looks = list(Check(package_at(project), ["options-described", "engine-builds"], seconds=LONG).looks())
    assert [(look.rule.name, look.component, look.state) for look in looks] == [
        ("options-described", "model deadly", "kept"),
        ("options-described", "model deadlier", "kept"),
        ("engine-builds", "model deadly", "broken"),
        ("engine-builds", "model deadlier", "broken"),
    ]
    assert "SIGABRT" in looks[2].findings[0].seen
    chosen = Check(package_at(project), ["package-licensed", "options-described"], components=["model deadlier"])
    assert [(look.rule.name, look.component) for look in chosen.looks()] == [("options-described", "model deadlier")]


def test_who_stops_listening_ends_the_process(project: Path) -> None:
    order: Order = {
        "plugin": "planted", "project": str(project), "rules": ["engine-builds"], "quick": True,
        "scratch": str(project / "scratch"), "done": [], "components": [],
    }  # fmt: skip
    with working(order, {}, project / "scratch") as worker:
        process = worker.process
        assert process.poll() is None
    assert process.poll() is not None


def test_the_verdict_comes_first_then_what_was_seen_what_is_right_and_how_to_mend_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-plugin", str(project), "--only", "package-licensed", "--only", "package-versioned"]) == 4
    out, err = capsys.readouterr()
    assert out.startswith("dlkit-planted 1.0: 1 of 2 rules broken")
    assert "no licence" in out and "right: license =" in out and "mend:" in out
    assert [line.split()[:2] for line in err.splitlines()] == [["✗", "package-licensed"], ["✓", "package-versioned"]]
    assert main(["check-plugin", str(project), "--only", "package-versioned"]) == 0
    assert main(["check-plugin", str(project), "--quick", "--record"]) == 2


def test_ctrl_c_leaves_what_was_found(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(self: Check) -> Iterator[Look]:
        yield Look(find_rule("package-licensed"), "", state="broken", findings=(Finding("no licence", "one"),))
        raise KeyboardInterrupt

    monkeypatch.setattr(Check, "looks", stopped)
    assert main(["check-plugin", str(project), "--json"]) == 130
    found = json.loads(capsys.readouterr().out)
    assert (found["complete"], found["kept"], found["tier"]) == (False, False, None)


def test_the_tier_is_the_highest_of_which_nothing_is_broken() -> None:
    kept = [Look(find_rule(name), "p") for name in rule_names()]
    broken = {rule.tier: Look(rule, "p", state="broken") for rule in map(find_rule, rule_names())}
    assert tier_of(kept) == "gold"
    assert tier_of([*kept, broken["gold"]]) == "silver"
    assert tier_of([*kept, broken["silver"], broken["gold"]]) == "bronze"
    assert tier_of([*kept, broken["bronze"]]) is None
    assert tier_of([*kept, Look(find_rule("model-on-gpu"), "p", state="skipped")]) == "gold"


def test_a_record_is_read_without_the_plugins_code(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.delitem(sys.modules, "planted", raising=False)  # other tests have a module of that name
    plugin = Plugin("planted", "planted", "dlkit-planted", "1.1")
    assert read_record(plugin) is None
    file = project / f"planted.{FILE}"
    write_record(file, {"planted": Record("gold", "1.1", __version__, {"model-exports": "…"}, hash_of(file))})
    found = read_record(plugin)
    assert found is not None and found.words(plugin) == "gold" and found.stale(plugin) == ""
    assert found.words(replace(plugin, version="1.2")) == "gold (of 1.1)"
    assert replace(found, kit="0.0.1").words(plugin) == "gold (by the kit of 0.0.1)"
    (project / "planted.py").write_text(f"{DEADLY}# another line")
    assert found.words(plugin) == "gold (before it was changed)"
    (project / f"planted.{FILE}").write_text('{"planted": {"tier": "platinum"}, "b": 3}')
    assert read_file(project / f"planted.{FILE}") == {} and read_record(plugin) is None


def notes(folder: Path, text: str) -> Notes:
    (folder / "check.toml").write_text(text)
    return read_notes(folder / "check.toml", rule_names())


def test_notes_are_merged_in_their_order_and_know_their_folder(tmp_path: Path) -> None:
    found = notes(
        tmp_path,
        '[[small]]\nmodel = {name = "a", width = 3}\ndataset = {path = "{here}/x.csv"}\n'
        '[[small]]\ntask = "t"\nwhen = {model = "b"}\nmodel = {depth = 1}\nstated = {overfit_loss = 0.1}\n',
    )
    first, second = found.small
    assert second.fits("t", {"model": "b"}) and not second.fits("t", {"model": "a"})
    assert not second.fits("u", {"model": "b"})
    sections, stated = merged([first, second])
    assert sections["model"] == {"name": "a", "width": 3, "depth": 1} and stated == {"overfit_loss": 0.1}
    assert sections["dataset"] == {"path": f"{tmp_path}/x.csv"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[exempt]]\nrule = "model-export"\nwhy = "It has no words for it."', "did you mean 'model-exports'"),
        ('[[exempt]]\nrule = "model-exports"\nwhy = "no"', "must say, in a sentence, why"),
        ("[[small]]\nmodle = {}", "unknown key 'modle': did you mean 'model'"),
        ("small = 3", r"is written \[\[small\]\]"),
        ("[small\nx", "line 1"),
    ],
)
def test_notes_that_are_wrong_are_named(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        notes(tmp_path, text)

"""A correct plugin keeps every rule; each of its mutants is caught by the rule that names its fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dlkit.testing.finding import Skipped
from dlkit.testing.rules import find_rule, rule_names
from mutants.faults import FAULTS, Fault
from mutants.planting import KINDS, caught, component, planted, source_of, uprooted

GROUPS = ("options", "data", "model", "loss", "learning", "engine", "metrics", "samples", "predictor", "robust")
RULES = [name for name in rule_names() if name.partition("-")[0] in GROUPS and name != "engine-builds"]
NOWHERE = {"model-on-gpu"}
"""Rules that cannot look on every machine."""
FIRST = {fault.rule: fault.what for fault in reversed(FAULTS)}
"""One fault a rule: what the default suite plants."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    uprooted(tmp_path)


def _marked(fault: Fault) -> object:
    quick = FIRST[fault.rule] == fault.what and find_rule(fault.rule).quick
    return pytest.param(fault, marks=() if quick else pytest.mark.slow, id=f"{fault.rule}: {fault.what}")


@pytest.mark.parametrize("fault", [_marked(fault) for fault in FAULTS])
def test_a_fault_is_caught_by_the_rule_that_names_it(fault: Fault, folder: Path) -> None:
    found = caught(planted(folder, fault), fault.rule)
    assert found, f"{fault.rule} does not see: {fault.what}"
    assert all(finding.seen and finding.right for finding in found)


def _broken(folder: Path, *, quick: bool) -> list[str]:
    """What rules say of the sound plugin, and those that had nothing to look at."""
    subject, told = planted(folder, quick=quick), []
    for rule in map(find_rule, RULES):
        for kind in [kind for kind in KINDS if kind in rule.kinds and (rule.quick or not quick)]:
            try:
                told += [f"{rule.name}, {kind}: {found}" for found in rule.check(component(subject, kind))]
            except Skipped as skipped:
                if rule.name not in NOWHERE:
                    told.append(f"{rule.name}, {kind}, skipped: {skipped}")
    return told


def test_a_sound_plugin_keeps_every_rule(folder: Path) -> None:
    assert _broken(folder, quick=True) == []


@pytest.mark.slow
def test_a_sound_plugin_keeps_every_rule_looked_at_wholly(folder: Path) -> None:
    assert _broken(folder, quick=False) == []


def test_every_rule_has_a_fault_and_every_fault_is_one() -> None:
    assert {fault.rule for fault in FAULTS} == set(RULES) - NOWHERE
    assert len({source_of(fault) for fault in FAULTS}) == len(FAULTS) >= 40

"""Faults of a plugin's loading: each is found by the rule that names it, and by no other; the sound one has none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dlkit.catalog import Catalog
from dlkit.testing.finding import Skipped
from dlkit.testing.package import Package
from dlkit.testing.rules import find_rule, rule_names
from dlkit.testing.subject import Subject
from installed import install_metadata

RULES = [name for name in rule_names() if name.startswith("loading-") and not find_rule(name).kinds]
HOOKS = """
from dlkit import ModelSpec, hookimpl

{line}

@hookimpl
def dlkit_models():
    return [ModelSpec(name="{name}", task="planted", summary="{summary}", target="planted_model:build",
                      config="planted_options:Options")]
"""
OPTIONS = """
from dlkit.config import Config

class Options(Config):
    '''None.'''
"""
FAULTS = {
    "loading-works": {"line": "1 / 0"},
    "loading-is-silent": {"line": "print('loaded')"},
    "loading-is-light": {"line": "import sys, types\nsys.modules['scipy'] = types.ModuleType('scipy')"},
    "loading-is-fast": {"line": "total = sum(range(60_000_000))"},
    "loading-touches-no-files": {"line": "open('planted.txt', 'w').close()"},
    "loading-uses-no-network": {
        "line": "import contextlib, socket\nwith contextlib.suppress(OSError):\n"
        "    socket.create_connection(('127.0.0.1', 9), 0.05).close()"
    },
    "loading-starts-nothing": {
        "line": "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()"
    },
    "loading-leaves-the-process-alone": {"line": "import os\nos.environ['PLANTED'] = '1'"},
    "loading-names-itself": {"summary": "Steep"},
    "loading-names-are-free": {"line": "dlkit_models_ = 1", "name": "taken"},
    "loading-options-without-torch": {
        "options": "import sys, types\nsys.modules['scipy'] = types.ModuleType('scipy')\n"
    },
}
"""By the rule that must find it."""


def planted(folder: Path, monkeypatch: pytest.MonkeyPatch, fault: dict[str, str]) -> Subject:
    """A plugin with the fault, beside one that has the name ``taken`` before it."""
    sound = {"line": "", "name": "steep", "summary": "A model that is planted for a test"}
    for plugin in ("planted", "first"):
        values = {**sound, **(fault if plugin == "planted" else {"name": "taken"})}
        (folder / f"{plugin}.py").write_text(HOOKS.format(**values))
        install_metadata(folder, f"dlkit-{plugin}", plugin, plugin)
    (folder / "planted_options.py").write_text(fault.get("options", "") + OPTIONS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")])))
    package = Package("dlkit-planted", "1.0", {"planted": "planted"})
    return Subject(package, Catalog([]), folder / "scratch")


def found(subject: Subject) -> set[str]:
    broken = set()
    for rule in map(find_rule, RULES):
        try:
            if list(rule.check(subject)):
                broken.add(rule.name)
        except Skipped:
            continue
    return broken


def test_every_rule_has_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert FAULTS.keys() == set(RULES)
    assert found(planted(tmp_path, monkeypatch, {})) == set()


@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_is_found_by_its_rule_alone(rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(planted(tmp_path, monkeypatch, FAULTS[rule])) == {rule}

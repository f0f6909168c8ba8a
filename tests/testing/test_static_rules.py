"""Rules that read files, or look at a plugin while it loads: each finds what it is about, nothing in a sound one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlkit.errors import UsageError
from dlkit.testing.check import Check
from dlkit.testing.finding import Finding
from dlkit.testing.package import package_at
from dlkit.testing.rules import find_rule, rule_names

OUTSIDE = [name for name in rule_names() if name.startswith(("package-", "loading-")) and not find_rule(name).kinds]
PROJECT = """
[project]
name = "dlkit-planted"
version = "1.0"
description = "A plugin for tests"
readme = "README.md"
license = "MIT"
requires-python = ">=3.11"
dependencies = ["dlkit>=0.1,<1"]

[project.entry-points.dlkit]
planted = "dlkit_planted.plugin"
"""
PLUGIN = """
from dlkit import ModelSpec, hookimpl

@hookimpl
def dlkit_models():
    return [ModelSpec(name="planted", task="toy", summary="one layer more than the others",
                      config="dlkit_planted.options:Options", target="dlkit_planted.models:build")]
"""
OPTIONS = "from dlkit.config import Config\n\nclass Options(Config):\n    'None.'\n"
MODELS = "def build(config, info):\n    raise NotImplementedError\n"
SPIN = "import time\nend = time.thread_time() + 0.7\nwhile time.thread_time() < end: sum(range(99))"
DIAL = "import socket\ntry: socket.create_connection(('127.0.0.1', 9), 1)\nexcept OSError: pass"
THREAD = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), name='mine').start()"
DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
GONE = "gone"
"""Of a file that is left out."""
FILES = {
    "pyproject.toml": PROJECT, "README.md": "# It is", "dlkit_planted/__init__.py": "", "dlkit_planted/py.typed": "",
    "dlkit_planted/plugin.py": PLUGIN, "dlkit_planted/options.py": OPTIONS, "dlkit_planted/models.py": MODELS,
}  # fmt: skip
OVERRIDE = """
from dlkit.testing.contracts import ModelContract

class TestPlanted(ModelContract):
    plugin, component = "planted", "planted"

    def test_engine_builds(self, subject):
        pass
"""
Faults = Callable[[dict[str, str], "list[str]"], dict[str, list[Finding]]]


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    """What the rules, by name, find in a project of these files over the sound one's."""

    def look(changed: dict[str, str], rules: list[str]) -> dict[str, list[Finding]]:
        for name, text in {**FILES, **changed}.items():
            if text == GONE:
                continue
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        looks = Check(package_at(tmp_path), rules).looks()
        return {look.rule.name: [*look.findings] for look in looks if look.state == "broken"}

    return look


def project(old: str, new: str) -> dict[str, str]:
    assert old in PROJECT
    return {"pyproject.toml": PROJECT.replace(old, new)}


def before(code: str) -> dict[str, str]:
    """The plugin with a line at its head."""
    return {"dlkit_planted/plugin.py": f"{code}\n{PLUGIN}"}


def declared(old: str, new: str) -> dict[str, str]:
    assert old in PLUGIN
    return {"dlkit_planted/plugin.py": PLUGIN.replace(old, new)}


FAULTS = [
    ("package-has-metadata", project('description = "A plugin for tests"\n', ""), "no description"),
    ("package-licensed", project('license = "MIT"\n', ""), "no licence"),
    ("package-versioned", project('version = "1.0"', 'version = "one"'), "'one'"),
    ("package-bounds-dlkit", project("dlkit>=0.1,<1", "dlkit>=0.1"), "no upper bound"),
    ("package-bounds-dlkit", project('"dlkit>=0.1,<1"', '"dlkit-other>=1"'), "not among the dependencies"),
    ("package-entry-points-found", project("planted.plugin", "planted.plugins"), "no module dlkit_planted.plugins"),
    ("package-entry-points-found", project("planted = ", '"Planted it" = '), "'Planted it'"),
    ("package-found-by-name", project('"dlkit-planted"', '"planted"'), "'planted'"),
    ("package-typed", {"dlkit_planted/py.typed": GONE}, "no py.typed"),
    ("package-uses-the-public", before("from dlkit.catalog import _load"), "_load of dlkit.catalog"),
    ("package-uses-the-public", {"dlkit_planted/more.py": "import dlkit_points.options"}, "does not depend on"),
    ("package-keeps-standard-tests", {"tests/test_planted.py": OVERRIDE}, "TestPlanted.test_engine_builds"),
    ("loading-works", before("raise SystemExit(3)"), "3"),
    ("loading-works", before("import os; os.kill(os.getpid(), 11)"), "signal 11"),
    ("loading-works", declared("def dlkit_models", "def dlkit_modles"), "dlkit_modles"),
    ("loading-works", {"dlkit_planted/plugin.py": ""}, "offers nothing"),
    ("loading-is-fast", before(SPIN), " s "),
    ("loading-is-light", before("import sys, types\nsys.modules['sklearn'] = types.ModuleType('sklearn')"), "sklearn"),
    ("loading-options-without-torch", {"dlkit_planted/options.py": f"import torch\n{OPTIONS}"}, "torch"),
    ("loading-is-silent", before("print('here I am')"), "here I am"),
    ("loading-is-silent", before("import os; os.write(2, b'loud')"), "loud"),
    ("loading-touches-no-files", before("open('trace', 'w').close()"), "trace"),
    ("loading-touches-no-files", before("from pathlib import Path; Path('cache').mkdir()"), "mkdir cache"),
    ("loading-uses-no-network", before(DIAL), "127.0.0.1"),
    ("loading-starts-nothing", before(THREAD), "thread mine"),
    ("loading-starts-nothing", before("import subprocess; subprocess.run(['true'])"), "subprocess.Popen"),
    ("loading-leaves-the-process-alone", before("import os; os.environ['PLANTED'] = '1'"), "the environment"),
    ("loading-leaves-the-process-alone", before(DEAF), "signal handlers"),
    ("loading-names-are-free", declared('name="planted", task="toy"', 'name="mlp", task="points"'), "already offered"),
    ("loading-names-itself", declared("one layer more than the others", "Planted."), "repeats the name"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "changed", "seen"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_fault_is_found_by_the_rule_that_names_it(
    rule: str, changed: dict[str, str], seen: str, faults: Faults
) -> None:
    found = faults(changed, [rule])
    assert any(seen in finding.seen for finding in found[rule]), found


def test_a_sound_project_that_is_not_installed_breaks_no_rule(faults: Faults) -> None:
    assert faults({}, OUTSIDE) == {}


def test_every_rule_of_files_and_loading_has_a_fault_that_it_finds() -> None:
    assert {rule for rule, *_ in FAULTS} == set(OUTSIDE)


def test_an_override_with_a_reason_is_none(faults: Faults) -> None:
    marked = OVERRIDE.replace("    def test", '    @pytest.mark.xfail(reason="not yet")\n    def test')
    assert faults({"tests/test_planted.py": marked}, ["package-keeps-standard-tests"]) == {}
    silent = marked.replace('reason="not yet"', "")
    assert "package-keeps-standard-tests" in faults({"tests/test_planted.py": silent}, ["package-keeps-standard-tests"])


def test_a_folder_that_is_no_project_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no pyproject\.toml there"):
        package_at(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(UsageError, match="no entry point of the group dlkit"):
        package_at(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project\n")
    with pytest.raises(UsageError, match="line 1"):
        package_at(tmp_path)

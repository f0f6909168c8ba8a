"""``dlkit service``: what is said before anything is done, what cannot be, and what stands there afterwards."""

from __future__ import annotations

import json
import os
import plistlib
from pathlib import Path

import pytest

from dlkit.jobs.service import managers
from dlkit.jobs.service.launchd import Launchd
from dlkit.jobs.service.memory import Memory
from dlkit.jobs.service.systemd import Systemd
from dlkit.jobs.service.unit import unit_of
from schemas import check


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return tmp_path / "home"


def test_a_dry_run_shows_the_unit_and_makes_nothing(dlkit, tmp_path, home):
    found = dlkit("service", "install", "--dry-run", "--workspace", tmp_path / "w")
    assert found.code == 0 and found.out.startswith("# Written by `dlkit service install`")
    assert f"would write {home}/.config/systemd/user/dlkit-w-" in found.err and "systemctl --user enable" in found.err
    plan = dlkit("service", "install", "--dry-run", "--json", "--workspace", tmp_path / "w").json
    check("service-plan", plan)
    assert plan["text"] == found.out and not home.exists() and not (tmp_path / "w").exists()


def test_without_a_service_manager_it_says_what_does_the_same(dlkit, tmp_path, home, monkeypatch):
    monkeypatch.setattr(Systemd, "missing", lambda self: "this machine is not run by systemd")
    (tmp_path / "50%").mkdir()
    found = dlkit("service", "install", "--workspace", tmp_path / "50%")
    assert found.code == 1 and "this machine is not run by systemd" in found.err
    line = found.err.splitlines()[-1]
    assert line.startswith("  @reboot env ") and line.endswith("50\\%") and "dlkit.jobs.service" in line
    assert not home.exists() and [*(tmp_path / "50%").iterdir()] == []
    assert dlkit("service", "install", "--workspace", tmp_path / "none").code == 2
    nothing = dlkit("service", "uninstall", "--workspace", tmp_path / "50%")
    assert nothing.code == 2 and "no service is installed" in nothing.err


def test_what_is_installed_and_what_it_left_is_said(dlkit, tmp_path, home):
    assert "dlkit service install" in dlkit("service", "status", "--workspace", tmp_path).out
    unit = unit_of(tmp_path)
    path = Systemd().path(unit)
    path.parent.mkdir(parents=True)
    path.write_bytes(Systemd().text(unit._replace(environment={"PATH": "another shell's"})))
    Memory(tmp_path, left={"some-run": "it was paused"}).write()
    where = ("--workspace", tmp_path)
    found = dlkit("service", "status", *where)
    assert f"{unit.name}: installed, not running now" in found.out and "written for another" not in found.out
    assert "it does not start by itself" in found.out and "left: some-run: it was paused" in found.out
    check("service", dlkit("service", "status", *where, "--json").json)
    path.write_bytes(Systemd().text(unit._replace(command=["/gone/python"])))
    assert "written for another Python" in dlkit("service", "status", *where).out
    plan = dlkit("service", "uninstall", "--dry-run", *where)
    assert path.exists() and f"would delete {path}" in plan.err and plan.out == ""
    assert dlkit("service", "uninstall", *where).code == 0
    assert not path.exists() and not (tmp_path / "service.json").exists()


def test_on_macos(dlkit, tmp_path, home, monkeypatch):
    monkeypatch.setattr(managers.sys, "platform", "darwin")
    plan = dlkit("service", "install", "--dry-run", "--json", "--workspace", tmp_path).json
    told = plistlib.loads(plan["text"].encode())
    assert plan["path"] == f"{home}/Library/LaunchAgents/{told['Label']}.plist"
    assert plan["commands"] == [["launchctl", "bootstrap", f"gui/{os.getuid()}", plan["path"]]]
    assert isinstance(managers.manager(), Launchd)


def test_the_list_begins_with_what_is_going(dlkit, tmp_path, home, monkeypatch):
    """Where the file cannot be made known, nothing of it stays."""
    monkeypatch.setattr(Systemd, "missing", lambda self: "")
    monkeypatch.setattr(Systemd, "commands_to_install", lambda self, unit: [["false"]])
    (tmp_path / "w").mkdir()
    found = dlkit("service", "install", "--workspace", tmp_path / "w")
    assert found.code == 1 and "false: exit code 1" in found.err
    assert not Systemd().path(unit_of(tmp_path / "w")).exists()
    told = json.loads((tmp_path / "w" / "service.json").read_text())
    assert told["going"] == {} and told["seen"] > 0
    monkeypatch.setattr(Systemd, "commands_to_install", lambda self, unit: [["true"]])
    assert "loginctl enable-linger" in dlkit("service", "install", "--workspace", tmp_path / "w").err
    assert Systemd().path(unit_of(tmp_path / "w")).stat().st_mode & 0o777 == 0o600


def test_usage(dlkit):
    assert dlkit("service").out.startswith("usage: dlkit service install") and dlkit("service").code == 0
    assert dlkit("service", "nonsense").code == 2
    assert "nonsense" in dlkit("service", "nonsense", "--help").err

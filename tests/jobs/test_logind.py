"""What becomes of a user's processes at logout, by the files of the login manager."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from dlkit.cli.machine import logout_problems
from dlkit.jobs.logind import Logout, at_logout, outside_of_login

ME = pwd.getpwuid(os.getuid()).pw_name
YES = "[Login]\nKillUserProcesses=yes\nKillExcludeUsers=nobody\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A system that systemd runs."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    return tmp_path


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_nothing_is_killed_unless_somebody_says_so(root: Path) -> None:
    assert at_logout(root) == Logout(kills=False, lingers=False)
    write(root, "etc/systemd/logind.conf", "[Login]\n#KillUserProcesses=yes\n[Other]\nKillUserProcesses=yes\n")
    assert not at_logout(root).kills


def test_a_drop_in_says_so_and_the_last_word_holds(root: Path) -> None:
    write(root, "etc/systemd/logind.conf", YES.replace("yes", "no"))
    strict = write(root, "usr/lib/systemd/logind.conf.d/50-strict.conf", "[Login]\n KillUserProcesses = ON \n")
    assert at_logout(root) == Logout(kills=True, lingers=False, said_in=str(strict))
    write(root, "etc/systemd/logind.conf.d/60-mild.conf", "[Login]\nKillUserProcesses=0\n")
    assert not at_logout(root).kills
    (root / "etc/systemd/logind.conf.d/60-mild.conf").unlink()
    masked = root / "etc/systemd/logind.conf.d/50-strict.conf"
    masked.parent.mkdir(exist_ok=True)
    masked.symlink_to("/dev/null")
    assert not at_logout(root).kills


@pytest.mark.parametrize(
    ("more", "kills"),
    [
        ("", True),
        (f"KillExcludeUsers=root {ME}\n", False),
        ("KillOnlyUsers=somebody else\n", False),
        (f"KillOnlyUsers=somebody {ME}\n", True),
    ],
)
def test_users_may_be_spared(root: Path, more: str, kills: bool) -> None:
    write(root, "etc/systemd/logind.conf", YES + more)
    assert at_logout(root).kills is kills


def test_doctor_says_the_one_command(root: Path) -> None:
    path = write(root, "etc/systemd/logind.conf", YES)
    (found,) = logout_problems(at_logout(root))
    assert str(path) in found["what"] and found["hint"].startswith("loginctl enable-linger:")
    assert not found["stops_training"]
    write(root, f"var/lib/systemd/linger/{ME}", "")
    assert at_logout(root) == Logout(kills=True, lingers=True, said_in=str(path)) and not logout_problems(
        at_logout(root)
    )


def test_a_machine_without_systemd_kills_nobody(tmp_path: Path) -> None:
    write(tmp_path, "etc/systemd/logind.conf", YES)
    assert not at_logout(tmp_path).kills


def test_a_process_stays_where_it_is_where_nothing_would_end_it() -> None:
    if not at_logout().kills:
        assert outside_of_login() == ()

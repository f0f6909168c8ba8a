"""What the login manager of systemd does with a user's processes at logout, and how to have them outlive it.

With ``KillUserProcesses=yes`` it ends whatever was started in a login session, in a session of its own too (setsid):
jobs, schedulers, tmux. What the user's own service manager runs stays as long as that does: until the last logout, or,
where the user may linger, until the machine goes down (logind.conf(5), loginctl(1)).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/")
_FOLDERS = ("etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd", "lib/systemd")
"""Where logind.conf and its drop-ins may lie, the strongest first."""
_LIMIT = 1 << 16
_TRUE = ("1", "yes", "y", "true", "t", "on")
_SCOPE = ("systemd-run", "--user", "--scope", "--quiet", "--collect")
_SECONDS = 5.0


class Logout(NamedTuple):
    """``kills``: processes of this user end with their login; ``said_in``: the file that says so, or empty.

    ``lingers``: the user's service manager outlives logins.
    """

    kills: bool
    lingers: bool
    said_in: str = ""


def at_logout(root: Path = ROOT) -> Logout:
    """What becomes of this user's processes; nothing is killed where systemd does not run the machine."""
    name = _user()
    lingers = (root / "var/lib/systemd/linger" / name).exists()
    if not (root / "run/systemd/system").is_dir():
        return Logout(kills=False, lingers=lingers)
    told = dict(_settings(root))
    value, file = told.get("KillUserProcesses", ("no", ""))
    only, _ = told.get("KillOnlyUsers", ("", ""))
    spared, _ = told.get("KillExcludeUsers", ("root", ""))
    meant = name not in spared.split() and (not only.split() or name in only.split())
    kills = meant and value.lower() in _TRUE
    return Logout(kills, lingers, file if kills else "")


def outside_of_login() -> Sequence[str]:
    """Words before a command line that have it outlive the login; none where nothing would end it.

    ``systemd-run --scope`` moves itself out of the login's group, and becomes the command: the process stays the same.
    """
    logout = at_logout()
    # The user's manager ends with the last login where it does not linger, and would take the job along all the same.
    return _SCOPE if logout.kills and logout.lingers and _answers() else ()


@cache
def _answers() -> bool:
    """Whether the user's service manager takes commands: not after su, or in a container."""
    try:
        found = subprocess.run([*_SCOPE, "true"], capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.returncode == 0


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # no such user in the system's list
        return str(os.getuid())


def _settings(root: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """What ``[Login]`` says, in order, so that the last is what holds: each key's value and the file that has it."""
    for path in _files(root):
        section = ""
        for line in _lines(path):
            if line.startswith("["):
                section = line
            elif section == "[Login]" and not line.startswith(("#", ";")) and "=" in line:
                key, _, value = line.partition("=")
                yield key.strip(), (value.strip(), str(path))


def _files(root: Path) -> list[Path]:
    """The main file, then drop-ins by name; of one name the strongest folder's."""
    folders = [root / folder for folder in _FOLDERS]
    main = [folder / "logind.conf" for folder in folders if (folder / "logind.conf").exists()][:1]
    drop_ins: dict[str, Path] = {}
    for folder in folders:
        for path in folder.glob("logind.conf.d/*.conf"):
            drop_ins.setdefault(path.name, path)
    return [*main, *(drop_ins[name] for name in sorted(drop_ins))]


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            return [line.strip() for line in file.read(_LIMIT).decode(errors="replace").splitlines()]
    except OSError:  # it may not be read, or has just gone
        return []

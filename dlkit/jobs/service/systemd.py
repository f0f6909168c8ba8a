"""The user's service manager of systemd: units in ~/.config/systemd/user (systemd.service(5), systemd.exec(5))."""

from __future__ import annotations

import os
from pathlib import Path

from dlkit.jobs.service.unit import RESTART_SECONDS, Manager, Unit, answer

_BOOTED = Path("/run/systemd/system")
"""There where systemd runs the machine (sd_booted(3))."""

_TEXT = """# Written by `dlkit service install`, which writes it anew; `dlkit service uninstall` takes it away.
[Unit]
Description=dlkit: jobs of {description}
# Tried again for ever: its workspace may lie on a disk that comes later.
StartLimitIntervalSec=0

[Service]
ExecStart={command}
{environment}
Restart=on-failure
RestartSec={seconds}
# Jobs live in processes of their own, and outlive what started them: neither a restart of this unit
# nor one of them that is killed for memory may end the others.
KillMode=process
OOMPolicy=continue

[Install]
WantedBy=default.target
"""


class Systemd(Manager):
    kind = "systemd"

    def path(self, unit: Unit) -> Path:
        chosen = os.environ.get("XDG_CONFIG_HOME")
        folder = Path(chosen) if chosen else Path.home() / ".config"
        return folder / "systemd" / "user" / f"{unit.name}.service"

    def text(self, unit: Unit) -> bytes:
        program, *words = unit.command
        # A value that is no UTF-8 it would pass over; where a workspace is, the command says as well.
        told = {key: value for key, value in unit.environment.items() if _is_unicode(value)}
        lines = [f"Environment={quoted(f'{key}={value}')}" for key, value in sorted(told.items())]
        command = " ".join([_program(program), *(quoted(word).replace("$", "$$") for word in words)])
        text = _TEXT.format(
            description=_plain(str(unit.workspace)),
            command=command,
            environment="\n".join(lines),
            seconds=RESTART_SECONDS,
        )
        return text.encode("ascii")

    def lasting(self, text: bytes) -> object:
        return [line for line in text.splitlines() if not line.startswith(b"Environment=")]

    def missing(self) -> str:
        if not _BOOTED.is_dir():
            return "this machine is not run by systemd"
        code, words = answer(["systemctl", "--user", "show-environment"])
        if code:
            return f"your service manager does not answer ({words}): log in as yourself, not by su or sudo"
        return ""

    def commands_to_install(self, unit: Unit) -> list[list[str]]:
        # restart, not start: of one that is there it takes what was written anew; its jobs go on.
        return [
            ["systemctl", "--user", "daemon-reload"],
            ["systemctl", "--user", "enable", f"{unit.name}.service"],
            ["systemctl", "--user", "restart", f"{unit.name}.service"],
        ]

    def commands_to_remove(self, unit: Unit) -> list[list[str]]:
        return [["systemctl", "--user", "disable", "--now", f"{unit.name}.service"]]

    def starts(self, unit: Unit) -> bool:
        wants = self.path(unit).parent / "default.target.wants"
        return (wants / f"{unit.name}.service").exists()


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def quoted(word: str) -> str:
    r"""A word as a unit's file has it: in quotes, ``%`` doubled, and what is no plain letter as ``\xHH``, byte by byte.

    In a command ``$`` is doubled besides, in an environment it means itself.
    """
    return f'"{_escaped(word)}"'


def _program(path: str) -> str:
    """The program of a command: systemd replaces variables in its words, and not in its path."""
    if "$" not in path:
        return quoted(path)
    # @: the next word is the name it is called by. Python finds its environment by that.
    return f"{quoted(f'@{path}')} {quoted(path).replace('$', '$$')}"


def _escaped(word: str) -> str:
    letters = []
    for byte in os.fsencode(word):
        letter = chr(byte)
        if letter in '"\\':
            letters.append(f"\\{letter}")
        elif letter == "%":
            letters.append("%%")
        elif " " <= letter <= "~":
            letters.append(letter)
        else:
            letters.append(f"\\x{byte:02x}")
    return "".join(letters)


def _plain(text: str) -> str:
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text).replace("%", "%%").replace("\\", "/")

"""macOS's launchd: agents in ~/Library/LaunchAgents (launchd.plist(5)), which start when their user logs in."""

from __future__ import annotations

import os
import plistlib
from pathlib import Path
from xml.parsers.expat import ExpatError

from dlkit.errors import UsageError
from dlkit.jobs.queue import log_of
from dlkit.jobs.service.unit import RESTART_SECONDS, Manager, Unit, answer


class Launchd(Manager):
    kind = "launchd"

    def path(self, unit: Unit) -> Path:
        return Path.home() / "Library" / "LaunchAgents" / f"{unit.name}.plist"

    def text(self, unit: Unit) -> bytes:
        log = str(log_of(unit.workspace))
        told = {
            "Label": unit.name,
            "ProgramArguments": list(unit.command),
            "EnvironmentVariables": dict(sorted(unit.environment.items())),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": RESTART_SECONDS,
            # Jobs live in processes of their own, and outlive what started them.
            "AbandonProcessGroup": True,
            "StandardOutPath": log,
            "StandardErrorPath": log,
        }
        try:
            return plistlib.dumps(told)
        except ValueError as error:
            raise UsageError(f"{unit.workspace}: a property list has no such letters: {error}") from error

    def lasting(self, text: bytes) -> object:
        try:
            return {**plistlib.loads(text), "EnvironmentVariables": {}}
        except (plistlib.InvalidFileException, ValueError, ExpatError):  # somebody has edited it
            return None

    def missing(self) -> str:
        code, words = answer(["launchctl", "print", _domain()])
        return f"launchd does not answer ({words}): log in at the machine's own screen once" if code else ""

    def commands_to_install(self, unit: Unit) -> list[list[str]]:
        load = ["launchctl", "bootstrap", _domain(), str(self.path(unit))]
        return [*([["launchctl", "bootout", f"{_domain()}/{unit.name}"]] if self.starts(unit) else []), load]

    def commands_to_remove(self, unit: Unit) -> list[list[str]]:
        return [["launchctl", "bootout", f"{_domain()}/{unit.name}"]] if self.starts(unit) else []

    def starts(self, unit: Unit) -> bool:
        return answer(["launchctl", "print", f"{_domain()}/{unit.name}"])[0] == 0


def _domain() -> str:
    return f"gui/{os.getuid()}"

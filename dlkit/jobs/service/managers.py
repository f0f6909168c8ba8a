"""The service managers that there are, of which a system has one."""

from __future__ import annotations

import sys

from dlkit.jobs.service.launchd import Launchd
from dlkit.jobs.service.systemd import Systemd
from dlkit.jobs.service.unit import Manager


def manager() -> Manager:
    """This system's own."""
    return Launchd() if sys.platform == "darwin" else Systemd()

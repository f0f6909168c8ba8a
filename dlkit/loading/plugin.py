"""An installed plugin, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pluggy

from dlkit.components import Spec


@dataclass(frozen=True)
class Refused:
    """A component that its plugin cannot offer: another one has its name."""

    spec: Spec
    reason: str


@dataclass
class Plugin:
    """One installed plugin and what became of it.

    ``state`` is ``"found"`` (not imported yet), ``"ready"``, ``"slow"`` (works, took over 0.5 s to import),
    ``"broken"`` (see ``reason`` and ``traceback``) or ``"disabled"`` (by DLKIT_DISABLE, by the workspace's dlkit.toml,
    or in safe mode: see ``reason``). ``specs`` are what it offers, ``refused`` what it would offer besides. ``undone``
    is what it did to the process while it was imported, a line each, which has been undone.
    """

    name: str
    module: str
    distribution: str
    version: str
    state: str = "found"
    reason: str = ""
    traceback: str = ""
    seconds: float = 0.0
    specs: tuple[Spec, ...] = ()
    refused: tuple[Refused, ...] = ()
    undone: tuple[str, ...] = ()
    manager: pluggy.PluginManager | None = field(default=None, repr=False)

    @property
    def usable(self) -> bool:
        return self.state in ("ready", "slow")

    def broken(self, reason: str, traceback: str = "") -> None:
        """Nothing of it can be used."""
        self.state, self.reason, self.traceback = "broken", reason, traceback
        self.specs, self.manager = (), None

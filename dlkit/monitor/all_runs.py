"""All runs that an interface lists: those of its workspace, and those of the other machines that somebody has named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.errors import UsageError
from dlkit.folders import has_file, settings
from dlkit.monitor.pulse import Pulse
from dlkit.monitor.runs import Runs
from dlkit.runs.folder import RunFolder, Summary

if TYPE_CHECKING:
    from dlkit.remote.refreshing import Keeper, Keepers


class AllRuns:
    """``poll()``, called by one thread, gives all summaries, newest first, if any of them changed. Other machines are
    asked in threads of their own: none of them is waited for."""

    def __init__(self, workspace: Path) -> None:
        self._own = Runs(workspace)
        self._here: Sequence[Summary] = ()
        self._versions: Mapping[str, int] = {}
        self._keepers: Keepers | None = None
        self._told: dict[str, str] = {}
        self.trouble: list[str] = []
        """What has gone wrong, or is well again, since it was last emptied: lines for people."""

    @property
    def pulses(self) -> Mapping[str, Pulse]:
        """Of the runs that live here."""
        return self._own.pulses

    def open(self) -> list[str]:
        """Begin to ask the machines that there are; their names. None is imported where there is none."""
        if not has_file(settings(), "remotes.toml"):
            return []
        from dlkit.remote.defined import remotes
        from dlkit.remote.refreshing import Keepers

        try:
            there = remotes()
        except UsageError as error:
            self.trouble.append(str(error))
            return []
        self._keepers = Keepers()
        self._keepers.open(there)
        return list(there)

    def close(self) -> None:
        if self._keepers is not None:
            self._keepers.close()

    def watch(self, run: RunFolder) -> None:
        """Somebody looks at a run: of one that lies elsewhere the copy is kept up to date."""
        if self._keepers is not None:
            self._keepers.watch(run)

    def poll(self) -> Sequence[Summary] | None:
        own, keepers = self._own.poll(), list(self._keepers or ())
        versions = {keeper.remote.name: keeper.version for keeper in keepers}
        if own is None and versions == self._versions:
            return None
        self._here, self._versions = own if own is not None else self._here, versions
        for keeper in keepers:
            self._tell(keeper)
        if not keepers:
            return self._here
        found = [*self._here, *(run for keeper in keepers for run in keeper.runs)]
        return sorted(found, key=lambda run: (run.created, run.id), reverse=True)

    def _tell(self, keeper: Keeper) -> None:
        before, now = self._told.get(keeper.remote.name, ""), keeper.trouble
        if bool(before) != bool(now):  # that it goes on being away is in the list
            self.trouble.append(now or f"{keeper.remote.name}: heard again")
        self._told[keeper.remote.name] = now

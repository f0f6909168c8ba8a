"""What screens may ask of the app that shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from dlkit.catalog import Catalog
from dlkit.monitor.pulse import Pulse
from dlkit.runs.folder import RunFolder, Summary
from dlkit.tui.shared.poll import Poller

if TYPE_CHECKING:
    from dlkit.monitor.devices import Devices


class Host(App[None]):
    """``workspace`` need not exist. ``poller`` looks at it; ``catalog`` is None until the plugins are loaded;
    ``summaries`` are all runs as last seen, newest first. Screens that want to know have ``plugins_loaded()`` and
    ``runs_changed()``, called on those of the area that is shown.

    Screens know this class and no other screen: where they lead, they say by the ``open_…`` methods.
    """

    workspace: Path
    poller: Poller
    catalog: Catalog | None
    summaries: Sequence[Summary]
    pulses: Mapping[str, Pulse]
    """Of the runs that live, by id."""
    since: float
    """When this workspace was last looked at before this interface was opened, UTC seconds."""
    seen: set[str]
    """Ids of runs that were opened since."""
    touring: bool
    """Whether somebody has no run yet, or just made the first one, and is told which key comes next."""
    looked: bool
    """Whether the workspace has been looked at: an empty list of runs means that there are none."""

    @cached_property
    def devices(self) -> Devices:
        """What has been measured of the machine, by whichever screen shows some of it: one course for all."""
        from dlkit.monitor.devices import Devices

        return Devices()

    def open_machine(self) -> None:
        """The machine over the last minutes, in the queue's area."""
        raise NotImplementedError

    def open_launch(self, task: str, preset: str = "") -> None:
        """The form that starts a run of a task."""
        raise NotImplementedError

    def open_again(self, run: RunFolder, *, fork: bool = False) -> None:
        """The same form, filled from a run; ``fork``: to go on from one of its checkpoints."""
        raise NotImplementedError

    def open_studies(self) -> None:
        """The list of all studies."""
        raise NotImplementedError

    def open_run(self, run: RunFolder) -> None:
        """A run, in the runs' area."""
        raise NotImplementedError

    def open_compare(self, runs: list[RunFolder], by: str = "") -> None:
        """Runs side by side; ``by``: a setting that groups them, or ``BUT_SEED``."""
        raise NotImplementedError

    def open_playground(self, run: RunFolder) -> None:
        """Ask a run's model something."""
        raise NotImplementedError

    def write_keys(self) -> None:
        """A file with all binding ids and their keys, unless there is one."""
        raise NotImplementedError

    def save_picture(self) -> None:
        """This screen as an SVG file in the present folder."""
        raise NotImplementedError

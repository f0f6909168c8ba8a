"""What a run's folder says, read once for a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.errors import DlkitError, RunError
from dlkit.json_types import JsonObject
from dlkit.monitor.view import RunView
from dlkit.present.text import from_here
from dlkit.runs.contents import stored_values
from dlkit.runs.folder import RunFolder, Summary, summarise


@dataclass(frozen=True)
class Told:
    """``values`` are config.toml's, as they stand there."""

    run: RunFolder
    view: RunView
    summary: Summary
    values: Mapping[str, object]
    catalog: Catalog

    @property
    def called(self) -> str:
        """Its name, else its id."""
        return self.summary.name or self.run.id

    def of_summary(self, part: str) -> JsonObject:
        """A table of what the run's beginning says of ``model`` or ``data``; empty where it says nothing."""
        found = self.view.summary.get(part)
        return found if isinstance(found, dict) else {}

    @property
    def title(self) -> str:
        """The task's title; of a plugin that is gone its name."""
        try:
            return self.catalog.task(self.summary.task).title
        except DlkitError:
            return self.summary.task


def read(run: RunFolder, catalog: Catalog) -> Told:
    """RunError: run.json cannot be read, or a newer dlkit wrote it: nothing can be said of such a run."""
    summary = summarise(run)
    if summary.state == "damaged":
        raise RunError(f"{run.id} is damaged, and cannot be reported: {summary.reason}")
    if summary.state.endswith("(newer format)"):
        raise RunError(f"{run.id} was written by a newer dlkit: what its fields mean is not known here")
    view = RunView(run)
    view.poll()
    while view.behind:
        view.poll()
    return Told(run, view, summary, stored_values(run), catalog)


def setting(value: object) -> str:
    """A setting as people read it. Of a path, what would tell where its owner lives is left out."""
    if isinstance(value, bool):
        return "true" if value else "false"
    told = str(from_here(value))
    home = str(Path.home())
    return f"~{told.removeprefix(home)}" if isinstance(value, str) and told.startswith(f"{home}/") else told

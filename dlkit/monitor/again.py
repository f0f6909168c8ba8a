"""A run once more: the form, and the command line, that make it again. Runs code of plugins: call it from a thread."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.components import PARTS
from dlkit.config import SECTIONS, Resolved, fields_of
from dlkit.config_file import Typed, chosen
from dlkit.errors import DlkitError, UsageError
from dlkit.jobs.forking import as_trained
from dlkit.monitor.form import Fork, Form
from dlkit.monitor.form_check import check
from dlkit.monitor.form_fields import text_of
from dlkit.runs.checkpoints import complete
from dlkit.runs.folder import RunFolder
from dlkit.runs.stored import readable, stored_config


def form_again(catalog: Catalog, run: RunFolder) -> Form:
    """What somebody would choose and type to have a run of this very configuration, without its name.

    DlkitError: the run, or a component of it, cannot be read any more.
    """
    return _form_of(catalog, run, stored_config(catalog, run, readable(run)))


def form_of_fork(catalog: Catalog, run: RunFolder) -> Form:
    """What a run would be forked with if nothing were changed, from its last checkpoint; DlkitError as for
    ``form_again``, and where it has no checkpoint."""
    there = complete(run.path)
    if not there:
        raise UsageError(f"{run.id} has no checkpoint yet: there is no state to begin with")
    form = _form_of(catalog, run, as_trained(catalog, there[-1]))
    return replace(form, fork=Fork(run, tuple(checkpoint.step for checkpoint in there)))


def _form_of(catalog: Catalog, run: RunFolder, resolved: Resolved) -> Form:
    names, settings = _names(catalog, resolved), dict[str, str]()
    values = resolved.values()
    for section in SECTIONS:
        for info in fields_of(type(resolved.sections[section])):
            value = values[section].get(info.name)
            if value is not None:  # none is what an option is that nobody gives; no text says so
                settings[f"{section}.{info.name}"] = text_of(info.schema, value)
    form = Form(resolved.task.name, names=names, settings=settings)
    changed = {field.key for field in check(form, catalog, run.path.parent.parent).fields() if field.changed}
    return replace(form, settings={key: text for key, text in settings.items() if key in changed})


def train_line(catalog: Catalog, run: RunFolder, tool: str) -> str:
    """The command line that trains it again; DlkitError as for ``form_again``."""
    workspace = run.path.parent.parent if run.path.parent.name == "runs" else Path()
    checked = check(form_again(catalog, run), catalog, workspace)
    return checked.command(workspace, tool=tool, here=True)


def _names(catalog: Catalog, resolved: Resolved) -> dict[str, str]:
    """The components that must be named: the others follow from those, as they do where a run is started."""
    wanted = {part: resolved.specs[part].name for part in (*PARTS, "launcher")}
    names: dict[str, str] = {}
    for _ in wanted:
        try:
            found = chosen(catalog, resolved.task.name, Typed(names=names, settings=_processes(resolved)))[1]
        except DlkitError:  # what one would follow from is not there: all are named
            return wanted
        other = next((part for part, name in wanted.items() if found.get(part, name) != name), None)
        if other is None:
            break
        names[other] = wanted[other]
    return names


def _processes(resolved: Resolved) -> list[tuple[str, str | None]]:
    """How many processes there are decides what starts them."""
    return [("job.nproc", str(resolved.job.nproc))] if resolved.job.nproc > 1 else []

"""Which components a run is put together from: what somebody named, and what follows from that for the rest.

Lists and forms ask here too, so that all of them mean the same by a task's defaults; without pydantic, since a list of
tasks needs no options.
"""

from __future__ import annotations

from collections.abc import Mapping

from dlkit.catalog import Catalog
from dlkit.components import PARTS, Spec, TaskSpec
from dlkit.errors import DlkitError


def completed(catalog: Catalog, task: TaskSpec, named: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Of every part (``PARTS``), the component and who chose what is not ``named``: the chosen model or data set, else
    the task. PluginError, UsageError: a component that would have a say is not there."""
    names = dict(named)
    found: dict[str, tuple[str, str]] = {}
    for part in PARTS:  # the data set first: it may suggest the model, which may want a loss and a trainer
        if part in names:
            continue
        found[part] = task.defaults[part], f"task {task.name}"
        for kind in ("dataset", "model"):
            wanted = _wanted(catalog.find(kind, names[kind], task.name), part, names) if kind in names else None
            if wanted is not None:
                found[part] = wanted, f"{kind} {names[kind]}"
        names[part] = found[part][0]
    return found


def _wanted(spec: Spec, part: str, names: Mapping[str, str]) -> str | None:
    """The component of another part that a component wants beside it; None: it does not mind."""
    wanted: str | None = getattr(spec, "defaults", {}).get(part)
    for suggest in spec.suggest:
        if part in suggest.settings and applies(suggest.when, names):
            wanted = suggest.settings[part]
    return wanted


def applies(when: Mapping[str, str], names: Mapping[str, str]) -> bool:
    """Whether a suggestion's condition holds of the chosen components."""
    return all(names.get(part) == name for part, name in when.items())


def usual(catalog: Catalog, task: TaskSpec) -> dict[str, str]:
    """The components of a run of which nothing else is asked, by part; the task's own defaults, where a component that
    would have a say is not there."""
    try:
        return {part: name for part, (name, _) in completed(catalog, task, {"launcher": "local"}).items()}
    except DlkitError:
        return dict(task.defaults)

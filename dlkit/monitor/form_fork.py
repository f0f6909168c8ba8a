"""The launch form as one that forks: each field says how it fits the state that goes on (``again`` fills it).

Runs code of plugins: call it from a thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.config import CHOICES, SECTIONS, Fit, Layer, Resolved
from dlkit.errors import DlkitError, UsageError
from dlkit.jobs.forkable import Change, fits, why_not
from dlkit.jobs.forking import Plan, changes_of, hand_over_fork, plan
from dlkit.jobs.handover import HandedOver
from dlkit.jobs.job_record import Submission
from dlkit.monitor.form import CHECKPOINT, INEXACT, Checked, Form
from dlkit.monitor.form_fields import SUBMIT, Field, Section
from dlkit.runs.checkpoints import Checkpoint, complete

_SAYS: Mapping[Fit, str] = {
    "exact": "Exact.",
    "inexact": "Needs “allow inexact”",
    "never": "Cannot be changed",
}
"""Of an option, before it is changed."""


def as_fork(checked: Checked, catalog: Catalog) -> Checked:
    """A checked form with what makes it a fork: the checkpoint, how each field fits, and what its changes come to."""
    form, fork = checked.form, checked.form.fork
    assert fork is not None
    if checked.varied:
        return replace(checked, general=(*checked.general, "a list stands for several runs, and a fork is one"),
                       resolved=None, plan=None)  # fmt: skip
    changed: Sequence[Change] = ()
    general = list(checked.general)
    if checked.resolved is not None:
        try:
            changed = changes_of(catalog, _chosen(form), _layer(checked.resolved))
        except DlkitError as error:
            general.append(str(error))
    problems = {change.key: text for change in changed if (text := _problem(change, form))}
    sections = tuple(_section(section, form, _fits(checked, catalog), problems) for section in checked.sections)
    there = {field.key for section in sections for field in section.fields}
    general += [f"{key}: {problem}" for key, problem in problems.items() if key not in there]
    if checked.resolved is not None and not general and not problems:
        try:  # what concerns no field: that something is left to do
            plan_of_fork(catalog, checked)
        except DlkitError as error:
            general.append(str(error))
    sound = None if general or problems else checked.resolved
    return replace(checked, sections=sections, general=tuple(general), resolved=sound, changes=tuple(changed))


def plan_of_fork(catalog: Catalog, checked: Checked) -> Plan:
    """The fork that a form asks for; UsageError for what does not fit, or where nothing is left to do."""
    if checked.resolved is None:
        raise UsageError("the form has problems")
    layer = _layer(checked.resolved)
    return plan(catalog, _chosen(checked.form), lambda task, names: layer, allow_inexact=_allowed(checked.form))


def hand_in_fork(checked: Checked, catalog: Catalog, workspace: Path, how: Submission) -> HandedOver:
    """Make it and have it started; DlkitError says why not."""
    return hand_over_fork(catalog, plan_of_fork(catalog, checked), workspace, how, name=checked.name)


def _chosen(form: Form) -> Checkpoint:
    assert form.fork is not None
    step = form.fork.step_of(form.settings)
    found = next((c for c in complete(form.fork.run.path) if c.step == step), None)
    if found is None:
        raise UsageError(f"{form.fork.run.id} has no checkpoint of step {step} any more")
    return found


def _layer(resolved: Resolved) -> Layer:
    """All that the form says, what it leaves open too: the parent may have it set."""
    values: dict[str, dict[str, object]] = {}
    for section in SECTIONS:
        values[section] = dict(resolved.sections[section].model_dump(mode="json"))
        if section in CHOICES:
            values[section]["name"] = resolved.specs[section].name
    return Layer("form", values)


def _allowed(form: Form) -> bool:
    return form.settings.get(INEXACT, "false") == "true"


def _problem(change: Change, form: Form) -> str:
    if change.fit == "never":
        return f"cannot be changed at a fork: {change.why}"
    if change.fit == "inexact" and not _allowed(form):
        return f"not all of the state fits: {change.why}; “allow inexact” goes on all the same"
    return ""


def _fits(checked: Checked, catalog: Catalog) -> Mapping[str, Fit]:
    """How each option fits, of the components that are chosen now; none where they cannot say."""
    names = {part.name: part.chosen for part in checked.parts}
    launcher = next((f.text for section in checked.sections for f in section.fields if f.key == "launcher.name"), "")
    try:
        return fits(catalog, checked.form.task, {**names, "launcher": launcher})
    except DlkitError:
        return {}


def _section(section: Section, form: Form, known: Mapping[str, Fit], problems: Mapping[str, str]) -> Section:
    fields = [_field(field, known.get(field.key), problems.get(field.key, "")) for field in section.fields]
    if section.key == "run":
        fields += _own_fields(form)
    return replace(section, fields=tuple(fields))


def _field(field: Field, fit: Fit | None, problem: str) -> Field:
    if fit is None or field.key.startswith(SUBMIT):
        return field
    said = _SAYS[fit] if fit == "exact" else f"{_SAYS[fit]}: {why_not(field.key)}."
    return replace(field, description=f"{said} {field.description}", problem=field.problem or problem)


def _own_fields(form: Form) -> list[Field]:
    fork = form.fork
    assert fork is not None
    newest, step = str(fork.steps[-1]), str(fork.step_of(form.settings))
    steps = tuple((str(one), f"step {one}") for one in reversed(fork.steps))
    allowed = "true" if _allowed(form) else "false"
    return [
        Field(CHECKPOINT, "choice", step, newest, "", step != newest, "", "The state that the fork begins with", steps),
        Field(INEXACT, "switch", allowed, "false", "", allowed == "true", "",
              "Change also what not all of the state fits: the end is another one than the option alone explains"),
    ]  # fmt: skip

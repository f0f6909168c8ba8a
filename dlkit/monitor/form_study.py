"""Lists of numbers in a form: a run of each, as a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.config import FieldInfo
from dlkit.config_file import Typed, typed_layers
from dlkit.errors import UsageError
from dlkit.monitor.form import NAME, PRIORITY, Form, is_whole
from dlkit.monitor.form_fields import is_given, kind_of
from dlkit.studies.folder import StudyFolder
from dlkit.studies.planning import Plan, make, plan
from dlkit.studies.question import Question
from dlkit.studies.waking import wake

SEED = "engine.seed"
MOST = 200
"""Runs that a form starts: each setting is judged whenever something is typed."""


def lists_of(form: Form, schema: Mapping[str, Mapping[str, FieldInfo]]) -> dict[str, tuple[str, ...]]:
    """Which numbers of a form are several: their texts by key. One that ends with a comma is still being typed."""
    found = {}
    for key, text in form.settings.items():
        section, _, name = key.partition(".")
        info = schema.get(section, {}).get(name)
        if info is not None and "," in text and kind_of(info.schema) in ("number", "whole number"):
            parts = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
            if len(parts) > 1:
                found[key] = parts
    return found


def with_first(form: Form, lists: Mapping[str, tuple[str, ...]]) -> Form:
    """The first of the runs that such a form stands for."""
    return replace(form, settings={**form.settings, **{key: parts[0] for key, parts in lists.items()}})


def plan_of(
    catalog: Catalog,
    form: Form,
    schema: Mapping[str, Mapping[str, FieldInfo]],
    lists: Mapping[str, tuple[str, ...]],
    workspace: Path,
) -> Plan:
    """Every run that it stands for, judged; UsageError names what cannot be."""
    given = [(key, text) for key, text in form.settings.items() if key not in lists and _is_option(schema, key, text)]
    spec, priority = catalog.task(form.task), form.settings.get(PRIORITY, "").strip()
    question = Question(
        form.task,
        spec.metric,
        spec.direction,
        vary=words_of(lists),
        priority=int(priority) if is_whole(priority) else 0,
        name=form.settings.get(NAME, "").strip(),
    )
    seeds = [int(part) for part in lists.get(SEED, ()) if is_whole(part)]
    layers = typed_layers(catalog, form.task, Typed(form.preset or None, None, form.names, given))
    found = plan(catalog, question, layers, workspace, seeds=seeds or 1)
    if found.trials > MOST:
        raise UsageError(f"{found.trials} runs, more than {MOST}: fewer values, or dlkit study on the command line")
    return found


def words_of(lists: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """What is varied, as ``--vary`` has it; seeds are not settings."""
    return tuple(f"{key}={','.join(parts)}" for key, parts in lists.items() if key != SEED)


def begin(found: Plan, workspace: Path) -> StudyFolder:
    """Queue them all, and have somebody see to it."""
    study = make(found, workspace)
    wake(study)
    return study


def _is_option(schema: Mapping[str, Mapping[str, FieldInfo]], key: str, text: str) -> bool:
    section, _, name = key.partition(".")
    return section in schema and name in schema[section] and is_given(schema[section][name], text)

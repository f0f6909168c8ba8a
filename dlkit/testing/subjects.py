"""Which components of a plugin are looked at, and in which task each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from dlkit.catalog import Catalog, Plugin
from dlkit.components import ANY_TASK, PARTS, LossSpec, ModelSpec, Spec, TrainerSpec
from dlkit.config import Layer, choose_components
from dlkit.data.example import write_example
from dlkit.errors import DlkitError, UsageError
from dlkit.json_types import Settings
from dlkit.testing.finding import Skipped
from dlkit.testing.notes import FILE, Small, merged, read_notes
from dlkit.testing.package import beside_code
from dlkit.testing.rules import rule_names
from dlkit.testing.subject import Subject, Unbuilt


def subjects_of(whole: Subject) -> list[Subject]:
    """Every component of the plugin that ``whole`` is of, in the order of the hooks: each in its first task, and,
    unless it must be quick, in its others too."""
    plugin = whole.plugin
    assert plugin is not None
    small = list(_small_of_all(whole.catalog, plugin))
    return [_subject(whole, spec, task, small) for spec in plugin.specs for task in _tasks(whole, spec, small)]


def _small_of_all(catalog: Catalog, last: Plugin) -> Iterator[Small]:
    """What every plugin says of its own components, since one runs with the others' too; the one in question last."""
    for plugin in sorted(catalog.plugins, key=lambda plugin: plugin is last):
        try:
            yield from read_notes(beside_code(plugin.module, FILE), rule_names()).small
        except DlkitError:
            if plugin is last:
                raise


def _subject(whole: Subject, spec: Spec, task: str, small: list[Small]) -> Subject:
    chosen = Layer("check-plugin", {spec.kind: {"name": spec.name}} if spec.kind in PARTS else {})
    names: dict[str, str] = {}
    if task:
        chosen = _with_model(whole.catalog, spec, task, chosen)
        names, _ = choose_components(whole.catalog, whole.catalog.task(task), [chosen])
    sections, stated = merged(found for found in small if found.fits(task, names))
    if task:
        example = example_options(whole, names["dataset"], task)
        sections = {**sections, "dataset": {**example, **sections.get("dataset", {})}}
    model = {"model": {**sections.get("model", {}), "name": names["model"]}} if "model" in chosen.values else {}
    subject = whole.about(spec, task, {**sections, **model}, stated)
    return replace(subject, scratch=whole.scratch / f"{spec.kind}-{spec.name}-{task}")


def example_options(whole: Subject, name: str, task: str) -> Settings:
    """The options with which a data set reads its own example, which is written once; nothing where it has none."""
    key = f"example {name} {task}"
    if key not in whole.kept:
        spec = whole.catalog.find("dataset", name, task)
        folder = whole.scratch / f"example-{name}-{task}"
        try:
            whole.kept[key] = dict(write_example(whole.catalog, spec, folder).options) if spec.example else {}
        except DlkitError:  # the rule data-example-as-told says why
            whole.kept[key] = {}
    return cast(Settings, whole.kept[key])


def _with_model(catalog: Catalog, spec: Spec, task: str, chosen: Layer) -> Layer:
    """With a model that a loss or trainer goes with, where the task's own is of another interface."""
    if not isinstance(spec, (LossSpec, TrainerSpec)):
        return chosen
    models = [model for model in catalog.specs("model", task) if isinstance(model, ModelSpec)]
    fitting = [model.name for model in models if model.interface == spec.interface]
    if not fitting or catalog.task(task).defaults["model"] in fitting:
        return chosen
    return Layer(chosen.origin, {**chosen.values, "model": {"name": fitting[0]}})


def _tasks(whole: Subject, spec: Spec, small: list[Small]) -> list[str]:
    if spec.kind == "task":
        return [spec.name]
    there = [task.name for task in whole.catalog.specs("task")]
    if ANY_TASK in spec.tasks:
        own = [task.name for task in (whole.plugin.specs if whole.plugin else ()) if task.kind == "task"]
        tried = ((task, _subject(whole, spec, task, small)) for task in [*own, *there])
        return [next((task for task, subject in tried if _resolves(subject) and _fits(subject)), "")]
    found = [task for task in spec.tasks if task in there]
    # Where none of its tasks is installed, rules that need no task look at it nevertheless.
    return (found[:1] if whole.quick else found) or [""]


def _resolves(subject: Subject) -> bool:
    try:
        subject.resolved()
        return True
    except Unbuilt:
        return False


def _fits(subject: Subject) -> bool:
    """Whether an inference component can ask the task's model: what it needs of one, only a model tells."""
    if subject.spec.kind != "inference":
        return True
    try:
        subject.experiment()
        return True
    except Skipped:
        return False
    except Unbuilt as error:  # any other error is to be told, of the first task
        return not isinstance(error.error, UsageError)

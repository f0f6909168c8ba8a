"""What is wrong with plugins beyond what listing them shows: their code is imported, and what they suggest looked up.

``dlkit plugins --check`` and ``dlkit doctor`` tell it, and the rule ``loading-components-usable``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypedDict, cast

from pydantic import TypeAdapter, ValidationError

from dlkit.catalog import Catalog, Plugin, load_target
from dlkit.components import PARTS, DatasetSpec, ModelSpec, Spec, Suggest, TaskSpec, load_object
from dlkit.config import CHOICES, OWN, SECTIONS, Config, config_class
from dlkit.config_file import broken_presets
from dlkit.errors import DlkitError, in_words, nearest
from dlkit.present.text import first_line


class ComponentProblem(TypedDict):
    """What is wrong with a component, as ``--json`` gives it; without kind and name, with the plugin itself."""

    plugin: str
    kind: str
    name: str
    problem: str


def check_plugins(catalog: Catalog) -> list[ComponentProblem]:
    """Everything that is wrong with the plugins that are not disabled; empty: every component can be used. Their code
    is imported here: ``dlkit.testing.usable_apart`` does so in another process."""
    found = listed_problems(catalog)
    for plugin in catalog.plugins:
        for spec in plugin.specs:
            found += [problem_of(plugin, spec, text) for text in problems_of(catalog, spec)]
    return found


def listed_problems(catalog: Catalog) -> list[ComponentProblem]:
    """What is known of them without importing their components."""
    found: list[ComponentProblem] = []
    for plugin in catalog.plugins:
        if plugin.state == "broken":
            found.append({"plugin": plugin.name, "kind": "", "name": "", "problem": first_line(plugin.reason)})
        found += [problem_of(plugin, refused.spec, refused.reason) for refused in plugin.refused]
    return found


def words_of(problem: ComponentProblem) -> str:
    """One line of it."""
    who = f"plugin {problem['plugin']}"
    return ": ".join([who, *filter(None, [f"{problem['kind']} {problem['name']}".strip()]), problem["problem"]])


def problem_of(plugin: Plugin, spec: Spec, text: str) -> ComponentProblem:
    return {"plugin": plugin.name, "kind": spec.kind, "name": spec.name, "problem": text}


def problems_of(catalog: Catalog, spec: Spec) -> list[str]:
    """What is wrong with one component."""
    return list(dict.fromkeys(_problems(catalog, spec)))


def _problems(catalog: Catalog, spec: Spec) -> Iterator[str]:
    yield from _imports(catalog, spec)
    tasks = [task for task in catalog.specs("task") if _belongs(spec, task)]
    for suggest in spec.suggest if tasks else ():
        yield from _suggestions(catalog, suggest, [task.name for task in tasks])
    if isinstance(spec, (TaskSpec, ModelSpec)):
        yield from _defaults(catalog, spec.defaults, [task.name for task in tasks])
    if isinstance(spec, DatasetSpec):
        sources = {source.name for source in catalog.specs("source")}
        yield from (f"no source {name!r}: {nearest(name, sources)}" for name in spec.sources if name not in sources)
    for task in tasks if spec.presets else ():
        yield from (str(broken) for broken in broken_presets(catalog, task.name) if broken.reference == spec.presets)


def _belongs(spec: Spec, task: TaskSpec) -> bool:
    return spec is task if spec.kind == "task" else spec.fits(task.name)


def _imports(catalog: Catalog, spec: Spec) -> Iterator[str]:
    """What of its code cannot be imported, or is of the wrong kind."""
    from dlkit.engine.trainer import Trainer
    from dlkit.predictor import Predictor
    from dlkit.task import Task

    bases: Mapping[str, type] = {"task": Task, "trainer": Trainer, "inference": Predictor}
    try:
        target: object = load_target(spec, catalog) if spec.target else None
        if (base := bases.get(spec.kind)) is not None and not (isinstance(target, type) and issubclass(target, base)):
            yield f"{spec.target} is not a subclass of {base.__module__}.{base.__name__}"
        elif spec.target and not callable(target):
            yield f"{spec.target} cannot be called"
    except DlkitError as error:
        yield first_line(str(error))
    try:
        config_class(catalog, spec)
    except DlkitError as error:
        yield first_line(str(error))
    for reference in filter(None, (spec.migrate, getattr(spec, "example", ""))):
        try:
            load_object(reference)
        # The plugin boundary: a module may raise anything when it is imported.
        except (Exception, SystemExit) as error:
            yield f"cannot import {reference}: {in_words(error)}"


def _defaults(catalog: Catalog, defaults: Mapping[str, str], tasks: list[str]) -> Iterator[str]:
    for part, name in defaults.items():
        if part not in PARTS:
            yield f"defaults: no part {part!r}: {nearest(part, PARTS)}"
        else:
            yield from (f"defaults: {problem}" for problem in _missing(catalog, part, name, tasks))


def _suggestions(catalog: Catalog, suggest: Suggest, tasks: list[str]) -> Iterator[str]:
    for part, name in suggest.when.items():
        if part not in CHOICES:
            yield f"suggests when {part} = {name!r}: no part {part!r}: {nearest(part, CHOICES)}"
        else:
            yield from (f"suggests when {part} = {name!r}: {found}" for found in _missing(catalog, part, name, tasks))
    for key, value in suggest.settings.items():
        section, dot, option = key.partition(".")
        if section not in (SECTIONS if dot else CHOICES):
            yield f"suggests {key}: no part {section!r}: {nearest(section, SECTIONS if dot else CHOICES)}"
        elif not dot:
            yield from (f"suggests {key}: {found}" for found in _missing(catalog, section, str(value), tasks))
        else:
            yield from _setting(_takers(catalog, section, suggest.when, tasks), section, option, value)


def _missing(catalog: Catalog, part: str, name: str, tasks: list[str]) -> Iterator[str]:
    """That none of these tasks has such a component: of several, one suffices."""
    there = {spec.name for task in tasks for spec in catalog.specs(part, task)}
    if name not in there:
        yield f"no {part} {name!r}: {nearest(name, there)}"


def _takers(catalog: Catalog, section: str, when: Mapping[str, str], tasks: list[str]) -> list[type[Config]]:
    """The options that a suggested setting may be among; those of components that cannot say are left out."""
    if section in OWN:
        return [OWN[section]]
    specs = {id(spec): spec for task in tasks for spec in catalog.specs(section, task)}.values()
    found = []
    for spec in specs:
        if when.get(section, spec.name) == spec.name:
            try:
                found.append(config_class(catalog, spec))
            except DlkitError:
                continue  # told where that component is looked at
    return found


def _setting(takers: list[type[Config]], section: str, option: str, value: object) -> Iterator[str]:
    """That nobody has such an option, or that nobody takes the value."""
    having = [taker for taker in takers if option in taker.model_fields]
    if not having:
        options = {name for taker in takers for name in taker.model_fields}
        yield f"suggests {section}.{option}: no such option: {nearest(option, options)}"
    elif problems := [why for why in (_unfit(taker, option, value) for taker in having) if why]:
        if len(problems) == len(having):
            yield f"suggests {section}.{option} = {value!r}: {problems[0]}"


def _unfit(taker: type[Config], option: str, value: object) -> str:
    """Why the option cannot have the value; empty: it can."""
    field = taker.model_fields[option]
    hint: Any = Annotated[cast("type", field.annotation), field]  # the field has the bounds
    adapter: TypeAdapter[object] = TypeAdapter(hint)
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        return str(error.errors()[0]["msg"])
    return ""

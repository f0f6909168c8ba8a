"""What a form looks like now: fields with their values and problems, from the components' own declarations.

This runs code of plugins (option classes, validators): an interface calls it in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from dlkit.catalog import Catalog
from dlkit.components import PARTS, TaskSpec
from dlkit.config import OWN, FieldInfo, Layer, Merged, Resolved, config_class, fields_of, merge, resolve
from dlkit.config_file import Typed, chosen, typed_layers
from dlkit.errors import DlkitError, Problem, SettingError, UsageError
from dlkit.monitor.choices import Choices
from dlkit.monitor.data_state import BY_HAND, absent, data_state
from dlkit.monitor.form import (
    AFTER,
    LABELS,
    LAUNCHER,
    NAME,
    PRIORITY,
    Checked,
    DataNeed,
    Form,
    Part,
    is_whole,
    partners,
)
from dlkit.monitor.form_choices import component_choices, preset_choices
from dlkit.monitor.form_fields import SUBMIT, Field, Section, is_given, make_field
from dlkit.monitor.form_fork import as_fork
from dlkit.monitor.form_study import lists_of, plan_of, with_first
from dlkit.runs.finding import find_run
from dlkit.studies.planning import Plan

T = TypeVar("T")

MAIN = ("engine.epochs", "engine.steps", "engine.batch_size", "trainer.lr", "engine.seed", "engine.device")
"""What most runs set first, with the run's name; it stands above all else."""


def check(form: Form, catalog: Catalog, workspace: Path) -> Checked:
    """What is to be shown of a form now. Raises nothing: what goes wrong, in a plugin's code too, is a problem."""
    try:
        found = _Check(form, catalog, workspace).run()
        if form.fork is None:
            return found
        return as_fork(found, catalog)
    # The plugin boundary: whatever a stranger's declarations do when they are asked.
    except (Exception, SystemExit) as error:
        return Checked(form, form, general=(_words(error),))


class _Check:
    """One look at a form, step by step; each step goes on without what the one before it could not have."""

    def __init__(self, form: Form, catalog: Catalog, workspace: Path) -> None:
        self.form, self.catalog, self.workspace = form, catalog, workspace
        self.task: TaskSpec = catalog.task(form.task)
        self.general: list[str] = []
        self.problems: dict[str, str] = {}
        self.lists: Mapping[str, tuple[str, ...]] = {}

    def run(self) -> Checked:
        layers, names, origins = self._components()
        schema = self._schema(names)
        form, dropped = self._without_strangers(schema)
        named = Layer("flag", {part: {"name": name} for part, name in names.items()})
        base = self._attempt(lambda: merge(self.catalog, self.task.name, [*layers, named]))
        self.lists = lists_of(form, schema)
        resolved = self._attempt(lambda: self._resolve(with_first(form, self.lists), schema))
        plan = self._attempt(lambda: self._plan(form, schema)) if self.lists and not self.problems else None
        self._check_submission(form)
        self._unplaced(schema)
        return Checked(
            self.form,
            form,
            self.task.title,
            self.task.summary,
            self._presets(),
            tuple(self._part(part, names, origins) for part in PARTS),
            tuple(self._sections(form, schema, base, names, origins)),
            tuple(dict.fromkeys(self.general)),
            dropped,
            self._attempt(lambda: self._data(names)) or DataNeed("unknown"),
            None if self.general or self.problems else resolved,
            tuple(f"{key}={','.join(parts)}" for key, parts in self.lists.items()),
            None if self.general or self.problems else plan,
        )

    def _plan(self, form: Form, schema: Mapping[str, Mapping[str, FieldInfo]]) -> Plan | None:
        """The runs that lists of numbers stand for."""
        if self.general:
            return None
        try:
            return plan_of(self.catalog, form, schema, self.lists, self.workspace)
        except SettingError:
            raise
        except UsageError as error:  # where no option is to blame by name, the first list is
            raise SettingError([Problem(next(iter(self.lists)), str(error), str(error))]) from error

    def _attempt(self, step: Callable[[], T]) -> T | None:
        """What a step gives; None, and a problem told, if it fails."""
        try:
            return step()
        except SettingError as error:
            self.problems.update({problem.key: problem.reason for problem in error.problems})
        # The plugin boundary, as above.
        except (Exception, SystemExit) as error:
            self.general.append(_words(error))
        return None

    def _components(self) -> tuple[list[Layer], dict[str, str], dict[str, str]]:
        """Layers, components and who chose them; of a choice that cannot be, the rest of it."""
        nproc = [("job.nproc", text) for key, text in self.form.settings.items() if key == "job.nproc"]
        preset = self.form.preset or None
        ways = [(preset, self.form.names), (None, self.form.names), (preset, {}), (None, {})]
        for asked, names in ways:
            try:
                return chosen(self.catalog, self.task.name, Typed(asked, None, names, nproc))
            except DlkitError as error:
                self.general.append(str(error))
        raise DlkitError(self.general[0])

    def _schema(self, names: Mapping[str, str]) -> dict[str, dict[str, FieldInfo]]:
        """The options by section; a section is missing if its component cannot say."""
        found = {section: fields_of(model) for section, model in OWN.items()}
        for part, name in names.items():
            fields = self._attempt(partial(self._options, part, name))
            if fields is not None:
                found[part] = fields
        return {section: {info.name: info for info in fields} for section, fields in found.items()}

    def _options(self, part: str, name: str) -> list[FieldInfo]:
        return fields_of(config_class(self.catalog, self.catalog.find(part, name, self.task.name)))

    def _without_strangers(self, schema: Mapping[str, Mapping[str, FieldInfo]]) -> tuple[Form, tuple[str, ...]]:
        """The form without settings that the components lack, and which those were; a broken component keeps its."""
        dropped = []
        for key in self.form.settings:
            section, _, name = key.partition(".")
            if section in schema and name not in schema[section]:
                dropped.append(key)
        kept = {key: text for key, text in self.form.settings.items() if key not in dropped}
        return (replace(self.form, settings=kept) if dropped else self.form), tuple(dropped)

    def _resolve(self, form: Form, schema: Mapping[str, Mapping[str, FieldInfo]]) -> Resolved | None:
        if self.general:  # said already, and it would only be said again
            return None
        typed = Typed(form.preset or None, None, form.names, list(_given(form, schema)))
        return resolve(self.catalog, self.task.name, typed_layers(self.catalog, self.task.name, typed))

    def _check_submission(self, form: Form) -> None:
        priority = form.settings.get(PRIORITY, "").strip()
        if priority and not is_whole(priority):
            self.problems[PRIORITY] = "must be a whole number"
        after = form.settings.get(AFTER, "").split()
        if self.lists and after:
            self.problems[AFTER] = "goes with one run: a list of numbers stands for several"
            return
        try:
            for reference in after:
                find_run(self.workspace, reference)
        except DlkitError as error:
            self.problems[AFTER] = str(error)

    def _unplaced(self, schema: Mapping[str, Mapping[str, FieldInfo]]) -> None:
        """What is wrong with an option that has no field, of a preset, is told above the fields."""
        for key, reason in list(self.problems.items()):
            section, _, name = key.partition(".")
            if section != SUBMIT and name not in schema.get(section, ()):
                self.general.append(f"{key}: {reason}")
                del self.problems[key]

    def _presets(self) -> Choices:
        return self._attempt(lambda: preset_choices(self.catalog, self.task.name, self.form.preset)) or ()

    def _part(self, part: str, names: Mapping[str, str], origins: Mapping[str, str]) -> Part:
        labels, name = component_choices(self.catalog, part, self.task.name, self.workspace / "data"), names[part]
        missing = {} if name in labels else {name: f"{name}  (is not there)"}
        specs = self.catalog.specs(part, self.task.name)
        summary = next((spec.summary for spec in specs if spec.name == name), "")
        origin = "" if part in self.form.names else origins.get(f"{part}.name", "")
        return Part(part, name, self._automatic(part, names), origin, summary, tuple({**labels, **missing}.items()))

    def _automatic(self, part: str, names: Mapping[str, str]) -> str:
        """What the part would be, had nobody chosen it; empty if that cannot be said."""
        if part not in self.form.names:
            return names[part]
        nproc = [("job.nproc", text) for key, text in self.form.settings.items() if key == "job.nproc"]
        others = {p: name for p, name in self.form.names.items() if p != part}
        try:
            return chosen(self.catalog, self.task.name, Typed(self.form.preset or None, None, others, nproc))[1][part]
        except DlkitError:
            return ""

    def _data(self, names: Mapping[str, str]) -> DataNeed:
        dataset, data = self.catalog.find("dataset", names["dataset"], self.task.name), self.workspace / "data"
        state = data_state(self.catalog, dataset, data)
        lacking = absent(self.catalog, dataset, data) if state["state"] in ("download", BY_HAND) else []
        return DataNeed(state["state"], tuple(source.name for source in lacking), state["download"])

    # Sections

    def _sections(
        self,
        form: Form,
        schema: Mapping[str, Mapping[str, FieldInfo]],
        base: Merged | None,
        names: Mapping[str, str],
        origins: Mapping[str, str],
    ) -> Iterator[Section]:
        made = {
            f"{section}.{name}": self._field(f"{section}.{name}", info, form, base)
            for section, fields in schema.items()
            for name, info in fields.items()
        }
        first = [made.pop(key) for key in MAIN if key in made]
        yield Section("run", "run", "", (*first, self._text(form, NAME, "A name for the run")), True)
        for part in ("model", "dataset", "trainer", "loss", "inference"):
            fields = tuple(made[key] for key in made if key.startswith(f"{part}."))
            if fields:
                yield Section(part, f"{LABELS.get(part, part)} {names[part]}", self._summary(part, names), fields, True)
        engine = tuple(made[key] for key in made if key.startswith("engine."))
        yield Section("engine", "engine", "how it is trained", engine, False)
        job = [made[key] for key in made if key.startswith(("job.", "launcher."))]
        launcher = self._launcher(form, names, origins)
        yield Section("job", "job", "how its processes are started", (launcher, *job), False)
        queue = (
            self._text(form, PRIORITY, "Jobs of a higher number start first", "whole number", "0"),
            self._text(form, AFTER, "Runs that must be completed first: ids, prefixes or last"),
        )
        yield Section("queue", "queue", "for a start when a device is free", queue, False)

    def _summary(self, part: str, names: Mapping[str, str]) -> str:
        return str(self.catalog.find(part, names[part], self.task.name).summary)

    def _field(self, key: str, info: FieldInfo, form: Form, base: Merged | None) -> Field:
        section, _, name = key.partition(".")
        default = base.values[section].get(name, info.default) if base else info.default
        origin = base.origins.get(key, "") if base else ""
        for other in partners(key):
            if form.settings.get(other) and default is not None:
                default, origin = None, f"{other.partition('.')[2]} given"
        return make_field(key, info, default, origin, form.settings.get(key), self.problems.get(key, ""))

    def _text(self, form: Form, key: str, description: str, kind: str = "text", default: str = "") -> Field:
        text = form.settings.get(key, default)
        changed = text.strip() not in ("", default)
        problem = self.problems.get(key, "")
        return Field(key, kind, text, default, "", changed, kind, description, problem=problem)

    def _launcher(self, form: Form, names: Mapping[str, str], origins: Mapping[str, str]) -> Field:
        part = self._part("launcher", names, origins)
        origin = "" if part.origin == "job.nproc" else part.origin
        description = f"What starts the run's processes. {part.summary}"
        choices = tuple((name, name) for name, _ in part.choices)
        changed = "launcher" in form.names
        return Field(LAUNCHER, "choice", part.chosen, part.automatic, origin, changed, "", description, choices)


def _given(form: Form, schema: Mapping[str, Mapping[str, FieldInfo]]) -> Iterator[tuple[str, str]]:
    """The settings that say something."""
    for key, text in form.settings.items():
        section, _, name = key.partition(".")
        if section in schema and is_given(schema[section][name], text):
            yield key, text


def _words(error: BaseException) -> str:
    """dlkit's own errors speak for themselves; others are a plugin's."""
    return str(error) if isinstance(error, DlkitError) else f"a plugin went wrong: {type(error).__name__}: {error}"

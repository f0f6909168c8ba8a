"""A run's configuration, validated: layers are merged first (``layers``), then judged here, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from dlkit.catalog import Catalog
from dlkit.components import Spec, TaskSpec
from dlkit.config.layers import Layer, Merged, merge
from dlkit.config.options import CHOICES, OWN, SECTIONS, Config, EngineConfig, JobConfig, config_class
from dlkit.config.problems import problem_of
from dlkit.errors import Problem, SettingError, UsageError

_PLURAL = {"loss": "losses", "trainer": "trainers"}


@dataclass(frozen=True)
class Resolved:
    """A configuration after merging and validation.

    ``sections`` maps ``"engine"`` and every part to its validated model; ``specs`` every part to its component;
    ``origins`` a dotted key to the layer that set it (absent: the field's default).
    """

    task: TaskSpec
    specs: Mapping[str, Spec]
    sections: Mapping[str, Config]
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def engine(self) -> EngineConfig:
        engine = self.sections["engine"]
        assert isinstance(engine, EngineConfig)
        return engine

    @property
    def job(self) -> JobConfig:
        job = self.sections["job"]
        assert isinstance(job, JobConfig)
        return job

    def with_engine(self, **changes: object) -> Resolved:
        """The same with other values for some of the engine's options; they are taken as they are."""
        engine = self.engine.model_copy(update=changes)
        return replace(self, sections={**self.sections, "engine": engine})

    def values(self) -> dict[str, Any]:
        """The whole configuration as plain values, in run.toml's form; unset options are left out."""
        plain: dict[str, Any] = {"task": self.task.name}
        for section in SECTIONS:
            fields = self.sections[section].model_dump(mode="json", exclude_none=True)
            plain[section] = {"name": self.specs[section].name, **fields} if section in CHOICES else fields
        return plain


def resolve(catalog: Catalog, task_name: str, layers: list[Layer], *, suggest: bool = True) -> Resolved:
    """Merge and validate; every error names key, value and what is allowed (UsageError; SettingError has the keys).

    ``layers`` are the user's, lowest first; the components' suggestions are put below them (a stored, complete
    configuration is resolved with ``suggest=False``).
    """
    merged = merge(catalog, task_name, layers, suggest=suggest)
    _check_interfaces(catalog, merged.task, merged.specs)
    sections: dict[str, Config] = {}
    problems: list[Problem] = []
    for section in SECTIONS:
        try:
            sections[section] = _validate(catalog, section, merged)
        except SettingError as error:
            problems += error.problems
    if problems:
        raise SettingError(problems)
    resolved = Resolved(merged.task, merged.specs, sections, merged.origins)
    _check_engine(resolved)
    return resolved


def _check_engine(resolved: Resolved) -> None:
    """What no option can say of itself, since it depends on others."""
    nproc, engine = resolved.job.nproc, resolved.engine
    if engine.epochs is None and engine.steps is None:
        raise SettingError([_problem("engine.epochs", "the run would never end: give engine.epochs or engine.steps")])
    if nproc > 1 and resolved.specs["launcher"].name == "local":
        why = "launcher 'local' starts one process; 'torchrun' starts several"
        raise SettingError([_problem("job.nproc", why, nproc)])
    if engine.batch_size < nproc:
        why = f"cannot be shared by job.nproc = {nproc} processes"
        raise SettingError([_problem("engine.batch_size", why, engine.batch_size)])
    if nproc > 1 and ":" in engine.device:
        why = f"{nproc} processes take a device each; give cuda or cpu"
        raise SettingError([_problem("engine.device", why, engine.device)])


def _problem(key: str, reason: str, *value: object) -> Problem:
    return Problem(key, f"{key} = {value[0]!r}: {reason}" if value else reason, reason)


def _check_interfaces(catalog: Catalog, task: TaskSpec, specs: Mapping[str, Spec]) -> None:
    """Model, loss and trainer combine only within one interface word."""
    words = {part: _interface_of(specs[part]) for part in ("model", "loss", "trainer")}
    word = words["model"]
    unfit = [part for part in ("loss", "trainer") if words[part] != word]
    if not unfit:
        return

    def fitting(kind: str, word: str) -> str:
        return ", ".join(s.name for s in catalog.specs(kind, task.name) if _interface_of(s) == word) or "none"

    model = specs["model"].name
    advice = [f"{_PLURAL[part]} that fit model {model!r} ({word}): {fitting(part, word)}" for part in unfit]
    advice += [
        f"models that fit {part} {specs[part].name!r} ({words[part]}): {fitting('model', words[part])}"
        for part in unfit
    ]
    parts = ", ".join(f"{part} {specs[part].name!r} ({words[part]})" for part in words)
    raise UsageError(f"these do not combine: {parts}; {'; '.join(advice)}")


def _interface_of(spec: Spec) -> str:
    return str(getattr(spec, "interface", ""))


def _validate(catalog: Catalog, section: str, merged: Merged) -> Config:
    model = OWN[section] if section in OWN else config_class(catalog, merged.specs[section])
    try:
        return model.model_validate(merged.values[section])
    except ValidationError as error:
        owner = f"{section} {merged.specs[section].name!r}" if section in CHOICES else f"the {section}"
        found = [problem_of(section, model, problem, merged.origins, owner) for problem in error.errors()]
        raise SettingError(list({problem.text: problem for problem in found}.values())) from error

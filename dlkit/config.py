"""One declaration of every option: from it come the flag, the form field, the JSON schema and the error.

A run's configuration is a plain nested dict, part → field → value, with ``name`` in every component's part::

    {"task": "regression", "model": {"name": "mlp", "hidden": [64, 64]}, "engine": {"epochs": 20}, …}

Layers (suggestions of the components, a preset, a file, flags) are merged as such dicts and validated once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dlkit.catalog import Catalog, load_config
from dlkit.components import PARTS, Spec, TaskSpec
from dlkit.errors import PluginError, Problem, SettingError, UsageError, nearest
from dlkit.refusals import refusal

CHOICES = (*PARTS, "launcher")
"""What is chosen by name: the components of a run, and what starts its processes."""
SECTIONS = ("engine", "job", *CHOICES)
Cadence = str
CHANGEABLE: dict[str, Any] = {"changeable": True}
"""Marks an option, as its ``json_schema_extra``, that ``dlkit set`` may change while a run is going."""
CADENCE = r"^(never|end|[1-9]\d* (step|steps|epoch|epochs))$"


class Config(BaseModel):
    """Base of every component's options: frozen, unknown keys refused, every field described and bounded.

    Give each field a ``description`` and its bounds; ``json_schema_extra={"changeable": True}`` marks what may be set
    while a run is going.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class NoOptions(Config):
    """The options of a component that has none."""


class EngineConfig(Config):
    """What every run has, whatever its task."""

    epochs: int | None = Field(10, ge=1, description="Passes over the training split; or give steps")
    steps: int | None = Field(None, ge=1, description="Optimizer steps in all; or give epochs")
    batch_size: int = Field(64, ge=1, description="Samples a batch, over all processes together")
    eval_batch_size: int = Field(500, ge=1, description="Samples a batch in evaluation")
    seed: int = Field(0, ge=0, lt=2**63, description="Everything random is a function of it")
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="auto, cpu, mps, cuda or cuda:N")
    precision: Literal["auto", "float32", "bf16"] = Field(
        "auto", description="auto: bf16 autocast where device and model gain from it, float32 elsewhere"
    )
    eval_every: Cadence = Field("1 epoch", pattern=CADENCE, description="'N steps', 'N epochs', 'end' or 'never'")
    sample_every: Cadence = Field("5 epochs", pattern=CADENCE, description="'N steps', 'N epochs', 'end' or 'never'")
    checkpoint_every: float = Field(
        30.0, gt=0, description="Seconds between checkpoints, besides best and last", json_schema_extra=CHANGEABLE
    )
    keep: int = Field(2, ge=1, description="Newest checkpoints to keep, besides the best", json_schema_extra=CHANGEABLE)
    accumulate: int = Field(1, ge=1, description="Batches whose gradients are averaged into one optimizer step")
    clip: float = Field(0.0, ge=0, description="Largest gradient norm; 0: no clipping")
    ema: float = Field(0.0, ge=0, lt=1, description="Decay of the weights' moving average, evaluated instead; 0: none")
    early_stopping: int = Field(
        0, ge=0, description="Evaluations without a better primary metric to stop after; 0: off"
    )
    compile: bool = Field(False, description="Run the model through torch.compile")
    max_time: float | None = Field(
        None, gt=0, description="Seconds after which the run ends, completed", json_schema_extra=CHANGEABLE
    )
    limit_batches: int | None = Field(None, ge=1, description="Batches an epoch and an evaluation at most")
    overfit_batches: int | None = Field(
        None, ge=1, description="Train and evaluate on these first batches only, not shuffled, not augmented"
    )
    probe_every: int = Field(20, ge=0, description="Steps between records of gradient norm and learning rate; 0: never")
    workers: int = Field(0, ge=0, description="Loader processes, for data that does not fit in memory")
    threads: int = Field(0, ge=0, description="CPU threads of a step; 0: torch's choice")
    deterministic: bool = Field(False, description="Only deterministic kernels: bit-exact resume on CUDA too")
    init_from: str | None = Field(None, description="Run whose best weights to start from: id, prefix, last or folder")


class JobConfig(Config):
    """How a run's processes are started and looked after; no part of what is computed, but for ``nproc``."""

    nproc: int = Field(1, ge=1, description="Processes that share every batch, each on a device of its own")
    max_restarts: int = Field(0, ge=0, description="Times to go on from the last checkpoint when a process dies")
    on_oom: Literal["fail", "halve"] = Field(
        "fail", description="Out of memory: fail, or go on with half the batch and twice the accumulation"
    )
    gpu_memory: str | None = Field(
        None,
        pattern=r"^\d+(\.\d+)? ?([KMGT]i?B|B)?$",
        description="GPU memory that the run needs on each GPU, which it may then share: 4GiB; none: a GPU to itself",
    )
    notify: str | None = Field(
        None, pattern=r"^https?://[^\s]+$", description="Address to POST the finished event to, as JSON"
    )

    @property
    def supervised(self) -> bool:
        """Whether more is asked for than one process can do by itself."""
        return self.nproc > 1 or self.max_restarts > 0 or self.on_oom != "fail"


OWN: dict[str, type[Config]] = {"engine": EngineConfig, "job": JobConfig}
"""The sections that are dlkit's own, the same for all components."""

EXCLUSIVE = (("epochs", "steps"),)
"""Engine options of which a higher layer's one displaces a lower layer's other."""

SHORT_FLAGS = {
    "epochs": "engine.epochs",
    "steps": "engine.steps",
    "batch_size": "engine.batch_size",
    "seed": "engine.seed",
    "device": "engine.device",
    "precision": "engine.precision",
    "max_time": "engine.max_time",
    "limit_batches": "engine.limit_batches",
    "overfit_batches": "engine.overfit_batches",
    "accumulate": "engine.accumulate",
    "clip": "engine.clip",
    "ema": "engine.ema",
    "early_stopping": "engine.early_stopping",
    "init_from": "engine.init_from",
    "nproc": "job.nproc",
    "max_restarts": "job.max_restarts",
    "on_oom": "job.on_oom",
    "gpu_memory": "job.gpu_memory",
    "notify": "job.notify",
    "lr": "trainer.lr",
}


@dataclass(frozen=True)
class Layer:
    """One source of settings: ``origin`` as shown to people (``"flag"``, ``"run.toml"``), ``values`` as in run.toml."""

    origin: str
    values: Mapping[str, Any]


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

    def values(self) -> dict[str, Any]:
        """The whole configuration as plain values, in run.toml's form; unset options are left out."""
        plain: dict[str, Any] = {"task": self.task.name}
        for section in SECTIONS:
            fields = self.sections[section].model_dump(mode="json", exclude_none=True)
            plain[section] = {"name": self.specs[section].name, **fields} if section in CHOICES else fields
        return plain


@dataclass(frozen=True)
class Merged:
    """Layers after merging, before anything is validated: plain values and their origins, as in ``Resolved``."""

    task: TaskSpec
    specs: Mapping[str, Spec]
    values: Mapping[str, Mapping[str, Any]]
    origins: Mapping[str, str]


def merge(catalog: Catalog, task_name: str, layers: list[Layer], *, suggest: bool = True) -> Merged:
    """The chosen components and what the layers say, over the components' suggestions; fields' defaults are not in it.

    UsageError for what has no place in a configuration at all; bounds, and whether components combine, are not judged.
    """
    task = catalog.task(task_name)
    for layer in layers:
        _check_shape(layer)
        if layer.values.get("task", task.name) != task.name:
            raise UsageError(
                f"{layer.origin}: task = {layer.values['task']!r}, but the task asked for is {task.name!r}"
            )
    names, name_origins = choose_components(catalog, task, layers)
    specs = {part: catalog.find(part, names[part], task.name) for part in CHOICES}
    merged = _Merge(specs)
    merged.exclusive("defaults", {"engine": {"epochs": EngineConfig.model_fields["epochs"].default}})
    for layer in (*(_suggestions(catalog, task, specs, names) if suggest else ()), *layers):
        merged.add(layer)
    return Merged(task, specs, merged.values, {**name_origins, **merged.origins})


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


def _problem(key: str, reason: str, *value: Any) -> Problem:
    return Problem(key, f"{key} = {value[0]!r}: {reason}" if value else reason, reason)


def _check_shape(layer: Layer) -> None:
    for key, value in layer.values.items():
        if key in SECTIONS and not isinstance(value, Mapping):
            raise UsageError(f"{layer.origin}: {key} = {value!r} must be a table with a name and its options")
        if key not in ("task", *SECTIONS):
            raise UsageError(f"{layer.origin}: unknown key {key!r}; {nearest(key, ('task', *SECTIONS))}")


def choose_components(catalog: Catalog, task: TaskSpec, layers: list[Layer]) -> tuple[dict[str, str], dict[str, str]]:
    """The component of each part, and who chose it: the user, else the chosen model or data set, else the task."""
    chosen: dict[str, tuple[str, str]] = {}
    for layer in layers:
        for part in CHOICES:
            if "name" in layer.values.get(part, {}):
                chosen[part] = (str(layer.values[part]["name"]), layer.origin)
    names = {part: name for part, (name, _) in chosen.items()}
    origins = {f"{part}.name": origin for part, (_, origin) in chosen.items()}
    if "launcher" not in names:
        several = [layer.values["job"]["nproc"] for layer in layers if "nproc" in layer.values.get("job", {})]
        names["launcher"], origins["launcher.name"] = (
            "torchrun" if several and several[-1] != 1 else "local",
            "job.nproc",
        )
    for part in PARTS:  # the data set first: it may suggest the model, which may want a loss and a trainer
        if part in names:
            continue
        names[part], origins[f"{part}.name"] = task.defaults[part], f"task {task.name}"
        for kind in ("dataset", "model"):
            spec = catalog.find(kind, names[kind], task.name) if kind in names else None
            wanted = dict(getattr(spec, "defaults", {})) if spec else {}
            for suggest in spec.suggest if spec else ():
                if part in suggest.settings and _applies(suggest.when, names):
                    wanted[part] = suggest.settings[part]
            if part in wanted:
                names[part], origins[f"{part}.name"] = wanted[part], f"{kind} {names[kind]}"
    return names, origins


def _applies(when: Mapping[str, str], names: Mapping[str, str]) -> bool:
    return all(names.get(part) == name for part, name in when.items())


def _check_interfaces(catalog: Catalog, task: TaskSpec, specs: Mapping[str, Spec]) -> None:
    """Model, loss and trainer combine only within one interface word."""
    chosen: dict[str, Any] = {part: specs[part] for part in ("model", "loss", "trainer")}
    words = {part: str(spec.interface) for part, spec in chosen.items()}
    if len(set(words.values())) == 1:
        return
    word = words["model"]
    fitting = "; ".join(
        f"{'losses' if part == 'loss' else 'trainers'} that fit model {specs['model'].name!r} ({word}): "
        + (", ".join(s.name for s in catalog.specs(part, task.name) if s.interface == word) or "none")
        for part in ("loss", "trainer")
        if words[part] != word
    )
    for part in ("loss", "trainer"):
        if words[part] != word:
            models = [s.name for s in catalog.specs("model", task.name) if s.interface == words[part]]
            fitting += f"; models that fit {part} {specs[part].name!r} ({words[part]}): {', '.join(models) or 'none'}"
    parts = ", ".join(f"{part} {specs[part].name!r} ({words[part]})" for part in words)
    raise UsageError(f"these do not combine: {parts}; {fitting}")


def _suggestions(
    catalog: Catalog, task: TaskSpec, specs: Mapping[str, Spec], names: Mapping[str, str]
) -> Iterator[Layer]:
    """What the chosen components propose; a field that the chosen component of a part lacks is not for it."""
    known = {part: config_class(catalog, spec).model_fields for part, spec in specs.items()}
    for spec in (task, *(specs[part] for part in ("dataset", "model", "loss", "inference", "trainer"))):
        for suggest in spec.suggest:
            if _applies(suggest.when, names):
                values: dict[str, dict[str, Any]] = {}
                for key, value in suggest.settings.items():
                    section, dot, name = key.partition(".")
                    if dot and name in known.get(section, (name,)):
                        values.setdefault(section, {})[name] = value
                yield Layer(f"{spec.kind} {spec.name}", values)


class _Merge:
    """Settings so far: a part's fields are dropped when a later layer names another component for it."""

    def __init__(self, specs: Mapping[str, Spec]) -> None:
        self.final = {part: spec.name for part, spec in specs.items()}
        self.values: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
        self.origins: dict[str, str] = {}
        self._named: dict[str, str] = {}

    def add(self, layer: Layer) -> None:
        self.exclusive(layer.origin, layer.values)
        for section in SECTIONS:
            fields = dict(layer.values.get(section, {}))
            name = fields.pop("name", self.final.get(section)) if section in CHOICES else None
            if name is not None and self._named.get(section, name) != name:
                self._drop(section, self.values[section])
            if name is not None and (fields or "name" in layer.values.get(section, {})):
                self._named[section] = name
            for key, value in fields.items():
                self.values[section][key] = value
                self.origins[f"{section}.{key}"] = layer.origin

    def exclusive(self, origin: str, values: Mapping[str, Any]) -> None:
        engine = values.get("engine", {})
        for group in EXCLUSIVE:
            given = [key for key in group if engine.get(key) is not None]
            if len(given) > 1:
                raise UsageError(f"{origin}: give either {' or '.join('engine.' + key for key in given)}, not both")
            for other in group if given else ():
                if other != given[0]:
                    self.values["engine"][other] = None
                    self.origins.pop(f"engine.{other}", None)

    def _drop(self, section: str, fields: dict[str, Any]) -> None:
        for key in list(fields):
            del fields[key]
            self.origins.pop(f"{section}.{key}", None)


def config_class(catalog: Catalog, spec: Spec) -> type[Config]:
    """The options of a component."""
    found = load_config(spec, catalog) or NoOptions
    if not (isinstance(found, type) and issubclass(found, Config)):
        raise PluginError(f"{spec.kind} {spec.name!r}: {spec.config} is not a subclass of dlkit.config.Config")
    return found


def _validate(catalog: Catalog, section: str, merged: Merged) -> Config:
    model = OWN[section] if section in OWN else config_class(catalog, merged.specs[section])
    try:
        return model.model_validate(merged.values[section])
    except ValidationError as error:
        owner = f"{section} {merged.specs[section].name!r}" if section in CHOICES else f"the {section}"
        found = [problem_of(section, model, problem, merged.origins, owner) for problem in error.errors()]
        raise SettingError(list({problem.text: problem for problem in found}.values())) from error


def explain(section: str, model: type[BaseModel], problem: Any, origins: Mapping[str, str], owner: str) -> str:
    """One line for one of pydantic's errors: key, value, what is allowed, which layer set it."""
    return problem_of(section, model, problem, origins, owner).text


def problem_of(section: str, model: type[BaseModel], problem: Any, origins: Mapping[str, str], owner: str) -> Problem:
    """One of pydantic's errors with its option's key: an error in a list's third element is the list's."""
    path = [str(part) for part in problem["loc"][:1]]
    places = [part for part in problem["loc"][1:] if isinstance(part, int)]  # the rest says which type was tried
    field_key = ".".join([section, *path])
    key = ".".join([field_key, *map(str, places)])
    source = f" (from {origins[field_key]})" if origins.get(field_key) else ""
    if problem["type"] == "extra_forbidden":
        why = f"{owner} has no such option; {nearest(path[-1], model.model_fields)}"
        return Problem(field_key, f"unknown option {key}{source}: {why}", why)
    found = next((f for f in fields_of(model) if path and f.name == path[0]), None)
    why = refusal(problem, found.schema if found else None)
    if found is None or problem["type"] == "missing":  # its input is the whole section
        return Problem(field_key, f"{key}{source}: {why}", why)
    at_field = f"value {places[0] + 1}, {problem['input']!r}, {why}" if places else why
    return Problem(field_key, f"{key} = {problem['input']!r}{source}: {why}", at_field)


@dataclass(frozen=True)
class FieldInfo:
    """One option as people see it: ``type`` in words, ``allowed`` with bounds or choices, ``default`` as TOML."""

    name: str
    type: str
    allowed: str
    default: Any
    required: bool
    description: str
    schema: Mapping[str, Any]


def fields_of(model: type[BaseModel]) -> list[FieldInfo]:
    """The options of a config class, from its JSON schema."""
    schema = model.model_json_schema()
    required = schema.get("required", [])
    found = []
    for name, prop in schema.get("properties", {}).items():
        kind = _type_words(prop)
        default = prop.get("default")
        found.append(
            FieldInfo(name, kind, _allowed(prop, kind), default, name in required, prop.get("description", ""), prop)
        )
    return found


Schema = Mapping[str, Mapping[str, FieldInfo]]


def schema_of(catalog: Catalog, task: str, names: Mapping[str, str]) -> Schema:
    """Section → field name → the option, for the chosen components."""
    models: dict[str, Any] = dict(OWN)
    models.update({part: config_class(catalog, catalog.find(part, names[part], task)) for part in CHOICES})
    return {section: {f.name: f for f in fields_of(model)} for section, model in models.items()}


_WORDS = {"integer": "integer", "number": "number", "string": "text", "boolean": "true or false", "null": "none"}


def changeable(model: type[BaseModel]) -> list[str]:
    """The options of a config class that declare themselves changeable while a run is going."""
    marks = {name: found.json_schema_extra for name, found in model.model_fields.items()}
    return [name for name, extra in marks.items() if isinstance(extra, dict) and extra.get("changeable")]


def _type_words(prop: Mapping[str, Any]) -> str:
    if "enum" in prop:
        return "choice"
    if "anyOf" in prop:
        return " or ".join(_type_words(p) for p in prop["anyOf"] if p.get("type") != "null")
    if prop.get("type") == "array":
        return f"list of {_type_words(prop.get('items', {}))}s"
    return _WORDS.get(str(prop.get("type")), "value")


def _allowed(prop: Mapping[str, Any], kind: str) -> str:
    for option in prop.get("anyOf", ()):
        if option.get("type") != "null":
            return _allowed(option, kind)
    if "enum" in prop:
        return ", ".join(str(choice) for choice in prop["enum"])
    if prop.get("type") == "array":
        inner = prop.get("items", {})
        return f"list of: {_allowed(inner, _type_words(inner))}"
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = ", ".join(f"{sign} {prop[key]:g}" for key, sign in signs.items() if key in prop)
    return f"{kind} {bounds}".strip()


def parse_text(prop: Mapping[str, Any], text: str) -> Any:
    """A flag's text as a value for pydantic to judge: TOML where it is TOML, a bare comma list for list options."""
    import tomllib

    types = {p.get("type") for p in prop.get("anyOf", [prop])}
    if "enum" in prop:
        return next((choice for choice in prop["enum"] if str(choice) == text), text)
    if types <= {"string", "null"}:
        return text
    if "array" in types and not text.startswith("["):
        text = f"[{text}]"
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        if "array" in types:
            return [part.strip() for part in text.strip("[]").split(",")]
        return text

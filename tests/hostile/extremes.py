"""Every option of every component at the ends of what it allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dlkit.catalog import Catalog
from dlkit.components import PARTS
from dlkit.config.schema import FieldInfo, Property, schema_of
from small import models, small

UNTOUCHED = {
    *(
        "engine.device",
        "engine.init_from",
        "engine.epochs",
        "engine.steps",
        "engine.checkpoint_every",
        "engine.compile",
    ),
    *(
        "engine.compile",
        "engine.overfit_batches",
        "engine.workers",
        "job.nproc",
        "job.notify",
        "job.max_restarts",
        "job.gpu_memory",
    ),
}
"""What a step in one process on the CPU does not see, or what starts others."""
HUGE, TINY = 10**9, 1e-30
"""Where nothing bounds a number."""


class Case(NamedTuple):
    """One option of a run, far from where anybody has it."""

    task: str
    model: str
    section: str
    field: str
    value: object
    others: tuple[tuple[str, str, object], ...] = ()

    def __str__(self) -> str:
        options = ((self.section, self.field, self.value), *self.others)
        told = ", ".join(f"{section}.{field} = {str(value)[:40]}" for section, field, value in options)
        return f"{self.task} {self.model}: {told}"

    def layer(self) -> dict[str, Any]:
        """The run's configuration: small, one step, the option as it is here."""
        layer = small(self.task, self.model, steps=1, eval_every="end", threads=1)
        for section, field, value in ((self.section, self.field, self.value), *self.others):
            layer[section] = {**layer.get(section, {}), field: value}
        return layer

    def beside(self, other: Case) -> Case:
        """With an option of another case as well, where it is not of another model."""
        return self._replace(others=((other.section, other.field, other.value),))


def cases(catalog: Catalog) -> Iterator[Case]:
    """All of them; what several models share is tried with the first one of each task."""
    seen: set[tuple[str, str, str]] = set()
    for task, model in models(catalog):
        parts = {part: catalog.task(task).defaults[part] for part in PARTS}
        names = {**parts, **catalog.find("model", model, task).defaults, "model": model, "launcher": "local"}
        for section, fields in schema_of(catalog, task, names).items():
            owner = (task, section, names.get(section, ""))
            if owner in seen:
                continue
            seen.add(owner)
            for field in fields.values():
                if f"{section}.{field.name}" not in UNTOUCHED:
                    yield from (Case(task, model, section, field.name, value) for value in values(field))


def values(field: FieldInfo) -> Iterator[object]:
    found = list(_values(field.schema))
    return (value for place, value in enumerate(found) if value != field.default and value not in found[:place])


def _values(schema: Mapping[str, Any] | Property) -> Iterator[object]:
    """The ends of what a schema allows, least first."""
    for option in schema.get("anyOf", ()):
        yield from _values(option)
    if "enum" in schema:
        yield from schema["enum"]
    elif (kind := schema.get("type")) == "boolean":
        yield from (False, True)
    elif kind in ("integer", "number"):
        yield from _numbers(schema, whole=kind == "integer")
    elif kind == "array":
        yield from _lists(schema)


def _numbers(schema: Mapping[str, Any] | Property, whole: bool) -> Iterator[float]:
    step: float = 1 if whole else TINY
    least = schema.get("minimum", schema.get("exclusiveMinimum", -HUGE))
    most = schema.get("maximum", schema.get("exclusiveMaximum", HUGE))
    below = most - 1 if whole else most * (1 - 1e-9)
    ends = (least + step if "exclusiveMinimum" in schema else least, below if "exclusiveMaximum" in schema else most)
    yield from (int(end) if whole else float(end) for end in ends)


def _lists(schema: Mapping[str, Any] | Property) -> Iterator[list[object]]:
    """The shortest and some long ones, of the least and of the largest entries."""
    if fixed := schema.get("prefixItems"):
        columns = [list(_values(inner)) for inner in fixed]
        yield from ([column[end] for column in columns] for end in (0, -1) if all(columns))
        return
    entries = list(_values(schema.get("items", {})))
    fewest, most = schema.get("minItems", 0), schema.get("maxItems", 40)
    for length in {fewest, max(1, fewest), most}:
        yield from ([entry] * length for entry in {id(e): e for e in (*entries[:1], *entries[-1:])}.values())

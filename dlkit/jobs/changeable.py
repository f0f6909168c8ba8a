"""What ``dlkit set`` may change of a run that is going, known without building anything."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pydantic import ValidationError

from dlkit.catalog import Catalog
from dlkit.config import (
    SHORT_FLAGS,
    Config,
    EngineConfig,
    FieldInfo,
    config_class,
    explain,
    fields_of,
    parse_option,
)
from dlkit.config import changeable as changeable_names
from dlkit.errors import UsageError, nearest
from dlkit.json_types import Settings


def changeable(catalog: Catalog, task: str, names: Mapping[str, str]) -> dict[str, FieldInfo]:
    """Full key (``trainer.lr``) → option, of the engine and of the trainer that ``names`` has under ``"trainer"``."""
    return {
        f"{section}.{field.name}": field
        for section, model in _models(catalog, task, names).items()
        for field in fields_of(model)
        if field.name in changeable_names(model)
    }


def parse_change(
    catalog: Catalog, task: str, names: Mapping[str, str], stored: Mapping[str, Settings], key: str, text: str
) -> tuple[str, object]:
    """A key and a value as typed → the full key and the value; UsageError says what may be changed, and to what.

    ``stored`` is the run's configuration: a value is judged among the options it will stand with.
    """
    allowed = changeable(catalog, task, names)
    full = SHORT_FLAGS.get(key.replace("-", "_"), key)
    if full not in allowed:
        raise UsageError(f"{key} cannot be changed while the run goes; {nearest(full, allowed)}")
    section, _, name = full.partition(".")
    value = parse_option(allowed[full].schema, text)
    # Bounds do not exclude it (inf is above 0), and no event could record it: the log is strict JSON.
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{full} = {text}: must be finite (allowed: {allowed[full].allowed})")
    _judge(_models(catalog, task, names)[section], section, stored.get(section, {}), name, value)
    return full, value


def _models(catalog: Catalog, task: str, names: Mapping[str, str]) -> dict[str, type[Config]]:
    trainer = catalog.find("trainer", names["trainer"], task)
    return {"engine": EngineConfig, "trainer": config_class(catalog, trainer)}


def _judge(model: type[Config], section: str, stored: Settings, name: str, value: object) -> None:
    """UsageError if pydantic objects to the value; what an older version stored beside it does not count."""
    beside = {option: other for option, other in stored.items() if option != "name"}
    try:
        model.model_validate({**beside, name: value})
    except ValidationError as error:
        problems = [found for found in error.errors() if not found["loc"] or found["loc"][0] == name]
        lines = [explain(section, model, problem, {}, section) for problem in problems]
        if lines:
            raise UsageError("\n".join(lines)) from error

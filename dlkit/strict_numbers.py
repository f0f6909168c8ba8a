"""Numbers that strict JSON does not have: "nan", "inf" and "-inf", as text."""

from __future__ import annotations

import math
from collections.abc import Mapping

from dlkit.json_types import Json, JsonObject


def encode(value: object) -> object:
    """Non-finite numbers as strings, anywhere inside."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    return value


def decode(values: JsonObject) -> JsonObject:
    """Metric values back from strict JSON: "nan", "inf" and "-inf" are numbers again. ValueError for what is none."""
    return {key: _column(item) if isinstance(item, list) else _number(item) for key, item in values.items()}


def _column(values: list[Json]) -> list[Json]:
    # Nearly always: and looking at the types takes a tenth of what a call for each value does.
    return values if {float, int}.issuperset(map(type, values)) else [_number(value) for value in values]


def _number(value: Json) -> Json:
    if type(value) is float or type(value) is int:
        return value
    if value in ("nan", "inf", "-inf"):
        return float(value)
    raise ValueError(f"{str(value)[:50]!r} is not a number")


def finite(value: object) -> float | None:
    """A number, as JSON has it, that can be computed with."""
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None

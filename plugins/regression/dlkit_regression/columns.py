"""How each column of a table becomes features, as data; neither torch nor pydantic: an exported model takes it along.

``info`` is of these, and pydantic checks them there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from dlkit.data.dates import Order
from dlkit.data.numerals import PLAIN, Numerals

_STRICT: Mapping[str, str] = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How a number becomes a feature, (value − mean) / std.

    fill  what stands for a missing value; without it that is an error
    """

    __pydantic_config__: ClassVar[Mapping[str, str]] = _STRICT

    mean: float = 0.0
    std: float = 1.0
    fill: float | None = None

    def __post_init__(self) -> None:
        if not self.std > 0:
            raise ValueError(f"std = {self.std:g} is not above 0")


@dataclass(frozen=True, kw_only=True)
class Number(Scale):
    """A column of numbers, which becomes one feature, and one of 0 or 1 where ``indicator`` says what is missing.

    name       the column's in a table's header, as of the other kinds
    written    how its numbers are written
    """

    __pydantic_config__: ClassVar[Mapping[str, str]] = _STRICT

    name: str
    kind: Literal["number"] = "number"
    written: Numerals = PLAIN
    indicator: bool = False


@dataclass(frozen=True, kw_only=True)
class Date:
    """A column of dates, which becomes a feature for each of its ``parts``: year, month, day, weekday, and hour where
    there are times. ``order``: of day, month and year."""

    __pydantic_config__: ClassVar[Mapping[str, str]] = _STRICT

    name: str
    order: Order
    parts: Mapping[str, Scale]
    kind: Literal["date"] = "date"


@dataclass(frozen=True, kw_only=True)
class Category:
    """A column of words or codes, which becomes one feature, 0 or 1, for each of its ``values`` ("": missing), in their
    order. ``unknown``: another value is an error, or none of these."""

    __pydantic_config__: ClassVar[Mapping[str, str]] = _STRICT

    name: str
    values: Sequence[str] = field()
    kind: Literal["category"] = "category"
    unknown: Literal["refuse", "zeros"] = "refuse"

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(f"column {self.name!r} has no values")


Column = Number | Category | Date
Fields = Mapping[str, Any]
"""A column's, in JSON values."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is predicted, in a ``unit``; the model sees (value − mean) / std."""

    __pydantic_config__: ClassVar[Mapping[str, str]] = _STRICT

    name: str
    mean: float
    std: float
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.std > 0:
            raise ValueError(f"std = {self.std:g} is not above 0")


def feature_names(column: Column) -> list[str]:
    """The features that a column becomes."""
    if isinstance(column, Category):
        return [f"{column.name}={value or '(missing)'}" for value in column.values]
    if isinstance(column, Date):
        return [f"{column.name}.{part}" for part in column.parts]
    return [column.name, f"{column.name} missing"] if column.indicator else [column.name]


def column_of(fields: Fields) -> Column:
    """A column from its fields as JSON has them."""
    if fields["kind"] == "number":
        return Number(**{**fields, "written": Numerals(**fields["written"])})
    if fields["kind"] == "date":
        return Date(**{**fields, "parts": {part: Scale(**scale) for part, scale in fields["parts"].items()}})
    return Category(**fields)

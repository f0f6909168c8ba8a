"""Options as people see them: read from a config class's JSON schema, and typed as text."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias, TypedDict

from pydantic import BaseModel

from dlkit.bounded import BadFile, parse_toml
from dlkit.catalog import Catalog
from dlkit.config.options import CHOICES, OWN, config_class
from dlkit.durations import seconds
from dlkit.json_types import Json

Bound = Literal["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"]


class Property(TypedDict, total=False):
    """An option's JSON schema, as far as it is read here."""

    type: str
    format: str
    description: str
    pattern: str
    default: Json
    const: Json
    enum: list[Json]
    anyOf: list[Property]
    items: Property
    prefixItems: list[Property]
    minItems: int
    maxItems: int
    minimum: float
    exclusiveMinimum: float
    maximum: float
    exclusiveMaximum: float


@dataclass(frozen=True)
class FieldInfo:
    """One option as people see it: ``type`` in words, ``allowed`` with bounds or choices, ``default`` as TOML."""

    name: str
    type: str
    allowed: str
    default: Any
    required: bool
    description: str
    schema: Property


def fields_of(model: type[BaseModel]) -> list[FieldInfo]:
    """The options of a config class, from its JSON schema."""
    return [*_fields(model)]


@lru_cache(maxsize=512)  # a schema takes 3 ms to make: a form asks for nine at every key
def _fields(model: Hashable) -> tuple[FieldInfo, ...]:
    """Of a config class."""
    assert isinstance(model, type) and issubclass(model, BaseModel)
    schema = model.model_json_schema()
    required = schema.get("required", [])
    found = []
    for name, prop in schema.get("properties", {}).items():
        kind = _type_words(prop)
        default = prop.get("default")
        found.append(
            FieldInfo(name, kind, _allowed(prop, kind), default, name in required, prop.get("description", ""), prop)
        )
    return tuple(found)


Schema: TypeAlias = Mapping[str, Mapping[str, FieldInfo]]


def schema_of(catalog: Catalog, task: str, names: Mapping[str, str]) -> Schema:
    """Section → field name → the option, for the chosen components."""
    chosen = {part: config_class(catalog, catalog.find(part, names[part], task)) for part in CHOICES}
    models = {**OWN, **chosen}
    return {section: {f.name: f for f in fields_of(model)} for section, model in models.items()}


_SIGNS: Mapping[Bound, str] = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_WORDS = {"integer": "integer", "number": "number", "string": "text", "boolean": "true or false", "null": "none"}


def _type_words(prop: Property) -> str:
    if "enum" in prop:
        return "choice"
    if "anyOf" in prop:
        return " or ".join(_type_words(p) for p in prop["anyOf"] if p.get("type") != "null")
    if prop.get("type") == "array":
        return f"list of {_type_words(prop.get('items', {}))}s"
    return _WORDS.get(str(prop.get("type")), "value")


def _allowed(prop: Property, kind: str) -> str:
    for option in prop.get("anyOf", ()):
        if option.get("type") != "null":
            return _allowed(option, kind)
    if "enum" in prop:
        return ", ".join(str(choice) for choice in prop["enum"])
    if prop.get("type") == "array":
        inner = prop.get("items", {})
        return f"list of: {_allowed(inner, _type_words(inner))}"
    bounds = ", ".join(f"{sign} {prop[key]:g}" for key, sign in _SIGNS.items() if key in prop)
    return f"{kind} {bounds}".strip()


def parse_text(prop: Property, text: str) -> object:
    """A flag's text as a value for pydantic to judge: TOML where it is TOML, a bare comma list for list options."""
    types = {p.get("type") for p in prop.get("anyOf", [prop])}
    if "enum" in prop:
        return next((choice for choice in prop["enum"] if str(choice) == text), text)
    if types <= {"string", "null"}:
        return text
    if prop.get("format") == "duration":
        with suppress(ValueError):  # else pydantic says what it must be
            return seconds(text)
    if "array" in types:
        return [""] if not text and prop.get("takes_empty") else _parse_list(prop, text)
    try:
        return _parse_value(text)
    except BadFile:
        return text


def may_be_unset(prop: Property) -> bool:
    """Whether an option may be left open: ``none`` says so where it is typed."""
    return any(option.get("type") == "null" for option in prop.get("anyOf", ()))


def parse_option(prop: Property, text: str) -> object:
    """As ``parse_text``; ``none`` for an option that may be left open is none."""
    return None if text == "none" and may_be_unset(prop) else parse_text(prop, text)


def _parse_list(prop: Property, text: str) -> object:
    try:
        values = _parse_value(text if text.startswith("[") else f"[{text}]")
    except BadFile:
        values = None
    # Of a list of texts -9999 is a text too, as it stands there.
    texts = prop.get("items", {}).get("type") == "string"
    if isinstance(values, list) and not (texts and any(not isinstance(value, str) for value in values)):
        return values
    return [part.strip() for part in text.strip("[]").split(",")]


def _parse_value(text: str) -> Json:
    return parse_toml(f"value = {text}".encode("utf-8", "surrogatepass"), "value")["value"]

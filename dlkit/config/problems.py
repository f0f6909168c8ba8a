"""Why the value of an option is refused: what it must be, in words, instead of which of pydantic's checks it failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel

from dlkit.config.schema import Bound, Property, fields_of
from dlkit.errors import Problem, nearest
from dlkit.json_types import Json

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_OURS = ("greater_", "less_", "int_", "float_", "bool_", "list_", "tuple_", "string_", "literal_", "too_", "finite_")
"""How the types of pydantic's errors begin that the option's own schema explains better."""
_SINGULAR = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "a text"}
_PLURAL = {"integer": "whole numbers", "number": "numbers", "boolean": "true or false", "string": "texts"}
_LIMITS: Mapping[Bound, str] = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def refusal(problem: ErrorDetails, prop: Property | None) -> str:
    """Why, for one of pydantic's errors (an item of ``ValidationError.errors()``) with an option whose schema is
    ``prop`` (None: it has none)."""
    kind, said = problem["type"], str(problem["msg"])
    if kind in ("value_error", "assertion_error"):
        return said.partition(", ")[2]
    must = expected(inner(prop, problem["loc"][1:])) if prop is not None else ""
    if kind == "missing":
        return f"is needed: {must}" if must else "is needed"
    if prop is not None and kind == "string_pattern_mismatch" and prop.get("description"):
        return f"does not fit: {prop['description']}"
    if not must or not kind.startswith(_OURS):
        return said
    return f"must be {must}{', and finite' if kind == 'finite_number' else ''}"


def inner(prop: Property, path: Sequence[int | str]) -> Property:
    """The schema of what lies at a path below an option: of a list's third element, say."""
    for step in path:
        options = [option for option in prop.get("anyOf", ()) if "items" in option or "prefixItems" in option]
        prop = options[0] if options else prop
        first = prop.get("prefixItems", ())
        if isinstance(step, int) and step < len(first):
            prop = first[step]
        elif isinstance(step, int):
            prop = prop.get("items", {})
    return prop


def expected(prop: Property) -> str:
    """``a number above 0``, ``one of relu, tanh``, ``a list of 2 whole numbers, each from 1 to 9``; empty for what has
    no words."""
    options = [option for option in prop.get("anyOf", ()) if option.get("type") != "null"]
    if options:
        found = dict.fromkeys(map(expected, options))
        return " or ".join(found) if all(found) else ""
    if "const" in prop:
        return _shown(prop["const"])
    if "enum" in prop:
        return f"one of {', '.join(map(_shown, prop['enum']))}"
    if prop.get("type") == "array":
        return _list(prop)
    word = "a path" if prop.get("format") == "path" else _SINGULAR.get(str(prop.get("type")), "")
    limits = bounds(prop)
    return " ".join(filter(None, (word, "of" if limits.startswith("at ") else "", limits)))


def bounds(prop: Property) -> str:
    """``from 1 to 9``, ``above 0 and at most 1``; empty for what has none."""
    if "minimum" in prop and "maximum" in prop:
        return f"from {_number(prop['minimum'])} to {_number(prop['maximum'])}"
    found = [f"{word} {_number(prop[key])}" for key, word in _LIMITS.items() if key in prop]
    return " and ".join(found)


def _list(prop: Property) -> str:
    first = prop.get("prefixItems", [])
    alike = all(item == first[0] for item in first)
    item: Property = first[0] if first and alike else prop.get("items", {}) if not first else {}
    what = _PLURAL.get(str(item.get("type")), "values") if "enum" not in item else "values"
    limits = f"one of {', '.join(map(_shown, item['enum']))}" if "enum" in item else bounds(item)
    return " ".join(filter(None, ("a list of", _count(prop), what))) + (f", each {limits}" if limits else "")


def _count(prop: Property) -> str:
    least, most = prop.get("minItems", 0), prop.get("maxItems")
    if most is None:
        return f"{least} or more" if least else ""
    if least == most:
        return str(most)
    return f"{least} to {most}" if least else f"up to {most}"


def _shown(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) and abs(value) < 10**7 else f"{value:g}"


def explain(section: str, model: type[BaseModel], problem: ErrorDetails, origins: Mapping[str, str], owner: str) -> str:
    """One line for one of pydantic's errors: key, value, what is allowed, which layer set it."""
    return problem_of(section, model, problem, origins, owner).text


def problem_of(
    section: str, model: type[BaseModel], problem: ErrorDetails, origins: Mapping[str, str], owner: str
) -> Problem:
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
    value = _cut(repr(problem["input"]))
    at_field = f"value {places[0] + 1}, {value}, {why}" if places else why
    return Problem(field_key, f"{key} = {value}{source}: {why}", at_field)


_LONGEST_VALUE = 200


def _cut(value: str) -> str:
    """A value as a message shows it: whose beginning says which one it is."""
    more = len(value) - _LONGEST_VALUE
    return f"{value[:_LONGEST_VALUE]}… ({more} characters more)" if more > 0 else value

"""A table's row as a line of words (``name=value,name=value``, or JSON), and as fields of a form."""

from __future__ import annotations

import json

Fields = tuple[tuple[str, str], ...]
"""Names and values, in the columns' order."""


def fields_of(word: str) -> Fields:
    """The fields of a row; empty where a line is none that has names."""
    text = word.strip()
    if text.startswith("{"):
        return _of_json(text)
    pairs = [part.partition("=") for part in text.split(",")]
    named = all(sign and name.strip() for name, sign, _ in pairs)
    return tuple((name.strip(), value.strip()) for name, _, value in pairs) if named else ()


def row_of(fields: Fields) -> str:
    """The line for these fields: as JSON where a name or a value would break the other form."""
    if any(sign in f"{name}{value}" for name, value in fields for sign in ",=") or fields[0][0].startswith(("{", "[")):
        return json.dumps(dict(fields), ensure_ascii=False)
    return ",".join(f"{name}={value}" for name, value in fields)


def _of_json(text: str) -> Fields:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    plain = isinstance(found, dict) and not any(isinstance(value, (dict, list)) for value in found.values())
    return tuple((str(name), "" if value is None else str(value)) for name, value in found.items()) if plain else ()

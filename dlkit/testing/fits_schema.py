"""Whether a JSON value is what a question's or an answer's schema says: the words of ``dlkit.question_schema``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "number": (int, float), "integer": (int,), "boolean": (bool,), "array": (list, tuple),
    "object": (Mapping,), "null": (type(None),),
}  # fmt: skip


def misfit(value: object, schema: Mapping[str, object], where: str = "") -> str:
    """Where a value does not fit, as ``answer.score is 1.5, above 1``; empty: it fits. Unknown words say nothing."""
    for kinds in (schema[word] for word in ("anyOf", "oneOf") if word in schema):
        told = [misfit(value, kind, where) for kind in _schemas(kinds)]
        if all(told):
            return told[0]
    kind = schema.get("type")
    if isinstance(kind, str) and not _is(value, kind):
        return f"{where or 'it'} is {value!r:.60}, not of type {kind}"
    if isinstance(value, (list, tuple)):
        return _items(value, schema, where)
    if isinstance(value, Mapping):
        return _fields(value, schema, where)
    return _limits(value, schema, where)


def _is(value: object, kind: str) -> bool:
    # True is an int to Python, and no number to JSON.
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _schemas(found: object) -> list[Mapping[str, object]]:
    return [kind for kind in found if isinstance(kind, Mapping)] if isinstance(found, (list, tuple)) else []


def _limits(value: object, schema: Mapping[str, object], where: str) -> str:
    allowed = schema.get("enum")
    if isinstance(allowed, (list, tuple)) and value not in allowed:
        return f"{where or 'it'} is {value!r:.60}, none of {', '.join(map(str, allowed[:8]))}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        least, most = schema.get("minimum"), schema.get("maximum")
        if isinstance(least, (int, float)) and value < least:
            return f"{where or 'it'} is {value!r}, below {least}"
        if isinstance(most, (int, float)) and value > most:
            return f"{where or 'it'} is {value!r}, above {most}"
    return ""


def _items(value: Sequence[object], schema: Mapping[str, object], where: str) -> str:
    least, most, items = schema.get("minItems"), schema.get("maxItems"), schema.get("items")
    if (isinstance(least, int) and len(value) < least) or (isinstance(most, int) and len(value) > most):
        return f"{where or 'it'} has {len(value)} items"
    if not isinstance(items, Mapping):
        return ""
    told = (misfit(item, items, f"{where}[{n}]") for n, item in enumerate(value))
    return next((text for text in told if text), "")


def _fields(value: Mapping[str, object], schema: Mapping[str, object], where: str) -> str:
    required, known = schema.get("required"), schema.get("properties")
    lacking = [str(name) for name in required if name not in value] if isinstance(required, (list, tuple)) else []
    if lacking:
        return f"{where or 'it'} lacks {', '.join(lacking)}"
    for name, item in value.items():
        own = known[name] if isinstance(known, Mapping) and name in known else schema.get("additionalProperties")
        if own is False:
            return f"{where or 'it'} has {name}, which is not in the schema"
        if isinstance(own, Mapping) and (told := misfit(item, own, f"{where}.{name}" if where else str(name))):
            return told
    return ""

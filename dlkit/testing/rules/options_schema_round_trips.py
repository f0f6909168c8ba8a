"""Help, form and completion read the schema, not the class."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    import json

    options = subject.options()
    schema = options.model_json_schema()
    try:
        text = json.dumps(schema, allow_nan=False)
    except ValueError as error:
        yield Finding(f"its JSON schema is none: {error}", "finite bounds and defaults of JSON's own types")
        return
    properties = json.loads(text).get("properties", {})
    for name in options.model_fields:
        if name not in properties:
            yield Finding("is not in the JSON schema", "every option under its own name, without an alias", name)
    defaults = {name: found["default"] for name, found in properties.items() if "default" in found}
    needed = {**_required(subject), **{name: value for name, value in defaults.items() if value is not None}}
    made = options.model_validate(needed)
    for name, value in defaults.items():
        plain = made.model_dump(mode="json")[name]
        if value is not None and plain != value:
            yield Finding(f"the schema says {value!r}, the class makes {plain!r} of it", "one default", name)


def _required(subject: Subject) -> dict[str, object]:
    """Values for options without a default, as check.toml states them."""
    stated = subject.small.get(subject.spec.kind, {})
    required = {name for name, field in subject.options().model_fields.items() if field.is_required()}
    if missing := required - stated.keys():
        raise Skipped(f"{', '.join(sorted(missing))}: no default, and none stated: see options-defaults-validate")
    return {name: stated[name] for name in required}


RULE = Rule(
    name="options-schema-round-trips",
    tier="silver",
    kinds=("dataset", "model", "loss", "trainer", "inference", "launcher"),
    title="The options' JSON schema is complete, and its defaults are the class's.",
    why="Interfaces show options from the schema: what it lacks cannot be set there.",
    mend=("Use types that JSON has (numbers, texts, lists, Literal), no alias, and defaults as values."),
    check=check,
)

"""Most people choose options in the form."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject

_TYPES = {"integer", "number", "boolean", "string", "array", "null"}
"""Of JSON schemas, those that can be typed: a table has no form of words on a command line or in a field."""
_CHOICE = {"enum", "const"}


def check(subject: Subject) -> Iterator[Finding]:
    from dlkit.components import PARTS
    from dlkit.config import fields_of
    from dlkit.monitor.form import Form
    from dlkit.monitor.form_check import check as look

    for option in fields_of(subject.options()):
        several = option.schema.get("anyOf", [option.schema])
        kinds = [one.get("type", "object") for one in several if not _CHOICE & one.keys()]
        if strange := [kind for kind in kinds if kind not in _TYPES]:
            yield Finding(f"a value of type {strange[0]} cannot be typed", "options of their own instead", option.name)
    if not subject.task:
        return
    # With the model that it is tried with, where the task's own is of another interface.
    names = {part: str(table["name"]) for part, table in subject.small.items() if part in PARTS and "name" in table}
    names |= {subject.spec.kind: subject.spec.name} if subject.spec.kind in PARTS else {}
    form = Form(subject.task, names=names)
    shown = look(form, subject.catalog, subject.scratch)
    for problem in shown.general:
        yield Finding(problem, "the form of a run with it has no problem before anything is typed")
    fields = {field.key: field for field in shown.fields()}
    for name in subject.options().model_fields:
        key = f"{subject.spec.kind}.{name}"
        if subject.spec.kind in PARTS and key not in fields:
            yield Finding("is not in the form", "a field of a type that the form knows", name)
    for field in fields.values():
        own = field.key.startswith(f"{subject.spec.kind}.") and field.key != f"{subject.spec.kind}.name"
        if not own or field.required:  # which component it is, is a choice of dlkit's
            continue
        if field.problem:
            yield Finding(f"refused before anything is typed: {field.problem}", "a default that is allowed", field.key)
        elif field.kind == "text" or not field.text:
            continue
        set_to = look(form.set(field.key, field.text), subject.catalog, subject.scratch)
        typed = {found.key: found for found in set_to.fields()}
        if (again := typed.get(field.key)) is None or again.problem or again.changed:
            why = again.problem or "it counts as changed" if again is not None else "it is gone"
            yield Finding(f"its default {field.text!r}, typed: {why}", "the default typed is the default", field.key)


RULE = Rule(
    name="options-shown-by-the-form",
    tier="silver",
    kinds=("dataset", "model", "loss", "trainer", "inference", "launcher"),
    title="The launch form shows every option, and takes its default back as it is shown.",
    why="What the form cannot show, people in the interface cannot set.",
    mend=("Use simple types: numbers with bounds, bool, Literal, text, lists of these, or one of these or None."),
    check=check,
)

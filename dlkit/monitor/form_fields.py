"""A form's fields: each option of a configuration as it is shown and typed."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cache

from dlkit.config import FieldInfo, Property, may_be_unset, parse_text
from dlkit.gpus import gpus
from dlkit.monitor.choices import Choices

SUBMIT = "submit"
"""The section of what is not part of a configuration: the run's name, and its place in the queue."""


@dataclass(frozen=True)
class Field:
    """One option. ``text`` is what its widget holds, ``default`` what it would hold had nobody typed anything.

    ``kind``: switch, choice, whole number, number, list or text. ``origin``: who set the default, empty for the option
    itself. ``changed``: the value differs from the default. ``problem``: why it is refused.
    """

    key: str
    kind: str
    text: str
    default: str
    origin: str = ""
    changed: bool = False
    allowed: str = ""
    description: str = ""
    choices: Choices = ()
    required: bool = False
    problem: str = ""

    @property
    def label(self) -> str:
        section, _, name = self.key.partition(".")
        return (section if name == "name" and section != SUBMIT else name).replace("_", " ")

    def matches(self, word: str) -> bool:
        """Whether a filter finds it, by its key or its description."""
        return word.lower() in f"{self.key} {self.label} {self.description}".lower()


@dataclass(frozen=True)
class Section:
    """Fields under a heading. ``main`` ones are open at first."""

    key: str
    title: str
    summary: str
    fields: tuple[Field, ...]
    main: bool


def make_field(key: str, info: FieldInfo, default: object, origin: str, typed: str | None, problem: str) -> Field:
    """``default`` as a plain value, ``typed`` what the user has set the field to, if anything."""
    kind, prop = kind_of(info.schema), info.schema
    default_text = text_of(prop, default)
    given = typed is not None and is_given(info, typed)
    return Field(
        key=key,
        kind="choice" if key == "engine.device" else kind,
        text=typed if typed is not None and (given or kind != "text") else default_text,
        default=default_text,
        origin=origin,
        changed=given and not _same(parse_text(prop, typed or ""), default),
        allowed=info.allowed,
        description=info.description,
        choices=_device_choices(info, default_text, typed or "") if key == "engine.device" else _choices(prop, kind),
        required=info.required,
        problem=problem,
    )


def is_given(info: FieldInfo, text: str) -> bool:
    """Whether a text is a value: an empty one is none, unless the option is a text that may be empty."""
    return text != "" or (info.schema.get("type") == "string" and "enum" not in info.schema and not info.required)


def kind_of(prop: Property) -> str:
    """The widget's kind for an option of this JSON schema."""
    options = [option for option in prop.get("anyOf", [prop]) if option.get("type") != "null"]
    if len(options) != 1:
        return "text"
    if "enum" in options[0] or "const" in options[0]:
        return "choice"
    kind = str(options[0].get("type"))
    if kind == "boolean":
        return "choice" if may_be_unset(prop) else "switch"
    return {"integer": "whole number", "number": "number", "array": "list"}.get(kind, "text")


def text_of(prop: Property, value: object) -> str:
    """A plain value as a text that ``parse_text`` reads as the same value; none is the empty one."""
    if value is None:
        return ""
    text = _plain(value)
    if _same(parse_text(prop, text), value) and (text or isinstance(value, str)):
        return text
    import tomlkit

    return str(tomlkit.item(value).as_string())


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    return str(value)


def _same(one: object, other: object) -> bool:
    """Equal as options: a tuple is a list, true is not 1."""
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _choices(prop: Property, kind: str) -> Choices:
    if kind != "choice":
        return ()
    option = next(option for option in prop.get("anyOf", [prop]) if option.get("type") != "null")
    values = [True, False] if option.get("type") == "boolean" else option.get("enum", [option.get("const")])
    texts = tuple((_plain(value), _plain(value)) for value in values)
    return (("", "none"), *texts) if may_be_unset(prop) else texts


def _device_choices(info: FieldInfo, *wanted: str) -> Choices:
    """This machine's devices, as far as the option takes them, and what is wanted already."""
    offered = {"auto": "auto", "cpu": "cpu", **_accelerators()}
    pattern = str(info.schema.get("pattern", ""))
    found = {text: label for text, label in offered.items() if re.search(pattern, text)}
    return tuple({**found, **{text: text for text in wanted if text and text not in found}}.items())


@cache
def _accelerators() -> dict[str, str]:
    found = {f"cuda:{gpu.position}": f"cuda:{gpu.position} {gpu.name}" for gpu in gpus()}
    return {**({"mps": "mps"} if sys.platform == "darwin" else {}), **({"cuda": "cuda"} if found else {}), **found}

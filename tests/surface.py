"""What others build on, as flat tables: the place of each thing, and what is said of it there.

Each function gives one table, of what the code declares now. ``weigh`` compares one with the kept one, and says what
the differences mean for the version.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import typing
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Literal, NamedTuple

import dlkit
from dlkit.hookspecs import HOOKS
from promised import PROMISED
from schemas import SCHEMAS

NEEDED = "needed"
"""How an entry begins that whoever uses what is around it must give: to add one breaks them."""
ORDER = ("patch", "minor", "major")
Weight = Literal["patch", "minor", "major"]


class Change(NamedTuple):
    weight: Weight
    text: str


def weigh(kept: Mapping[str, str], now: Mapping[str, str]) -> list[Change]:
    """What is gone or says something else breaks who relied on it; what is new does not, unless it must be given."""
    found = [Change("major", f"gone: {place}  ({kept[place]})") for place in kept if place not in now]
    for place, said in now.items():
        parent = place.rpartition("(")[0]
        if place not in kept:
            breaks = said.startswith(NEEDED) and (parent in kept)
            found.append(Change("major" if breaks else "minor", f"new: {place}  ({said})"))
        elif kept[place] != said:
            eased = kept[place] == f"{NEEDED} {said.split(' =')[0]}"
            found.append(Change("minor" if eased else "major", f"other: {place}  ({kept[place]} → {said})"))
    return found


def python() -> dict[str, str]:
    """What ``import dlkit`` and the documented modules offer, with signatures, fields and methods."""
    names = [("dlkit", name) for name in dlkit.__all__ if name not in ("__version__", "api_version", "errors")]
    errors = [("dlkit.errors", name) for name, value in vars(dlkit.errors).items() if _is_error(value)]
    found: dict[str, str] = {}
    for module, name in dict.fromkeys([*names, *errors, *PROMISED]):
        found.update(_thing(f"{module}.{name}", getattr(import_module(module), name)))
    return found


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, dlkit.errors.DlkitError)


def _thing(place: str, thing: object) -> Iterator[tuple[str, str]]:
    if inspect.isclass(thing):
        yield place, f"class of {', '.join(base.__name__ for base in thing.__mro__[1:-1])}"
        if not dataclasses.is_dataclass(thing) and "__init__" in vars(thing):
            yield from _parameters(place, vars(thing)["__init__"])
        yield from _members(place, thing)
    elif callable(thing) and hasattr(thing, "__code__"):
        yield from _function(place, thing)
    else:
        yield place, f"a {type(thing).__name__}"


def _members(place: str, kind: type) -> Iterator[tuple[str, str]]:
    for item in dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ():
        required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        yield f"{place}({item.name})", f"{f'{NEEDED} ' if required and item.init else ''}{item.type}"
    for name, member in vars(kind).items():
        if name.startswith("_") and name != "__call__":
            continue
        inner = getattr(member, "__func__", member)
        if isinstance(member, property):
            yield (
                f"{place}.{name}",
                f"property: {_annotation(getattr(member.fget, '__annotations__', {}).get('return'))}",
            )
        elif inspect.isfunction(inner):
            yield from _function(f"{place}.{name}", inner)


def _function(place: str, function: Callable[..., Any]) -> Iterator[tuple[str, str]]:
    yield place, f"gives {_annotation(inspect.signature(function).return_annotation)}"
    yield from _parameters(place, function)


def _parameters(place: str, function: Callable[..., Any]) -> Iterator[tuple[str, str]]:
    for number, item in enumerate(inspect.signature(function).parameters.values()):
        if item.name in ("self", "cls"):
            continue
        how = f"{number}. " if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD) else ""
        star = {item.VAR_POSITIONAL: "*", item.VAR_KEYWORD: "**"}.get(item.kind, "")
        needed = f"{NEEDED} " if item.default is item.empty and not star else ""
        default = "" if item.default is item.empty else f" = {_default(item.default)}"
        yield f"{place}({star}{item.name})", f"{needed}{how}{_annotation(item.annotation)}{default}"


def _annotation(value: object) -> str:
    if value is inspect.Signature.empty or value is inspect.Parameter.empty:
        return "unsaid"
    if isinstance(value, typing.ForwardRef):
        return value.__forward_arg__
    return value if isinstance(value, str) else getattr(value, "__name__", str(value))


def _default(value: object) -> str:
    return repr(value) if isinstance(value, str | int | float | bool | tuple | type(None)) else type(value).__name__


def hooks() -> dict[str, str]:
    """The hooks that a plugin may implement, and the version of the interface."""
    from dlkit import hookspecs

    found = {"api major": str(dlkit.api_version[0])}
    for hook in (*HOOKS.values(), "dlkit_event"):
        found.update(_function(hook, getattr(hookspecs, hook)))
    return found


def commands() -> dict[str, str]:
    """Every command with its options and inputs; what a task's components add is theirs."""
    from dlkit.catalog import Catalog
    from dlkit.cli.complete import declared
    from dlkit.errors import DlkitError
    from dlkit.loading.found import EntryPoint, Found

    builtin = Found(EntryPoint("dlkit", "dlkit.builtin", "dlkit"))
    kinds = (DlkitError, *DlkitError.__subclasses__())
    found = {f"exit code of {kind.kind}": str(kind.exit_code) for kind in kinds}
    for name, command in declared.commands(Catalog([builtin]))["commands"].items():
        found[f"dlkit {name}"] = "a command"
        for option in command["options"]:
            for word in option["words"]:
                found[f"dlkit {name} {word}"] = "takes a value" if option["value"] else "a switch"
        for number, given in enumerate(command["inputs"]):
            found[f"dlkit {name} ({number})"] = f"{given['value']}{' …' if given['repeats'] else ''}"
    return found


def events() -> dict[str, str]:
    """The lines of events.jsonl, as ``dlkit watch --json`` and observers get them."""
    from dlkit.events import KINDS

    found = {}
    for name, kind in KINDS.items():
        found[name] = "an event"
        found.update((f"{name}.{item.name}", str(item.type)) for item in dataclasses.fields(kind))
    return found


def runs() -> dict[str, str]:
    """A run's folder: its files, and the fields of run.json."""
    from pathlib import Path

    from dlkit.runs import run_record
    from dlkit.runs.folder import RunFolder

    folder = RunFolder(Path("run"))
    found = {}
    for name, value in vars(RunFolder).items():
        if isinstance(value, property) and isinstance(path := _quiet(folder, name), Path) and "run" in path.parts[:1]:
            found[f"file {path.relative_to('run')}"] = name
    for name, kind in vars(run_record).items():
        if typing.is_typeddict(kind):
            found.update((f"{name}.{key}", _annotation(said)) for key, said in kind.__annotations__.items())
    return found


def _quiet(folder: object, name: str) -> object:
    try:
        return getattr(folder, name)
    except Exception:  # what needs a run that is there
        return None


def documents() -> dict[str, str]:
    """What ``--json`` writes, by command: every place in every document."""
    found: dict[str, str] = {}
    for path in sorted(SCHEMAS.glob("*.json")):
        found.update(_places(path.stem, json.loads(path.read_text(encoding="utf-8"))))
    return found


def _places(place: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    said = {key: schema[key] for key in ("type", "enum", "const", "$ref", "minimum", "maximum") if key in schema}
    yield place, json.dumps(said, sort_keys=True)
    for name, inner in {**schema.get("properties", {}), **schema.get("$defs", {})}.items():
        for where, what in _places(f"{place}.{name}", inner):
            always = where == f"{place}.{name}" and name in schema.get("required", ())
            yield where, f"{what} always" if always else what
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from _places(f"{place}[]", schema[key])
    for key in ("anyOf", "oneOf", "allOf"):
        for number, inner in enumerate(schema.get(key, ())):
            yield from _places(f"{place}|{number}", inner)


TABLES: dict[str, Callable[[], dict[str, str]]] = {
    "python": python, "hooks": hooks, "commands": commands, "events": events, "runs": runs, "documents": documents,
}  # fmt: skip

"""What a plugin's module declares: its hooks called, their results checked, so that nothing odd goes further."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint

import pluggy

from dlkit import hookspecs
from dlkit.components import SPECS, Spec
from dlkit.errors import PluginError
from dlkit.loading.fitness import check_module
from dlkit.loading.plain import check_plain

MOST_COMPONENTS = 10_000
"""Components that one hook may return: dlkit's plugins have under twenty, and a generator may never end."""


def declare(entry: EntryPoint) -> tuple[pluggy.PluginManager, tuple[Spec, ...]]:
    """Import a plugin's module and call its hooks. It may raise anything that a stranger's code raises."""
    module = entry.load()
    check_module(module)
    manager = _registered(module, entry.name)
    return manager, _collect(manager)


def _registered(module: object, name: str) -> pluggy.PluginManager:
    """A manager of its own for one plugin, so that every result and error can be told apart."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module, name)
    manager.check_pending()
    for attribute in vars(module) if hasattr(module, "__dict__") else ():
        if attribute.startswith("dlkit_") and callable(getattr(module, attribute)):
            if not hasattr(getattr(module, attribute), f"{hookspecs.PROJECT}_impl"):
                raise PluginError(f"{attribute} lacks the @hookimpl mark")
    return manager


def _collect(manager: pluggy.PluginManager) -> tuple[Spec, ...]:
    specs: list[Spec] = []
    for kind, hook in hookspecs.HOOKS.items():
        for result in getattr(manager.hook, hook)():
            specs.extend(_checked(kind, hook, result))
    return tuple(specs)


def _checked(kind: str, hook: str, result: object) -> Iterator[Spec]:
    if not isinstance(result, Iterable) or isinstance(result, str):
        raise PluginError(f"{hook} returned {type(result).__name__}, not a list of {SPECS[kind].__name__}")
    for number, spec in enumerate(result):
        if number >= MOST_COMPONENTS:
            raise PluginError(f"{hook} returned more than {MOST_COMPONENTS} components")
        if not isinstance(spec, SPECS[kind]):
            raise PluginError(f"{hook} returned a {type(spec).__name__}, not a {SPECS[kind].__name__}")
        check_plain(spec)
        if problems := spec.problems():
            raise PluginError("; ".join(problems))
        yield spec

"""Every rule, each in a file of its name: ``data-same-for-a-seed`` is ``data_same_for_a_seed.py``'s ``RULE``."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from dlkit.errors import UsageError, nearest
from dlkit.testing.rule import GROUPS, Rule


def rule_names() -> list[str]:
    """All of them, in the order in which they are looked at; none is imported."""
    names = [found.name.replace("_", "-") for found in iter_modules(__path__)]
    return sorted(names, key=lambda name: (GROUPS.index(name.partition("-")[0]), name))


def find_rule(name: str) -> Rule:
    """UsageError names the nearest."""
    if name not in rule_names():
        raise UsageError(f"no rule {name!r}: {nearest(name, rule_names())}")
    found: Rule = import_module(f"{__name__}.{name.replace('-', '_')}").RULE
    return found

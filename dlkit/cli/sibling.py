"""Functions of ``dlkit.tui`` and ``dlkit.web``, by name: those packages are siblings of this one, and Textual stays out
of every command but theirs."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module


def function(target: str) -> Callable[..., int]:
    """``"package.module:function"``, imported now; what it returns is an exit code."""
    module, _, name = target.partition(":")
    found: Callable[..., int] = getattr(import_module(module), name)
    return found

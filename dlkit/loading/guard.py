"""What a plugin's import may not leave behind in a process that others share: it is found, named and undone.

Looked at are the functions and classes of a few modules, and what Python keeps once for a process. What is compared is
whether it is the same object: some 20 µs for a plugin, some 200 where torch is loaded already.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from operator import is_
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logging import Handler

WATCHED = (
    "builtins", "sys", "os", "io", "time", "json", "random", "signal", "threading", "subprocess", "pathlib", "logging",
    "warnings", "importlib", "importlib.metadata", "pluggy", "numpy", "torch", "torch.nn", "torch.nn.functional",
    "torch.optim", "torch.autograd", "torch.utils.data", "dlkit.components", "dlkit.errors", "dlkit.hookspecs",
    "dlkit.catalog", "dlkit.bounded", "dlkit.present.output",
)  # fmt: skip
"""Modules whose functions and classes stay what they are."""
CLASSES = ("torch:Tensor", "torch.nn:Module", "torch.optim:Optimizer", "pathlib:Path", "dlkit.catalog:Catalog")
"""Classes whose methods do."""
HOOKS = ("stdin", "excepthook", "displayhook", "unraisablehook")
"""Of ``sys``: they are none of a plugin's business, callable or not."""
MOST_FILES = 64
"""Files that a plugin may leave open: a process may have some thousand in all."""
_MISSING = object()


class Guard:
    """Knows how the process was; ``undo`` puts that back, and says in words what there was to undo."""

    def __init__(self) -> None:
        self._modules: dict[str, ModuleType] = {}
        self._names: dict[str, dict[str, object]] = {}
        self._standing = [(what, read, write, read()) for what, read, write in _standing()]
        self._environment = dict(os.environ)
        self._files = _open_files()
        self._new = self._look()

    def undo(self) -> list[str]:
        """What has changed since; what modules came is looked at from now on, too."""
        found = [*self._undo_modules(), *self._undo_names(), *self._undo_standing(), *self._undo_environment()]
        self._new = self._look()
        return found

    def files_left(self) -> int:
        """How many more files are open than when this was last asked."""
        if (more := _open_files() - self._files) >= MOST_FILES:
            gc.collect()
            more = _open_files() - self._files
        self._files += more
        return max(0, more)

    def patched_by(self, package: str) -> list[str]:
        """What belongs to a package and stands in the place of a watched module's own: it cannot be put back where the
        module has come with the package."""
        prefix = package.partition(".")[0]
        return [
            f"{where.replace(':', '.')}.{name}"
            for where in self._new
            if where.partition(".")[0] != prefix
            for name, value in self._names[where].items()
            if str(getattr(value, "__module__", "")).partition(".")[0] == prefix
        ]

    def _look(self) -> list[str]:
        """Remember the modules that have come; which of those watched are among them."""
        self._modules = dict(sys.modules)
        new = [where for where in (*WATCHED, *CLASSES) if where not in self._names and _complete(where)]
        self._names.update((where, _functions(vars(_owner(where)))) for where in new)
        return new

    def _undo_modules(self) -> Iterator[str]:
        if _same(self._modules, sys.modules):
            return
        for name, module in self._modules.items():
            if sys.modules.get(name, _MISSING) is not module:
                sys.modules[name] = module
                yield f"replaced the module {name}"

    def _undo_names(self) -> Iterator[str]:
        for where, names in self._names.items():
            owner = _owner(where)
            now = vars(owner)
            if _same(names, now):
                continue
            for name, value in names.items():
                if now.get(name, _MISSING) is not value:
                    with suppress(Exception):
                        setattr(owner, name, value)
                        yield f"changed {where.replace(':', '.')}.{name}"

    def _undo_standing(self) -> Iterator[str]:
        for what, read, write, before in self._standing:
            if (now := read()) is not before and now != before:
                write(before)
                yield f"changed {what}"

    def _undo_environment(self) -> Iterator[str]:
        if (now := dict(os.environ)) != self._environment:
            names = sorted(name for name in {*now, *self._environment} if now.get(name) != self._environment.get(name))
            for name in names:
                if name in self._environment:
                    os.environ[name] = self._environment[name]
                else:
                    del os.environ[name]
            yield f"changed the environment: {', '.join(names[:5])}"


def _same(before: Mapping[str, object], now: Mapping[str, object]) -> bool:
    """Whether all that was there still is: at the speed of C, since nearly always it is."""
    return all(map(is_, before.values(), map(now.get, before)))


def _functions(names: Mapping[str, object]) -> dict[str, object]:
    """Functions and classes, and the hooks: what else changes in a module is its own affair."""
    return {name: value for name, value in names.items() if callable(value) or name in HOOKS}


def _complete(where: str) -> bool:
    """Whether such a module has been imported, and none is being so by another thread; the class is in it."""
    module = sys.modules.get(where.partition(":")[0])
    if module is None or getattr(getattr(module, "__spec__", None), "_initializing", False):
        return False
    return ":" not in where or hasattr(module, where.partition(":")[2])


def _owner(where: str) -> object:
    module, colon, name = where.partition(":")
    return getattr(sys.modules[module], name) if colon else sys.modules[module]


_Standing = tuple[str, Callable[[], Any], Callable[[Any], Any]]


def _standing() -> Iterator[_Standing]:
    """What Python keeps once for a process: what it is, how it is read, how it is put back."""
    import _locale

    yield "the locale", lambda: _locale.setlocale(_locale.LC_ALL), lambda it: _locale.setlocale(_locale.LC_ALL, it)
    yield "the current folder", _folder, lambda it: os.chdir(it) if it else None
    yield "sys.path", lambda: [*sys.path], lambda it: sys.path.__setitem__(slice(None), it)
    yield "the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit
    yield "the switch interval", sys.getswitchinterval, sys.setswitchinterval
    yield "garbage collection", gc.isenabled, lambda it: gc.enable() if it else gc.disable()
    yield "the warnings that are shown", lambda: [*warnings.filters], _set_filters
    yield "logging", _logging, _set_logging
    yield "where threads trace", threading.gettrace, threading.settrace
    yield "torch's type of numbers", _torch_type, _set_torch_type


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109  # compared as it is
    except OSError:  # it has been removed
        return ""


def _set_filters(filters: list[object]) -> None:
    warnings.resetwarnings()  # it tells Python that they are others, which a list alone does not
    warnings.filters.extend(filters)  # type: ignore[attr-defined]  # a list, whatever typeshed calls it


def _logging() -> tuple[object, ...]:
    if (logging := sys.modules.get("logging")) is None:
        return 30, 0, []  # as it is when somebody imports it
    root = logging.root
    return root.level, root.manager.disable, [*root.handlers]


def _set_logging(state: tuple[int, int, list[Handler]]) -> None:
    import logging

    level, disable, handlers = state
    logging.root.setLevel(level)
    logging.disable(disable)
    logging.root.handlers[:] = handlers


def _torch_type() -> object:
    """None: what torch has by itself, or will have."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "get_default_dtype"):
        return None
    return None if torch.get_default_dtype() is torch.float32 else torch.get_default_dtype()


def _set_torch_type(dtype: object) -> None:
    torch = sys.modules["torch"]
    torch.set_default_dtype(torch.float32 if dtype is None else dtype)


def _open_files() -> int:
    """How many; 0 where the system does not say."""
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # counted, ten times as fast
    except OSError:
        return 0

"""All keys of all screens, as a file that somebody may change."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path

from textual.binding import Binding
from textual.dom import DOMNode

import dlkit.tui
from dlkit.tui.shared.settings import keys_file

_HEAD = """# Keys of dlkit. Take the # from a line and change the key; several are separated by commas.
# The words before the dot say where a key works.

[keys]
"""


def all_bindings() -> dict[str, Binding]:
    """Every binding of dlkit's own that has an id, by id."""
    found: dict[str, Binding] = {}
    for module in pkgutil.walk_packages(dlkit.tui.__path__, "dlkit.tui."):
        for _, kind in inspect.getmembers(import_module(module.name), inspect.isclass):
            if issubclass(kind, DOMNode) and kind.__module__.startswith("dlkit.tui"):
                bindings = (b for b in vars(kind).get("BINDINGS", ()) if isinstance(b, Binding))
                found.update({binding.id: binding for binding in bindings if binding.id})
    return dict(sorted(found.items()))


def write_keys_file() -> tuple[Path, bool]:
    """The file, and whether it was made now; one that is there is left alone."""
    path = keys_file()
    if path.exists():
        return path, False
    lines = [f'# "{name}" = "{binding.key}"  # {binding.description}' for name, binding in all_bindings().items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return path, True

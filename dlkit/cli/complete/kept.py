"""What may be typed, kept in a file between two keys: to read it from the plugins takes half a second, from there 2 ms.

It is true as long as no file that it was read from has changed, nor a folder that packages are installed in.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zlib import crc32

from dlkit.folders import cache, installation

if TYPE_CHECKING:
    from dlkit.catalog import Catalog
    from dlkit.cli.complete.words import Commands, Task

FORMAT = 2
Built = Mapping[str, Any]


def folder() -> Path:
    """One for each set of packages, in the folder of what may be forgotten (``dlkit.folders.cache``)."""
    chosen = [os.environ.get(name, "") for name in ("DLKIT_DISABLE", "DLKIT_SAFE_MODE")]
    what = "\n".join([installation(), *chosen])
    return cache() / "completion" / f"{crc32(what.encode('utf-8', 'surrogateescape')):08x}"


def commands() -> Commands:
    return cast("Commands", _kept("commands", _commands))


def task(name: str) -> Task:
    """UsageError, PluginError: there is none of that name, or it does not load."""
    return cast("Task", _kept(f"task-{name}", lambda catalog: _task(catalog, name)))


def _commands(catalog: Catalog) -> Built:
    from dlkit.cli.complete import declared

    return declared.commands(catalog)


def _task(catalog: Catalog, name: str) -> Built:
    from dlkit.cli.complete import declared

    return declared.task(catalog, name)


def _kept(name: str, build: Callable[[Catalog], Built]) -> Built:
    path = folder() / f"{name}.json"
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):  # no such file, or not one of ours
        found = json.loads(path.read_bytes())
        if found["format"] == FORMAT and all(_stamp(file) == when for file, when in found["stamps"].items()):
            return cast("Built", found["built"])
    from dlkit.catalog import Catalog

    catalog = Catalog.load_everything()
    built = build(catalog)
    document = {"format": FORMAT, "stamps": {file: _stamp(file) for file in _sources(catalog)}, "built": built}
    with suppress(OSError):  # a disk that is full or read-only: the next key takes as long again
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}.new")
        new.write_text(json.dumps(document), encoding="utf-8")
        new.replace(path)
    return built


def _sources(catalog: Catalog) -> Iterable[str]:
    """The folders that packages come from, dlkit's and its plugins' modules, and the folders of presets."""
    from dlkit.components import SPECS

    specs = [spec for kind in SPECS for spec in catalog.specs(kind)]
    named = [*(plugin.module for plugin in catalog.plugins), *(getattr(spec, "config", "") for spec in specs)]
    packages = {"dlkit", *(name.partition(":")[0].partition(".")[0] for name in named)}
    files = {
        file
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in packages and (file := getattr(module, "__file__", None))
    }
    presets = {str(path) for file in files if (path := Path(file).parent / "presets").is_dir()}
    return {*filter(None, sys.path), *files, *presets}


def _stamp(file: str) -> int:
    """When a file was changed; 0: it is not there."""
    try:
        return Path(file).stat().st_mtime_ns
    except OSError:
        return 0

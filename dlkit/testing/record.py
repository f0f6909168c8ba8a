"""The tier that the kit has found for a plugin, kept in its package, so that it can be shown without running anything.

``checked.json`` lies beside the code, as check.toml does, and goes along in the wheel. ``dlkit check-plugin --record``
writes it: it says which version and which files of the plugin were looked at, and by which kit. What has changed since
is said wherever the tier is: it is then a tier of something else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from dlkit import __version__
from dlkit.bounded import BadFile, read_json
from dlkit.catalog import Plugin
from dlkit.testing.package import beside_code, files_below
from dlkit.testing.rule import TIERS

FILE = "checked.json"


@dataclass(frozen=True)
class Record:
    """Of one plugin. ``tier`` empty: not even the lowest. ``exempt``: rules that do not hold of it, with the reason.
    ``files``: the hash of its package's."""

    tier: str
    version: str
    kit: str
    exempt: Mapping[str, str]
    files: str = ""

    def stale(self, plugin: Plugin) -> str:
        """What is not as it was when it was looked at, in few words; empty: it is all the same."""
        if self.version != plugin.version:
            return f"of {self.version}"
        if self.kit != __version__:
            return f"by the kit of {self.kit}"
        file = beside_code(plugin.module, FILE)
        try:
            return "" if file is None or self.files == hash_of(file) else "before it was changed"
        except OSError:  # lists never fail
            return "of files that cannot be read"

    def words(self, plugin: Plugin) -> str:
        """``gold``, and whether that is still so; empty where there is no tier."""
        stale = self.stale(plugin) if self.tier else ""
        return f"{self.tier} ({stale})" if stale else self.tier


def read_record(plugin: Plugin) -> Record | None:
    """What is recorded of an installed plugin; None: nothing, or nothing that can be read. No code of it runs."""
    file = beside_code(plugin.module, FILE)
    return read_file(file).get(plugin.name) if file is not None else None


def read_file(file: Path) -> dict[str, Record]:
    """Every plugin's record of a package; a stranger's file may hold anything, and is passed over then."""
    try:
        values = read_json(file)
    except (OSError, BadFile):
        return {}
    found = {}
    for name, one in values.items():
        if isinstance(one, dict) and (one.get("tier") in TIERS or one.get("tier") == ""):
            exempt = one.get("exempt")
            reasons = {rule: str(why) for rule, why in exempt.items()} if isinstance(exempt, dict) else {}
            version, kit, files = (str(one.get(key, "")) for key in ("version", "kit", "files"))
            found[name] = Record(str(one["tier"]), version, kit, reasons, files)
    return found


def hash_of(file: Path) -> str:
    """Of all that the package has whose record this is, but for the record."""
    root = file.parent if file.name == FILE else file.with_name(f"{file.name.removesuffix(f'.{FILE}')}.py")
    found = {name: path for name, path in files_below(root).items() if path != file}
    return _hash(tuple((name, path, *_state(path)) for name, path in found.items()))


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


@lru_cache(maxsize=256)
def _hash(files: tuple[tuple[str, Path, int, int], ...]) -> str:
    """By size and time, as long as the process lives: an interface asks at every row that is passed by."""
    told = sha256()
    for name, path, *_ in files:
        told.update(f"{name} {sha256(path.read_bytes()).hexdigest()}\n".encode())
    return told.hexdigest()


def write_record(file: Path, plugins: Mapping[str, Record]) -> None:
    """Put these plugins' records into a package's file, beside those of its others."""
    every = {**read_file(file), **plugins}
    plain = {
        name: {
            "tier": one.tier, "version": one.version, "kit": one.kit, "files": one.files,
            "exempt": dict(sorted(one.exempt.items())),
        }
        for name, one in sorted(every.items())
    }  # fmt: skip
    file.write_text(f"{json.dumps(plain, indent=2, ensure_ascii=False)}\n", encoding="utf-8")

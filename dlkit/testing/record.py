"""The tier that the kit has found for a plugin, kept in its package, so that it can be shown without running anything.

``checked.json`` lies beside the code, as check.toml does, and goes along in the wheel. ``dlkit check-plugin --record``
writes it: it says which version of the plugin was looked at, and by which kit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dlkit.bounded import BadFile, read_json
from dlkit.catalog import Plugin
from dlkit.testing.package import beside_code
from dlkit.testing.rule import TIERS

FILE = "checked.json"


@dataclass(frozen=True)
class Record:
    """Of one plugin. ``tier`` empty: not even the lowest. ``exempt``: rules that do not hold of it, with the reason."""

    tier: str
    version: str
    kit: str
    exempt: Mapping[str, str]

    def words(self, version: str) -> str:
        """``gold``; of another version than is installed, which one."""
        return self.tier if self.version == version else f"{self.tier} ({self.version})"


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
            found[name] = Record(str(one["tier"]), str(one.get("version", "")), str(one.get("kit", "")), reasons)
    return found


def write_record(file: Path, plugins: Mapping[str, Record]) -> None:
    """Put these plugins' records into a package's file, beside those of its others."""
    every = {**read_file(file), **plugins}
    plain = {
        name: {"tier": one.tier, "version": one.version, "kit": one.kit, "exempt": dict(sorted(one.exempt.items()))}
        for name, one in sorted(every.items())
    }
    file.write_text(f"{json.dumps(plain, indent=2, ensure_ascii=False)}\n", encoding="utf-8")

"""What is installed, read from the metadata of packages: none of their code runs.

``importlib.metadata.entry_points`` would parse every entry point of every package, and one line without ``=`` in a
stranger's ends it with a TypeError. Here a package that cannot be read is passed over, and offers nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions

GROUP = "dlkit"
_LINE = re.compile(r"\s*(?P<name>[^=#;\s][^=]*?)\s*=\s*(?P<value>[^#]*?)\s*\Z")
_UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError)
LARGEST = 1 << 20
"""Characters of metadata that are looked at: a package's own words may be a long page, its headers stand first."""


@dataclass(frozen=True)
class Found:
    """An entry point, and what its distribution says of itself; ``needs`` are its requirements, a line each."""

    entry: EntryPoint
    distribution: str = ""
    version: str = ""
    needs: tuple[str, ...] = ()


def installed() -> Iterator[Found]:
    """The entry points of the group; of two distributions of a name the first on the path, as Python imports it."""
    seen = set()
    for dist in distributions():
        lines = _lines(dist)
        if not lines:
            continue
        name, version, needs = _headers(dist)
        key = re.sub(r"[-_.]+", "-", name).lower()
        if not key or key in seen:
            continue
        seen.add(key)
        for line in lines:
            if matched := _LINE.match(line):
                yield Found(EntryPoint(matched["name"], matched["value"], GROUP), name, version, needs)


def known(entry: EntryPoint) -> Found:
    """The same of an entry point that somebody else has found."""
    if entry.dist is None:
        return Found(entry)
    return Found(entry, *_headers(entry.dist))


def _lines(dist: Distribution) -> list[str]:
    """The lines of a distribution's section ``[dlkit]``."""
    text = _text(dist, "entry_points.txt")
    if f"[{GROUP}]" not in text:
        return []
    section = text.split(f"[{GROUP}]", 1)[1].split("\n[", 1)[0]
    return [line for line in section.splitlines() if line.strip()]


def _headers(dist: Distribution) -> tuple[str, str, tuple[str, ...]]:
    """Name, version and requirements. Python's own way parses the whole file as a mail, the README in it too."""
    head = (_text(dist, "METADATA") or _text(dist, "PKG-INFO")).partition("\n\n")[0]
    fields: dict[str, list[str]] = {"name": [""], "version": [""], "requires-dist": []}
    for line in head.splitlines():
        key, colon, value = line.partition(":")
        if colon and (lower := key.lower()) in fields:
            fields[lower].append(value.strip())
    return fields["name"][-1], fields["version"][-1], tuple(fields["requires-dist"])


def _text(dist: Distribution, name: str) -> str:
    try:
        return (dist.read_text(name) or "")[:LARGEST]
    except _UNREADABLE:
        return ""

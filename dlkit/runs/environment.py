"""With what a run was started: environment.json in its folder, all that is needed to build the same again.

Every distribution with its version; the hash of dlkit's and the plugins' own source, which of an editable install no
version tells; the commit of the folder that the command was given in, and what is not committed there.
"""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict, cast

from dlkit.bounded import DOCUMENT
from dlkit.runs import opening
from dlkit.runs.files import encode_json
from dlkit.runs.folder import RunFolder
from dlkit.shapes import fields, table_of, text

FILE = "environment.json"
MOST_DIFF = 1 << 20
"""Characters of what is not committed that are kept."""
MOST_NAMED = 5


class Environment(TypedDict, total=False):
    """``distributions`` by name, ``sources`` by package (SHA-256), ``diff`` from ``commit``; empty: no repository."""

    python: str
    platform: str
    distributions: Mapping[str, str]
    sources: Mapping[str, str]
    commit: str
    diff: str


_SHAPE = fields(
    python=text, platform=text, distributions=table_of(text), sources=table_of(text), commit=text, diff=text
)


def environment(packages: Iterable[str]) -> Environment:
    """What is now; ``packages``: those of the run's components."""
    here = str(Path.cwd())
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "distributions": _distributions(),
        "sources": {name: _source(name) for name in sorted({"dlkit", *packages})},
        "commit": _git(here, "rev-parse", "HEAD").strip(),
        "diff": _uncommitted(here)[:MOST_DIFF],
    }


def keep(folder: Path, found: Environment) -> None:
    """Write it into a run's folder."""
    opening.write(folder, FILE, encode_json(json.dumps(found, indent=1, ensure_ascii=False) + "\n"))


def kept(run: RunFolder) -> Environment:
    """What a run says of it; empty of older ones, and of what cannot be read."""
    try:
        found = opening.read_json(run.path, FILE, DOCUMENT)
    except (OSError, ValueError):
        return {}
    return {} if _SHAPE(found, "") else cast("Environment", found)


def otherwise(before: Environment, now: Environment) -> list[str]:
    """What is not as it was, in words; nothing where it is not known."""
    found = []
    # First, since whoever changes code between two runs seldom thinks of it.
    for name, source in before.get("sources", {}).items():
        if now.get("sources", {}).get(name, source) != source:
            found.append(f"the source of {name} is not what it was")
    old, new = before.get("distributions", {}), now.get("distributions", {})
    versions = [
        f"{name} was {old[name]}, is {new.get(name, 'not installed')}" for name in old if new.get(name) != old[name]
    ]
    found += versions[:MOST_NAMED]
    if len(versions) > MOST_NAMED:
        found.append(f"{len(versions) - MOST_NAMED} more distributions are of other versions")
    return found


@lru_cache(maxsize=1)  # 150 of them take 60 ms, and no process installs any
def _distributions() -> Mapping[str, str]:
    return dict(sorted((str(one.name), str(one.version)) for one in distributions() if one.name))


@lru_cache(maxsize=64)
def _source(package: str) -> str:
    """The hash of all Python files of a package, by their places in it; empty if it has none."""
    spec = find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    # By content and place alone: times and compiled files differ between machines that have the same code.
    files = sorted((path.relative_to(place), path) for place in places for path in Path(place).rglob("*.py"))
    if not files:
        return ""
    found = sha256()
    for name, path in files:
        found.update(f"{name.as_posix()}\0".encode())
        found.update(sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _uncommitted(folder: str) -> str:
    """What is not committed there. A repository may come from anybody, and its own configuration may name programs that
    git starts to compare files: those that can be switched off are, and where filters are named nothing is asked."""
    names = _git(folder, "config", "--list", "--name-only", "--local", "--includes").lower().splitlines()
    if any(name.startswith("filter.") for name in names):
        return ""
    quiet = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
    return _git(
        folder, *quiet, "diff", "HEAD", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all"
    )


@lru_cache(maxsize=16)  # what a process has loaded is what was there then, and git takes 40 ms
def _git(folder: str, *words: str) -> str:
    """What git says in a folder; nothing outside a repository, or without git."""
    try:
        done = subprocess.run(
            ["git", "-C", folder, *words], capture_output=True, text=True, errors="replace", timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""

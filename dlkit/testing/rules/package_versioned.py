"""A run says which version of a plugin it was trained with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject

_FORM = re.compile(r"(\d+!)?\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[a-z0-9.]+)?\Z", re.IGNORECASE)


def check(subject: Subject) -> Iterator[Finding]:
    version = subject.package.version
    if not version and not subject.package.installed:
        raise Skipped("its build backend makes the version: known once it is installed")
    if not _FORM.match(version):
        yield Finding(f"version {version!r}", 'a version as of PEP 440: version = "0.1.0"', "pyproject.toml: [project]")


RULE = Rule(
    name="package-versioned",
    tier="silver",
    title="The package has a version of the usual form.",
    why="It is written into every run: when results differ, it says which code made them.",
    mend="Give it in pyproject.toml, and raise it with each release.",
    check=check,
)

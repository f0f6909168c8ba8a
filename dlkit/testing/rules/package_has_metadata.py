"""Whoever finds the package must be told what it is, and what it may be used for."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    metadata = subject.package.metadata
    where = "pyproject.toml: [project]"
    if not str(metadata.get("Summary", "")).strip():
        yield Finding("no description", 'one line that says what it is: description = "dlkit plugin: …"', where)
    if not str(metadata.get("Requires-Python", "")).strip():
        yield Finding("no requires-python", 'the versions that it works with: requires-python = ">=3.11"', where)
    if not str(metadata.get("Description", "")).strip():
        yield Finding("no readme", 'what it does, with an example: readme = "README.md"', where)


RULE = Rule(
    name="package-has-metadata",
    tier="silver",
    title="The package says what it is: description, readme, versions of Python.",
    why="An index, `pip show` and `dlkit plugins` show these lines and nothing else before anybody installs it.",
    mend="Add the fields to [project] in pyproject.toml.",
    corrected="""
[project]
name = "dlkit-signals"
version = "0.1.0"
description = "dlkit plugin: labels of one-dimensional signals"
readme = "README.md"
requires-python = ">=3.11"
""",
    check=check,
)

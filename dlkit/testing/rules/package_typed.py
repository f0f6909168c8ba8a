"""Whoever builds on a plugin has its types."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    for top, root in subject.package.roots.items():
        if root.is_dir() and not (root / "py.typed").is_file():
            yield Finding("no py.typed", "an empty file py.typed in the package", top)


RULE = Rule(
    name="package-typed",
    tier="gold",
    title="The package says that it is typed.",
    why="Without the mark type checkers take everything from it as Any, and find no slip.",
    mend="Add an empty file py.typed beside the package's __init__.py.",
    check=check,
)

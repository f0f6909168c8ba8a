"""Of two components of one name the second is lost."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.loading import sound
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    for plugin, loaded, _ in sound(subject):
        for reason in loaded["refused"]:
            yield Finding(reason, "a name that no other installed plugin has for that task", f"entry point {plugin}")


RULE = Rule(
    name="loading-names-are-free",
    tier="bronze",
    title="No other plugin has the names of its components already.",
    why="The first keeps the name: this one is never offered.",
    mend="Rename it, for example with your package's name before it: `signals-mlp`.",
    check=check,
)

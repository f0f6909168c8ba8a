"""A plugin at rest does nothing."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.loading import sound
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    for plugin, loaded, _ in sound(subject):
        for what in dict.fromkeys(loaded["started"]):
            yield Finding(f"it has started {what}", "no thread and no process", f"entry point {plugin}")


RULE = Rule(
    name="loading-starts-nothing",
    tier="silver",
    title="Loading starts neither threads nor processes.",
    why="Every command would start them; a fork with a thread in it may hang for ever.",
    mend="Start what you need where it is used, and end it there.",
    check=check,
)

"""Listing plugins must leave no trace."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.loading import sound
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    for plugin, loaded, _ in sound(subject):
        for what in dict.fromkeys(loaded["files"]):
            yield Finding(what, "no file is written, made or removed", f"entry point {plugin}")


RULE = Rule(
    name="loading-touches-no-files",
    tier="silver",
    title="Loading writes, makes and removes no file.",
    why=("It happens in every command, in whatever folder people stand, on read-only disks too."),
    mend=("Make caches and folders when a data set is built, in the folder that its context gives: `context.data`."),
    check=check,
)

"""Loading works on a train."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.loading import sound
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    for plugin, loaded, _ in sound(subject):
        for what in dict.fromkeys(loaded["network"]):
            yield Finding(what, "nothing is asked of the network", f"entry point {plugin}")


RULE = Rule(
    name="loading-uses-no-network",
    tier="silver",
    title="Loading asks nothing of the network.",
    why="Every command would wait for it, and none would work without it.",
    mend=(
        "Declare what is to be downloaded as a SourceSpec: dlkit fetches it when it is wanted, checks it, and keeps it."
    ),
    check=check,
)

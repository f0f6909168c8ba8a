"""What a plugin prints stands among a command's results."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.loading import sound
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    for plugin, _, said in sound(subject):
        if said:
            yield Finding(f"it prints {said.strip()[:200]!r}", "nothing is printed", f"entry point {plugin}")


RULE = Rule(
    name="loading-is-silent",
    tier="silver",
    title="Loading prints nothing, neither to stdout nor to stderr.",
    why="`dlkit runs --json` is read by programs: one line more and they read nothing.",
    mend=("Take the print away. What a person should know, a data set says with `context.say(…)` when it is built."),
    check=check,
)

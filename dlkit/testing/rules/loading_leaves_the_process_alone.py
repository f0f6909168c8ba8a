"""What is everybody's is nobody's to change."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.loading import sound
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    for plugin, loaded, _ in sound(subject):
        for what in loaded["changed"]:
            yield Finding(f"it has changed {what}", "it is as it was", f"entry point {plugin}")


RULE = Rule(
    name="loading-leaves-the-process-alone",
    tier="silver",
    title=("Loading leaves environment, current folder, signal handlers, sys.path and streams as they are."),
    why=("Other plugins, and dlkit itself, rest on them: a run that cannot be stopped by Ctrl-C loses its work."),
    mend=("Pass what you need as arguments; set it for processes that you start, not for this one."),
    check=check,
)

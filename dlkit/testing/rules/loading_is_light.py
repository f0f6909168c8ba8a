"""Whoever lists models needs no torch."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.loading import sound
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    for plugin, loaded, _ in sound(subject):
        if loaded["heavy"]:
            right = "none of them: the module has declarations only, and names code as strings"
            yield Finding(f"it imports {', '.join(loaded['heavy'])}", right, f"entry point {plugin}")


RULE = Rule(
    name="loading-is-light",
    tier="silver",
    title="The entry point's module imports neither torch nor textual nor anything as heavy.",
    why=("Help, completion and lists load it and should take a tenth of a second; torch alone takes two seconds."),
    mend="Move the import into the module that a spec's target names.",
    check=check,
)

"""Lists show one line of a component."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.loading import sound
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject

LONGEST = 100


def check(subject: Subject) -> Iterator[Finding]:
    for _, loaded, _ in sound(subject):
        for component in loaded["components"]:
            where, summary = f"{component['kind']} {component['name']}", component["summary"]
            if "\n" in summary or len(summary) > LONGEST:
                yield Finding(f"a summary of {len(summary)} letters", f"one line of at most {LONGEST}", where)
            elif summary.strip().rstrip(".").lower() in (component["name"], where, component["kind"]):
                yield Finding(f"the summary {summary!r} repeats the name", "what sets it apart from the others", where)
            if component["kind"] == "task" and not component["title"].strip():
                yield Finding("a task without a title", "what people call the problem", where)


RULE = Rule(
    name="loading-names-itself",
    tier="silver",
    title="Every component has a summary of one line that says more than its name.",
    why="It is all that people see in lists, in the form and in completion when they choose.",
    mend='Say what it is for or how it differs: "two hidden layers; a baseline in seconds".',
    check=check,
)

"""What is offered can be imported and is of its kind."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    from dlkit.testing.usable import problems_of

    for problem in problems_of(subject.catalog, subject.spec):
        yield Finding(problem, "its code is there and of the right kind, and what it suggests or defaults to exists")


RULE = Rule(
    name="loading-components-usable",
    tier="bronze",
    kinds=("task", "source", "dataset", "model", "loss", "trainer", "inference", "launcher"),
    title=("Targets, options, defaults, suggestions and presets of every component exist and fit."),
    why="Who chooses the component meets the error instead, in the middle of something else.",
    mend=(
        "The text names what is not there and the nearest that is. `dlkit plugins --check` says the same of "
        "all plugins."
    ),
    check=check,
)

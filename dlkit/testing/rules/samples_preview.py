"""dlkit data show has something to show."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.data.splits import OnHost
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.shown import unshowable
from dlkit.testing.subject import Subject

COUNT = 12


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    found = {name: list(job.task.preview(job.info, OnHost(split), COUNT)) for name, split in job.data.splits.items()}
    if not any(found.values()):
        raise Skipped("the task previews nothing")
    for name, made in found.items():
        yield from unshowable(made, f"preview of {name!r}")


RULE = Rule(
    name="samples-preview",
    tier="gold",
    kinds=("task", "dataset"),
    title="What Task.preview shows of every split renders in a terminal and as PNG",
    why="dlkit data show is where people look before they train.",
    mend="Give plain numbers, texts and uint8 images; of a split with fewer samples than are asked for, all of them.",
    check=check,
)

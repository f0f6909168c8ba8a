"""What cannot be built cannot be trained, and nothing else can be said of it."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    subject.experiment()
    return
    yield


RULE = Rule(
    name="engine-builds",
    tier="bronze",
    kinds=("task", "dataset", "model", "loss", "trainer", "inference"),
    title="A run with the component can be built: data, model, loss, trainer, predictor, each as its task declares.",
    why="A run is built before its folder is made; what fails there, people meet first.",
    mend="The text names the component and the line of it. Its options are those of the small experiment: what a "
    "component of yours needs there belongs into check.toml of your package, [[small]].",
    check=check,
)

"""An option without a word is one that nobody sets."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    from dlkit.config import fields_of

    for field in fields_of(subject.options()):
        words = field.description.strip()
        if not words:
            yield Finding("has no description", "one line: what it is, its unit, what 0 or none means", field.name)
        elif words.lower().replace("_", " ").rstrip(".") == field.name.replace("_", " "):
            yield Finding(f"the description {words!r} repeats the name", "what it is, or what it changes", field.name)


RULE = Rule(
    name="options-described",
    tier="silver",
    kinds=("dataset", "model", "loss", "trainer", "inference", "launcher"),
    title="Every option has a description that says more than its name.",
    why="It is what `--help`, the launch form and the reference show beside it.",
    mend='Give Field(…, description="Share of the inputs that dropout leaves out").',
    buggy="""
width: int = 64
""",
    corrected="""
width: int = Field(64, ge=1, le=4096, description="Units of each hidden layer")
""",
    check=check,
)

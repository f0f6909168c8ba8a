"""A run's configuration is a file that starts it again."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    from dlkit.bounded import parse_toml
    from dlkit.config import Layer, resolve
    from dlkit.config_file import to_toml

    if not subject.task:
        return
    resolved = subject.resolved()
    text = to_toml(resolved)
    again = resolve(subject.catalog, subject.task, [Layer("run.toml", parse_toml(text.encode(), "run.toml"))])
    for section, model in resolved.sections.items():
        before, after = model.model_dump(), again.sections[section].model_dump()
        for name, value in before.items():
            if after[name] != value:
                seen = f"{value!r} comes back as {after[name]!r}"
                yield Finding(seen, "what is written to run.toml is read as what it was", f"{section}.{name}")


RULE = Rule(
    name="options-toml-round-trips",
    tier="silver",
    kinds=("task", "dataset", "model", "loss", "trainer", "inference", "launcher"),
    title="A configuration that is written as TOML is read as what it was.",
    why=("config.toml in a run's folder is what a resume, a report and `--config` build it from."),
    mend=("Keep values of TOML's types; a validator that changes a value must leave its own result as it is."),
    check=check,
)

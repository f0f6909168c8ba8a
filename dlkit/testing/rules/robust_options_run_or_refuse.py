"""Whatever is typed, the answer is a run or a reason."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject

CONFIGURATIONS, QUICK = 100, 8
"""Of a component; each is built and makes one step."""


def check(subject: Subject) -> Iterator[Finding]:
    try:
        from dlkit.testing.fuzzing import configurations, outcome
    except ImportError as error:
        raise Skipped("it needs Hypothesis: pip install 'dlkit[testing]'") from error
    subject.experiment()
    count = QUICK if subject.quick else CONFIGURATIONS
    seen: set[str] = set()
    for settings in configurations(subject, count):
        why = outcome(subject, settings)
        if why and why not in seen:
            seen.add(why)
            pairs = [(f"{section}.{key}", value) for section, part in settings.items() for key, value in part.items()]
            shown = ", ".join(f"{key} = {value!r}" for key, value in pairs)
            yield Finding(f"{why}, with {shown}", "a run, or a UsageError that names the option and what is allowed")


RULE = Rule(
    name="robust-options-run-or-refuse",
    tier="silver",
    kinds=("dataset", "model", "loss", "trainer", "inference"),
    title=("With whatever options their bounds allow, there is a run, or a refusal that names the option."),
    why="A traceback out of the middle of torch tells nobody which option was wrong.",
    mend=(
        "Bound the option where that is the reason; where options do not go together, check them in the "
        "options class, or raise UsageError when it is built."
    ),
    buggy="""
def build(config, info):
    return nn.MultiheadAttention(config.width, config.heads)     # an AssertionError of torch
""",
    corrected="""
def build(config, info):
    if config.width % config.heads:
        raise UsageError(f"model.heads: {config.heads} does not divide model.width = {config.width}")
    return nn.MultiheadAttention(config.width, config.heads)
""",
    check=check,
)

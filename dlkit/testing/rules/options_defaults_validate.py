"""Most people never set an option."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    from pydantic import ValidationError

    options = subject.options()
    stated = {**subject.small.get(subject.spec.kind, {})}
    try:
        made = options()
    except ValidationError as error:
        missing = {str(problem["loc"][0]) for problem in error.errors() if problem["type"] == "missing"}
        for problem in error.errors():
            if problem["type"] != "missing":
                where = ".".join(map(str, problem["loc"]))
                yield Finding(f"its default is refused: {problem['msg']}", "a default within its own bounds", where)
        for name in sorted(missing - stated.keys()):
            right = "a default; or, to try it with, DatasetSpec.example, of other components a value in check.toml"
            yield Finding("has no default", right, name)
        return
    for name in options.model_fields:
        try:
            options.__pydantic_validator__.validate_assignment(made.model_copy(), name, getattr(made, name))
        except ValidationError as error:
            problem = error.errors()[0]
            if problem["type"] != "frozen_instance":
                seen = f"its default {getattr(made, name)!r} is refused: {problem['msg']}"
                yield Finding(seen, "a default within its own bounds", name)
    again = _again(options, made)
    if again:
        yield Finding(again, "the defaults, given as a person would give them, are what they were")


def _again(options: type, made: object) -> str:
    from pydantic import BaseModel, ValidationError

    assert isinstance(made, BaseModel) and issubclass(options, BaseModel)
    values = made.model_dump(mode="json", exclude_none=True)
    try:
        again = options.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        return f"the defaults {values} are refused: {'.'.join(map(str, problem['loc']))}: {problem['msg']}"
    return "" if again == made else f"the defaults {values} come back as {again.model_dump(mode='json')}"


RULE = Rule(
    name="options-defaults-validate",
    tier="bronze",
    kinds=("dataset", "model", "loss", "trainer", "inference", "launcher"),
    title="The options' defaults are valid, together and each by itself.",
    why=("Defaults are not checked when they are declared: a bad one fails for whoever sets nothing."),
    mend=(
        "Bring the default within its bounds; pydantic does not check defaults itself. What only a user can know "
        "needs none: a data set that reads somebody's files writes a few by DatasetSpec.example; other values stand in "
        "check.toml."
    ),
    buggy="""
dropout: float = Field(1.0, ge=0, lt=1, description="…")
""",
    corrected="""
dropout: float = Field(0.1, ge=0, lt=1, description="…")
""",
    check=check,
)

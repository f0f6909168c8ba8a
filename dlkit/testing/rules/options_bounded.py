"""A number that may be anything is refused by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject

if TYPE_CHECKING:
    from dlkit.config import Property


_BOUNDS = {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "enum", "const"}


def check(subject: Subject) -> Iterator[Finding]:
    from dlkit.config import fields_of

    for field in fields_of(subject.options()):
        for kind in _unbounded(field.schema):
            right = "at least a lower bound (ge=, gt=), where there is one an upper one (le=, lt=)"
            yield Finding(f"{kind} without a bound", right, field.name)


def _unbounded(schema: Property) -> Iterator[str]:
    """Of an option's alternatives and entries, the numbers that may be anything."""
    for one in (schema, *schema.get("anyOf", [])):
        if one.get("type") in ("integer", "number") and not _BOUNDS & one.keys():
            yield "a whole number" if one.get("type") == "integer" else "a number"
        for entry in (*([one["items"]] if "items" in one else []), *one.get("prefixItems", [])):
            yield from (f"a list of {kind.removeprefix('a ')}s" for kind in _unbounded(entry))


RULE = Rule(
    name="options-bounded",
    tier="gold",
    kinds=("dataset", "model", "loss", "trainer", "inference", "launcher"),
    title="Every number among the options has bounds.",
    why=("Bounds are where a slip is told: `model.width: -3: must be at least 1`, and not a traceback of torch."),
    mend=("Give Field ge=, gt=, le= or lt=; entries of a list by list[Annotated[int, Field(ge=1)]]."),
    buggy="""
hidden: list[int] = Field([64], description="Widths of the hidden layers")
""",
    corrected="""
hidden: list[Annotated[int, Field(ge=1)]] = Field([64], description="Widths of the hidden layers")
""",
    check=check,
)

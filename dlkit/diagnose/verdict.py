"""A verdict: one sentence, what was seen that says so, and what to type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

About = Literal["failure", "speed", "quality"]
Weight = Literal["bad", "note", "unknown"]
"""``bad``: something is wrong. ``note``: good to know. ``unknown``: cannot be told, and why."""


@dataclass(frozen=True)
class Seen:
    """A piece of evidence: in words, at which ``step`` where it has one, and the ``figures`` that it is made of."""

    text: str
    step: int | None = None
    figures: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mend:
    """``words`` of a command line behind ``dlkit``, which name the run by its id; ``why`` one would type it."""

    words: str
    why: str


@dataclass(frozen=True)
class Verdict:
    """``name`` is what programs know it by; ``text`` is a whole sentence without a full stop."""

    name: str
    about: About
    weight: Weight
    text: str
    evidence: tuple[Seen, ...] = ()
    mends: tuple[Mend, ...] = ()

"""What a rule is. Light: neither torch nor pydantic is imported for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dlkit.testing.finding import Finding

if TYPE_CHECKING:
    from dlkit.testing.subject import Subject

Tier = Literal["bronze", "silver", "gold"]
TIERS: tuple[Tier, ...] = ("bronze", "silver", "gold")
"""What a plugin that keeps every rule up to there is: it loads and trains; it keeps its contracts; it is whole."""

GROUPS = (
    "package", "loading", "options", "data", "model", "loss", "learning", "engine", "metrics", "samples", "predictor",
    "robust",
)  # fmt: skip
"""The first words of rules' names, in the order in which they are looked at."""

STATIC = "package"
"""The group of rules that read files alone: no code of the plugin runs."""


Check = Callable[["Subject"], Iterator[Finding]]
"""Looks at one subject and yields what is wrong. It may raise ``Skipped`` before it has yielded anything. Any other
error of the plugin's code is a finding of this rule by itself: a check need not catch it."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One thing that a plugin must keep. It lies in ``dlkit/testing/rules/`` in a file of its name, as ``RULE``; the
    file is light: what loads torch or pydantic is imported by ``check``.

    name       kebab-case, its first word one of ``GROUPS``; the file's name with ``_`` for ``-``
    tier       the lowest tier that needs it
    kinds      of components that it is for; empty: of the plugin as a whole (package-, loading-)
    quick      whether ``--quick`` looks at it too
    title      one line: what must be so
    why        what goes wrong where it is not
    mend       how to mend it
    buggy, corrected   code, where that helps
    check      the look itself
    """

    name: str
    tier: Tier
    kinds: tuple[str, ...] = ()
    quick: bool = True
    title: str
    why: str
    mend: str
    buggy: str = ""
    corrected: str = ""
    check: Check

    @property
    def group(self) -> str:
        return self.name.partition("-")[0]

    @property
    def static(self) -> bool:
        """Whether it reads files alone."""
        return self.group == STATIC

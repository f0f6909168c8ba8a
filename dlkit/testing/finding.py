"""What comes of looking: something that is wrong, or that there was nothing to look at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    seen   what was seen, with its values
    right  what would have been right
    where  the option, file, class or split; empty: the component itself
    """

    seen: str
    right: str
    where: str = ""


class Skipped(Exception):
    """Raised by a rule that cannot look, with the reason: ``Skipped("there is no GPU here")``."""

"""What is known of words and forms wherever gaps are read; no torch, no pydantic: an exported model takes it along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dlkit.data.text.segments import Rules

SPECIAL = ("<pad>", "<unk>")
"""The first two words of every vocabulary: one stands where there is no word, the other for words that it lacks."""
PAD_ID, UNKNOWN_ID = 0, 1
"""Their numbers."""
FORMS = ("be", "am", "are", "is", "was", "were", "been", "being", "have", "has", "had", "having")
"""The forms of *be* and *have*, by label."""


class Reading(Protocol):
    """How the words around a gap become numbers: what ``ConjugationInfo`` says of it."""

    @property
    def words(self) -> Sequence[str]: ...
    @property
    def window(self) -> int: ...
    @property
    def across(self) -> bool: ...
    @property
    def lower(self) -> bool: ...
    @property
    def rules(self) -> Rules: ...
    @property
    def signs(self) -> bool: ...

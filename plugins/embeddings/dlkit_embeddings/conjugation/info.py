"""What a data set of conjugation tells models, losses and predictors; no torch here."""

from __future__ import annotations

from pydantic import Field

from dlkit.data.text.segments import BEFORE, Rules
from dlkit.task import Array, Info
from dlkit_embeddings.conjugation.forms import FORMS, PAD_ID, SPECIAL, UNKNOWN_ID

__all__ = ["FORMS", "PAD_ID", "SPECIAL", "UNKNOWN_ID", "ConjugationInfo"]


class ConjugationInfo(Info):
    """How the words around a gap become numbers, and what the forms are."""

    classes: list[str] = Field(min_length=2, description="the forms, by label")
    counts: list[int] = Field(description="training gaps of each form, by label")
    words: list[str] = Field(min_length=2, description="the words by number; 0 is <pad>, where there is none, 1 <unk>")
    vectors: Array | None = Field(None, description="their vectors, float32 [words, size]; None: there are none yet")
    window: int = Field(ge=1, description="words on each side of the gap")
    across: bool = Field(description="whether words beyond the gap's sentence are seen")
    lower: bool = Field(description="whether text is put in lower case first")
    rules: Rules = Field(BEFORE, description="which of the rules of dlkit.data.text.segments text becomes words by")
    signs: bool = Field(description="whether punctuation signs are words; if not, they are left out")

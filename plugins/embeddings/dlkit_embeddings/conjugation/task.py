"""The contract of conjugation: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from dlkit.task import Array, Column, Info, Metrics, Task

if TYPE_CHECKING:
    from dlkit.data.splits import Split
    from dlkit.samples import Sample

FORMS = ("be", "am", "are", "is", "was", "were", "been", "being", "have", "has", "had", "having")
"""The forms of *be* and *have*, by label."""


class ConjugationInfo(Info):
    """How the words around a gap become numbers, and what the forms are."""

    classes: list[str] = Field(min_length=2, description="the forms, by label")
    counts: list[int] = Field(description="training gaps of each form, by label")
    words: list[str] = Field(min_length=2, description="the words by number; 0 is <pad>, where there is none, 1 <unk>")
    vectors: Array | None = Field(None, description="their vectors, float32 [words, size]; None: there are none yet")
    window: int = Field(ge=1, description="words on each side of the gap")
    across: bool = Field(description="whether words beyond the gap's sentence are seen")
    lower: bool = Field(description="whether text is put in lower case first")
    signs: bool = Field(description="whether punctuation signs are words; if not, they are left out")


class Conjugation(Task):
    """The form that stands in a gap, of the words around it.

    ``context`` has the words' numbers, W = 2 × window: first those left of the gap, then those right of it, in reading
    order. ``<pad>`` (0) stands where there are none: before the left ones, after the right ones. ``outputs`` are
    logits.
    """

    Info = ConjugationInfo
    batch = {"context": Column("int64[N,W]"), "label": Column("int64[N]")}
    inputs = ("context",)
    outputs = Column("float32[N,classes]")

    def metrics(self, info: Any) -> Metrics:
        from dlkit_embeddings.conjugation.metrics import ConjugationMetrics

        return ConjugationMetrics(info.classes)

    def preview(self, info: Any, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_embeddings.conjugation.preview import balance, examples

        return [balance(info, split), examples(info, split, count)]

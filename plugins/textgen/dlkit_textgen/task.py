"""The contract of text generation: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from dlkit.data.text.tokenizers import StoredTokenizer
from dlkit.task import Column, Info, Metrics, Task

if TYPE_CHECKING:
    from dlkit.data.splits import Split
    from dlkit.samples import Sample


class TextInfo(Info):
    """How text becomes tokens and back, and how far a prediction may look."""

    tokenizer: StoredTokenizer = Field(description="the tokens, as data")
    vocabulary: int = Field(ge=1, description="how many tokens there are; numbers are 0 to that")
    context: int = Field(ge=2, description="tokens in a window")


class TextGeneration(Task):
    """The next token, at every place of a window.

    ``target`` is ``token`` one place later; −100 counts nowhere. ``fresh`` is true where what comes before is not the
    batch before's: a carried state is dropped there. ``characters`` is how many of the text the counted targets stand
    for. ``outputs`` are logits: any torch module from tokens [N,T] to logits [N,T,V] fits. What it may have besides, to
    be asked faster or to carry a state, is in the plugin's README.
    """

    Info = TextInfo
    batch = {
        "token": Column("int64[N,T]"),
        "target": Column("int64[N,T]", padding=-100),
        "fresh": Column("bool[N]"),
        "characters": Column("float32[N]"),
    }
    inputs = ("token",)
    outputs = Column("float32[N,T,vocabulary]")

    def metrics(self, info: Any) -> Metrics:
        from dlkit_textgen.metrics import TextMetrics

        return TextMetrics()

    def preview(self, info: Any, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_textgen.preview import commonest, opening

        return [commonest(info, split), opening(info, split, count)]

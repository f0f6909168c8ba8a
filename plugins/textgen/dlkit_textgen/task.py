"""The contract of text generation: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from dlkit.task import Column, Metrics, Task
from dlkit_textgen.info import TextInfo

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Batch, Split
    from dlkit.samples import Sample


class TextGeneration(Task[TextInfo]):
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
    free = frozenset({"T"})

    def axes(self, info: TextInfo) -> Mapping[str, int]:
        return {"T": info.context, "vocabulary": info.vocabulary}

    def ranges(self, info: TextInfo) -> Mapping[str, tuple[float, float]]:
        tokens = (0, info.vocabulary)
        return {"token": tokens, "target": tokens, "characters": (1, 1 + info.context)}

    def metrics(self, info: TextInfo) -> Metrics[Tensor]:
        from dlkit_textgen.metrics import TextMetrics

        return TextMetrics()

    def constant(self, info: TextInfo, train: Split) -> Callable[[Batch], Tensor]:
        """The tokens, by how common they are."""
        from dlkit.data.constant import log_shares, same_for_all, some_of

        return same_for_all(log_shares(some_of(train, "target"), info.vocabulary), "target", axes=2)

    def preview(self, info: TextInfo, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_textgen.preview import commonest, opening

        return [commonest(info, split), opening(info, split, count)]

"""The contract of translation: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from dlkit.task import Column, Metrics, Task
from dlkit_translation.info import TranslationInfo

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Batch, Split
    from dlkit.samples import Sample


class Translation(Task[TranslationInfo]):
    """A sentence in one language for each in another.

    ``source`` ends with the end token; ``previous`` is the begin token and the translation, ``target`` the translation
    and the end token: at every place the model is given the right tokens before it (teacher forcing). Splits that are
    evaluated may have the texts themselves, ``original`` and ``reference``, as UTF-8 bytes (uint8 [N,bytes], padded
    with 0); metrics and samples then compare with those, not with what the vocabulary makes of them.

    A model may write token by token without computing all before it again, with ``begin(source) -> state`` and
    ``step(tokens, state) -> (logits, state)``, and say what it looks at with ``attend(source, previous) -> float
    [N,T,S]``. One that has neither is asked by ``forward`` alone.
    """

    Info = TranslationInfo
    batch = {
        "source": Column("int64[N,S]", padding=0),
        "previous": Column("int64[N,T]", padding=0),
        "target": Column("int64[N,T]", padding=0),
    }
    inputs = ("source", "previous")
    outputs = Column("float32[N,T,tokens]")
    free = frozenset({"S", "T"})

    def axes(self, info: TranslationInfo) -> Mapping[str, int]:
        return {"S": 12, "T": 12, "tokens": info.sizes[1]}

    def example(
        self, info: TranslationInfo, count: int = 2, *, sizes: Mapping[str, int] | None = None, seed: int = 0
    ) -> dict[str, Tensor]:
        """Words in no order: every sentence as long as its axis, with its end."""
        from dlkit_translation.example import drawn_sentences

        return drawn_sentences(self, info, count, sizes or {}, seed)

    def metrics(self, info: TranslationInfo) -> Metrics[Tensor]:
        from dlkit_translation.metrics import TranslationMetrics

        return TranslationMetrics(info)

    def constant(self, info: TranslationInfo, train: Split) -> Callable[[Batch], Tensor]:
        """The tokens, by how common they are; padding is none."""
        from dlkit.data.constant import log_shares, same_for_all, some_of

        target = some_of(train, "target")
        return same_for_all(log_shares(target[target != 0], info.sizes[1]), "target", axes=2)

    def preview(self, info: TranslationInfo, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_translation.preview import lengths, sentences

        return [sentences(info, split, count), lengths(split)]

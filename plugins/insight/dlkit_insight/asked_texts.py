"""What the components that look into models of text have in common: they are asked with texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from torch import nn

from dlkit.config import Config
from dlkit.errors import DataError
from dlkit.predictor import Predictor
from dlkit.question_schema import Schema, text_of
from dlkit.task import Info
from dlkit_insight.reading import GAP, Reading
from dlkit_insight.wording import read_texts

C = TypeVar("C", bound=Config)


class AskedTexts(Predictor[Info, C]):
    """Over any text that the run's task reads, by ``reading``; answers are drawn."""

    usage = "texts, each in quotes, or text files"
    label = "text"
    placeholder = "a text that the model reads"
    draws = True

    def __init__(self, model: nn.Module, info: Info, config: C) -> None:
        super().__init__(model, info, config)
        self.reading = Reading(model, info)

    def read(self, arguments: Sequence[str]) -> list[str]:
        """Texts, or what is in text files; DataError says what is wrong with one."""
        return [self.accept(text) for text in read_texts(arguments)]

    def schema(self) -> Schema:
        return {**super().schema(), "example": self._example()}

    def _example(self) -> str:
        """A text that this model reads: with a gap, or as short as it must be."""
        for text in (self.placeholder, f"a {GAP} text", "a text", "a"):
            try:
                return self.accept(text)
            except DataError:
                continue
        return self.placeholder

    def accept(self, value: object) -> str:
        """A text; DataError says what is wrong with it."""
        text = text_of(value, "a text")
        self.reading.passage(text)
        return text

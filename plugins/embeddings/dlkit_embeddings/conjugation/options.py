"""Options of the components; no torch here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from dlkit.config import Config
from dlkit.data.options import Shares, TextFiles

AUTO, NONE = "auto", "none"

Units = Annotated[int, Field(ge=1)]


class GapsConfig(Config):
    """How a text becomes gaps with the words around them, and where the words' vectors come from."""

    window: int = Field(8, ge=1, le=500, description="Words and signs on each side of the gap that a model sees")
    across: bool = Field(False, description="Look beyond the ends of the gap's sentence")
    lower: bool = Field(True, description="Words in lower case")
    embeddings: str = Field(
        AUTO,
        min_length=1,
        description="Word vectors: auto (the latest completed run of task embeddings, if there is one), none, a run "
        "(id, prefix, last), or a file in word2vec's text format",
    )
    least: int = Field(2, ge=1, description="Without vectors: times a word must be seen in training; others are <unk>")
    vocabulary: int | None = Field(
        None, ge=1, description="Words at most, the commonest (of a file of vectors, the first); none: all"
    )
    most: int | None = Field(
        None, ge=1, description="Training gaps of one form at most, a random choice of them; none: all"
    )
    split_seed: int = Field(0, ge=0, lt=2**63, description="That choice is a function of it")

    @field_validator("embeddings")
    @classmethod
    def _absolute(cls, value: str) -> str:
        """What names a file or folder, written down so that a resume from elsewhere finds it."""
        path = Path(value).expanduser()
        named = len(path.parts) > 1 or path.suffix in (".txt", ".vec") or path.is_file()
        return str(path.absolute()) if named and value not in (AUTO, NONE) else value


class ByPositionConfig(Shares, GapsConfig):
    """One text, divided by position: training, then the test, then validation."""

    val_fraction: float = Field(0.15, gt=0, lt=1, description="Share of the text, its end, for validation")
    test_fraction: float = Field(0.1, ge=0, lt=1, description="Share for the test, just before that; 0: no test split")


class PythonDocsConfig(ByPositionConfig):
    """Python's language reference, as its help() shows it."""


class GutenbergConfig(GapsConfig):
    """Books, divided into folders."""


class FilesConfig(TextFiles, ByPositionConfig):
    """Text files of your own; the shares are for those without folders train and val."""


class ModelConfig(Config):
    """What the models have in common: the embedding before them, the perceptron at their end."""

    embedding: int | None = Field(
        None, ge=1, description="Numbers a word is embedded in; none: the vectors' own, or 64 where there are none"
    )
    freeze: bool = Field(True, description="Leave an earlier run's vectors as they are; without any, they are trained")
    hidden: list[Units] = Field([256], description="Units of the perceptron's hidden layers; empty: none")
    dropout: float = Field(0.3, ge=0, lt=1, description="Share left out at random before each layer")


class MlpConfig(ModelConfig):
    """The words' vectors, one after the other, into a perceptron."""


class AttentionConfig(ModelConfig):
    """Self-attention over the words around the gap, then a perceptron."""

    width: int = Field(128, ge=2, description="Numbers a word has inside; even, and a multiple of heads")
    heads: int = Field(4, ge=1, description="Heads of attention, which share the width")
    layers: int = Field(1, ge=1, le=1000, description="Layers of attention")

    @model_validator(mode="after")
    def _heads_share(self) -> Self:
        if self.width % self.heads or self.width % 2:
            raise ValueError(f"width must be even and a multiple of heads = {self.heads}; {self.width} is not")
        return self


class RnnConfig(ModelConfig):
    """Recurrent layers over the words around the gap, then a perceptron."""

    cell: Literal["lstm", "gru", "rnn"] = Field("lstm", description="Long short-term memory, gated, or plain (tanh)")
    reading: Literal["towards", "through"] = Field(
        "towards",
        description="Both sides towards the gap, each by a network of its own; or all words through it, both ways",
    )
    units: int = Field(128, ge=1, description="Units of each recurrent layer")
    layers: int = Field(1, ge=1, le=100, description="Recurrent layers")


class CrossEntropyConfig(Config):
    """What counts how much."""

    smoothing: float = Field(0.0, ge=0, lt=1, description="Share of the truth spread over all forms")
    weights: Literal["none", "balanced"] = Field(
        "none", description="balanced: a form counts by the inverse of how often it is in training"
    )


class ConjugatorConfig(Config):
    """How answers are shown."""

    top: int = Field(5, ge=1, description="Forms to show of an answer, the most probable first")

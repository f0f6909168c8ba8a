"""Options of the components; no torch here."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from dlkit.config import Config, at_fork
from dlkit.data.options import Location, Shares, TextFiles
from dlkit.engine.options import SupervisedConfig


class TextConfig(Shares):
    """How a text becomes tokens, splits and windows."""

    tokens: Literal["characters", "words", "pieces"] = Field(
        "characters", description="What is written one by one: characters, words and signs, or sentencepiece's subwords"
    )
    vocabulary: int | None = Field(
        None, ge=2, description="Words or pieces in all; none: every word seen often enough, 1000 pieces"
    )
    least: int = Field(1, ge=1, description="Times a word must be seen in training; others are <unk>")
    lower: bool = Field(False, description="Words in lower case")
    context: int = Field(64, ge=2, le=65_536, description="Tokens in a window: what a prediction can look back on")
    reading: Literal["windows", "streams"] = Field(
        "windows", description="Windows in random order, or streams read on from batch to batch, for carried state"
    )
    val_fraction: float = Field(0.1, gt=0, lt=1, description="Share of the text, its end, for validation")
    test_fraction: float = Field(0.05, ge=0, lt=1, description="Share for the test, just before that; 0: no test split")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.tokens == "characters" and self.vocabulary is not None:
            raise ValueError("vocabulary is for words and pieces: of characters, all are in it")
        return self


class PythonDocsConfig(TextConfig):
    """Python's language reference, as its help() shows it."""


class TinyShakespeareConfig(TextConfig):
    """Shakespeare's plays; without a test split, for validation is the last tenth everywhere."""

    test_fraction: float = Field(0.0, ge=0, lt=1, description="Share for the test, before validation; 0: no test split")


class FilesConfig(TextFiles, TextConfig):
    """Text files of your own, one after the other by path; the shares are for those without folders train and val."""


class TransformerConfig(Config):
    """Layers of attention over the window and a perceptron a token."""

    layers: int = Field(4, ge=1, le=1000, description="Layers, each of attention and a perceptron")
    width: int = Field(128, ge=2, description="Numbers a token is made of inside")
    heads: int = Field(4, ge=1, description="Heads of attention, which share the width")
    expansion: int = Field(4, ge=1, description="Hidden units of a perceptron, as a multiple of the width")
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share left out at random after each part of a layer",
        json_schema_extra=at_fork("exact"),
    )
    tied: bool = Field(True, description="The logits' matrix is the embedding's")
    rotary_base: float = Field(10_000.0, gt=1, description="Slowest turn of rotary positions, in tokens over 2π")

    @model_validator(mode="after")
    def _heads_share(self) -> Self:
        if self.width % (2 * self.heads):
            raise ValueError(f"width must be a multiple of 2 × heads = {2 * self.heads}; {self.width} is not")
        return self


class RecurrentConfig(Config):
    """An embedding, recurrent layers, maybe attention over their past outputs, the logits."""

    embedding: int = Field(128, ge=1, description="Numbers a token is embedded in")
    hidden: int = Field(256, ge=1, description="Units of each recurrent layer")
    layers: int = Field(2, ge=1, le=100, description="Recurrent layers")
    dropout: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Share left out at random before, between and after the layers",
        json_schema_extra=at_fork("exact"),
    )
    attention: bool = Field(False, description="Look back on the outputs of the last window of tokens")
    embeddings: Location | None = Field(
        None, description="Word vectors to start from: a file in word2vec's text format; for words"
    )
    freeze_embeddings: bool = Field(False, description="Leave the embedding as it is")


class LanguageTrainerConfig(SupervisedConfig):
    """Gradient descent; the state of a network that has one is carried from batch to batch."""

    carry: bool = Field(True, description="Go on with a recurrent network's state where a stream goes on")
    forget: float = Field(
        0.1, ge=0, le=1, description="Share of streams whose state is dropped at a batch: beginnings are learnt too"
    )


class WriterConfig(Config):
    """How text is written."""

    tokens: int = Field(300, ge=1, le=100_000, description="Tokens to write")
    temperature: float = Field(0.8, ge=0, description="Divides the logits: less is safer; 0: the most probable token")
    top_k: int = Field(0, ge=0, description="Draw from the so many most probable tokens; 0: from all")
    top_p: float = Field(
        1.0, gt=0, le=1, description="Draw from the most probable that together reach this probability"
    )
    repetition: float = Field(1.0, ge=1, description="Makes tokens already written less probable; 1: not")
    no_repeat: int = Field(0, ge=0, description="So many tokens in a row are never written twice; 0: no such rule")
    beam: int = Field(0, ge=0, le=1000, description="Beam search of this width instead of drawing; 0: draw")
    seed: int = Field(0, ge=0, lt=2**63, description="What is drawn is a function of it")
    prompts: list[str] = Field([], description="What samples go on from; none: from validation text")
    sampled: int = Field(3, ge=1, le=100, description="Samples at a time that go on from validation text, at most")
    sample_tokens: int = Field(200, ge=1, le=100_000, description="Tokens to write in a sample")

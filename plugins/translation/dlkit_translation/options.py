"""Options of the components; no torch here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from dlkit.config import Config, at_fork
from dlkit.data.options import Location, Shares

Column = Annotated[int, Field(ge=1, le=1000)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


class Subwords(Config):
    """How text becomes tokens: sentencepiece, learnt from the training pairs."""

    vocabulary: int = Field(8000, ge=16, le=100_000, description="Subwords in all; of each language, if not joint")
    joint: bool = Field(True, description="One vocabulary for both languages; false: one for each")
    algorithm: Literal["unigram", "bpe"] = Field("unigram", description="How sentencepiece finds subwords")
    longest: int = Field(64, ge=4, description="Training pairs with more tokens than this on a side are left out")


class GrammarConfig(Subwords):
    """Sentence pairs of the embedded English–French grammar."""

    vocabulary: int = Field(1200, ge=16, le=100_000, description="Subwords in all; of each language, if not joint")
    pairs: int = Field(100_000, ge=100, le=2_000_000, description="Sentence pairs that are drawn from the grammar")
    val_fraction: float = Field(0.04, gt=0, lt=0.5, description="Share of the combinations of words for validation")
    test_fraction: float = Field(0.04, ge=0, lt=0.5, description="Share of the combinations of words for the test")
    split_seed: int = Field(0, ge=0, description="Which pairs are drawn, and where they go, is a function of it")


class FraEngConfig(Subwords):
    """English and French sentences from tatoeba.org; no English sentence is in two splits."""

    val: int = Field(2500, ge=1, description="Pairs for validation, about")
    test: int = Field(5000, ge=1, description="Pairs for the test")
    split_seed: int = Field(0, ge=0, description="Which sentences go to which split is a function of it")


class FilesConfig(Shares, Subwords):
    """Sentence pairs of your own: a file with a tab between the two, or two files with a sentence a line."""

    path: Location = Field(description="TSV file of pairs; or, with target_path, the file of source sentences")
    target_path: str = Field("", description="File of target sentences, line by line as those of path; empty: TSV")
    source_language: str = Field("source", min_length=1, description="Name of the language that is translated from")
    target_language: str = Field(
        "target", min_length=1, description="Name or code of the language that is translated into: BLEU is of its words"
    )
    swap: bool = Field(False, description="Translate from the second into the first")
    encoding: str = Field("auto", min_length=1, description="Of the files: auto (its mark, else UTF-8), latin-1, …")
    controls: bool = Field(False, description="Keep control characters (NUL, escape, …); false: leave them out")
    columns: tuple[Column, Column] | None = Field(
        None, description="Columns of a TSV that hold the sentences, from 1; not given: the first two"
    )
    vocabulary: int = Field(2000, ge=16, le=100_000, description="Subwords in all; of each language, if not joint")
    val_fraction: float = Field(0.05, gt=0, lt=1, description="Share of the source sentences for validation")
    test_fraction: float = Field(0.05, ge=0, lt=1, description="Share of the source sentences for the test")
    split_seed: int = Field(0, ge=0, description="Which sentences go to which split is a function of it")

    @field_validator("columns")
    @classmethod
    def _two_columns(cls, columns: tuple[int, int] | None) -> tuple[int, int] | None:
        if columns and columns[0] == columns[1]:
            raise ValueError(f"source and translation are in two columns, not both in {columns[0]}")
        return columns

    @field_validator("target_path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        """As ``Location``, where there is one."""
        return str(Path(path).expanduser().absolute()) if path else path


class RecurrentConfig(Config):
    """Encoder and decoder of LSTM or GRU cells, with attention."""

    cell: Literal["lstm", "gru"] = Field("gru", description="Kind of recurrent cell")
    attention: Literal["luong", "bahdanau"] = Field(
        "luong", description="luong: after the cell, all steps at once; bahdanau: before it, step by step"
    )
    embedding: int = Field(128, ge=1, description="Width of a token's embedding")
    width: int = Field(256, ge=2, multiple_of=2, description="Units of a layer; of each direction half in the encoder")
    layers: int = Field(1, ge=1, le=8, description="Layers of the encoder, and of the decoder")
    dropout: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share left out at random: embeddings, between layers, the end",
        json_schema_extra=at_fork("exact"),
    )
    tie: Literal["none", "output", "all"] = Field(
        "output", description="Weights shared: none; target embedding and output; all: the source embedding too (joint)"
    )


class TransformerConfig(Config):
    """Encoder and decoder of attention layers, normalised before each part."""

    width: int = Field(192, ge=2, multiple_of=2, description="Width of a token's vector")
    heads: int = Field(4, ge=1, description="Attention heads; they divide the width")
    layers: int = Field(2, ge=1, le=24, description="Layers of the encoder")
    decoder_layers: int = Field(2, ge=1, le=24, description="Layers of the decoder")
    inner: float = Field(4.0, gt=0, description="Width of the feed-forward parts, as a multiple of width")
    dropout: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share left out at random: embeddings, each part's result",
        json_schema_extra=at_fork("exact"),
    )
    tie: Literal["none", "output", "all"] = Field(
        "output", description="Weights shared: none; target embedding and output; all: the source embedding too (joint)"
    )

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width = {self.width} cannot be divided into {self.heads} heads")
        return self


class CrossEntropyConfig(Config):
    """Cross-entropy of every target token."""

    label_smoothing: float = Field(0.1, ge=0, lt=1, description="Probability shared out over all tokens")


class TranslatorConfig(Config):
    """How translations are written."""

    beam: int = Field(
        4, ge=1, le=64, description="Translations followed at a time; 1: greedy, always the likeliest token"
    )
    length_penalty: float = Field(
        0.6, ge=0, le=5, description="Beam search: how much longer translations are preferred; 0: not at all"
    )
    extra: int = Field(30, ge=0, description="A translation has twice its source's tokens at most, and so many more")
    alternatives: int = Field(0, ge=0, description="Further translations of the beam that an answer names")
    attention: bool = Field(False, description="Show with an answer what each of its tokens was read off")

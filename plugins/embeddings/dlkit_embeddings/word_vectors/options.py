"""Options of the components; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dlkit.config import CHANGEABLE, Config
from dlkit.data.options import Shares, TextFiles

Units = Annotated[int, Field(ge=1)]


class TextConfig(Config):
    """How a text becomes words, and those become targets and contexts."""

    lower: bool = Field(True, description="Words in lower case")
    numbers: Literal["keep", "drop", "one"] = Field(
        "drop", description="Numbers: each a word, left out, or all the same word <number>"
    )
    signs: bool = Field(False, description="Punctuation signs are words too")
    least: int = Field(5, ge=1, description="Times a word must be seen in training to be in the vocabulary")
    vocabulary: int | None = Field(
        None, ge=2, description="Words in all, the commonest; none: every word seen often enough"
    )
    unknown: Literal["context", "target", "drop"] = Field(
        "context", description="Other words: <unk> in contexts, also to be predicted, or left out of the text"
    )
    context: Literal["around", "before"] = Field("around", description="Whether a context is on both sides of its word")
    window: int = Field(2, ge=1, le=1000, description="Words of a context on each side (around), or in all (before)")
    subsample: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the text beyond which a word is left out at random, anew each epoch; 0: none",
    )
    cap: int | None = Field(None, ge=1, description="Times a word is a target in an epoch at most; none: each time")
    reading: Literal["windows", "passages"] = Field(
        "windows", description="Single windows in random order, or passages of consecutive words (for skip-gram)"
    )
    passage: int = Field(32, ge=2, le=10_000, description="Words in a passage")
    evaluated: int | None = Field(
        50_000, ge=1, description="Windows that an evaluation looks at, from all over the split; none: all"
    )

    @model_validator(mode="after")
    def _capped_are_windows(self) -> Self:
        if self.cap is not None and self.reading == "passages":
            raise ValueError("cap is for reading = windows: a passage has the words that it has")
        return self


class SharesConfig(Shares, TextConfig):
    """A text without splits of its own."""

    val_fraction: float = Field(0.1, gt=0, lt=1, description="Share of the text, its end, for validation")
    test_fraction: float = Field(0.05, ge=0, lt=1, description="Share for the test, just before that; 0: no test split")


class PythonDocsConfig(SharesConfig):
    """Python's language reference, as its help() shows it."""


class GutenbergConfig(TextConfig):
    """Books, in folders for training, validation and test."""


class FilesConfig(TextFiles, SharesConfig):
    """Text files of your own; the shares are for those without folders train, val and test."""


class CbowConfig(Config):
    """An embedding, a context of its vectors joined, a perceptron, the logits."""

    size: int = Field(100, ge=1, description="Numbers in a word's vector")
    join: Literal["concatenate", "average"] = Field("concatenate", description="What is made of a context's vectors")
    hidden: list[Units] = Field(
        [256], description="Hidden units of each layer of the perceptron; none: no hidden layer"
    )
    dropout: float = Field(
        0.0, ge=0, lt=1, description="Share left out at random, of the joined vectors and each layer"
    )
    tied: bool = Field(False, description="The logits' matrix is the embedding's")


class SkipGramConfig(Config):
    """Two vectors a word: one as input, which is its embedding, one as output."""

    size: int = Field(100, ge=1, description="Numbers in a word's vector")
    power: float = Field(0.75, ge=0, le=1, description="Negative words are drawn as their counts to this power")


class NegativeSamplingConfig(Config):
    """Each word of a context against its target and against words drawn at random."""

    negatives: int = Field(5, ge=1, le=100, description="Words drawn against each pair, in weight")


class SkipGramTrainerConfig(Config):
    """Stochastic gradient descent by hand, with a rate that falls linearly over the run."""

    lr: float = Field(0.025, gt=0, description="Learning rate at the beginning", json_schema_extra=CHANGEABLE)
    final: float = Field(0.004, ge=0, le=1, description="Rate at the end, as a share of lr")
    update: int = Field(
        1024,
        ge=2,
        description="Words whose gradients are taken before the vectors change: less is steadier, more faster",
    )
    shared: int = Field(32, ge=1, le=4096, description="Negative words that all words of a passage share")
    nearer: bool = Field(
        True,
        description="Nearer words of a context count more: the word at distance i of a window w as (w + 1 − i) / w",
    )


class NeighboursConfig(Config):
    """What is shown of an embedding."""

    top: int = Field(10, ge=1, le=1000, description="Words to answer with")
    words: list[str] = Field([], description="Words whose neighbours samples show; none: frequent words with a meaning")
    map: Literal["pca", "t-sne", "none"] = Field("pca", description="How samples draw words in the plane")
    mapped: int = Field(80, ge=5, le=2000, description="Words on that map, at most")

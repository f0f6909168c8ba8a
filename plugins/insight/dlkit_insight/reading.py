"""How models that read text are given one: the tokens of each task, from what ``info`` says of them.

Nothing here knows another plugin. What a task's ``info`` has to have is said by a protocol each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from dlkit.data.text.pieces import BOS, EOS, PAD
from dlkit.data.text.segments import Rules, split_words
from dlkit.data.text.tokenizers import StoredTokenizer, Tokenizer, Words, restore
from dlkit.errors import DataError

END = "∎"
"""The end of a sentence, in pictures."""
GAP = "___"
_TAIL = 16
"""Tokens that decide how the next one is joined to the text."""
_UNKNOWN, _FIGURE = "<unk>", "<number>"
_MARKED = re.compile(r"(?<!\w)_+(?!\w)|\[gap\]", re.IGNORECASE)


@runtime_checkable
class WritingInfo(Protocol):
    """Text that is gone on with."""

    tokenizer: StoredTokenizer
    context: int


@runtime_checkable
class TranslatingInfo(Protocol):
    """Sentences for sentences."""

    source: StoredTokenizer
    target: StoredTokenizer


@runtime_checkable
class GapInfo(Protocol):
    """A gap among words."""

    words: list[str]
    window: int
    lower: bool
    signs: bool
    rules: Rules


@dataclass(frozen=True)
class Passage:
    """One text as a model is given it.

    ``inputs`` are what its ``forward`` takes, int64 [1,T] each; ``read`` are the tokens of the first as text, and
    ``written`` those that the answer is made of, one for each of its places: the same, where nothing is written.
    """

    inputs: tuple[Tensor, ...]
    read: Sequence[str]
    written: Sequence[str]
    text: str


class Reading:
    """Texts of a run, as its model is given them."""

    def __init__(self, model: nn.Module, info: object) -> None:
        self.model, self.info = model, info

    @staticmethod
    def lacks(info: object) -> str:
        """Why these texts cannot be read; empty if they can."""
        if isinstance(info, (WritingInfo, TranslatingInfo, GapInfo)):
            return ""
        return f"it needs the tokens of a text in the task's info, and {type(info).__name__} has none"

    def passage(self, text: str) -> Passage:
        """A text; DataError says what is wrong with it."""
        if not text.strip():
            raise DataError("an empty text: there is nothing to read")
        if isinstance(self.info, WritingInfo):
            return self._window(restore(self.info.tokenizer), text)
        if isinstance(self.info, TranslatingInfo):
            return self._translated(restore(self.info.source), restore(self.info.target), text)
        assert isinstance(self.info, GapInfo)
        return self._gap(self.info, text)

    @property
    def limit(self) -> int | None:
        """The most tokens that the model can hold at once; None: any number."""
        found = getattr(self.model, "limit", None)
        return found if isinstance(found, int) else None

    @property
    def window(self) -> int | None:
        """Tokens of a training window, where text goes on and on."""
        return self.info.context if isinstance(self.info, WritingInfo) else None

    def shortest(self) -> tuple[Tensor, ...]:
        """Inputs of a few tokens, whichever they are: to see what a model does with any."""
        if isinstance(self.info, TranslatingInfo):
            return self._row([EOS + 1, EOS + 1, EOS]), self._row([BOS, EOS])
        return (self._row([1] * (2 * self.info.window if isinstance(self.info, GapInfo) else 3)),)

    def apart(self, passage: Passage) -> tuple[Tensor, ...]:
        """Its inputs; of two texts of equal length the first with a padding more, so that their places can be told
        apart by how many there are."""
        if len(passage.inputs) == 1 or passage.inputs[0].shape[1] != passage.inputs[1].shape[1]:
            return passage.inputs
        first, *others = passage.inputs
        return (torch.cat([first, first.new_full((1, 1), PAD)], 1), *others)

    def tokens(self, ids: Sequence[int]) -> Passage:
        """Tokens of a task that goes on with text."""
        assert isinstance(self.info, WritingInfo)
        pieces = joined_pieces(restore(self.info.tokenizer), ids)
        return Passage((self._row(ids),), pieces, pieces, "".join(pieces))

    def context(self, ids: Sequence[int]) -> Passage:
        """The words around a gap, by number."""
        assert isinstance(self.info, GapInfo)
        words = [self.info.words[number] if number else "" for number in ids]
        around = [*words[: self.info.window], GAP, *words[self.info.window :]]
        return Passage((self._row(ids),), around, around, " ".join(word for word in around if word))

    def sentence(self, ids: Sequence[int]) -> Passage:
        """A sentence to translate, by its tokens without padding and end."""
        assert isinstance(self.info, TranslatingInfo)
        source, target = restore(self.info.source), restore(self.info.target)
        row = self._row([*ids, EOS])
        tokens = translated(self.model, row)
        read = [*(shown(source.token(number)) for number in ids), END]
        written = [*(shown(target.token(number)) for number in tokens), END]
        return Passage((row, self._row([BOS, *tokens])), read, written, source.decode(ids))

    def _window(self, tokenizer: Tokenizer, text: str) -> Passage:
        unknown = [] if isinstance(tokenizer, Words) else tokenizer.unknown(text)
        if unknown:
            raise DataError(f"the text has what the model's text never had: {', '.join(map(repr, unknown[:20]))}")
        return self.tokens([int(number) for number in tokenizer.encode(text)])

    def _translated(self, source: Tokenizer, target: Tokenizer, text: str) -> Passage:
        return self.sentence([int(number) for number in source.encode(text)])

    def _gap(self, info: GapInfo, text: str) -> Passage:
        sides = _MARKED.split(text)
        if len(sides) != 2:
            found = "no gap" if len(sides) == 1 else f"{len(sides) - 1} gaps"
            raise DataError(f"{found} in {text!r}: write {GAP} once, where the form belongs")
        before, after = (self._words(info, side) for side in sides)
        left, right = before[-info.window :], after[: info.window]
        empty = [0] * info.window
        return self.context([*empty[len(left) :], *left, *right, *empty[len(right) :]])

    def _words(self, info: GapInfo, text: str) -> list[int]:
        known = {word: number for number, word in enumerate(info.words)}
        words = split_words(text, lower=info.lower, rules=info.rules)
        kept = [word for word in words if info.signs or any(map(str.isalnum, word))]
        other = known.get(_UNKNOWN, 1)
        figure = known.get(_FIGURE, other)
        return [known.get(word, figure if any(map(str.isdigit, word)) else other) for word in kept if word != "\n"]

    def _row(self, ids: Sequence[int]) -> Tensor:
        parameter = next(self.model.parameters(), None)
        return torch.tensor([list(ids)], device=None if parameter is None else parameter.device)


def joined_pieces(tokenizer: Tokenizer, ids: Sequence[int]) -> list[str]:
    """Each token as the text that it adds: what it changes in that of the last few."""
    if tokenizer.kind == "characters":
        return [tokenizer.token(number) for number in ids]
    found = []
    for place, number in enumerate(ids):
        tail = list(ids[max(0, place - _TAIL) : place])
        before, after = tokenizer.decode(tail), tokenizer.decode([*tail, number])
        found.append(after.removeprefix(before))
    return found


def shown(token: str) -> str:
    """A subword by itself; sentencepiece's sign for a blank is in few fonts."""
    return token.replace("▁", " ").strip() or "_"


@torch.no_grad()
def translated(model: nn.Module, source: Tensor) -> list[int]:
    """The likeliest token at every place, of a sentence int64 [1,S] with its end, up to twice its length."""
    own: Any = model
    written: list[int] = []
    for _ in range(2 * source.shape[1] + 10):
        logits = own(source, torch.tensor([[BOS, *written]], device=source.device))[0, -1].float()
        logits[[PAD, BOS]] = -torch.inf
        token = int(logits.argmax())
        if token == EOS:
            break
        written.append(token)
    return written

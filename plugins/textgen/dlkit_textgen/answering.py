"""Prompts, and what is written after them, by NumPy (and sentencepiece, for pieces) alone: ``Writer`` answers by it,
and so does an exported model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dlkit.answering import Answered, Answering, Given, RunGraph, Values
from dlkit.data.seeds import rng
from dlkit.data.text.coding import Pieces, Tokenizer, Words, taken
from dlkit.decoding import Beam, Drawing, Ids, Scores
from dlkit.errors import DataError
from dlkit.question_schema import text_of
from dlkit_textgen.next_token import Cached, Reader, Uncached

_NAMED = 20
"""Unknown characters named in a message."""
_TAIL = 16
"""Tokens that decide how the next one is joined to the text."""
NEXT = "next_"
"""Before the names of what a network makes of its state."""


@dataclass(frozen=True)
class Ways:
    """How text is written, as the writer's options say."""

    tokens: int
    temperature: float
    top_k: int
    top_p: float
    repetition: float
    no_repeat: int
    beam: int
    seed: int


@dataclass(frozen=True)
class Continuing:
    """Goes on from prompts; what is drawn is a function of the seed."""

    tokenizer: Tokenizer
    reader: Reader
    ways: Ways

    def encoded(self, prompt: str) -> list[int]:
        """A prompt's tokens, at least one. DataError names characters or subwords that there are no tokens for; unknown
        words are ``<unk>``, as in training."""
        unknown = [] if isinstance(self.tokenizer, Words) else self.tokenizer.unknown(prompt)
        if unknown:
            more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
            named = ", ".join(map(repr, unknown[:_NAMED]))
            raise DataError(f"the prompt has what the model's text never had: {named}{more}")
        ids = self.tokenizer.encode(prompt).tolist() or self.tokenizer.encode("\n").tolist()
        if not ids:
            raise DataError("an empty prompt: the model's text has no line ends to begin after; give it some text")
        return [int(i) for i in ids]

    def accepted(self, value: object) -> str:
        """A prompt that ``encoded`` takes."""
        prompt = text_of(value, "a prompt")
        self.encoded(prompt)
        return prompt

    def answer(self, prompt: str) -> dict[str, object]:
        """``prompt``, ``continuation``, ``text`` (both), ``tokens`` (how many were written); of a beam search its
        ``log_probability`` too; ``unknown``: words of the prompt that were read as ``<unk>``."""
        ids = self.encoded(prompt)
        answer: dict[str, object] = {"prompt": prompt}
        if self.ways.beam:
            written, answer["log_probability"] = self.searched(ids)
        else:
            written = list(self.drawn(ids, self.ways.tokens, self.ways.seed))
        continuation = "".join(self.pieces(ids, iter(written)))
        answer |= {"continuation": continuation, "text": prompt + continuation, "tokens": len(written)}
        if isinstance(self.tokenizer, Words) and (unknown := self.tokenizer.unknown(prompt)):
            answer["unknown"] = unknown
        return answer

    def stream(self, prompt: str) -> Iterator[str]:
        """The prompt, and then what is written, each piece as soon as it is known."""
        ids = self.encoded(prompt)
        yield prompt
        written = self.searched(ids)[0] if self.ways.beam else self.drawn(ids, self.ways.tokens, self.ways.seed)
        yield from self.pieces(ids, iter(written))

    def drawn(self, ids: Sequence[int], count: int, seed: int) -> Iterator[int]:
        """Tokens, each as soon as it is drawn: the same ones on every machine, for every device."""
        ways = self.ways
        drawing = Drawing(ways.temperature, ways.top_k, ways.top_p, ways.repetition, ways.no_repeat)
        chance, written = rng(seed, "write"), np.array([ids], np.int64)
        state = self.reader.read(written[:, :-1])
        for _ in range(count):
            logits, state = self.reader(written[:, -1], state)
            token = drawing(logits, written, chance)
            written = np.concatenate((written, token[:, None]), 1)
            yield int(token[0])

    def searched(self, ids: Sequence[int]) -> tuple[list[int], float]:
        """The most probable continuation that a beam finds, and its log probability."""
        ways = self.ways
        beam = Beam(ways.beam, ways.tokens, repetition=ways.repetition, no_repeat=ways.no_repeat)
        best = beam(self.reader, ids[-1], self.reader.read(np.array([ids[:-1]], np.int64)))[0]
        return list(best.tokens), best.log_probability

    def pieces(self, ids: Sequence[int], written: Iterator[int]) -> Iterator[str]:
        """Tokens as the text that each adds: what it changes in that of the last few."""
        tail = [*ids[-_TAIL:]]
        for token in written:
            before, after = self.tokenizer.decode(tail), self.tokenizer.decode([*tail, token])
            yield after.removeprefix(before)
            tail = [*tail, token][-_TAIL:]


def unwritable(tokenizer: Tokenizer) -> list[int]:
    """Tokens that stand for no text: <unk>, and sentencepiece's padding, begin and end."""
    if isinstance(tokenizer, Words):
        return [] if tokenizer.vocabulary.unknown is None else [tokenizer.vocabulary.unknown]
    if isinstance(tokenizer, Pieces):
        spm = tokenizer.processor
        return [i for i in range(len(tokenizer)) if spm.is_control(i) or spm.is_unknown(i)]
    return []


class Stepping:
    """``next_token.Network`` of the exported ``step``; ``first`` is the state of one row that has read nothing."""

    def __init__(self, run: RunGraph, first: Mapping[str, Values]) -> None:
        self._run, self._first = run, first

    def begin(self, rows: int) -> object:
        return {name: np.repeat(value, rows, 0) for name, value in self._first.items()}

    def __call__(self, tokens: Ids, state: object) -> tuple[Scores, object]:
        assert isinstance(state, dict)
        found = self._run("step", token=tokens, **state)
        logits = found.pop("logits")
        return logits, {name.removeprefix(NEXT): value for name, value in found.items()}


class Writing(Answering):
    """``given``: the tokenizer, ``ways``, ``limit``, and the arrays of a state that has read nothing, by ``states``;
    where that is None, the whole network reads everything again, ``limit`` tokens at most."""

    usage = "a prompt: text to go on from"
    asks = "prompt"
    streams = True

    def __init__(self, given: Given, run: RunGraph) -> None:
        super().__init__(given, run)
        tokenizer, limit = taken("tokenizer", given), given["limit"]
        never = unwritable(tokenizer)
        if given["states"] is None:
            reader: Reader = Uncached(lambda tokens: run("model", token=tokens)["outputs"], limit, never)
        else:
            reader = Cached(Stepping(run, {name: given[name] for name in given["states"]}), limit, never)
        self._continuing = Continuing(tokenizer, reader, Ways(**given["ways"]))

    def read(self, words: Sequence[str]) -> list[str]:
        return [self.accept(word) for word in words]

    def accept(self, value: object) -> str:
        """A prompt; DataError names the characters of one that the model does not know."""
        return self._continuing.accepted(value)

    def predict(self, inputs: Sequence[object]) -> list[Answered]:
        """As the writer's."""
        return [self._continuing.answer(str(prompt)) for prompt in inputs]

    def stream(self, value: object) -> Iterator[str]:
        return self._continuing.stream(str(value))

"""Translations by an exported model: NumPy and sentencepiece alone. Networks give the next token's logits; what is
written, greedily or by beam search, is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from dlkit.answering import Answered, Answering, Given, RunGraph, Values
from dlkit.data.text.coding import Tokenizer, taken
from dlkit.data.text.lines import BOS, EOS, PAD
from dlkit.decoding import Beam, Hypothesis, Ids, Scores, State, Step
from dlkit.errors import DataError
from dlkit.question_schema import text_of
from dlkit_translation.normal_form import normal

NEXT = "next_"
"""Before the names of what a network makes of its state."""


def accepted(value: object) -> str:
    """A sentence; DataError for one without a word."""
    found = normal(text_of(value, "a sentence"))
    if not found:
        raise DataError("an empty sentence cannot be translated")
    return found


def sentence(tokenizer: Tokenizer, tokens: Iterable[int]) -> str:
    """Tokens as text, up to the end token."""
    kept = []
    for token in tokens:
        if token == EOS:
            break
        if token not in (PAD, BOS):
            kept.append(int(token))
    return tokenizer.decode(kept)


def best_of(step: Step, state: State, beam: Beam) -> list[Hypothesis]:
    """What a beam finds that begins with nothing written; neither padding nor the begin token is ever written."""

    def sayable(tokens: Ids, state: State) -> tuple[Scores, State]:
        logits, after = step(tokens, state)
        return unwritten(logits), after

    return beam(sayable, BOS, state)


def unwritten(logits: Scores) -> Scores:
    """Padding and the begin token are never written."""
    logits = logits.copy()
    logits[:, [PAD, BOS]] = -np.inf
    return logits


class Networks:
    """A ``dlkit.decoding.Step`` by exported networks: ``encoder`` reads the source and gives the first token's logits,
    ``step`` those of each that follows; or ``model`` reads everything at each token.

    A state begins as ``{"source": int64 [N,S]}``.
    """

    def __init__(self, run: RunGraph, *, carries: bool) -> None:
        self._run, self._carries = run, carries

    def __call__(self, tokens: Ids, state: dict[str, Values]) -> tuple[Scores, dict[str, Values]]:
        if not self._carries:
            return self._again(tokens, state)
        found = self._run("encoder", **state) if "source" in state else self._run("step", token=tokens, **state)
        logits = found.pop("logits")
        before = {} if "source" in state else state
        return logits, {**before, **{name.removeprefix(NEXT): value for name, value in found.items()}}

    def _again(self, tokens: Ids, state: dict[str, Values]) -> tuple[Scores, dict[str, Values]]:
        before = state.get("written", tokens[:, :0].reshape(len(tokens), 0))
        written = np.concatenate([before, tokens[:, None]], 1)
        logits = self._run("model", source=state["source"], previous=written)["outputs"][:, -1]
        return logits, {"source": state["source"], "written": written}


class Translating(Answering):
    """``given``: both tokenizers, ``carries``, and the translator's options ``beam``, ``length_penalty``, ``extra``,
    ``alternatives``."""

    usage = "sentences to translate, each in quotes"

    def __init__(self, given: Given, run: RunGraph) -> None:
        super().__init__(given, run)
        self._source, self._target = taken("source", given), taken("target", given)
        self._step = Networks(run, carries=given["carries"])

    def read(self, words: Sequence[str]) -> list[str]:
        return [accepted(word) for word in words]

    def accept(self, value: object) -> str:
        return accepted(value)

    def predict(self, inputs: Sequence[object]) -> list[Answered]:
        """``translation`` and ``source`` of each; ``unknown``: what training never saw, where there is some; with beam
        search ``log_probability``, and ``alternatives`` if they are asked for."""
        answers: list[Answered] = []
        for text in map(accepted, inputs):
            unknown = self._source.unknown(text)
            answers.append({**self._answer(text), "source": text, **({"unknown": unknown} if unknown else {})})
        return answers

    def _answer(self, text: str) -> Answered:
        source = np.array([[*self._source.encode(text).tolist(), EOS]], np.int64)
        most = 2 * source.shape[1] + self.given["extra"]
        if self.given["beam"] == 1:
            return {"translation": sentence(self._target, self._greedy(source, most))}
        beam = Beam(self.given["beam"], most, EOS, self.given["length_penalty"])
        best = best_of(self._step, {"source": source}, beam)
        answer: dict[str, object] = {
            "translation": sentence(self._target, best[0].tokens),
            "log_probability": best[0].log_probability,
        }
        if others := self.given["alternatives"]:
            answer["alternatives"] = [sentence(self._target, other.tokens) for other in best[1 : others + 1]]
        return answer

    def _greedy(self, source: Ids, most: int) -> list[int]:
        """The likeliest token at every place, up to the end."""
        written: list[int] = []
        tokens, state = np.array([BOS], np.int64), {"source": source}
        while len(written) < most and EOS not in written[-1:]:
            logits, state = self._step(tokens, state)
            tokens = unwritten(logits).argmax(1)
            written.append(int(tokens[0]))
        return written

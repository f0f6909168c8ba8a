"""``surprise``: how probable each token of a text was to a model, coloured in the text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from dlkit.data.splits import Split
from dlkit.data.text.tokenizers import Tokenizer, restore
from dlkit.predictor import Answer
from dlkit.present.coloured import coloured_text
from dlkit.samples import Sample, Shaded, Table
from dlkit.task import AnyTask, Info
from dlkit_insight.asked_texts import AskedTexts
from dlkit_insight.passages import passages
from dlkit_insight.reading import Passage, TranslatingInfo, WritingInfo
from dlkit_insight.text_options import SurpriseConfig

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Told:
    """A text token by token: ``bits`` float64 [T] (−log2 of the probability, nan of the first, which nothing
    foretells), and for each what the model held likeliest in its place, with its probability."""

    pieces: Sequence[str]
    bits: Sequence[float]
    likeliest: Sequence[tuple[str, float]]
    vocabulary: int


class Surprise(AskedTexts[SurpriseConfig]):
    """Of text generation the text itself, of translation the translation that the model makes, token by token."""

    seldom = frozenset({"shown", "tokens"})

    @classmethod
    def lacks(cls, task: AnyTask, model: nn.Module, info: Info) -> str:
        if isinstance(info, (WritingInfo, TranslatingInfo)):
            return ""
        return f"it needs a model that writes token by token, and {type(info).__name__} has no tokens"

    def predict(self, inputs: Sequence[str]) -> list[Answer]:
        """``text``, ``tokens``, ``bits`` (of each; None of what nothing foretells), ``likeliest`` (token and
        probability in each place), ``bits_per_token`` and ``perplexity``."""
        return [_answer(text, self.told(self.reading.passage(text))) for text in inputs]

    def show(self, inputs: Sequence[str], answers: Sequence[Answer]) -> Sequence[Sample]:
        return [s for n, answer in enumerate(answers, 1) for s in self._shown(str(n), _from(answer))]

    def draw(self, value: str, answer: Answer) -> Image:
        told = _from(answer)
        return coloured_text(told.pieces, told.bits, (0.0, guess(told)))

    def stem(self, value: str) -> str:
        return "surprise"

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """Validation texts, the same ones each time."""
        if examples is None:
            return ()
        found = passages(self.reading, examples, min(count, self.config.shown), self.config.tokens)
        return [s for n, passage in enumerate(found, 1) for s in self._shown(str(n), self.told(passage))]

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        return [p.text.strip() for p in passages(self.reading, examples, 2, self.config.tokens)] if examples else []

    @torch.no_grad()
    def told(self, passage: Passage) -> Told:
        """How probable each token was, given those before it."""
        self.model.eval()
        if len(passage.inputs) > 1:
            logits = self.model(*passage.inputs)[0].float().cpu()
            ids = [*passage.inputs[1][0, 1:].tolist(), _end(passage)]
            assert isinstance(self.info, TranslatingInfo)
            return self._told(passage.written, ids, logits, restore(self.info.target))
        tokens = passage.inputs[0]
        assert isinstance(self.info, WritingInfo)
        found = self._logits(tokens)
        logits = torch.cat([torch.full_like(found[:1], torch.nan), found[:-1]])
        return self._told(passage.read, tokens[0].tolist(), logits, restore(self.info.tokenizer))

    def _logits(self, tokens: Tensor) -> Tensor:
        """[T,V] of a text int64 [1,T], longer than a window or not: then half a window at least stands before what is
        asked."""
        # A model that says nothing of what it can hold was trained on windows.
        limit = self.reading.limit if hasattr(self.model, "limit") else self.reading.window
        count = tokens.shape[1]
        if limit is None or count <= limit:
            return self._window(tokens)
        hop, parts = max(1, limit - limit // 2), [self._window(tokens[:, :limit])]
        done = limit
        while done < count:
            first = min(done + hop, count) - limit
            parts.append(self._window(tokens[:, first : first + limit])[done - first :])
            done = first + limit
        return torch.cat(parts)

    def _window(self, tokens: Tensor) -> Tensor:
        logits: Tensor = self.model(tokens)[0]
        return logits.float().cpu()

    def _told(self, pieces: Sequence[str], ids: Sequence[int], logits: Tensor, tokenizer: Tokenizer) -> Told:
        probabilities = logits.double().softmax(1)
        given = probabilities.gather(1, torch.tensor(ids)[:, None])[:, 0]
        most, best = probabilities.max(1)
        named = [(_name(tokenizer, int(number)), float(p)) for number, p in zip(best, most, strict=True)]
        bits = (-given.log2()).tolist()
        return Told(list(pieces), [b if math.isfinite(b) else math.nan for b in bits], named, logits.shape[1])

    def _shown(self, number: str, told: Told) -> list[Sample]:
        known = [b for b in told.bits if math.isfinite(b)]
        mean = sum(known) / max(1, len(known))
        title = f"{mean:.2f} bits a token, perplexity {2**mean:.1f}: the more orange, the less expected"
        shown: list[Sample] = [
            Shaded(
                name=f"surprise-{number}", title=title, pieces=told.pieces, values=told.bits, limits=(0.0, guess(told)),
                unit="bits; the most is a guess among all tokens",
            )
        ]  # fmt: skip
        order = sorted((i for i, b in enumerate(told.bits) if math.isfinite(b)), key=lambda i: -told.bits[i])
        rows = [self._row(told, place) for place in order[: self.config.listed]]
        headers = ["after", "came", "bits", "probability", "expected", "with"]
        if rows:
            shown.append(Table(name=f"most-{number}", title="The most surprising", headers=headers, rows=rows))
        return shown

    def _row(self, told: Told, place: int) -> list[str | float]:
        before = "".join(told.pieces[max(0, place - 12) : place])[-24:]
        likeliest, p = told.likeliest[place]
        return [_seen(before), _seen(told.pieces[place]), round(told.bits[place], 2),
                float(f"{2 ** -told.bits[place]:.2g}"), _seen(likeliest), round(p, 3)]  # fmt: skip


def guess(told: Told) -> float:
    """The bits of a guess among all tokens: the end of the scale."""
    return math.log2(max(2, told.vocabulary))


def _end(passage: Passage) -> int:
    """The end token, which a translation's last place foretells."""
    return int(passage.inputs[0][0][passage.inputs[0][0] != 0][-1])


def _name(tokenizer: Tokenizer, number: int) -> str:
    try:
        text = tokenizer.decode([number])
    except (IndexError, ValueError):
        text = ""
    return text or tokenizer.token(number)


def _seen(text: str) -> str:
    """Blanks and line ends as signs, in a table."""
    return text.replace("\n", "↵").replace(" ", "␣") if not text.strip() else text.replace("\n", "↵")


def _answer(text: str, told: Told) -> Answer:
    known = [b for b in told.bits if math.isfinite(b)]
    mean = sum(known) / max(1, len(known))
    return {
        "text": text,
        "tokens": list(told.pieces),
        "bits": [b if math.isfinite(b) else None for b in told.bits],
        "likeliest": [[name, p] if math.isfinite(p) else None for name, p in told.likeliest],
        "bits_per_token": mean,
        "perplexity": 2**mean,
        "vocabulary": told.vocabulary,
    }


def _from(answer: Answer) -> Told:
    bits = [math.nan if b is None else float(b) for b in answer["bits"]]
    likeliest = [("", math.nan) if one is None else (str(one[0]), float(one[1])) for one in answer["likeliest"]]
    return Told(answer["tokens"], bits, likeliest, int(answer["vocabulary"]))

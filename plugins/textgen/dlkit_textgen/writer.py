"""``writer``: goes on from a prompt, drawing token by token or by beam search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dlkit.data.randomness import derive
from dlkit.data.splits import Split
from dlkit.data.text.tokenizers import Pieces, Tokenizer, Words, restore
from dlkit.decoding import Beam, Drawing
from dlkit.errors import DataError
from dlkit.predictor import Answer, Predictor
from dlkit.question_schema import INTEGER, NUMBER, TEXT, Schema, fields, several, text_of
from dlkit.samples import Sample, Text
from dlkit_textgen.info import TextInfo
from dlkit_textgen.next_token import reader
from dlkit_textgen.options import WriterConfig

_NAMED = 20
"""Unknown characters named in a message."""
_EXAMPLES = 3
_TAIL = 16
"""Tokens that decide how the next one is joined to the text."""


class Writer(Predictor[TextInfo, WriterConfig]):
    """Answers prompts from ``info`` alone; what is drawn is a function of ``seed``."""

    usage = "a prompt: text to go on from"
    asks = "prompt"
    label = "prompt"
    placeholder = "how the text begins"
    streams = True
    seldom = frozenset({"prompts", "sampled", "sample_tokens"})

    def __init__(self, model: nn.Module, info: TextInfo, config: WriterConfig) -> None:
        super().__init__(model, info, config)
        self.tokenizer: Tokenizer = restore(info.tokenizer)
        self._reader = reader(model, info, _unwritable(self.tokenizer))
        for prompt in config.prompts:
            self.encoded(prompt)

    def accept(self, value: object) -> str:
        """A prompt; DataError names the characters of one that the model does not know."""
        prompt = text_of(value, "a prompt")
        self.encoded(prompt)
        return prompt

    def schema(self) -> Schema:
        answer = fields(
            {
                "prompt": TEXT,
                "continuation": TEXT,
                "text": {**TEXT, "description": "both"},
                "tokens": {**INTEGER, "description": "how many were written"},
                "log_probability": NUMBER,
                "unknown": {**several(TEXT), "description": "words of the prompt that the model does not know"},
            },
            ["log_probability", "unknown"],
        )
        example = self.tokenizer.decode(list(range(min(8, len(self.tokenizer))))).strip()
        known = "" if self.tokenizer.unknown(example) else example
        return Schema(question={**TEXT, "description": self.placeholder}, answer=answer, example=known)

    def predict(self, inputs: Sequence[object]) -> list[Answer]:
        """``prompt``, ``continuation``, ``text`` (both), ``tokens`` (how many were written); of a beam search its
        ``log_probability`` too; ``unknown``: words of the prompt that were read as ``<unk>``."""
        return [self._answer(str(prompt)) for prompt in inputs]

    def stream(self, value: object) -> Iterator[str]:
        prompt = str(value)
        yield prompt
        yield from self._pieces(self.encoded(prompt), self._tokens(self.encoded(prompt)))

    def show(self, inputs: Sequence[object], answers: Sequence[Answer]) -> Sequence[Sample]:
        """Each prompt and what was written after it."""
        return [
            Text(name=f"text-{number}", title="Written", prompt=answer["prompt"], text=answer["continuation"])
            for number, answer in enumerate(answers, 1)
        ]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """Continuations of the same prompts each time: those of the options, else validation text."""
        own = [self.encoded(prompt) for prompt in self.config.prompts]
        title = "Continued" if own else "Validation text, continued"
        found = []
        for number, ids in enumerate(own or self._validation(min(count, self.config.sampled), examples), 1):
            drawn = self._drawn(ids, self.config.sample_tokens, int(rng.integers(2**63)))
            text, prompt = "".join(self._pieces(ids, drawn)), self.tokenizer.decode(ids)
            found.append(Text(name=f"text-{number}", title=title, prompt=prompt, text=text))
        return found

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        """Beginnings from validation text, or the options' prompts."""
        if self.config.prompts or examples is None:
            return list(self.config.prompts)
        texts = [self.tokenizer.decode(ids).strip() for ids in self._validation(_EXAMPLES, examples)]
        return [text for text in texts if text and not self.tokenizer.unknown(text)]

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

    def _answer(self, prompt: str) -> Answer:
        ids = self.encoded(prompt)
        answer: dict[str, object] = {"prompt": prompt}
        if self.config.beam:
            written, answer["log_probability"] = self._searched(ids)
        else:
            written = list(self._drawn(ids, self.config.tokens, self.config.seed))
        continuation = "".join(self._pieces(ids, iter(written)))
        answer |= {"continuation": continuation, "text": prompt + continuation, "tokens": len(written)}
        if isinstance(self.tokenizer, Words) and (unknown := self.tokenizer.unknown(prompt)):
            answer["unknown"] = unknown
        return answer

    def _tokens(self, ids: list[int]) -> Iterator[int]:
        if self.config.beam:
            return iter(self._searched(ids)[0])
        return self._drawn(ids, self.config.tokens, self.config.seed)

    def _drawn(self, ids: list[int], count: int, seed: int) -> Iterator[int]:
        """Tokens, each as soon as it is drawn; the drawing is done on the CPU, the same for every device."""
        config = self.config
        drawing = Drawing(config.temperature, config.top_k, config.top_p, config.repetition, config.no_repeat)
        generator = torch.Generator().manual_seed(derive(seed, "write"))
        written = torch.tensor([ids])
        state = self._reader.read(written[:, :-1].to(self._device))
        for _ in range(count):
            logits, state = self._reader(written[:, -1].to(self._device), state)
            # Drawn on the CPU: a device's own generator would write another text.
            token = drawing(logits.float().cpu(), written, generator)
            written = torch.cat((written, token[:, None]), 1)
            yield int(token)

    def _searched(self, ids: list[int]) -> tuple[list[int], float]:
        """The most probable continuation that a beam finds, and its log probability."""
        config = self.config
        beam = Beam(config.beam, config.tokens, repetition=config.repetition, no_repeat=config.no_repeat)
        state = self._reader.read(torch.tensor([ids[:-1]], dtype=torch.int64, device=self._device))
        best = beam(self._reader, ids[-1], state)[0]
        return list(best.tokens), best.log_probability

    def _pieces(self, ids: list[int], written: Iterator[int]) -> Iterator[str]:
        """Tokens as the text that each adds: what it changes in that of the last few."""
        tail = ids[-_TAIL:]
        for token in written:
            before, after = self.tokenizer.decode(tail), self.tokenizer.decode([*tail, token])
            yield after.removeprefix(before)
            tail = [*tail, token][-_TAIL:]

    def _validation(self, count: int, examples: Split | None) -> list[list[int]]:
        """Beginnings of lines from all over the validation text, always the same, as tokens; without it, an empty
        prompt."""
        line_end = self.tokenizer.encode("\n").tolist()
        if examples is None:
            return [line_end or [len(self.tokenizer) - 1]]
        places = torch.linspace(0, len(examples) - 1, count + 2)[1:-1].round().long()
        rows: Tensor = examples.take(places)["token"]
        return [_from_line_start(row[: -(-len(row) // 2)], line_end) for row in rows.cpu().tolist()]

    @property
    def _device(self) -> torch.device:
        parameter = next(self.model.parameters(), None)
        return torch.device("cpu") if parameter is None else parameter.device


def _from_line_start(ids: list[int], line_end: list[int]) -> list[int]:
    """Without the rest of a line that the tokens begin with, if a line begins in their first half."""
    ends = [place for place, number in enumerate(ids[: len(ids) // 2]) if [number] == line_end]
    first = ends[0] + 1 if ends else 0
    while [ids[first]] == line_end and first < len(ids) - 1:
        first += 1
    return ids[first:]


def _unwritable(tokenizer: Tokenizer) -> list[int]:
    """Tokens that stand for no text: <unk>, and sentencepiece's padding, begin and end."""
    if isinstance(tokenizer, Words):
        return [] if tokenizer.vocabulary.unknown is None else [tokenizer.vocabulary.unknown]
    if isinstance(tokenizer, Pieces):
        spm = tokenizer.processor
        return [i for i in range(len(tokenizer)) if spm.is_control(i) or spm.is_unknown(i)]
    return []

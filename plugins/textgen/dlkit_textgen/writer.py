"""``writer``: goes on from a prompt, drawing token by token or by beam search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from dataclasses import fields as dataclass_fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dlkit.data.splits import Split
from dlkit.data.text.coding import Tokenizer, given
from dlkit.data.text.tokenizers import restore
from dlkit.portable import Portable
from dlkit.predictor import Answer, Predictor
from dlkit.question_schema import INTEGER, NUMBER, TEXT, Schema, fields, several
from dlkit.samples import Sample, Text
from dlkit_textgen.answering import Continuing, Ways, unwritable
from dlkit_textgen.asking import reader
from dlkit_textgen.info import TextInfo
from dlkit_textgen.networks import portable
from dlkit_textgen.options import WriterConfig

_EXAMPLES = 3


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
        ways = Ways(**{field.name: getattr(config, field.name) for field in dataclass_fields(Ways)})
        self.continuing = Continuing(self.tokenizer, reader(model, info, unwritable(self.tokenizer)), ways)
        for prompt in config.prompts:
            self.continuing.encoded(prompt)

    def accept(self, value: object) -> str:
        """A prompt; DataError names the characters of one that the model does not know."""
        return self.continuing.accepted(value)

    def portable(self) -> Portable:
        """The step; what is drawn or searched with it is decided outside."""
        assert self.task is not None
        known = {**given("tokenizer", self.tokenizer), "ways": asdict(self.continuing.ways)}
        return portable(self.task, self.model, self.info, known)

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
        return [self.continuing.answer(str(prompt)) for prompt in inputs]

    def stream(self, value: object) -> Iterator[str]:
        yield from self.continuing.stream(str(value))

    def show(self, inputs: Sequence[object], answers: Sequence[Answer]) -> Sequence[Sample]:
        """Each prompt and what was written after it."""
        return [
            Text(name=f"text-{number}", title="Written", prompt=answer["prompt"], text=answer["continuation"])
            for number, answer in enumerate(answers, 1)
        ]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """Continuations of the same prompts each time: those of the options, else validation text."""
        own = [self.continuing.encoded(prompt) for prompt in self.config.prompts]
        title = "Continued" if own else "Validation text, continued"
        found = []
        for number, ids in enumerate(own or self._validation(min(count, self.config.sampled), examples), 1):
            drawn = self.continuing.drawn(ids, self.config.sample_tokens, int(rng.integers(2**63)))
            text, prompt = "".join(self.continuing.pieces(ids, drawn)), self.tokenizer.decode(ids)
            found.append(Text(name=f"text-{number}", title=title, prompt=prompt, text=text))
        return found

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        """Beginnings from validation text, drawn anew, or the options' prompts."""
        if self.config.prompts or examples is None:
            return list(self.config.prompts)
        places = torch.from_numpy(rng.integers(len(examples), size=_EXAMPLES))
        texts = [self.tokenizer.decode(ids).strip() for ids in self._beginnings(examples, places)]
        return [text for text in texts if text and not self.tokenizer.unknown(text)]

    def _validation(self, count: int, examples: Split | None) -> list[list[int]]:
        """Beginnings of lines from all over the validation text, always the same, as tokens; without it, an empty
        prompt."""
        line_end = self.tokenizer.encode("\n").tolist()
        if examples is None:
            return [line_end or [len(self.tokenizer) - 1]]
        places = torch.linspace(0, len(examples) - 1, count + 2)[1:-1].round().long()
        return self._beginnings(examples, places)

    def _beginnings(self, examples: Split, places: Tensor) -> list[list[int]]:
        line_end = self.tokenizer.encode("\n").tolist()
        rows: Tensor = examples.take(places)["token"]
        return [_from_line_start(row[: -(-len(row) // 2)], line_end) for row in rows.cpu().tolist()]


def _from_line_start(ids: list[int], line_end: list[int]) -> list[int]:
    """Without the rest of a line that the tokens begin with, if a line begins in their first half."""
    ends = [place for place, number in enumerate(ids[: len(ids) // 2]) if [number] == line_end]
    first = ends[0] + 1 if ends else 0
    while [ids[first]] == line_end and first < len(ids) - 1:
        first += 1
    return ids[first:]

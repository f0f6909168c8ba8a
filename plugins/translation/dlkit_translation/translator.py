"""``translator``: translates sentences, and shows what it looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from dlkit.data.heat_map import heat_map, heat_words
from dlkit.data.splits import Split
from dlkit.data.text.coding import given
from dlkit.data.text.pieces import BOS, EOS, PAD
from dlkit.data.text.tokenizers import restore
from dlkit.decoding import Hypothesis
from dlkit.portable import Portable
from dlkit.predictor import Answer, Predictor
from dlkit.question_schema import NUMBER, TEXT, Schema, fields, several
from dlkit.samples import Images, Pairs, Sample, Text
from dlkit_translation.answering import accepted, sentence
from dlkit_translation.info import TranslationInfo
from dlkit_translation.networks import Standing, carries, graphs_of
from dlkit_translation.options import TranslatorConfig
from dlkit_translation.texts import as_texts
from dlkit_translation.writing import greedy, searched

BATCH = 100
END = "∎"
"""The end of a sentence, in pictures."""
PICTURED = 4
"""Sentences whose attention is shown."""


class Translator(Predictor[TranslationInfo, TranslatorConfig]):
    """Answers text of any length, from ``info`` alone."""

    usage = "sentences to translate, each in quotes"
    asks = "text"
    label = "sentence"
    placeholder = "It is cold in winter."

    def __init__(self, model: nn.Module, info: TranslationInfo, config: TranslatorConfig) -> None:
        super().__init__(model, info, config)
        self.source, self.target = restore(info.source), restore(info.target)

    def accept(self, value: object) -> str:
        """A sentence; DataError for one without a word."""
        return accepted(value)

    def portable(self) -> Portable:
        """Encoder and step of the decoder; beams are followed outside them."""
        assert self.task is not None
        own, options = carries(self.model), self.config
        known = {"carries": own, "beam": options.beam, "length_penalty": options.length_penalty}
        known |= {"extra": options.extra, "alternatives": options.alternatives}
        tokenizers = {**given("source", self.source), **given("target", self.target)}
        graphs = graphs_of(self.task, self.model, self.info)
        return Portable(graphs, {**tokenizers, **known}, lambda run: Standing(run, carries=own))

    def schema(self) -> Schema:
        source, target = self.info.languages
        answer = fields(
            {
                "translation": {**TEXT, "description": f"in {target}"},
                "source": TEXT,
                "unknown": {**several(TEXT), "description": "what training never saw"},
                "log_probability": NUMBER,
                "alternatives": several(TEXT),
            },
            ["unknown", "log_probability", "alternatives"],
        )
        return Schema(question={**TEXT, "description": f"a sentence in {source}"}, answer=answer, example=self._own())

    def _own(self) -> str:
        """Something that the vocabulary has."""
        return sentence(self.source, list(range(EOS + 1, min(EOS + 6, len(self.source))))).strip()

    def predict(self, inputs: Sequence[str]) -> list[Answer]:
        """``translation`` and ``source`` of each; ``unknown``: what training never saw, where there is some; with beam
        search ``log_probability``, and ``alternatives`` if they are asked for."""
        texts = [self.accept(text) for text in inputs]
        with torch.no_grad():
            self.model.eval()
            found = self._greedy(texts) if self.config.beam == 1 else [self._searched(text) for text in texts]
        answers: list[Answer] = []
        for text, answer in zip(texts, found, strict=True):
            unknown = self.source.unknown(text)
            answers.append({**answer, "source": text, **({"unknown": unknown} if unknown else {})})
        return answers

    def show(self, inputs: Sequence[str], answers: Sequence[Answer]) -> Sequence[Sample]:
        """Each sentence with its translation below it; with ``inference.attention``, a picture of the first ones'."""
        shown: list[Sample] = []
        for number, answer in enumerate(answers, 1):
            lines = [answer["translation"], *answer.get("alternatives", ())]
            shown.append(Text(name=f"translation-{number}", title=answer["source"], text="\n".join(lines)))
        if self.config.attention:
            shown += self._pictures([(a["source"], a["translation"]) for a in answers[:PICTURED]])
        return shown

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """Validation sentences, their references and translations; and what the first ones were read off."""
        if examples is None:
            return ()
        sources, references = self._texts(examples, rng.permutation(len(examples))[:count])
        written = [answer["translation"] for answer in self.predict(sources)]
        right = sum(one == other for one, other in zip(written, references, strict=True))
        source, target = self.info.languages
        pairs = Pairs(
            name="translations",
            title=f"Validation sentences: {right} of {len(written)} translated as in the reference",
            headers=[source, f"{target} (reference)", f"{target} (translation)"],
            rows=[list(row) for row in zip(sources, references, written, strict=True)],
            compared=(1, 2),
        )
        return [pairs, *self._pictures(list(zip(sources, written, strict=True))[:PICTURED])]

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        """A few validation sentences."""
        if examples is None:
            return []
        return self._texts(examples, rng.permutation(len(examples))[:5])[0]

    def _texts(self, split: Split, index: npt.NDArray[np.int64]) -> tuple[list[str], list[str]]:
        """Sentences of a split and their references: its own texts, where it has them."""
        batch = split.take(torch.from_numpy(index))
        if "original" in batch:
            return as_texts(batch["original"]), as_texts(batch["reference"])
        return (
            [sentence(self.source, row) for row in batch["source"].tolist()],
            [sentence(self.target, row) for row in batch["target"].tolist()],
        )

    def _encoded(self, texts: Sequence[str]) -> Tensor:
        """int64 [N,S] on the model's device."""
        rows = [torch.tensor([*self.source.encode(text).tolist(), EOS]) for text in texts]
        padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
        parameter = next(self.model.parameters(), None)
        return padded if parameter is None else padded.to(parameter.device)

    def _greedy(self, texts: Sequence[str]) -> list[Answer]:
        found: list[Answer] = []
        for first in range(0, len(texts), BATCH):
            tokens = greedy(self.model, self._encoded(texts[first : first + BATCH]), self.config.extra)
            found += [{"translation": sentence(self.target, row)} for row in tokens.cpu().tolist()]
        return found

    def _searched(self, text: str) -> Answer:
        config = self.config
        best = searched(self.model, self._encoded([text]), config.beam, config.length_penalty, config.extra)
        answer: dict[str, object] = {"translation": self._written(best[0]), "log_probability": best[0].log_probability}
        if config.alternatives:
            answer["alternatives"] = [self._written(other) for other in best[1 : config.alternatives + 1]]
        return answer

    def _written(self, hypothesis: Hypothesis) -> str:
        return sentence(self.target, hypothesis.tokens)

    def _pictures(self, pairs: Sequence[tuple[str, str]]) -> list[Sample]:
        """What each token of a translation was read off; none of a model that does not say."""
        attend = getattr(self.model, "attend", None)
        found: list[Sample] = []
        if attend is None:
            return found
        for number, (text, translation) in enumerate(pairs, 1):
            tokens = self.target.encode(translation).tolist()
            source, device = self._encoded([text]), next(self.model.parameters()).device
            with torch.no_grad():
                weights = attend(source, torch.tensor([[BOS, *tokens]], device=device))[0].float().cpu().numpy()
            rows = [*map(self.target.token, tokens), END]
            columns = [*map(self.source.token, source[0, :-1].tolist()), END]
            read_off = [f"{row}←{columns[place]}" for row, place in zip(rows, weights.argmax(1), strict=True)]
            found.append(
                Images(
                    name=f"attention-{number}",
                    title=f"Attention: {text} → {translation}",
                    images=heat_map(weights, rows, columns)[None],
                    captions=[" ".join(read_off).replace("▁", "")],
                )
            )
            found.append(heat_words(f"words-{number}", f"What each was read off: {text}", weights, rows, columns))
        return found

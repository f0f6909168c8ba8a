"""Metrics of what a model writes, and the predictor's answers, samples and pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from torch import Tensor, nn

from dlkit.data.heat_map import CELL, heat_map, heat_words
from dlkit.data.splits import Data
from dlkit.data.text.pieces import BOS, EOS, PAD
from dlkit.data.text.tokenizers import restore
from dlkit.errors import DataError
from dlkit.samples import Images, Pairs, Table, Text
from dlkit_translation import metrics
from dlkit_translation.info import TranslationInfo
from dlkit_translation.losses import cross_entropy
from dlkit_translation.metrics import TranslationMetrics
from dlkit_translation.options import CrossEntropyConfig, TranslatorConfig
from dlkit_translation.scores import corpus_scores, score_notes, tokenizer_of, wanted_tokenizer
from dlkit_translation.texts import as_texts
from dlkit_translation.translator import Translator
from dlkit_translation.writing import greedy, sentence

Made = Callable[..., nn.Module]


class SetDescription(nn.Module):
    """Knows the translations of a data set by heart; its likeliest tokens are right, whatever comes before them."""

    def __init__(self, data: Data, size: int) -> None:
        super().__init__()
        batch = data.val.take(torch.arange(len(data.val)))
        self.size = size
        self.answers = {
            tuple(token for token in source if token != PAD): target
            for source, target in zip(batch["source"].tolist(), batch["target"].tolist(), strict=True)
        }

    def forward(self, source: Tensor, previous: Tensor) -> Tensor:
        logits = torch.zeros(*previous.shape, self.size)
        for row, tokens in enumerate(source.tolist()):
            said = self.answers[tuple(token for token in tokens if token != PAD)]
            for place in range(min(previous.shape[1], len(said))):
                logits[row, place, said[place]] = 9.0
        return logits


@pytest.fixture
def known(data: Data, info: TranslationInfo) -> SetDescription:
    return SetDescription(data, info.sizes[1])


def measured(model: nn.Module, data: Data, info: TranslationInfo, thorough: bool, size: int = 7) -> dict[str, float]:
    found = TranslationMetrics(info)
    for index in torch.arange(len(data.val)).split(size):
        batch = data.val.take(index)
        with torch.no_grad():
            found.update(model(batch["source"], batch["previous"]), batch)
            found.ask(model, batch, thorough)
    return found.compute()


def test_a_model_that_knows_all_is_right(known: SetDescription, data: Data, info: TranslationInfo) -> None:
    values = measured(known, data, info, thorough=True)
    assert values == pytest.approx({"token_accuracy": 1, "exact": 1, "bleu": 100, "chrf": 100})


def test_written_sentences_are_scored_as_sacrebleu_scores_them(
    monkeypatch: pytest.MonkeyPatch, made: Made, data: Data, info: TranslationInfo
) -> None:
    monkeypatch.setattr(metrics, "EXTRA", 0)
    model = made("gru luong")
    values = measured(model, data, info, thorough=True)
    batch = data.val.take(torch.arange(len(data.val)))
    written = [sentence(restore(info.target), row) for row in greedy(model, batch["source"], metrics.EXTRA).tolist()]
    references = as_texts(batch["reference"])
    assert values["bleu"] == pytest.approx(BLEU().corpus_score(written, [references]).score)
    assert values["chrf"] == pytest.approx(CHRF().corpus_score(written, [references]).score)
    assert corpus_scores(written, references) == pytest.approx({k: values[k] for k in ("bleu", "chrf")})
    assert values["exact"] == np.mean([one == other for one, other in zip(written, references, strict=True)])
    assert score_notes("French")[0].startswith("bleu: nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")


@pytest.mark.parametrize(
    ("language", "tokenizer"),
    [("zh", "zh"), ("zh-TW", "zh"), ("Chinese", "zh"), ("ja", "ja-mecab"), ("Korean", "ko-mecab"), ("th_TH", "char"),
     ("French", "13a"), ("target", "13a"), ("javanese", "13a")],
)  # fmt: skip
def test_bleu_is_of_the_written_languages_words(language: str, tokenizer: str) -> None:
    assert wanted_tokenizer(language) == tokenizer


def test_a_chinese_sentence_is_more_than_one_word(info: TranslationInfo) -> None:
    found = TranslationMetrics(info.model_copy(update={"languages": ("en", "zh")}))
    found.add(["我们今天去学校。"], ["我们今天去公园。"])
    assert found.compute()["bleu"] > 40
    assert "tok:zh" in score_notes("zh")[0]


@pytest.mark.parametrize("language", ["ja", "ko"])
def test_without_mecab_characters_are_compared_and_it_is_said(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(tokenize: str) -> None:
        raise RuntimeError(f"{tokenize} needs more")

    tokenizer_of.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr("dlkit_translation.scores.BLEU", absent)
        used, note = tokenizer_of(language)
    tokenizer_of.cache_clear()
    assert used == "char" and f"sacrebleu[{language}]" in note and "of characters" in note


def test_token_accuracy_leaves_padding_out(info: TranslationInfo) -> None:
    found = TranslationMetrics(info)
    target = torch.tensor([[5, 6, EOS], [7, EOS, PAD]])
    outputs = torch.zeros(2, 3, info.sizes[1])
    outputs[0, 0, 5] = outputs[0, 1, 9] = outputs[0, 2, EOS] = outputs[1, 0, 7] = outputs[1, 1, 8] = 1
    found.update(outputs, {"target": target})
    assert found.compute() == {"token_accuracy": 3 / 5}
    assert TranslationMetrics(info).compute() == {}


def test_while_training_the_first_sentences_are_written(
    monkeypatch: pytest.MonkeyPatch, known: SetDescription, data: Data, info: TranslationInfo
) -> None:
    monkeypatch.setattr(metrics, "WRITTEN", 10)
    asked = []
    own = greedy

    def counted(model: nn.Module, source: Tensor, extra: int) -> Tensor:
        asked.append(len(source))
        return own(model, source, extra)

    monkeypatch.setattr(metrics, "greedy", counted)
    measured(known, data, info, thorough=False)
    assert asked == [7, 3]
    asked.clear()
    measured(known, data, info, thorough=True)
    assert sum(asked) == len(data.val) > 10


def test_what_several_processes_saw_adds_up(
    monkeypatch: pytest.MonkeyPatch, made: Made, data: Data, info: TranslationInfo
) -> None:
    monkeypatch.setattr(metrics, "EXTRA", 0)
    model, parts = made("transformer"), [TranslationMetrics(info), TranslationMetrics(info)]
    for number, index in enumerate(torch.arange(len(data.val)).split(9)):
        batch = data.val.take(index)
        with torch.no_grad():
            parts[number % 2].update(model(batch["source"], batch["previous"]), batch)
            parts[number % 2].ask(model, batch, True)
    pairs = [(parts[0]._tokens, parts[1]._tokens)]
    pairs += [(parts[0]._sentences[name], parts[1]._sentences[name]) for name in ("exact", "bleu", "chrf")]
    sums = iter([a.value + b.value for a, b in pairs if a.value is not None and b.value is not None])
    parts[0].reduce(lambda _: next(sums))
    assert parts[0].compute() == pytest.approx(measured(model, data, info, thorough=True))
    empty = TranslationMetrics(info)
    empty.reduce(lambda tensor: tensor)
    assert empty.compute() == {}


def test_the_loss_is_of_tokens_not_of_padding() -> None:
    outputs, target = torch.randn(2, 3, 12), torch.tensor([[5, 6, EOS], [7, EOS, PAD]])
    plain = cross_entropy(CrossEntropyConfig(label_smoothing=0), None)(outputs, {"target": target})["loss"]
    kept = outputs.log_softmax(2).gather(2, target[..., None])[..., 0][target != PAD]
    assert float(plain) == pytest.approx(-float(kept.mean()), abs=1e-5)
    smooth = cross_entropy(CrossEntropyConfig(label_smoothing=0.3), None)(outputs, {"target": target})["loss"]
    spread = outputs.log_softmax(2).mean(2)[target != PAD]
    assert float(smooth) == pytest.approx(-float((0.7 * kept + 0.3 * spread).mean()), abs=1e-5)


def translator(model: nn.Module, info: TranslationInfo, **options: Any) -> Translator:
    return Translator(model, info, TranslatorConfig(**options))


@pytest.mark.parametrize("beam", [1, 3])
def test_sentences_are_answered(beam: int, known: SetDescription, data: Data, info: TranslationInfo) -> None:
    batch = data.val.take(torch.arange(3))
    asked = translator(known, info, beam=beam, alternatives=2)
    answers = asked.predict(asked.read([f"  {text}  " for text in as_texts(batch["original"])]))
    assert [answer["translation"] for answer in answers] == as_texts(batch["reference"])
    assert [answer["source"] for answer in answers] == as_texts(batch["original"])
    assert all(len(answer.get("alternatives", [])) == (2 if beam > 1 else 0) for answer in answers)
    json.dumps(answers, allow_nan=False)
    first = asked.show(["x"] * 3, answers)[0]
    assert isinstance(first, Text) and first.title == answers[0]["source"]
    assert first.text.split("\n") == [answers[0]["translation"], *answers[0].get("alternatives", [])]


def test_empty_sentences_are_refused_and_unknown_signs_named(made: Made, info: TranslationInfo) -> None:
    asked = translator(made("gru luong"), info)
    for text in ("", " \t "):
        with pytest.raises(DataError, match="an empty sentence cannot be translated"):
            asked.read(["A cat.", text])
    (answer,) = asked.predict(["The 猫 sleeps."])
    assert "猫" in "".join(answer["unknown"]) and isinstance(answer["translation"], str)
    assert "unknown" not in asked.predict(["The dog sleeps."])[0]


@pytest.mark.parametrize("kind", ["transformer", "lstm bahdanau"])
def test_samples_show_pairs_and_attention(kind: str, made: Made, data: Data, info: TranslationInfo) -> None:
    asked = translator(made(kind), info, beam=2, extra=0)
    pairs, *others = asked.samples(6, np.random.default_rng(0), data.val)
    assert isinstance(pairs, Pairs) and len(pairs.rows) == 6
    assert pairs.headers == ["English", "French (reference)", "French (translation)"]
    assert {(row[0], row[1]) for row in pairs.rows} <= set(_texts(data))
    pictures, words = others[::2], others[1::2]
    assert len(pictures) == 4 and all(isinstance(picture, Images) for picture in pictures)
    assert len(words) == 4 and all(isinstance(table, Table) and table.rows[-1][0] == "∎" for table in words)
    assert all(picture.captions[0].count("←") >= 1 for picture in pictures if isinstance(picture, Images))
    assert asked.samples(6, np.random.default_rng(0), None) == ()
    shown = translator(made(kind), info, attention=True, beam=1, extra=0).show([], asked.predict(["The dog sleeps."]))
    assert [type(sample) for sample in shown] == [Text, Images, Table]


def _texts(data: Data) -> list[tuple[str, str]]:
    batch = data.val.take(torch.arange(len(data.val)))
    return list(zip(as_texts(batch["original"]), as_texts(batch["reference"]), strict=True))


def test_examples_are_validation_sentences(made: Made, data: Data, info: TranslationInfo, tmp_path: Any) -> None:
    asked = translator(made("gru luong"), info)
    found = asked.example(data.val, np.random.default_rng(0), tmp_path)
    assert len(found) == 5 and set(found) <= {source for source, _ in _texts(data)}
    assert asked.example(None, np.random.default_rng(0), tmp_path) == []


def test_a_strangers_data_set_needs_no_texts(made: Made, data: Data, info: TranslationInfo) -> None:
    batch = {k: v for k, v in data.val.take(torch.arange(5)).items() if k not in ("original", "reference")}
    found = TranslationMetrics(info)
    found.ask(made("transformer"), batch, True)
    assert {"exact", "bleu", "chrf"} == set(found.compute())


def test_weights_are_drawn_where_they_belong() -> None:
    weights = np.array([[1.0, 0.0], [0.25, 0.5], [0.0, 1.0]])
    picture = heat_map(weights, ["▁chat", "dort", "∎"], ["▁cat", "▁sleeps"])
    cells = picture[-3 * CELL :, -2 * CELL :]
    assert np.array_equal(cells[::CELL, ::CELL], np.rint(255 * weights).astype(np.uint8))
    assert picture.shape[0] > 3 * CELL and picture.shape[1] > 2 * CELL and picture[: -3 * CELL].any()
    assert BOS != EOS


def test_weights_are_read_as_words() -> None:
    weights = np.array([[1.0, 0.0], [0.25, 0.5], [0.04, 0.96]], np.float32)
    table = heat_words("words-1", "Read off", weights, ["▁chat", "\n", "∎"], ["▁cat", "▁"])
    assert table.rows == [
        ["chat", "cat", "100%", ""], ["\\n", "(blank)", "67%", "cat 33%"], ["∎", "(blank)", "96%", ""],
    ]  # fmt: skip
    table.check()

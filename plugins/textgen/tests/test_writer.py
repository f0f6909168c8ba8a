"""The predictor: prompts from ``info`` alone, every way of writing, and what it cannot read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dlkit import samples
from dlkit.data.splits import Data
from dlkit.errors import DataError
from dlkit_textgen.datasets import build
from dlkit_textgen.info import TextInfo
from dlkit_textgen.models.transformer import Transformer
from dlkit_textgen.options import TextConfig, TransformerConfig, WriterConfig
from dlkit_textgen.writer import Writer


class Rhyming(nn.Module):
    """Knows how its text goes on: the logits are counts of what follows the last three tokens there."""

    def __init__(self, data: Data) -> None:
        super().__init__()
        ids, size = data.train.ids().long(), data.info["vocabulary"]  # type: ignore[attr-defined]
        self.counts = nn.Parameter(torch.zeros(size, size, size, size))
        places = ids[:-3], ids[1:-2], ids[2:-1], ids[3:]
        with torch.no_grad():
            self.counts.index_put_(places, torch.ones(len(ids) - 3), accumulate=True)

    def forward(self, token: Tensor) -> Tensor:
        shifted = [torch.roll(token, shift, 1) for shift in (2, 1, 0)]
        return torch.log(self.counts[shifted[0], shifted[1], shifted[2]] + 1e-3)


@pytest.fixture
def writer(rhymes: Callable[..., Data]) -> Callable[..., Writer]:
    def make(kind: str = "characters", **options: Any) -> Writer:
        data = rhymes(tokens=kind)
        return Writer(Rhyming(data), TextInfo.model_validate(data.info), WriterConfig(**options))

    return make


def test_a_prompt_is_continued(writer: Callable[..., Writer]) -> None:
    asked = writer(tokens=12, temperature=0)
    (answer,) = asked.predict(asked.read(["The cat: wh"]))
    assert answer["continuation"] == "ere is the r" and answer["tokens"] == 12
    assert answer["text"] == "The cat: where is the r"
    json.dumps(answer, allow_nan=False)
    shown = asked.show(["The cat: wh"], [answer])[0]
    assert isinstance(shown, samples.Text) and shown.prompt == "The cat: wh" and shown.text == answer["continuation"]


def test_it_is_streamed_as_it_is_answered(writer: Callable[..., Writer]) -> None:
    for kind in ("characters", "words"):
        asked = writer(kind, tokens=30, seed=3)
        pieces = list(asked.stream("The cat"))
        assert "".join(pieces) == asked.predict(["The cat"])[0]["text"]
        assert len(pieces) > 20 and pieces[0] == "The cat"


def test_pieces_of_text_join_to_the_text_of_all_tokens(rhymes: Callable[..., Data]) -> None:
    for kind, options in (("characters", {}), ("words", {}), ("pieces", {"vocabulary": 29})):
        data = rhymes(tokens=kind, **options)
        info = TextInfo.model_validate(data.info)
        torch.manual_seed(0)
        model = Transformer(TransformerConfig(layers=1, width=8, heads=1), info.vocabulary, 16)
        asked = Writer(model, info, WriterConfig())
        ids = asked.continuing.encoded("The cat")
        written = list(asked.continuing.drawn(ids, 200, seed=5))
        text = asked.tokenizer.decode(ids) + "".join(asked.continuing.pieces(ids, iter(written)))
        assert text == asked.tokenizer.decode([*ids, *written]), kind


def test_draws_are_a_function_of_the_seed(writer: Callable[..., Writer]) -> None:
    texts = {seed: writer(tokens=80, temperature=2.0, seed=seed).predict(["A "])[0]["text"] for seed in (0, 1)}
    assert texts[0] != texts[1]
    assert writer(tokens=80, temperature=2.0, seed=0).predict(["A "])[0]["text"] == texts[0]
    for narrow in ({"top_k": 1}, {"top_p": 0.01}, {"temperature": 0}):
        options = {"temperature": 2.0, **narrow}
        assert writer(tokens=12, **options).predict(["The cat: wh"])[0]["text"] == "The cat: where is the r"


def test_a_beam_writes_what_is_most_probable(writer: Callable[..., Writer]) -> None:
    asked = writer(tokens=12, beam=4)
    (answer,) = asked.predict(["The cat: wh"])
    assert answer["continuation"] == "ere is the r" and -1 < answer["log_probability"] < 0
    assert "".join(asked.stream("The cat: wh")) == answer["text"]


def test_no_row_of_tokens_comes_twice(writer: Callable[..., Writer]) -> None:
    text = writer(tokens=150, temperature=0, no_repeat=6).predict(["A cat"])[0]["text"]
    rows = [text[i : i + 6] for i in range(len(text) - 5)]
    assert len(set(rows)) == len(rows)
    repeated = writer(tokens=150, temperature=0).predict(["A cat"])[0]["text"]
    assert len({repeated[i : i + 6] for i in range(len(repeated) - 5)}) < len(repeated) - 5


def test_unknown_characters_are_named(writer: Callable[..., Writer]) -> None:
    with pytest.raises(DataError, match="never had: '雪', 'Z'"):
        writer().read(["The cat", "雪 Z雪"])
    with pytest.raises(DataError, match=r"'z', .* and 5 more"):
        writer().read(["zxvkjqZXVKJQUIOPLGFDSBENY"[:26]])
    with pytest.raises(DataError, match="'雪'"):
        writer(prompts=["雪"])


def test_unknown_words_are_read_as_such_and_told(writer: Callable[..., Writer]) -> None:
    (answer,) = writer("words", tokens=5, temperature=0).predict(["The zebra: where is"])
    assert answer["unknown"] == ["zebra"] and "<unk>" not in answer["continuation"]
    assert answer["text"].startswith("The zebra: where is")


def test_what_stands_for_no_text_is_not_written(rhymes: Callable[..., Data]) -> None:
    for tokens in ("words", "pieces"):
        data = rhymes(tokens=tokens, **({"vocabulary": 29} if tokens == "pieces" else {}))
        info = TextInfo.model_validate(data.info)
        torch.manual_seed(0)
        model = Transformer(TransformerConfig(layers=1, width=8, heads=1), info.vocabulary, 16)
        asked = Writer(model, info, WriterConfig(tokens=300, temperature=5.0))
        text = asked.predict(["The cat"])[0]["text"]
        assert not any(mark in text for mark in ("<unk>", "<s>", "</s>", "<pad>", "⁇"))
        assert "\n" in text


def test_an_empty_prompt_begins_a_line(writer: Callable[..., Writer]) -> None:
    (answer,) = writer(tokens=6, temperature=0).predict([""])
    assert answer["prompt"] == "" and len(answer["continuation"]) == 6


def test_samples_go_on_from_the_same_prompts(writer: Callable[..., Writer], rhymes: Callable[..., Data]) -> None:
    asked, val = writer(sampled=2, sample_tokens=20), rhymes().val
    first = asked.samples(24, np.random.default_rng(0), val)
    later = asked.samples(24, np.random.default_rng(1), val)
    assert [s.prompt for s in first] == [s.prompt for s in later] and len(first) == 2  # type: ignore[attr-defined]
    assert all(isinstance(s, samples.Text) and len(s.text) == 20 and s.prompt for s in first)
    assert len(asked.samples(1, np.random.default_rng(0), val)) == 1
    own = writer(prompts=["A cat", "The rat"], sample_tokens=5).samples(24, np.random.default_rng(0), None)
    assert [s.prompt for s in own] == ["A cat", "The rat"]  # type: ignore[attr-defined]
    (alone,) = writer(sample_tokens=5).samples(24, np.random.default_rng(0), None)
    assert isinstance(alone, samples.Text) and len(alone.text) == 5


@pytest.mark.parametrize(("tokens", "options"), [("words", {}), ("pieces", {"vocabulary": 19})])
def test_samples_go_on_from_text_that_has_unknown_tokens(tokens: str, options: dict[str, int]) -> None:
    text = "The cat sat on the mat.\n" * 90 + "Żółw żre 雪 wątły\n" * 12
    data = build(text, TextConfig(tokens=tokens, context=16, **options))  # type: ignore[arg-type]
    info = TextInfo.model_validate(data.info)
    asked = Writer(
        Transformer(TransformerConfig(layers=1, width=8, heads=1), info.vocabulary, 16), info, WriterConfig()
    )
    found = asked.samples(24, np.random.default_rng(0), data.val)
    assert len(found) == 3 and all(s.prompt and s.text for s in found)  # type: ignore[attr-defined]
    assert all(asked.read([word]) for word in asked.example(data.val, np.random.default_rng(0), Path()))


def test_examples_are_prompts(writer: Callable[..., Writer], rhymes: Callable[..., Data], tmp_path: Path) -> None:
    asked = writer()
    words = asked.example(rhymes().val, np.random.default_rng(0), tmp_path)
    assert words and asked.read(words) == words
    assert writer(prompts=["A cat"]).example(None, np.random.default_rng(0), tmp_path) == ["A cat"]
    assert asked.example(None, np.random.default_rng(0), tmp_path) == []

"""From text to splits: every target with its own context, words left out at random, and what cannot be."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dlkit.data.context import Context
from dlkit.data.plans import in_order
from dlkit.data.splits import Batch, Data, Split
from dlkit.data.text.segments import BEFORE, NOW
from dlkit.errors import DataError, UsageError
from dlkit_embeddings.word_vectors import datasets
from dlkit_embeddings.word_vectors.content_words import content_words
from dlkit_embeddings.word_vectors.info import WordsInfo
from dlkit_embeddings.word_vectors.options import FilesConfig, PythonDocsConfig, TextConfig
from dlkit_embeddings.word_vectors.planners import InPassages, InRandomOrder
from dlkit_embeddings.word_vectors.space import Space
from dlkit_embeddings.word_vectors.task import WordEmbeddings
from dlkit_embeddings.word_vectors.text import Text
from dlkit_embeddings.word_vectors.windows import Windows


def everything(split: Split, epoch: int | None = None, batch_size: int = 7, seed: int = 3) -> Batch:
    plan = (
        in_order(len(split), batch_size) if epoch is None else split.planner.plan(len(split), seed, epoch, batch_size)
    )
    batches = list(split.batches(plan, seed=seed, epoch=epoch))
    return {key: torch.cat([batch[key] for batch in batches]) for key in batches[0]}


@settings(max_examples=25, deadline=None)
@given(
    words=st.lists(st.integers(0, 4), min_size=6, max_size=40),
    before=st.integers(0, 3),
    after=st.integers(0, 3),
    asked=st.sets(st.integers(0, 4), min_size=1),
)
def test_each_target_stands_in_its_own_context(words: list[int], before: int, after: int, asked: set[int]) -> None:
    text = Text(np.array(words, np.int32), np.isin(np.arange(5), list(asked)))
    places = [i for i, word in enumerate(words) if word in asked]
    split = Windows(text, before, after)
    assert len(split) == len(places)
    batch = split.take(torch.arange(len(places)))
    padded = [-1] * before + words + [-1] * after
    for place, target, context in zip(places, batch["target"].tolist(), batch["context"].tolist(), strict=True):
        assert target == words[place]
        assert context == padded[place : place + before] + padded[place + before + 1 : place + before + after + 1]


def test_an_epoch_asks_for_every_target_once(data: Callable[..., Data]) -> None:
    train = data(unknown="target").train
    found = everything(train, epoch=0, batch_size=10)
    assert len(found["target"]) == len(train) // 10 * 10
    whole = everything(train, epoch=0, batch_size=len(train))
    assert torch.equal(whole["target"].sort().values, everything(train)["target"].sort().values)
    again = everything(train, epoch=1, batch_size=len(train))
    assert not torch.equal(whole["target"], again["target"])


def test_unknown_words_stand_in_contexts_alone(data: Callable[..., Data]) -> None:
    made = data(least=60)
    assert made.info["words"][0] == "<unk>"
    for split in made.splits.values():
        found = everything(split)
        assert (found["target"] > 0).all() and (found["context"] == 0).any()
    asked = everything(data(least=60, unknown="target").val)
    assert (asked["target"] == 0).any()
    left = data(least=60, unknown="drop")
    assert "<unk>" not in left.info["words"] and any("left out" in note for note in left.notes)


def test_frequent_words_are_left_out_anew_each_epoch(data: Callable[..., Data]) -> None:
    made = data(subsample=0.02, unknown="drop")
    train, the = made.train, made.info["words"].index("the")
    shares = [(everything(train, epoch=e, batch_size=50)["target"] == the).double().mean().item() for e in range(3)]
    assert max(shares) < 0.8 * (everything(train)["target"] == the).double().mean().item()
    assert len(set(shares)) == 3
    once, twice = (everything(train, epoch=1, batch_size=50) for _ in range(2))
    assert all(torch.equal(once[key], twice[key]) for key in once)


def test_no_word_is_asked_for_more_often_than_its_cap(data: Callable[..., Data]) -> None:
    train = data(cap=30).train
    counts = torch.bincount(everything(train, epoch=0, batch_size=1)["target"])
    whole = torch.bincount(everything(train)["target"])
    assert torch.equal(counts, whole.clamp(max=30))
    assert not torch.equal(everything(train, 0, 1)["context"], everything(train, 1, 1)["context"])


def test_passages_are_consecutive_words(data: Callable[..., Data]) -> None:
    train = data(reading="passages", passage=8, window=2, unknown="drop").train
    plan = train.planner.plan(len(train), 0, 0, 20)
    assert set(plan.sizes) == {16}
    for batch in train.batches(plan, seed=0, epoch=0):
        target, context = batch["target"].view(-1, 8), batch["context"].view(-1, 8, 4)
        assert torch.equal(context[:, 1:, 1], target[:, :-1]) and torch.equal(context[:, :-1, 2], target[:, 1:])
        assert torch.equal(context[:, 2:, 0], target[:, :-2]) and torch.equal(context[:, :-2, 3], target[:, 2:])
    with pytest.raises(UsageError, match=r"7 words has no room for dataset.passage = 8"):
        train.planner.plan(len(train), 0, 0, 7)


@pytest.mark.parametrize("planner", [InRandomOrder, lambda text: InPassages(text, 4)])
def test_a_plan_is_as_long_as_it_says(planner: Any) -> None:
    text = Text(np.arange(203, dtype=np.int32) % 7, np.ones(7, bool), np.full(7, 0.7, np.float32))
    for batch_size in (4, 9, 50, 500):
        made = planner(text)
        assert len(made.plan(203, 0, 1, batch_size)) == made.length(203, 0, 1, batch_size)
    split = Windows(text, 1, 1, planner=planner(text))
    assert everything(split, epoch=0, batch_size=9)["target"].min() >= 0


def test_evaluation_looks_all_over_the_split(data: Callable[..., Data]) -> None:
    whole, some = everything(data().val), data(evaluated=10).val
    assert len(some) == 10
    found = everything(some)
    assert torch.equal(found["context"][[0, -1]], whole["context"][[0, -1]])
    assert len(data(evaluated=None).val) == len(whole["target"])


def test_resuming_knows_other_data(data: Callable[..., Data]) -> None:
    marks = {
        data(**o).fingerprint() for o in ({}, {"window": 3}, {"context": "before"}, {"subsample": 0.1}, {"cap": 9})
    }
    assert len(marks) == 5 and data().fingerprint() == data().fingerprint()


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        (
            {"window": 200},
            DataError,
            r"test part .* words of the vocabulary, too few for dataset.window = 200: at most",
        ),
        ({"reading": "passages", "passage": 5000}, DataError, r"train part .* dataset.passage = 5000: at most \d+"),
        ({"vocabulary": 500}, UsageError, "vocabulary = 500 is more than this text has .* with <unk>"),
        ({"least": 5000}, DataError, "no word of the training text is seen dataset.least = 5000 times"),
    ],
)
def test_what_does_not_fit_the_text_is_named_with_what_would(
    options: dict[str, Any], error: type[Exception], match: str, data: Callable[..., Data]
) -> None:
    with pytest.raises(error, match=match):
        data(**options)


def test_the_longest_window_is_allowed(data: Callable[..., Data]) -> None:
    with pytest.raises(DataError, match="at most") as refused:
        data(window=900)
    most = int(str(refused.value).split("at most ")[1].split(";")[0])
    assert len(data(window=most).val) > 0


@pytest.mark.parametrize("options", [{"val_fraction": 0.7, "test_fraction": 0.3}, {"cap": 3, "reading": "passages"}])
def test_options_that_do_not_go_together_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PythonDocsConfig(**options)


def test_folders_for_the_splits_are_used(tmp_path: Path, context: Context) -> None:
    for part, word in (("train", "alpha"), ("val", "beta"), ("test", "gamma")):
        (tmp_path / part).mkdir()
        for name in "ab":
            (tmp_path / part / f"{name}.txt").write_text(f"alpha {word} " * 20, encoding="utf-16")
    made = datasets.files(FilesConfig(path=str(tmp_path), least=1), context)
    assert made.info["words"] == ["<unk>", "alpha"] and made.info["counts"].tolist() == [0, 80]
    assert len(made.train) == 80 and len(made.val) == 40 and made.test is not None
    single = datasets.files(
        FilesConfig(path=str(tmp_path / "train" / "a.txt"), least=1, test_fraction=0.2, val_fraction=0.2), context
    )
    assert len(single.train) == 24 and len(single.val) == 8


@pytest.mark.parametrize(
    ("content", "encoding", "error", "match"),
    [
        (b"  \n ", "auto", DataError, "holds no text"),
        (b"caf\xe9 " * 40, "auto", DataError, r"line 1: byte 0xe9"),
        (b"text " * 40, "klingon", UsageError, "unknown encoding 'klingon'"),
        (b"one two three", "auto", DataError, "part of the text has 0 words"),
        (b"12 -- 13 !", "auto", DataError, "no word of the training text"),
    ],
)
def test_what_is_no_text_is_named(
    content: bytes, encoding: str, error: type[Exception], match: str, tmp_path: Path, context: Context
) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(error, match=match):
        datasets.files(FilesConfig(path=str(tmp_path / "a.txt"), encoding=encoding, least=1), context)


def test_pythons_documentation_needs_nothing(context: Context) -> None:
    made = datasets.python_docs(PythonDocsConfig(), context)
    assert len(made.train) > 40_000 and made.test is not None and 500 < len(made.info["words"]) < 5000
    info = WordsInfo.model_validate(made.info)
    table, windows = WordEmbeddings().preview(info, made.train, 3)
    assert table.rows[0][0] == "the" or table.rows[0][0] == "<unk>"  # type: ignore[attr-defined]
    assert len(windows.rows) == 3 and windows.rows[0][0].startswith("– –")  # type: ignore[attr-defined]


def test_text_config_alone_says_what_is_read() -> None:
    assert TextConfig().reading == "windows" and TextConfig().unknown == "context"


def test_words_keep_their_combining_signs(tmp_path: Path, context: Context) -> None:
    text = "वह हिन्दी पढ़ता है और किताब लिखता है। " * 60
    for form in ("NFC", "NFD"):
        (tmp_path / "a.txt").write_text(unicodedata.normalize(form, text), encoding="utf-8")
        data = datasets.files(FilesConfig(path=str(tmp_path / "a.txt"), least=2), context)
        assert {"हिन्दी", "किताब", "है"} <= set(data.info["words"]) and data.info["rules"] == NOW
    space = Space(data.info["words"], np.eye(len(data.info["words"])), lower=True)
    assert space.find(unicodedata.normalize("NFD", "पढ़ता")) is not None


def test_a_run_of_before_reads_words_as_it_did(tmp_path: Path, context: Context) -> None:
    (tmp_path / "a.txt").write_text("हिन्दी cafe\u0301 \0x " * 60, encoding="utf-8")
    going_on = replace(context, earlier=lambda: SimpleNamespace(rules=BEFORE))
    data = datasets.files(FilesConfig(path=str(tmp_path / "a.txt"), least=2), going_on)
    assert "ह" in data.info["words"] and "cafe" in data.info["words"] and data.info["rules"] == BEFORE
    assert not any("composed" in note or "control" in note for note in data.notes)


def test_scripts_without_blanks_are_said(tmp_path: Path, context: Context) -> None:
    words = ["เขาอ่านหนังสือ", "ที่บ้าน", "และฉันชอบกินข้าว", "กับปลา", "ทุกวัน"]
    (tmp_path / "a.txt").write_text(" ".join(words * 60), encoding="utf-8")
    data = datasets.files(FilesConfig(path=str(tmp_path / "a.txt"), least=2), context)
    assert any("Thai" in note and "zero-width space" in note for note in data.notes)
    (tmp_path / "a.txt").write_text("".join(words * 60), encoding="utf-8")
    with pytest.raises(DataError, match=r"(?s)no word of the training text.*Thai, written without blanks"):
        datasets.files(FilesConfig(path=str(tmp_path / "a.txt"), least=1), context)


def test_words_with_combining_signs_have_a_meaning_too() -> None:
    words = ["<unk>", "है", "हिन्दी", "किताब", "12345", "a-b-c"]
    info = WordsInfo(words=words, counts=np.arange(len(words))[::-1], lower=True, before=2, after=2)
    assert [words[i] for i in content_words(info, 9)] == ["हिन्दी", "किताब"]

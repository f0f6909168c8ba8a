"""From text to splits: by position, every character accounted for, and what cannot be named."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dlkit.data.context import Context
from dlkit.data.destination import HOST, TorchDestination
from dlkit.data.plans import in_order
from dlkit.data.splits import Data
from dlkit.data.text.segments import BEFORE, NOW
from dlkit.data.text.tokenizers import StoredTokenizer, restore
from dlkit.data.text.windows import IGNORED
from dlkit.errors import DataError, UsageError
from dlkit_textgen import datasets
from dlkit_textgen.datasets import build, divided
from dlkit_textgen.info import TextInfo
from dlkit_textgen.options import FilesConfig, PythonDocsConfig, TextConfig, TinyShakespeareConfig
from dlkit_textgen.preview import commonest, opening
from dlkit_textgen.splits import TextWindows
from dlkit_textgen.task import TextGeneration


def everything(split: Any) -> dict[str, torch.Tensor]:
    batches = list(split.batches(in_order(len(split), 7), seed=0, epoch=None))
    return {key: torch.cat([batch[key] for batch in batches]) for key in batches[0]}


@given(st.text(min_size=1, max_size=300), st.floats(0.05, 0.6), st.floats(0, 0.3))
def test_the_parts_are_the_text(text: str, val: float, test: float) -> None:
    parts = divided(text, TextConfig(val_fraction=val, test_fraction=test))
    assert parts["train"] + parts.get("test", "") + parts["val"] == text
    assert ("test" in parts) == (test > 0)
    assert parts["val"] == divided(text, TextConfig(val_fraction=val, test_fraction=0))["val"]


def test_validation_is_the_last_tenth() -> None:
    parts = divided("x" * 1_003_854 + "y" * 111_540, TinyShakespeareConfig())
    assert set(parts) == {"train", "val"} and set(parts["val"]) == {"y"} and len(parts["val"]) == 111_540


@pytest.mark.parametrize("tokens", ["characters", "words", "pieces"])
def test_each_target_is_evaluated_once(tokens: str, rhymes: Callable[..., Data], rhyme: str) -> None:
    data = rhymes(tokens=tokens, **({"vocabulary": 29} if tokens == "pieces" else {}))
    split, part = data.val, divided(rhyme * 40, TextConfig())["val"]
    assert isinstance(split, TextWindows)
    found = everything(split)
    counted = found["target"] != IGNORED
    assert torch.equal(found["target"][counted], split.ids()[1:].long())
    tokenizer = restore(TextInfo.model_validate(data.info).tokenizer)
    assert tokenizer.encode(part).tolist() == split.ids().tolist()
    expected = len(part) * (len(split.ids()) - 1) / len(split.ids())
    assert float(found["characters"].sum()) == pytest.approx(expected, rel=1e-5)


def test_streams_go_on_and_begin_with_the_epoch(rhymes: Callable[..., Data]) -> None:
    split = rhymes(reading="streams").train
    plan = split.planner.plan(len(split), 0, 0, 4)
    batches = list(split.batches(plan, seed=0, epoch=0))
    assert [bool(batch["fresh"].all()) for batch in batches] == [True] + [False] * (len(batches) - 1)
    assert len(batches) > 2 and not any(batch["fresh"].any() for batch in batches[1:])
    for before, after in itertools.pairwise(batches):
        assert torch.equal(before["target"][:, -1], after["token"][:, 0])
        assert after["characters"].tolist() == [16.0] * 4
    later = list(split.batches(plan, seed=0, epoch=0, start=2))
    assert torch.equal(later[0]["token"], batches[2]["token"]) and not later[0]["fresh"].any()


def test_words_and_pieces_are_learnt_from_training_text_alone() -> None:
    text = "the cat sat\n" * 60 + "zebras ride\n" * 10
    words = build(text, TextConfig(tokens="words", context=4))
    assert "zebras" not in words.info["tokenizer"].tokens and "cat" in words.info["tokenizer"].tokens
    assert any("of the validation tokens are <unk>" in note for note in words.notes)
    characters = build(text, TextConfig(context=4))
    assert "z" in characters.info["tokenizer"].tokens and not any("<unk>" in note for note in characters.notes)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"context": 5000}, DataError, r"the train part of the text has \d+ tokens.*at most \d+"),
        ({"context": 295}, DataError, "the val part of the text has 292 tokens.*dataset.context = 295.*at most 291"),
        ({"tokens": "words", "vocabulary": 5000}, UsageError, "vocabulary = 5000 is more .*: at most 18, with <unk>"),
        ({"tokens": "pieces", "vocabulary": 5000}, UsageError, r"5000 pieces is too large for this text: at most \d+"),
    ],
)
def test_what_does_not_fit_the_text_is_named_with_what_would(
    options: dict[str, Any], error: type[Exception], match: str, rhymes: Callable[..., Data]
) -> None:
    with pytest.raises(error, match=match):
        rhymes(**options)


def test_the_allowed_numbers_are_allowed(rhymes: Callable[..., Data]) -> None:
    assert len(rhymes(context=291, val_fraction=0.1, test_fraction=0).val) == 1
    assert rhymes(tokens="words", vocabulary=18).info["vocabulary"] == 18


@pytest.mark.parametrize(
    "options",
    [{"val_fraction": 0.7, "test_fraction": 0.3}, {"vocabulary": 50}, {"tokens": "letters"}, {"context": 1}],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TextConfig(**options)


def test_files_are_one_text(tmp_path: Path, context: Context) -> None:
    (tmp_path / "b.txt").write_text("HAMLET: To be.\n" * 30, encoding="utf-16")
    (tmp_path / "a.txt").write_bytes(("OPHELIA: Ah.\r\n" * 30).encode())
    data = datasets.files(FilesConfig(path=str(tmp_path), context=8), context)
    train = data.train
    assert isinstance(train, TextWindows)
    text = restore(data.info["tokenizer"]).decode(train.ids().tolist())
    assert text.startswith("OPHELIA: Ah.\nOPHELIA") and "Ah.\n\nHAMLET: To be.\n" in text


@pytest.mark.parametrize(
    ("content", "encoding", "error", "match"),
    [
        (b"  \n ", "auto", DataError, "holds no text"),
        (b"caf\xe9 " * 40, "auto", DataError, r"line 1: byte 0xe9"),
        (b"text " * 40, "klingon", UsageError, "unknown encoding 'klingon'"),
        (b"ab", "auto", DataError, "part of the text has"),
    ],
)
def test_what_is_no_text_is_named(
    content: bytes, encoding: str, error: type[Exception], match: str, tmp_path: Path, context: Context
) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(error, match=match):
        datasets.files(FilesConfig(path=str(tmp_path / "a.txt"), encoding=encoding, context=8), context)
    with pytest.raises(DataError, match="no such file"):
        datasets.files(FilesConfig(path=str(tmp_path / "absent")), context)


def test_folders_of_parts_are_the_splits(tmp_path: Path, context: Context) -> None:
    for part, letter in (("train", "a"), ("test", "b"), ("val", "c")):
        (tmp_path / part).mkdir()
        (tmp_path / part / "text.txt").write_text(letter * 200)
    config = FilesConfig(path=str(tmp_path), context=8)
    data = datasets.files(config, context)
    tokenizer = restore(TextInfo.model_validate(data.info).tokenizer)
    texts = {name: tokenizer.decode(split.ids().tolist()) for name, split in data.splits.items()}  # type: ignore[attr-defined]
    assert texts == {"train": "a" * 200 + "\n", "val": "c" * 200 + "\n", "test": "b" * 200 + "\n"}
    (tmp_path / "val" / "text.txt").unlink()
    (tmp_path / "val").rmdir()
    fewer = datasets.files(config, context)
    texts = {name: tokenizer.decode(split.ids().tolist()) for name, split in fewer.splits.items()}  # type: ignore[attr-defined]
    assert texts["train"] + texts["val"] == "a" * 200 + "\n" and texts["test"] == "b" * 200 + "\n"


def test_characters_are_what_the_tokens_decode_to() -> None:
    """A blank that no token keeps, and a word that the vocabulary lacks, are not predicted: nothing pays for them."""
    text = "the   cat sat\n" * 50 + "the   dog sat\n" * 8
    data = build(text, TextConfig(tokens="words", context=4, least=20, val_fraction=0.1, test_fraction=0))
    tokenizer = restore(TextInfo.model_validate(data.info).tokenizer)
    for split in data.splits.values():
        known = [number for number in split.ids().tolist() if tokenizer.token(number) != "<unk>"]  # type: ignore[attr-defined]
        assert split.per_token * len(split.ids()) == pytest.approx(len(tokenizer.decode(known)))  # type: ignore[attr-defined]


def test_pythons_documentation_needs_nothing(context: Context) -> None:
    data = datasets.python_docs(PythonDocsConfig(), context)
    assert len(data.train) > 300_000 and data.test is not None and data.info["vocabulary"] < 256
    info = TextInfo.model_validate(data.info)
    table, text = TextGeneration().preview(info, data.train, 2)
    assert table == commonest(info, data.train) and text == opening(info, data.train, 2)
    assert table.rows[0][0] == "␣" and len(text.text) == 128 and "assert" in text.text  # type: ignore[attr-defined]


@settings(max_examples=10, deadline=None)
@given(epoch=st.integers(0, 5), batch_size=st.integers(1, 9))
def test_every_device_gets_the_same_windows(rhyme: str, epoch: int, batch_size: int) -> None:
    split = build(rhyme * 10, TextConfig(context=8)).train
    plan = split.planner.plan(len(split), 1, epoch, batch_size)
    first = next(iter(split.batches(plan, seed=1, epoch=epoch)))
    again = next(iter(split.to(HOST).batches(plan, seed=1, epoch=epoch)))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert split.to(TorchDestination(torch.device("meta"))).fingerprint  # a split of this kind, with all it needs
    assert isinstance(split.to(TorchDestination(torch.device("meta"))), TextWindows)


@pytest.mark.realdata
def test_tinyshakespeare_is_split_as_everybody_does(real: Context) -> None:
    data = datasets.tinyshakespeare(TinyShakespeareConfig(), real)
    assert isinstance(data.val, TextWindows) and isinstance(data.train, TextWindows) and data.test is None
    assert (len(data.train.ids()), len(data.val.ids()), data.info["vocabulary"]) == (1_003_854, 111_540, 65)


def test_a_line_as_long_as_a_text_is_learnt_from(tmp_path: Path, context: Context) -> None:
    (tmp_path / "a.txt").write_text("the cat sat on the mat and the dog ran to the sea " * 1700)
    data = datasets.files(FilesConfig(path=str(tmp_path / "a.txt"), tokens="pieces", vocabulary=25), context)
    tokenizer = restore(TextInfo.model_validate(data.info).tokenizer)
    assert not tokenizer.unknown("the dog ran") and any("cut at blanks for sentencepiece" in n for n in data.notes)


def test_words_are_whole_and_scripts_without_blanks_said(tmp_path: Path, context: Context) -> None:
    path = tmp_path / "a.txt"
    path.write_text("वह हिन्दी पढ़ता है और cafe\u0301 लिखता है।\n" * 60, encoding="utf-8")
    data = datasets.files(FilesConfig(path=str(path), tokens="words", context=8), context)
    stored = data.info["tokenizer"]
    assert isinstance(stored, StoredTokenizer) and {"हिन्दी", "caf\u00e9"} <= set(stored.tokens)
    assert stored.rules == NOW and any("composed form" in note for note in data.notes)
    path.write_text("我爱你们。\n" * 60, encoding="utf-8")
    data = datasets.files(FilesConfig(path=str(path), tokens="words", context=8), context)
    assert any("Chinese or Japanese" in note and "--dataset.tokens pieces" in note for note in data.notes)
    tokenizer = restore(TextInfo.model_validate(data.info).tokenizer)
    assert tokenizer.decode(tokenizer.encode("我爱你们。\n")) == "我爱你们。\n"


@pytest.mark.parametrize("tokens", ["characters", "words", "pieces"])
def test_a_run_of_before_reads_text_as_it_did(tokens: str, tmp_path: Path, context: Context) -> None:
    (tmp_path / "a.txt").write_text("cafe\u0301 हिन्दी \0 x\n" * 80, encoding="utf-8")
    options = {"path": str(tmp_path / "a.txt"), "tokens": tokens, "context": 8}
    config = FilesConfig.model_validate({**options, "vocabulary": 18 if tokens == "pieces" else None})
    earlier = SimpleNamespace(tokenizer=SimpleNamespace(rules=BEFORE))
    data = datasets.files(config, replace(context, earlier=lambda: earlier))
    stored = data.info["tokenizer"]
    assert isinstance(stored, StoredTokenizer) and stored.rules == BEFORE
    assert not any("control" in note or "composed" in note for note in data.notes)
    if tokens == "characters":
        assert {"\u0301", "\0"} <= set(stored.tokens)
    if tokens == "words":
        assert {"\u0301", "\0", "ह"} <= set(stored.tokens)

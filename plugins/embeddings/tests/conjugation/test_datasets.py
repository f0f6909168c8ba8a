"""From texts to splits: by position or by folder, without repeats, numbered by vectors' words or the text's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.data.text.segments import BEFORE, NOW
from dlkit.errors import DataError, UsageError
from dlkit_embeddings.conjugation import datasets
from dlkit_embeddings.conjugation.gaps import context_text
from dlkit_embeddings.conjugation.info import FORMS, ConjugationInfo
from dlkit_embeddings.conjugation.options import ByPositionConfig, FilesConfig, GutenbergConfig, PythonDocsConfig
from dlkit_embeddings.conjugation.task import Conjugation
from dlkit_embeddings.sources import GUTENBERG


def rows(data: Data, split: str) -> list[tuple[int, ...]]:
    batch = data.splits[split].take(torch.arange(len(data.splits[split])))
    return [tuple(row) for row in torch.column_stack((batch["context"], batch["label"])).tolist()]


def texts(data: Data, split: str) -> list[str]:
    info = ConjugationInfo.model_validate(data.info)
    return [f"{context_text(row[:-1], info)} {FORMS[row[-1]]}" for row in rows(data, split)]


def test_a_text_is_divided_by_position_and_no_gap_is_lost(data: Callable[..., Data]) -> None:
    found = data(least=1)
    sizes = {name: len(split) for name, split in found.splits.items()}
    assert sum(sizes.values()) == 480 and sizes["val"] == pytest.approx(72, abs=3) and sizes["test"] in range(45, 52)
    assert found.info["counts"] == np.bincount([row[-1] for row in rows(found, "train")], minlength=12).tolist()
    assert not set(texts(found, "train")) & set(texts(found, "val"))
    assert "test" not in data(test_fraction=0).splits


def test_what_is_repeated_counts_once_where_it_stands_first(text: str, context: Context) -> None:
    once = datasets.by_position(text, ByPositionConfig(least=1), context)
    twice = datasets.by_position(f"{text}\n\n{text}", ByPositionConfig(least=1, val_fraction=0.6), context)
    assert sum(len(split) for split in twice.splits.values()) == 480
    assert not set(texts(twice, "val")) & (set(texts(twice, "train")) | set(texts(twice, "test")))
    assert any("480 gaps left out" in note for note in twice.notes)
    assert not any("left out" in note for note in once.notes)


def test_words_are_counted_in_training_alone(data: Callable[..., Data]) -> None:
    assert data(least=1).info["words"][:2] == ["<pad>", "<unk>"]
    every, frequent = data(least=1).info["words"], data(least=80).info["words"]
    assert set(frequent) < set(every) and "people" in frequent and "upstairs" not in frequent
    assert data(vocabulary=5).info["words"] == every[:7]
    assert data().info["vectors"] is None and data().resolved_options == {"embeddings": "none"}


def test_at_most_so_many_of_a_form(data: Callable[..., Data]) -> None:
    capped = data(most=10)
    assert max(capped.info["counts"]) == 10 and len(capped.train) == sum(capped.info["counts"])
    assert rows(capped, "val") == rows(data(), "val")
    assert rows(data(most=10), "train") == rows(capped, "train")
    assert rows(data(most=10, split_seed=1), "train") != rows(capped, "train")


def test_vectors_give_the_words_and_their_numbers(data: Callable[..., Data], vectors: Path, words: list[str]) -> None:
    found = data(embeddings=str(vectors))
    assert found.info["words"] == ["<pad>", "<unk>", *words] and found.info["vectors"].shape == (len(words) + 2, 16)
    assert found.resolved_options == {"embeddings": str(vectors)} and found.info["signs"]
    assert texts(found, "val") == texts(data(least=1), "val")


def test_without_signs_among_the_vectors_none_are_read(data: Callable[..., Data], tmp_path: Path) -> None:
    (tmp_path / "few.txt").write_text("2 1\nyou 1\nshe 2\n")
    found = data(embeddings=str(tmp_path / "few.txt"), window=20)
    assert not found.info["signs"] and "no signs" in found.notes[0]
    assert not any(sign in text for text in texts(found, "train") for sign in ".!?")


def test_a_run_that_goes_on_has_all_it_needs(data: Callable[..., Data], text: str, vectors: Path) -> None:
    config = ByPositionConfig(embeddings=str(vectors))
    first = data(embeddings=str(vectors))
    vectors.unlink()
    with pytest.raises(DataError, match="neither a file nor a run's folder"):
        data(embeddings=str(vectors))
    earlier = ConjugationInfo.model_validate(first.info)
    context = replace(Context(Path("absent")), earlier=lambda: earlier)
    again = datasets.by_position(text, config, context)
    assert again.fingerprint() == first.fingerprint() and again.resolved_options == first.resolved_options
    assert np.array_equal(again.info["vectors"], first.info["vectors"])


def test_folders_are_the_splits(text: str, context: Context) -> None:
    books = context.data / "gutenberg-books"
    for file in GUTENBERG.layout:
        (books / file.path).parent.mkdir(parents=True, exist_ok=True)
        (books / file.path).write_text(text if "train" in file.path else "You are here. She is late.\n\nI have it.")
    (books / "train" / "a.txt").write_text("Being there. " * 3)
    found = datasets.gutenberg(GutenbergConfig(), replace(context, sources={GUTENBERG.name: GUTENBERG}))
    assert {name: len(split) for name, split in found.splits.items()} == {"train": 483, "val": 3, "test": 3}
    own = datasets.files(FilesConfig(path=str(books)), context)
    assert own.fingerprint() == found.fingerprint() and any("few gaps: val 3, test 3" in n for n in own.notes)


def test_pythons_documentation_needs_nothing(context: Context) -> None:
    found = datasets.python_docs(PythonDocsConfig(), context)
    assert len(found.train) > 1000 and len(found.val) > 200
    info = ConjugationInfo.model_validate(found.info)
    balance, examples = Conjugation().preview(info, found.train, 5)
    assert balance.rows[0][0] == "is" and sum(row[1] for row in balance.rows) == len(found.train)  # type: ignore[attr-defined]
    assert str(balance.rows[0][2]) in balance.title  # type: ignore[attr-defined]
    assert len(examples.rows) == 5 and all("___" in row[0] for row in examples.rows)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("content", "options", "error", "match"),
    [
        (b"  \n ", {}, DataError, "holds no text"),
        (b"caf\xe9 is " * 40, {}, DataError, "line 1: byte 0xe9"),
        (b"it is so. " * 40, {"encoding": "klingon"}, UsageError, "unknown encoding 'klingon'"),
        (b"no verb at all here. " * 9, {}, DataError, "the train part of the text has no form of be or have"),
        (b"It is so. You are so." + b" Nothing here. " * 90, {}, DataError, "the test part .* no form"),
        (b"It is 1. It is 2. It is 3. It is 4. It is 5.", {"test_fraction": 0.2}, DataError, "no form .* but 'is'"),
        (b"It is so. " * 40, {"embeddings": "none", "most": 1, "test_fraction": 0}, DataError, "val part"),
    ],
)
def test_what_cannot_be_learnt_from_is_named(
    content: bytes, options: dict[str, Any], error: type[Exception], match: str, tmp_path: Path, context: Context
) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(error, match=match):
        datasets.files(FilesConfig(path=str(tmp_path / "a.txt"), **options), context)


@pytest.mark.parametrize(
    "options", [{"val_fraction": 0.7, "test_fraction": 0.3}, {"window": 0}, {"most": 0}, {"embeddings": ""}]
)
def test_options_that_do_not_go_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ByPositionConfig(**options)


def test_a_run_of_before_reads_words_as_it_did(tmp_path: Path, context: Context) -> None:
    lines = [f"The cafe\u0301 is open at {n}. We are here {n} times \0." for n in range(60)]
    (tmp_path / "a.txt").write_text("\n".join(lines), encoding="utf-8")
    config = FilesConfig(path=str(tmp_path / "a.txt"), embeddings="none", least=1, window=4)
    new = datasets.files(config, context)
    assert "caf\u00e9" in new.info["words"] and new.info["rules"] == NOW
    assert any("control characters" in note for note in new.notes) and any("composed" in note for note in new.notes)
    earlier = SimpleNamespace(rules=BEFORE, words=["<pad>", "<unk>", "cafe", "\u0301"], vectors=None, signs=True)
    old = datasets.files(config, replace(context, earlier=lambda: earlier))
    assert old.info["rules"] == BEFORE and not any("composed" in note for note in old.notes)

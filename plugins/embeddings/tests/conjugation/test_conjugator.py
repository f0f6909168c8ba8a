"""Answers: gaps found, files read, forms written as they stand; samples with mistakes first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dlkit.data.splits import Data
from dlkit.errors import DataError, UsageError
from dlkit_embeddings.conjugation.conjugator import Conjugator
from dlkit_embeddings.conjugation.gaps import GAP
from dlkit_embeddings.conjugation.info import FORMS, ConjugationInfo
from dlkit_embeddings.conjugation.options import ConjugatorConfig


class Rules(nn.Module):
    """Knows some of the text's rules: after "i" am, after "she" is, else are; surer if a word follows."""

    def __init__(self, words: list[str]) -> None:
        super().__init__()
        self.i, self.she = words.index("i"), words.index("she")

    def forward(self, context: Tensor) -> Tensor:
        last = context[:, context.shape[1] // 2 - 1]
        form = torch.where(last == self.i, 1, torch.where(last == self.she, 3, 2))
        sure = 2.0 + (context[:, context.shape[1] // 2] > 1).float()
        return nn.functional.one_hot(form, 12) * sure[:, None]


@pytest.fixture
def conjugator(info: Callable[..., ConjugationInfo]) -> Conjugator:
    found = info(window=2)
    return Conjugator(Rules(found.words), found, ConjugatorConfig())


def test_a_sentence_is_filled(conjugator: Conjugator) -> None:
    (answer,) = conjugator.predict(conjugator.read(["Today she ___ glad."]))
    assert answer["form"] == "is" and answer["filled"] == "Today she is glad." and answer["unknown"] == ["today"]
    assert answer["sentence"] == "Today she ___ glad."
    assert sum(answer["probabilities"].values()) == pytest.approx(1) and list(answer["probabilities"]) == list(FORMS)
    assert answer["probability"] == max(answer["probabilities"].values())
    text, table = conjugator.show(["Today she ___ glad."], [answer])
    assert text.text == "Today she is glad."  # type: ignore[attr-defined]
    assert table.rows[0] == ["is", round(answer["probability"], 4)] and len(table.rows) == 5  # type: ignore[attr-defined]


def test_unknown_words_are_named_as_the_model_reads_them(info: Callable[..., ConjugationInfo]) -> None:
    """A word in typographic spelling or marks of emphasis is known if its plain one is; a number, as any number."""
    found = info(window=2)
    found = found.model_copy(update={"words": [*found.words, "don't", "<number>"]})
    conjugator = Conjugator(Rules(found.words), found, ConjugatorConfig())
    (answer,) = conjugator.predict(["_She_ don’t know if I ___ 7, xyz\n’xyz."])
    assert not {"don’t", "_she_", "7", "\n", "don't", "she"} & set(answer["unknown"])
    assert answer["unknown"].count("xyz") == 1


def test_a_form_that_begins_a_sentence_has_a_capital(conjugator: Conjugator) -> None:
    answers = conjugator.predict(["[gap] you here?", "Now I _ here. She is late."])
    assert [answer["filled"] for answer in answers] == ["Are you here?", "Now I am here. She is late."]
    assert "unknown" not in answers[0]
    (pairs,) = conjugator.show([], answers)
    assert [row[:2] for row in pairs.rows] == [["___ you here?", "are"], ["Now I ___ here. She is late.", "am"]]  # type: ignore[attr-defined]


def test_files_have_a_sentence_a_line(conjugator: Conjugator, tmp_path: Path) -> None:
    path = tmp_path / "sentences.txt"
    path.write_text("You ___ here.\n\n  I ___ there.\n")
    assert conjugator.read([str(path), "She ___ late."]) == ["You ___ here.", "I ___ there.", "She ___ late."]
    path.write_text("You ___ here.\n\nI am there.\n")
    with pytest.raises(DataError, match=r"sentences.txt: line 3: no gap in 'I am there.'"):
        conjugator.read([str(path)])


def test_what_has_no_gap_or_several_is_refused(conjugator: Conjugator) -> None:
    with pytest.raises(UsageError, match=r"no gap in 'She is late.': write ___"):
        conjugator.read(["She ___ late.", "She is late."])
    with pytest.raises(UsageError, match="2 gaps in"):
        conjugator.predict(["She ___ been ___."])
    assert conjugator.predict(["\ue000 she ___ glad"])[0]["form"] == "is"
    assert conjugator.read(["x" * 5000 + " ___"])


def test_samples_show_mistakes_first(conjugator: Conjugator, data: Callable[..., Data]) -> None:
    val = data(window=2).val
    gaps, confusion = conjugator.samples(12, np.random.default_rng(0), val)
    rows: Any = gaps.rows  # type: ignore[attr-defined]
    assert len(rows) == 12 and rows[0][0] == "✗" and rows[0][2] != rows[0][3].split()[0]
    chances = [int(row[3].split()[1].rstrip("%")) for row in rows if row[0]]
    assert chances == sorted(chances, reverse=True) and all(GAP in row[1] for row in rows)
    table: Any = confusion
    counts = [row[1:-1] for row in table.rows]
    assert sum(map(sum, counts)) == len(val)
    names = [row[0] for row in table.rows]
    assert table.headers == ["", *names, "right"] and set(names) <= set(FORMS)
    assert dict(zip(names, (row[-1] for row in table.rows), strict=True))["be"] == "0%"
    assert conjugator.samples(12, np.random.default_rng(0), None) == ()


def test_examples_can_be_asked(conjugator: Conjugator, data: Callable[..., Data], tmp_path: Path) -> None:
    found = conjugator.example(data(window=2).val, np.random.default_rng(0), tmp_path)
    assert len(found) == 3 and conjugator.read(found) == found
    assert conjugator.example(None, np.random.default_rng(0), tmp_path) == ["She ___ happy."]

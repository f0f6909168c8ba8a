"""Pairs become tokens and splits; nothing that is tested was trained on; bad files are named with their line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.data.text.pieces import BOS, EOS, PAD
from dlkit.data.text.segments import BEFORE
from dlkit.data.text.tokenizers import restore
from dlkit.errors import DataError, UsageError
from dlkit_translation.baselines import Nearest, WordByWord
from dlkit_translation.datasets import files, fra_eng, grammar
from dlkit_translation.grammar.sentences import pairs
from dlkit_translation.info import TranslationInfo
from dlkit_translation.options import FilesConfig, FraEngConfig, GrammarConfig
from dlkit_translation.preview import lengths, sentences
from dlkit_translation.sources import FRA_ENG
from dlkit_translation.splitting import by_combination, by_sentence, sentence_key
from dlkit_translation.texts import as_column, as_texts, normal
from dlkit_translation.writing import sentence

ANIMALS = ["cat", "dog", "horse", "cow", "bird", "bear", "fox", "goat", "hen", "duck"]
VERBS = ["sees", "likes", "eats", "hears", "follows"]
LINES = [
    f"the {one} {verb} a {other}\tle {other} {one} {verb}" for one in ANIMALS for verb in VERBS for other in ANIMALS
]


def tsv(folder: Path, text: str | None = None, name: str = "pairs.tsv") -> Path:
    path = folder / name
    path.write_text("\n".join(LINES) + "\n" if text is None else text, encoding="utf-8")
    return path


def options(path: Path, **more: object) -> FilesConfig:
    return FilesConfig.model_validate({"path": str(path), "vocabulary": 60, "algorithm": "bpe", **more})


def test_batches_are_as_declared(data: Data, info: TranslationInfo) -> None:
    batch = data.train.take(torch.arange(20))
    assert set(batch) == {"source", "previous", "target"}
    assert (batch["previous"][:, 0] == BOS).all() and batch["previous"].shape == batch["target"].shape
    for source, previous, target in zip(*(batch[name].tolist() for name in batch), strict=True):
        count = target.index(EOS)
        assert previous[1 : count + 1] == target[:count] and set(target[count + 1 :]) <= {PAD}
        assert source.count(EOS) == 1 and set(source[source.index(EOS) + 1 :]) <= {PAD}


def test_texts_come_back_from_tokens(data: Data, info: TranslationInfo) -> None:
    batch = data.val.take(torch.arange(len(data.val)))
    for column, name, tokenizer in (("source", "original", info.source), ("target", "reference", info.target)):
        written = [sentence(restore(tokenizer), row) for row in batch[column].tolist()]
        assert written == as_texts(batch[name])


def test_the_same_options_give_the_same_data(data: Data, context: Context) -> None:
    config = GrammarConfig(pairs=600, vocabulary=400, val_fraction=0.1, test_fraction=0.1)
    assert grammar.build(config, context).fingerprint() == data.fingerprint()
    other = grammar.build(config.model_copy(update={"split_seed": 1}), context)
    assert other.fingerprint() != data.fingerprint()


def test_buckets_hold_sentences_of_like_length(data: Data) -> None:
    plan = data.train.planner.plan(len(data.train), 0, 0, 20)
    spans = [
        int((batch["target"] == PAD).sum()) for batch in data.train.batches(plan, seed=0, epoch=0)
    ]  # fmt: skip
    shuffled = data.train.take(torch.arange(20))["target"]
    assert max(spans) < int((shuffled == PAD).sum()) + 20
    assert sorted(plan.order.tolist()) == sorted(set(plan.order.tolist()))


def test_vocabularies_joint_or_apart(tmp_path: Path, context: Context) -> None:
    path = tsv(tmp_path)
    joint = TranslationInfo.model_validate(files.build(options(path), context).info)
    apart = TranslationInfo.model_validate(files.build(options(path, joint=False, vocabulary=50), context).info)
    assert joint.joint and restore(joint.source).encode("cat").tolist() == restore(joint.target).encode("cat").tolist()
    assert not apart.joint and apart.sizes == (50, 50) and joint.sizes == (60, 60)
    assert restore(apart.source).token(9) != restore(apart.target).token(9)


def test_a_vocabulary_that_cannot_be_learnt_says_what_can(tmp_path: Path, context: Context) -> None:
    with pytest.raises(UsageError, match=r"5000 pieces is too large for this text: at most \d+"):
        files.build(options(tsv(tmp_path), vocabulary=5000, algorithm="unigram"), context)


def test_no_combination_of_words_is_in_two_parts() -> None:
    drawn = pairs(3000, 1)
    parts = by_combination(drawn, 0.1, 0.1, 0)
    content = {pair.english: pair.content for pair in drawn}
    sets = {name: {content[source] for source, _ in some} for name, some in parts.items()}
    assert not sets["train"] & sets["test"] and not sets["train"] & sets["val"] and not sets["val"] & sets["test"]
    assert all(len(words) > 1 for words in sets["test"])
    assert sum(map(len, parts.values())) == 3000 and 200 < len(parts["test"]) < 400


def test_the_baselines_fail_on_held_out_combinations() -> None:
    parts = by_combination(pairs(6000, 1), 0.05, 0.05, 0)
    for translate, most in ((WordByWord(parts["train"]), 0.1), (Nearest(parts["train"]), 0.05)):
        right = sum(translate(source) == target for source, target in parts["test"])
        assert right < most * len(parts["test"])


def test_what_the_baselines_say() -> None:
    known = [
        ("The cat sleeps.", "Le chat dort."),
        ("The cat eats.", "Le chat mange."),
        ("A dog sleeps.", "Un chien dort."),
        ("The dog eats.", "Le chien mange."),
    ]
    assert Nearest(known)("The cat sleeps now.") == "Le chat dort."
    assert WordByWord(known)("A cat sleeps.") == "Un chat dort."


@given(
    st.lists(st.tuples(st.text("abc .!A", min_size=1, max_size=3), st.text("xy", min_size=1, max_size=2)), min_size=60)
)
@settings(max_examples=30, deadline=None)
def test_no_source_sentence_is_in_two_parts(found: list[tuple[str, str]]) -> None:
    groups = {sentence_key(source) for source, _ in found}
    if len(groups) < 6:
        return
    parts = by_sentence(found, 2, 3, 0, "pairs")
    keys = {name: [sentence_key(source) for source, _ in some] for name, some in parts.items()}
    assert len(keys["test"]) == 3 and len(keys["val"]) == 2
    assert sorted({*keys["train"], *keys["val"], *keys["test"]}) == sorted(groups)
    assert len(set(keys["train"])) + 5 == len(groups)
    assert set(parts["train"]) <= set(found)


def test_a_tsv_and_two_files_are_the_same(tmp_path: Path, context: Context) -> None:
    path = tsv(tmp_path, "\n\n".join(LINES))
    one, other = (tsv(tmp_path, "\n".join(line.split("\t")[i] for line in LINES), f"text.{i}") for i in (0, 1))
    together = files.build(options(path), context)
    apart = files.build(options(one, target_path=str(other)), context)
    assert together.fingerprint() == apart.fingerprint()
    swapped = files.build(options(path, swap=True, source_language="English", target_language="French"), context)
    assert swapped.info["languages"] == ("French", "English")
    assert as_texts(swapped.val.take(torch.arange(1))["original"])[0].startswith("le ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb\nno tab here\n", r"pairs\.tsv: line 2: no tab"),
        ("a\tb\n\nc\td\te\n", r"pairs\.tsv: line 3: 2 tabs"),
        ("a\tb\nc\t \n", r"pairs\.tsv: line 2: nothing after the tab"),
        ("\tb\n", r"pairs\.tsv: line 1: nothing before the tab"),
        ("a\tb\nc\td\n", r"pairs\.tsv: 2 different source sentences"),
        (" \n", r"pairs\.tsv: holds no text"),
    ],
)
def test_bad_lines_are_named(text: str, message: str, tmp_path: Path, context: Context) -> None:
    with pytest.raises(DataError, match=message):
        files.build(options(tsv(tmp_path, text)), context)


def test_further_columns_are_ignored_and_said(tmp_path: Path, context: Context) -> None:
    """As Tatoeba's pairs have them: whose they are, under which licence."""
    plain = files.build(options(tsv(tmp_path)), context)
    licensed = tsv(tmp_path, "\n".join(f"{line}\tCC-BY 2.0 #{n}" for n, line in enumerate(LINES)), "licensed.tsv")
    made = files.build(options(licensed), context)
    assert made.fingerprint() == plain.fingerprint()
    (note,) = [note for note in made.notes if "further columns" in note]
    assert note.startswith("500 lines have further columns") and "line 1, 'CC-BY 2.0 #0'" in note
    assert not any("further columns" in note for note in plain.notes)


def test_the_columns_may_be_named(tmp_path: Path, context: Context) -> None:
    numbered = "\n".join(f"{n}\t{one}\t{n}7\t{other}" for n, (one, other) in enumerate(x.split("\t") for x in LINES))
    path = tsv(tmp_path, numbered, "numbered.tsv")
    with pytest.raises(UsageError, match=r"first column holds numbers alone: .*--dataset\.columns 2,4"):
        files.build(options(path), context)
    made = files.build(options(path, columns=(2, 4)), context)
    assert made.fingerprint() == files.build(options(tsv(tmp_path)), context).fingerprint()
    with pytest.raises(DataError, match=r"numbered\.tsv: line 1: 4 columns"):
        files.build(options(path, columns=(2, 5)), context)
    with pytest.raises(ValidationError, match="two columns, not both in 2"):
        options(path, columns=(2, 2))


def test_sentences_that_differ_in_combining_signs_are_different() -> None:
    assert sentence_key("वह किताब") != sentence_key("वह कुताब")
    assert sentence_key("वह किताब", BEFORE) == sentence_key("वह कुताब", BEFORE)
    assert sentence_key("It's  a “Dog”!") == sentence_key("it s a dog") == sentence_key("It's  a “Dog”!", BEFORE)


def test_bad_files_are_named(tmp_path: Path, context: Context) -> None:
    with pytest.raises(DataError, match=r"absent\.tsv: No such file"):
        files.build(options(tmp_path / "absent.tsv"), context)
    (tmp_path / "latin.tsv").write_bytes("été\tsummer\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"latin\.tsv: line 1: byte 0xe9"):
        files.build(options(tmp_path / "latin.tsv"), context)
    one, other = tsv(tmp_path, "a\nb\nc\n", "one"), tsv(tmp_path, "x\ny\n", "other")
    with pytest.raises(DataError, match=r"one has 3 lines and .*other has 2"):
        files.build(options(one, target_path=str(other)), context)
    with pytest.raises(DataError, match=r"holes: line 2: empty, where .*one has a sentence"):
        files.build(options(one, target_path=str(tsv(tmp_path, "x\n\nz\n", "holes"))), context)
    with pytest.raises(UsageError, match="unknown encoding 'utf-9'"):
        files.build(options(one, target_path=str(other), encoding="utf-9"), context)


def test_long_training_pairs_are_left_out_and_said(tmp_path: Path, context: Context) -> None:
    path = tsv(tmp_path, "\n".join([*LINES, f"{'the cat ' * 40}\tle chat"]))
    made = files.build(options(path, longest=30, val_fraction=0.01, test_fraction=0), context)
    assert any(re.match("1 training pairs of more than 30 tokens", note) for note in made.notes) and made.test is None
    with pytest.raises(DataError, match="no training pair has 4 tokens or fewer"):
        files.build(options(path, longest=4), context)


def test_fra_txt_is_read_with_and_without_attribution(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "fra-eng"
    folder.mkdir(parents=True)
    tsv(folder, "Go.\tVa\u202f!\nHi.\tSalut.\tCC-BY 2.0 (France)\n" + "\n".join(LINES), "fra.txt")
    context = Context(tmp_path / "data", {"fra-eng": FRA_ENG}, offline=True)
    made = fra_eng.build(FraEngConfig(val=10, test=20, vocabulary=47), context)
    assert {name: len(split) for name, split in made.splits.items()} == {"train": 472, "val": 10, "test": 20}
    assert fra_eng.read(folder / "fra.txt")[:2] == [("Go.", "Va !"), ("Hi.", "Salut.")]
    tsv(folder, "Go.\tVa !\nHi. Salut.\n", "fra.txt")
    with pytest.raises(DataError, match=r"fra\.txt: line 2: not two sentences"):
        fra_eng.build(FraEngConfig(), context)


def test_without_fra_txt_one_is_told_where_it_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)fra\.txt is missing.*manythings\.org/anki"):
        fra_eng.build(FraEngConfig(), Context(tmp_path / "data", {"fra-eng": FRA_ENG}, offline=True))


@given(
    st.lists(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=12), min_size=1)
)
def test_texts_as_columns(texts: list[str]) -> None:
    column = as_column(texts)
    assert as_texts(column[torch.arange(len(texts))]) == texts
    assert all(normal(normal(text)) == normal(text) for text in texts)


def test_preview_shows_pairs_and_lengths(data: Data, info: TranslationInfo) -> None:
    shown = sentences(info, data.val, 3)
    assert shown.headers == ["English", "French"] and len(shown.rows) == 3
    assert shown.rows[0][0] == as_texts(data.val.take(torch.tensor([0]))["original"])[0]
    table = lengths(data.val)
    assert [row[0] for row in table.rows] == ["source", "target"]
    assert all(1 < row[1] <= row[2] <= row[3] <= row[4] for row in table.rows)  # type: ignore[operator]

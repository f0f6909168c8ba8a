"""The plugin as a whole: light to list, sound to resolve, and trained, asked, exported end to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlkit
from dlkit.catalog import Catalog
from dlkit.cli.main import main
from dlkit.config import Layer, resolve
from dlkit.config_file import preset_layer, presets
from dlkit.data.text.vectors import read_vectors
from dlkit.data.text.vocabulary import UNKNOWN
from dlkit.errors import DataError, UsageError
from dlkit.samples import Scatter, Table

TASK = "embeddings"
ANIMALS = {"cat", "dog", "cow", "hen"}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load_everything()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, language: str) -> dlkit.Run:
    """A skip-gram of the small language, whose text is gone."""
    folder = tmp_path_factory.mktemp("embeddings")
    (folder / "text.txt").write_text(language)
    trained = dlkit.train(
        TASK,
        dataset={"name": "files", "path": str(folder / "text.txt"), "least": 2, "subsample": 0.05, "window": 3},
        model={"name": "skip-gram", "size": 16},
        trainer={"name": "skip-gram", "update": 128},
        epochs=60,
        batch_size=512,
        device="cpu",
        engine={"threads": 1, "sample_every": "end", "eval_every": "20 epochs"},
        inference={"name": "neighbours", "words": ["cat", "saw"], "top": 3},
        workspace=folder / "workspace",
    )
    (folder / "text.txt").rename(folder / "elsewhere.txt")
    return trained


@pytest.fixture
def ask(run: dlkit.Run, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """``ask("predict", "cat")``: the command about that run; exit code, results, talk."""

    def call(command: str, *words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([command, str(run.path), *words])
        return code, *capsys.readouterr()

    return call


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; import dlkit_embeddings.plugin as p; assert 'pydantic' not in sys.modules;"
        "import dlkit_embeddings.word_vectors.task, dlkit_embeddings.word_vectors.options;"
        "heavy = {'torch', 'sklearn', 'scipy', 'pydoc_data.topics'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("dataset", ["python-docs", "gutenberg", "files"])
@pytest.mark.parametrize("model", ["skip-gram", "cbow"])
def test_defaults_resolve_for_every_pair(dataset: str, model: str, catalog: Catalog) -> None:
    options = {"name": dataset, "path": "text"} if dataset == "files" else {"name": dataset}
    resolved = resolve(catalog, TASK, [Layer("flag", {"dataset": options, "model": {"name": model}})])
    assert resolved.specs["trainer"].name == {"skip-gram": "skip-gram", "cbow": "supervised"}[model]
    found: Any = resolved.sections["dataset"]
    assert found.reading == {"skip-gram": "passages", "cbow": "windows"}[model]


def test_mixes_that_do_not_train_are_refused(catalog: Catalog) -> None:
    mixed = {"model": {"name": "cbow"}, "trainer": {"name": "skip-gram"}}
    with pytest.raises(UsageError, match="do not combine"):
        resolve(catalog, TASK, [Layer("flag", mixed)])


def test_every_preset_resolves(catalog: Catalog) -> None:
    own = {entry.name for entry in (files("dlkit_embeddings.word_vectors") / "presets").iterdir()}
    mine = [preset for preset in presets(catalog, TASK) if preset.file in own]
    assert len(mine) == len(own) > 3
    for preset in mine:
        resolved = resolve(catalog, TASK, [preset_layer(catalog, TASK, preset.name, preset.components())])
        assert {part: resolved.specs[part].name for part in preset.components()} == preset.components()
        assert preset.summary


def test_words_of_a_kind_are_neighbours(run: dlkit.Run) -> None:
    assert run.state == "completed"
    assert {"val/loss", "val/accuracy", "val/top5", "val/perplexity"} <= set(run.metrics)
    predictor = run.predictor()
    (answer,) = predictor.predict(predictor.read(["Cat"]))
    assert set(answer["words"]) == ANIMALS - {"cat"} and answer["scores"] == sorted(answer["scores"], reverse=True)
    (analogy,) = predictor.predict(["meadow : cat :: workshop"])
    assert set(analogy["words"]) & {"saw", "axe", "drill", "plane"}


def test_samples_are_neighbours_and_a_map(run: dlkit.Run) -> None:
    table, plane = run.predictor().samples(16, np.random.default_rng(0), None)
    assert isinstance(table, Table) and [row[0] for row in table.rows] == ["cat", "saw"]
    assert isinstance(plane, Scatter) and len(plane.x) == len(plane.labels) == len(set(plane.labels)) > 10
    again = run.predictor().samples(16, np.random.default_rng(1), None)
    assert again == [table, plane]
    assert set(run.predictor().example(None, np.random.default_rng(0), Path())) <= set(plane.labels)


def test_words_drawn_by_their_neighbourhoods(run: dlkit.Run, catalog: Catalog) -> None:
    from dlkit_embeddings.word_vectors.neighbours import Neighbours
    from dlkit_embeddings.word_vectors.options import NeighboursConfig

    one = run.predictor()
    maps = [
        Neighbours(one.model, one.info, NeighboursConfig(map="t-sne")).samples(3, np.random.default_rng(0), None)[1]
        for _ in range(2)
    ]
    assert isinstance(maps[0], Scatter) and maps[0] == maps[1] and np.isfinite(maps[0].x).all()
    (table,) = Neighbours(one.model, one.info, NeighboursConfig(map="none")).samples(3, np.random.default_rng(0), None)
    assert isinstance(table, Table) and len(table.rows) > 3


def test_the_command_line_answers(ask: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    code, out, _ = ask("predict", "cat", "cat - meadow + shed")
    assert code == 0 and "cat\nword" in out and "cat - meadow + shed\n" in out and "dog" in out
    similar, analogies = tmp_path / "similar.txt", tmp_path / "analogies.txt"
    similar.write_text("cat\tdog\t9\nsaw\taxe\t8\ncat\tsaw\t1\nyak\tgnu\t5\n")
    analogies.write_text(": animals\ncat meadow dog meadow\nyak tundra gnu savanna\n")
    code, out, _ = ask("predict", str(similar), str(analogies), "--json")
    found = json.loads(out)["predictions"]
    assert code == 0 and found[0]["covered"] == 3 and found[0]["pairs"] == 4 and found[0]["spearman"] > 0.4
    assert found[1]["covered"] == 1 and found[1]["analogies"] == 2 and found[1]["sections"][0]["section"] == "animals"
    code, out, _ = ask("predict", str(similar), str(analogies))
    assert code == 0 and "similar.txt" in out and "in all" in out


@pytest.mark.parametrize(
    ("text", "match"),
    [("catt", "spelled like it: cat"), ("two words", "is not a question"), ("no.txt", "no such file")],
)
def test_what_cannot_be_answered_is_said(text: str, match: str, ask: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = ask("predict", text)
    assert code == DataError.exit_code and match in err and not out


def test_a_wrong_line_is_named(ask: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("cat\tdog\t9\ncat dog\n")
    code, _, err = ask("predict", str(tmp_path / "bad.txt"))
    assert code == DataError.exit_code and "bad.txt: line 2" in err


def test_vectors_come_back_from_every_format(
    run: dlkit.Run, ask: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    from dlkit_embeddings.vectors import stored_vectors

    predictor = run.predictor()
    words, vectors = stored_vectors(predictor.model, predictor.info)
    assert ask("export", "-o", str(tmp_path))[1].split() == [
        str(tmp_path / name) for name in ("embeddings.tsv", "metadata.tsv")
    ]
    assert (tmp_path / "metadata.tsv").read_text().split("\n") == [*words, ""]
    rows = [line.split("\t") for line in (tmp_path / "embeddings.tsv").read_text().splitlines()]
    assert np.array_equal(np.array(rows, np.float32), vectors)
    assert ask("export", "--format", "word2vec", "-o", str(tmp_path))[0] == 0
    found = dict(read_vectors(tmp_path / "vectors.txt"))
    assert list(found) == words and np.array_equal(np.stack(list(found.values())), vectors)
    code, _, err = ask("export", "-o", str(tmp_path))
    assert code == 2 and "already there" in err


def test_every_word_is_written_with_its_nearest_and_their_cosines(
    run: dlkit.Run, ask: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, out, _ = ask("export", "--format", "similar", "--inference.top", "3", "-o", str(tmp_path))
    assert code == 0 and out.split() == [str(tmp_path / "embedd.tsv")]
    heading, *lines = [line.split("\t") for line in (tmp_path / "embedd.tsv").read_text().splitlines()]
    assert heading == ["word", "neighbour", "cosine"]
    predictor = run.predictor(top=3)
    words = [word for word in predictor.info.words if word != UNKNOWN]
    assert [line[0] for line in lines] == [word for word in words for _ in range(min(3, len(words) - 1))]
    for word in words[:4]:
        found = [(other, round(float(cosine), 4)) for of, other, cosine in lines if of == word]
        (answer,) = predictor.predict([word])
        assert [cosine for _, cosine in found] == pytest.approx(answer["scores"], abs=2e-4)
        assert {other for other, _ in found} == set(answer["words"])


def test_cbow_learns_what_stands_in_a_sentence(tmp_path: Path, language: str) -> None:
    (tmp_path / "text.txt").write_text(language)
    trained = dlkit.train(
        TASK,
        dataset={"name": "files", "path": str(tmp_path / "text.txt"), "least": 1},
        model={"name": "cbow", "size": 16, "hidden": [32]},
        trainer={"name": "supervised", "lr": 0.01},
        epochs=6,
        batch_size=32,
        device="cpu",
        engine={"threads": 1, "sample_every": "never", "eval_every": "end"},
        workspace=tmp_path / "workspace",
    )
    # Of six words, "the" twice and "in" are certain; of the others, a half, a third or a quarter at best.
    assert trained.metrics["val/accuracy"] > 0.6 and trained.metrics["val/top5"] > 0.95
    assert trained.evaluate("test")["test/accuracy"] > 0.6


@pytest.mark.realdata
def test_half_a_minute_of_books(tmp_path: Path) -> None:
    root = os.environ.get("DLKIT_TEST_DATA")
    if not root or not all((Path(root) / name).is_dir() for name in ("gutenberg-books", "word-similarity")):
        pytest.skip("DLKIT_TEST_DATA is not set, or lacks gutenberg-books or word-similarity")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "gutenberg-books").symlink_to(Path(root) / "gutenberg-books")
    trained = dlkit.train(TASK, dataset="gutenberg", epochs=3, engine={"max_time": 45.0}, workspace=tmp_path)
    predictor = trained.predictor()
    (answer,) = predictor.predict([Path(root) / "word-similarity" / "EN-MEN-TR-3k.txt"])
    assert answer["covered"] > 1500 and answer["spearman"] > 0.25

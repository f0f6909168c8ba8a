"""Word vectors: of the latest run or a named one, of a file; settled once, kept with the run, refused by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shutil import rmtree

import numpy as np
import pytest

import dlkit
from dlkit.config_file import read_toml
from dlkit.data.context import Context
from dlkit.errors import DataError, UsageError
from dlkit_embeddings.conjugation.pretrained import Lexicon, find_lexicon
from dlkit_embeddings.vectors import stored_vectors


def embed(workspace: Path, text: str, **more: object) -> dlkit.Run:
    path = workspace / "text.txt"
    path.write_text(text.replace(".", ".\n\n"))
    return dlkit.train(
        "embeddings",
        dataset={"name": "files", "path": str(path), "least": 1, "window": 2, "passage": 8, **more},
        model={"name": "skip-gram", "size": 12},
        steps=2,
        batch_size=64,
        device="cpu",
        engine={"threads": 1, "sample_every": "never"},
        workspace=workspace,
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, text: str) -> dlkit.Run:
    """A run of task embeddings in a workspace of its own."""
    return embed(tmp_path_factory.mktemp("trained"), text)


@pytest.fixture
def there(trained: dlkit.Run) -> Context:
    """Its workspace."""
    workspace = trained.path.parent.parent
    return Context(workspace / "data", offline=True, workspace=workspace)


def test_auto_is_the_latest_completed_run_whose_vectors_are_taken_as_they_are(
    trained: dlkit.Run, there: Context
) -> None:
    found = find_lexicon("auto", None, there)
    assert found is not None and found.vectors is not None and not found.signs
    predictor = trained.predictor()
    words, vectors = stored_vectors(predictor.model, predictor.info)
    own = [word for word in words if word != "<unk>"]
    assert list(found.words) == ["<pad>", "<unk>", *own]
    assert np.array_equal(found.vectors[2:], vectors[[words.index(word) for word in own]])
    assert not found.vectors[0].any() and found.origin.startswith(f"{trained.id}@")


@pytest.mark.parametrize("form", ["id", "prefix", "last", "best", "step", "hash", "folder"])
def test_runs_are_found_by_every_name(form: str, trained: dlkit.Run, there: Context) -> None:
    auto = find_lexicon("auto", None, there)
    assert auto is not None
    names = {
        "id": trained.id, "prefix": trained.id[:-1], "last": "last", "best": f"{trained.id}@best",
        "step": f"{trained.id}@2", "hash": auto.origin, "folder": str(trained.path),
    }  # fmt: skip
    found = find_lexicon(names[form], None, there)
    assert found is not None and found.origin == auto.origin and np.array_equal(found.vectors, auto.vectors)  # type: ignore[arg-type]


def test_runs_of_other_workspaces_are_named_by_their_folder(
    trained: dlkit.Run, there: Context, context: Context
) -> None:
    found = find_lexicon(str(trained.path), 3, context)
    assert found is not None and found.origin.startswith(f"{trained.path}@") and len(found.words) == 5
    again = find_lexicon(found.origin, 3, Context(Path("absent")))
    assert again is not None and again.words == found.words


def test_a_run_settles_auto_keeps_the_vectors_and_needs_the_other_no_more(tmp_path: Path, text: str) -> None:
    first = embed(tmp_path, text)
    given = {"name": "files", "path": str(tmp_path / "text.txt"), "window": 3}
    run = dlkit.train(
        "conjugation", dataset=given, steps=2, device="cpu", engine={"sample_every": "never"}, workspace=tmp_path
    )
    stored = read_toml(run.folder.config).values["dataset"]["embeddings"]
    assert stored.startswith(f"{first.id}@")
    rmtree(first.path)
    embed(tmp_path, text, signs=True)
    resumed = run.resume(steps=4)
    assert resumed.state == "completed" and not resumed.predictor().info.signs
    assert read_toml(run.folder.config).values["dataset"]["embeddings"] == stored
    assert run.evaluate("val")["val/accuracy"] == resumed.metrics["val/accuracy"]


def test_without_runs_there_are_none(context: Context) -> None:
    assert find_lexicon("auto", None, context) is None and find_lexicon("none", None, context) is None
    assert find_lexicon("auto", None, replace(context, workspace=None)) is None
    assert not (context.workspace or Path()).joinpath("runs").exists()


def test_a_run_that_cannot_be_used_is_named_and_passed_over(tmp_path: Path, text: str) -> None:
    older, newer = embed(tmp_path, text), embed(tmp_path, text)
    for weights in newer.path.rglob("model.safetensors"):
        weights.write_bytes(weights.read_bytes()[:-1])
    said: list[str] = []
    found = find_lexicon("auto", None, Context(tmp_path / "data", workspace=tmp_path, say=said.append))
    assert found is not None and found.origin.startswith(older.id)
    assert len(said) == 1 and f"the vectors of {newer.id} cannot be used" in said[0]


def test_what_is_no_such_run_or_file_is_named(there: Context, trained: dlkit.Run, tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"no run 'nothing' in .*word2vec's text format"):
        find_lexicon("nothing", None, there)
    with pytest.raises(DataError, match="neither a file nor a run's folder"):
        find_lexicon(str(tmp_path / "vectors.txt"), None, there)
    with pytest.raises(DataError, match="no checkpoint any more with the weights 0123456789abcdef"):
        find_lexicon(f"{trained.id}@0123456789abcdef", None, there)
    with pytest.raises(UsageError, match="there is no workspace"):
        find_lexicon("nothing", None, Context(tmp_path))


def test_a_run_of_another_task_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "text.txt"
    path.write_text(text)
    given = {"name": "files", "path": str(path)}
    run = dlkit.train("conjugation", dataset=given, steps=1, device="cpu", workspace=tmp_path)
    with pytest.raises(UsageError, match="a run of task 'conjugation', which has no word vectors"):
        find_lexicon(run.id, None, Context(tmp_path / "data", workspace=tmp_path))


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "line 1: must be"),
        ("0 3\n", "holds no word vectors"),
        ("1 2\nword 1\n", "line 2: 1 numbers"),
        ("1 2\nword 1 nan\n", "not all finite"),
        ("1 1\n<unk> 1\n", "holds no word vectors"),
    ],
)
def test_files_that_are_none_of_vectors_are_refused(content: str, match: str, tmp_path: Path, context: Context) -> None:
    (tmp_path / "v.txt").write_text(content)
    with pytest.raises(DataError, match=match):
        find_lexicon(str(tmp_path / "v.txt"), None, context)


def test_each_word_has_one_vector_and_unknown_ones_their_own_or_the_mean() -> None:
    matrix = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    found = Lexicon.of(["a", "b", "a"], matrix, "here")
    assert found.words == ["<pad>", "<unk>", "a", "b"]
    assert found.vectors is not None and found.vectors.tolist() == [[0, 0], [2, 3], [1, 2], [3, 4]]
    own = Lexicon.of(["<unk>", "a", "."], matrix, "here", most=1)
    assert own.words == ["<pad>", "<unk>", "a"] and not own.signs
    assert own.vectors is not None and own.vectors.tolist() == [[0, 0], [1, 2], [3, 4]]
    assert Lexicon.of(["a", "."], matrix[:2], "here").signs

"""``dlkit data example``: what every data set of files writes can be read by it; what goes wrong leaves nothing."""

from __future__ import annotations

import errno
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlkit.catalog import Catalog
from dlkit.cli.main import main
from dlkit.data import examples
from dlkit.data.example import Example, untold, write_example
from dlkit.errors import PluginError
from schemas import check

CATALOG = Catalog.load_everything()
HAVING = [(task.name, spec.name) for task in CATALOG.specs("task") for spec in CATALOG.specs("dataset", task.name)
          if spec.example]  # fmt: skip


Asked = Callable[..., Any]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Asked:
    """What ``dlkit data …`` writes in a new folder, as a document."""
    monkeypatch.chdir(tmp_path)

    def ask(*words: str) -> Any:
        assert main(["data", *words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return ask


@pytest.mark.parametrize(("task", "dataset"), HAVING)
def test_what_is_written_is_read(task: str, dataset: str, asked: Asked) -> None:
    found = asked("example", task, "mine", "--dataset", dataset)
    check("data-example", found)
    words = shlex.split(found["command"])
    shown = asked("show", task, *words[words.index("--dataset") :], "--count", "2")
    assert shown["splits"]["train"] and shown["options"].keys() >= found["options"].keys()


def test_every_data_set_that_needs_a_path_has_one() -> None:
    from dlkit.config import config_class

    needy = [
        (task.name, spec.name)
        for task in CATALOG.specs("task")
        for spec in CATALOG.specs("dataset", task.name)
        if any(field.is_required() for field in config_class(CATALOG, spec).model_fields.values())
    ]
    assert set(needy) <= set(HAVING) and len(HAVING) >= 13


def test_it_is_told_with_the_line_that_trains_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["data", "example", "points", "my flowers"]) == 0
    text = capsys.readouterr().out
    assert "flowers.csv" in text and "the class as a word" in text
    assert "train points --dataset files --dataset.path 'my flowers/flowers.csv'" in text
    assert main(["data", "example", "points", "my flowers"]) == 2
    assert "a new one" in capsys.readouterr().err
    assert main(["data", "example", "points", "other", "--dataset", "moons"]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my flowers"]


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda folder: 1 / 0, "ZeroDivisionError"),
        (lambda folder: (folder / "x").write_text("x"), "returns a int"),
        (lambda folder: (folder / "x").write_text("x") and Example({}, {}), "x: it does not say what this is"),
        (lambda folder: Example({}, {"y": "it"}), "y: is said to be there, and is not"),
    ],
)
def test_what_fails_leaves_nothing(
    write: Callable[[Path], object], said: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "class_images", write)
    folder = tmp_path / "new"
    if there:
        folder.mkdir()
    with pytest.raises(PluginError, match=said):
        write_example(CATALOG, CATALOG.find("dataset", "files", "classification"), folder)
    assert folder.exists() == there and not (there and list(folder.iterdir()))


def test_a_full_disk_is_no_fault_of_the_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(folder: Path) -> Example:
        (folder / "a").write_text("a")
        raise OSError(errno.ENOSPC, "No space left on device", str(folder / "b"))

    monkeypatch.setattr(examples, "class_images", full)
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    before = real.stat().st_ino
    assert main(["data", "example", "classification", str(tmp_path / "link")]) == 1
    assert "b: No space left on device" in capsys.readouterr().err
    assert not list(real.iterdir()) and real.stat().st_ino == before


def test_where_no_folder_can_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["data", "example", "points", str(tmp_path / "file" / "new")]) == 2
    assert "cannot be made: Not a directory" in capsys.readouterr().err


def test_names_with_commas_are_one_name(tmp_path: Path, asked: Asked) -> None:
    words = shlex.split(asked("example", "style", "b, c")["command"])
    shown = asked("show", "style", *words[words.index("--dataset") :], "--count", "1")
    assert any("b, c" in str(value) for value in shown["options"].values())


def test_a_folder_stands_for_what_is_below_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.txt").write_text("c")
    assert untold(tmp_path, Example({}, {"a/": "letters"})) == []
    assert untold(tmp_path, Example({}, {"a": "letters"})) == ["a/b/c.txt: it does not say what this is"]

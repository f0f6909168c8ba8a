"""``dlkit new-plugin``: what it writes works as it is, and nothing that is there is touched."""

from __future__ import annotations

import ast
import json
import re
import stat
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import dlkit
from dlkit.catalog import Catalog
from dlkit.cli.main import main
from dlkit.cli.new_plugin import tree
from dlkit.scaffold.kinds import KINDS, exchanged
from dlkit.scaffold.writing import LICENCES, bounds, sorted_imports
from schemas import check

Captured = pytest.CaptureFixture[str]
KINDS_AND_TASKS = [
    *((kind,) for kind in KINDS),
    *(("dataset", "--for", task) for task in ("classification", "regression")),
    *(("model", "--for", task) for task in ("regression", "points", "localization")),
    *(("loss", "--for", task) for task in ("regression", "points", "conjugation")),
    *(("inference", "--for", task) for task in ("regression", "points")),
    ("trainer", "--for", "textgen"),
]
MOST_LINES = 200
"""Of Python in a whole task with its tests, empty ones left out."""


def said(words: list[str], capsys: Captured) -> tuple[int, str]:
    code = main(["new-plugin", *words])
    return code, capsys.readouterr().err


def test_a_task_learns_goes_on_and_answers_as_it_was_written(begin, capsys: Captured, tmp_path: Path) -> None:
    project = begin("flights")
    code = [path.read_text(encoding="utf-8") for path in project.rglob("*.py")]
    assert sum(bool(line.strip()) for text in code for line in text.splitlines()) < MOST_LINES
    run = dlkit.train("flights", epochs=2)
    assert run.state == "completed" and run.history("train/loss")[1][-1] < run.history("train/loss")[1][0] / 2
    assert run.resume(epochs=3).summary.step > run.history("val/metres")[0][0]
    (answer,) = run.predictor()("45,15,9.81")
    assert len(answer["height"]) == 40 and max(answer["height"]) > 1
    assert main(["sample", run.id]) == main(["predict", run.id, "45,15,9.81"]) == 0
    assert "highest point (m)" in capsys.readouterr().out
    for throw in ("45,15", "45,15,nan", "5,15,9.81", "one,two,three"):
        assert main(["predict", run.id, throw]) == 3
    assert "angle from 10 to 80" in capsys.readouterr().err


@pytest.mark.parametrize("words", KINDS_AND_TASKS, ids=" ".join)
def test_every_kind_is_written_whole(words: tuple[str, ...], tmp_path: Path, capsys: Captured) -> None:
    kind, *more = words
    assert main(["new-plugin", "new-one", "--kind", kind, *more, "--into", str(tmp_path), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    check("new-plugin", record)
    project = Path(record["folder"])
    assert sorted(str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()) == record["files"]
    for path in record["files"]:
        text = (project / path).read_text(encoding="utf-8")
        assert not re.search(r"my.plugin|@[A-Z]+@", text, re.IGNORECASE), path
        if path.endswith(".py"):
            ast.parse(text)
            assert max(map(len, text.splitlines()), default=0) <= 120
    told = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    assert told["project"]["entry-points"]["dlkit"] == {"new-one": "dlkit_new_one.plugin"}
    assert f"dlkit{bounds(dlkit.__version__)}" in told["project"]["dependencies"]
    task = record["task"] if record["task"] not in ("", "new-one") else ""
    owner = next((p for p in Catalog.load_everything().plugins if task in {spec.name for spec in p.specs}), None)
    assert owner is None or f"{owner.distribution}{bounds(owner.version)}" in told["project"]["dependencies"]


@pytest.mark.parametrize("licence", LICENCES)
def test_the_licence_is_what_was_asked_for(licence: str, tmp_path: Path) -> None:
    assert main(["new-plugin", "new-one", "--license", licence, "--into", str(tmp_path)]) == 0
    project = tmp_path / "dlkit-new-one"
    told = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if licence == "none":
        assert "license" not in told and not (project / "LICENSE").exists()
        assert "Private :: Do Not Upload" in told["classifiers"]
    else:
        assert told["license"] == licence and (project / "LICENSE").stat().st_size > 1000


def test_nothing_is_written_over(tmp_path: Path, capsys: Captured) -> None:
    place = tmp_path / "dlkit-new-one"
    place.mkdir()
    (place / "mine").write_text("mine")
    code, message = said(["new-one", "--into", str(tmp_path)], capsys)
    assert code == 2 and "is there already" in message and str(place) in message
    assert [path.name for path in tmp_path.iterdir()] == ["dlkit-new-one"] and (place / "mine").read_text() == "mine"
    (tmp_path / "dlkit-other").symlink_to(tmp_path / "nowhere")
    assert said(["other", "--into", str(tmp_path)], capsys)[0] == 2
    assert not (tmp_path / "nowhere").exists()


def test_a_disk_that_refuses_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def full(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "rename", full)
    code, message = said(["new-one", "--into", str(tmp_path)], capsys)
    assert code == 1 and "No space left" in message and not list(tmp_path.iterdir())


def test_a_folder_has_the_rights_that_others_have(tmp_path: Path) -> None:
    assert main(["new-plugin", "new-one", "--into", str(tmp_path / "new")]) == 0
    made, beside = (
        stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new" / "dlkit-new-one", tmp_path / "new")
    )
    assert made == beside


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["new-one", "--kind", "modell"], 2, "did you mean 'model'"),
        (["new-one", "--license", "mit"], 2, "MIT"),
        (["new-one", "--for", "classification"], 2, "a task is one of its own"),
        (["new-one", "--kind", "observer", "--for", "gan"], 2, "an observer is told of every task's runs"),
        (["new-one", "--kind", "launcher", "--for", "gan"], 2, "every task's runs"),
        (["new-one", "--kind", "model", "--for", "clasification"], 2, "did you mean 'classification'"),
        (["new-one", "--kind", "model", "--for", "translation"], 2, "source int64"),
        (["new-one", "--kind", "model", "--for", "detection"], 2, "its models give boxes, scores"),
        (["new-one", "--kind", "loss", "--for", "autoencoder"], 2, "interface 'variational'"),
        (["new-one", "--kind", "loss", "--for", "localization"], 2, "a label int64[N]"),
        (["new-one", "--kind", "trainer", "--for", "gan"], 2, "interface 'adversarial'"),
        (["new-one", "--kind", "dataset", "--for", "gan"], 2, "There are templates for classification, regression"),
        (["mlp", "--kind", "model"], 2, "offers a model 'mlp' for task 'classification' already"),
        (["textgen"], 2, "installed already"),
        (["testing", "--kind", "observer", "--nonsense"], 2, "--nonsense"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused_with_the_reason(
    words: list[str], code: int, message: str, tmp_path: Path, capsys: Captured
) -> None:
    found, text = said([*words, "--into", str(tmp_path / "new")], capsys)
    assert (found, message in text) == (code, True), text
    assert not (tmp_path / "new").exists()


def test_what_is_there_is_drawn_as_a_tree() -> None:
    assert tree("top", ["b.txt", "a/c/d", "a/b"]) == ["top", "├─ b.txt", "└─ a/", "   ├─ b", "   └─ c/", "      └─ d"]


def test_versions_from_this_one_to_the_next_major_one_are_needed() -> None:
    assert [bounds(text) for text in ("0.1.0", "1.20.3rc1", "2.0", "", "unknown")] == [
        ">=0.1,<1", ">=1.20,<2", ">=2.0,<3", "", "",
    ]  # fmt: skip
    assert bounds(version("dlkit")) == bounds(dlkit.__version__)


def test_words_are_exchanged_at_once_and_whole() -> None:
    words = {"Points": "Waves", "Waves": "Points", "a.Points": "b"}
    assert exchanged("Points Waves a.Points PointsInfo", words) == "Waves Points b PointsInfo"
    assert exchanged("as it is", {}) == "as it is"


def test_imports_of_other_names_are_put_in_order_and_together() -> None:
    text = '"""Doc."""\n\nfrom z import b, A\nfrom ant import x\nfrom z import LOW, A\nimport os\n\nfrom own import y\n'
    assert sorted_imports(text) == (
        '"""Doc."""\n\nimport os\nfrom ant import x\nfrom z import A, LOW, b\n\nfrom own import y\n'
    )


def test_every_kind_says_what_it_is() -> None:
    assert set(KINDS) == {"task", "dataset", "model", "loss", "trainer", "inference", "launcher", "observer"}
    for kind in KINDS.values():
        assert kind.commands and kind.change.endswith(".") and (kind.task or kind.general)

"""``dlkit serve RUN|FOLDER``: what a predictor answers in Python, it answers over HTTP."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from dlkit.api import Run
from dlkit.catalog import Catalog
from dlkit.cli.main import main
from dlkit.errors import DataError
from dlkit.runs.folder import RunFolder
from dlkit.use.export.exported import load_exported
from dlkit.use.export.formats import Made
from dlkit.use.serve import examples
from moody import moody_run
from schemas import check
from serving import started
from toy_parts import ValuesPredictor


def test_a_run_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with moody_run(tmp_path) as run:
        expected = Run(RunFolder(run.path)).predictor(inference="values")("1,2,3")
        words = [sys.executable, "-P", "-m", "dlkit", "serve", str(run.path), "--inference", "values", "--json"]
        with started(words) as server:
            several = server.ask("/predict", {"questions": [[1, 2, 3], "1,2,3", [1], {"path": "/etc/passwd"}]}).told
            assert [one.get("answer") for one in several["answers"]] == [*expected, *expected, None, None]
            assert "1 numbers, not 3" in several["answers"][2]["error"]
            shown = server.ask("/predict", {"question": [1, 2, 3], "show": True}).told["shown"]
            assert shown[0]["kind"] == "table" and shown[0]["rows"] == [[expected[0]["y"]]]
            assert server.ask("/predict", {"question": [1, 2, 3], "options": {"no": 1}}).status == 422
            (row, *more) = server.ask("/examples").told["examples"]
            assert len(row) == 3 and more and row not in more, "rows of the validation split, each another"
            assert "answer" in server.ask("/predict", {"question": row}).told
            check("serve", {"event": "serving", "url": server.url, "task": "toy"})
            about = server.ask("/about").told
            assert about["schema"]["example"] == [1.0, 2.0, 3.0] and about["task"] == "toy"


def test_what_cannot_be_offered_is_no_question_and_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with moody_run(tmp_path) as run:
        words = [str(run.path), "--count", "3", "--inference", "values"]

        def refuses(self: ValuesPredictor, value: object) -> object:
            raise DataError("not from afar")

        def fails(self: ValuesPredictor, *_: object) -> list[str]:
            raise ZeroDivisionError("nothing to show")

        for name, replaced in (("accept", refuses), ("example", fails)):
            with monkeypatch.context() as patch:
                patch.setattr(ValuesPredictor, name, replaced)
                assert examples.main(words) == 0
        told = capfd.readouterr()
    assert "Traceback" not in told.err and "no examples for the page: ZeroDivisionError: nothing to show" in told.err


Captured = pytest.CaptureFixture[str]
SERVE = [sys.executable, "-P", "-X", "importtime", "-m", "dlkit", "serve"]
"""Says to standard error what each process imports."""


def test_an_exported_folder_is_served_without_torch(
    exported: Made, catalog: Catalog, toy_installed: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    assert exported.folder is not None
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(toy_installed), str(Path(__file__).parent.parent)]))
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")  # of the worker too
    expected = load_exported(exported.folder, catalog)("1,2,3")
    with started([*SERVE, str(exported.folder), "--json"]) as server:
        assert server.ask("/predict", {"question": [1, 2, 3]}).told["answer"] == expected[0]
        several = server.ask("/predict", {"questions": [[1, 2, 3], [1], {"path": "/etc/passwd"}]}).told["answers"]
        assert several[0]["answer"] == expected[0] and "error" in several[1] and "error" in several[2]
        shown = server.ask("/predict", {"question": [1, 2, 3], "show": True}).told["shown"]
        assert shown[0]["kind"] == "table" and shown[0]["rows"] == [[expected[0]["y"]]]
        refused = server.ask("/predict", {"question": [1, 2, 3], "options": {"top": 1}})
        assert refused.status == 422 and "as it was exported" in refused.told["error"]
        about = server.ask("/about").told
        assert about["task"] == "toy" and about["options"] == [] and about["title"] == exported.folder.name
    loaded = {line.rpartition("|")[2].strip() for line in capfd.readouterr().err.splitlines() if "import time:" in line}
    assert "onnxruntime" in loaded and not loaded & {"torch", "pydantic"}


def test_what_is_for_runs_is_refused_for_a_folder(exported: Made, capsys: Captured) -> None:
    for flag, value in (("--checkpoint", "last"), ("--device", "cuda"), ("--inference", "values")):
        assert main(["serve", str(exported.folder), flag, value]) == 2
        assert f"{flag}: {exported.folder} answers as it was exported" in capsys.readouterr().err

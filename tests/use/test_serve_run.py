"""``dlkit serve RUN``: what a run's predictor answers in Python, it answers over HTTP."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dlkit.api import Run
from dlkit.runs.folder import RunFolder
from moody import moody_run
from schemas import check
from serving import started


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
            check("serve", {"event": "serving", "url": server.url, "task": "toy"})
            about = server.ask("/about").told
            assert about["schema"]["example"] == [1.0, 2.0, 3.0] and about["task"] == "toy"

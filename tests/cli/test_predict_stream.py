"""``dlkit predict`` asks with other options, and shows answers as they come where a predictor gives them so."""

from __future__ import annotations

import os

import pytest

from dlkit.cli.main import main
from dlkit.cli.question import taken
from dlkit.errors import UsageError
from moody import moody_run


def test_options_are_taken_out_of_the_command_line():
    words = ["last", "--inference.top-k", "5", "a=b", "--inference.seed=7", "--json", "--", "--inference.x", "1"]
    rest, changed = taken(words)
    assert rest == ["last", "a=b", "--json", "--", "--inference.x", "1"]
    assert changed == {"top_k": "5", "seed": "7"}
    with pytest.raises(UsageError, match=r"--inference\.top needs a value"):
        taken(["last", "--inference.top"])


def test_an_option_changes_the_answer(tmp_path, capfd):
    with moody_run(tmp_path) as run:
        assert main(["predict", str(run.path), "x", "--inference.temperature", "0.5", "--json"]) == 0
        assert '"temperature": 0.5' in capfd.readouterr().out
        assert main(["predict", str(run.path), "x", "--inference.temperature=hot"]) == 2
        assert "inference.temperature = 'hot'" in capfd.readouterr().err


def test_an_unknown_option_is_named(dlkit, trained, ids):
    outcome = dlkit("predict", ids[0], "1,2,3", "--inference.colour", "red", "--workspace", trained)
    assert outcome.code == 2 and "inference.colour" in outcome.err and outcome.out == ""


def test_answers_come_piece_by_piece(dlkit, trained, ids, monkeypatch, toy_installed):
    from toy_parts import ValuesPredictor

    monkeypatch.setattr(ValuesPredictor, "streams", True)
    monkeypatch.setattr(ValuesPredictor, "stream", lambda self, value: iter(["a\x1b[2J", "b\n", "c"]))
    outcome = dlkit("predict", ids[0], "1,2,3", "4,5,6", "--workspace", trained)
    assert outcome.code == 0 and outcome.out == "a�[2Jb\nc\n\na�[2Jb\nc\n"
    as_json = dlkit("predict", ids[0], "1,2,3", "--json", "--workspace", trained)
    assert len(as_json.json["predictions"]) == 1


def test_what_has_become_of_the_plugin_is_said(dlkit, trained, ids, monkeypatch, toy_installed):
    monkeypatch.setenv("DLKIT_DISABLE", f"{os.environ['DLKIT_DISABLE']},toy")
    outcome = dlkit("predict", ids[0], "1,2,3", "--workspace", trained)
    assert outcome.code == 4
    assert "needs dataset 'plane' of plugin 'toy', which DLKIT_DISABLE switches off" in outcome.err

"""``dlkit export``: whole files, never over others unasked, and what cannot be exported is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlkit.errors import UsageError


def _letters(self, form, folder):
    files = [folder / "a.txt", folder / "b.txt"]
    for path in files:
        path.write_text(f"{form} {path.stem}")
    return files


@pytest.fixture
def place(tmp_path):
    """An empty folder to export into."""
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


@pytest.fixture
def exporting(monkeypatch: pytest.MonkeyPatch, toy_installed) -> None:
    """The toy's predictor, with two formats."""
    from toy_parts import ValuesPredictor

    monkeypatch.setattr(ValuesPredictor, "exports", {"plain": "letters", "fancy": "letters with flourishes"})
    monkeypatch.setattr(ValuesPredictor, "export", _letters)


def test_what_is_exported_may_be_asked_for_with_other_options(dlkit, trained, ids, exporting, place):
    command = ("export", ids[0], "--workspace", trained, "-o", place)
    outcome = dlkit(*command, "--inference.nonsense", "3")
    assert outcome.code == 2 and "nonsense" in outcome.err and not list(place.iterdir())


def test_the_first_format_unless_another_is_asked_for(dlkit, trained, ids, exporting, place):
    place = place / "new" / "place"
    command = ("export", ids[0], "--workspace", trained, "-o", place)
    outcome = dlkit(*command)
    assert outcome.code == 0 and outcome.out.split() == [str(place / "a.txt"), str(place / "b.txt")]
    assert "letters" in outcome.err
    assert (place / "b.txt").read_text() == "plain b" and len(list(place.iterdir())) == 2
    again = dlkit(*command, "--format", "fancy", "--force", "--json").json
    assert again["format"] == "fancy" and again["run"] == ids[0] and len(again["files"]) == 2
    assert (place / "a.txt").read_text() == "fancy a"


def test_a_file_that_is_there_is_kept(dlkit, trained, ids, exporting, place):
    (place / "b.txt").write_text("mine")
    outcome = dlkit("export", ids[0], "--workspace", trained, "-o", place)
    assert outcome.code == 2 and "b.txt: already there; --force" in outcome.err
    assert [path.name for path in place.iterdir()] == ["b.txt"] and (place / "b.txt").read_text() == "mine"


def test_a_failed_export_leaves_nothing(dlkit, trained, ids, exporting, place, monkeypatch):
    from toy_parts import ValuesPredictor

    def full(self, form, folder):
        (folder / "a.txt").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ValuesPredictor, "export", full)
    outcome = dlkit("export", ids[0], "--workspace", trained, "-o", place)
    assert outcome.code == 2 and "No space left" in outcome.err and not list(place.iterdir())


def test_a_format_that_is_not_known_is_named(dlkit, trained, ids, place, exporting):
    unknown = dlkit("export", ids[0], "--workspace", trained, "--format", "plian", "-o", place)
    assert unknown.code == 2 and "no such format" in unknown.err
    assert all(form in unknown.err for form in ("plain", "onnx", "torch", "safetensors", "all"))


def test_all_formats_are_proved_and_told(dlkit, trained, ids, tmp_path):
    out = tmp_path / "out"
    command = ("export", ids[1], "--workspace", trained, "-o", out, "--format", "all")
    told = dlkit(*command, "--json").json
    assert [one["format"] for one in told["exports"]] == ["safetensors", "torch", "onnx"]
    assert all(one["proof"]["passed"] and Path(one["folder"]).is_dir() for one in told["exports"])
    again = dlkit(*command)
    assert again.code == 2 and "already there; --force writes over it" in again.err
    assert sorted(path.name for path in out.iterdir()) == ["onnx", "safetensors", "torch"]


def test_a_failed_proof_is_said_and_leaves_nothing(dlkit, trained, ids, tmp_path, monkeypatch):
    from toy_answering import ValuesAnswering

    monkeypatch.setattr(ValuesAnswering, "alike", classmethod(lambda cls, one, other: False))
    outcome = dlkit("export", ids[1], "--workspace", trained, "-o", tmp_path / "out", "--format", "onnx")
    assert outcome.code == 1 and "NOT EQUAL" in outcome.out and "nothing was written" in outcome.err
    assert not list(tmp_path.glob("out*")) and not list(tmp_path.glob(".export*"))


def test_what_cannot_be_exported_says_why_and_what_can_be(dlkit, trained, ids, tmp_path, monkeypatch):
    from toy_parts import ValuesPredictor

    def never(self):
        raise UsageError("this model is a picture: nothing else can be asked of it")

    monkeypatch.setattr(ValuesPredictor, "portable", never)
    command = ("export", ids[1], "--workspace", trained, "-o", tmp_path / "out")
    outcome = dlkit(*command, "--format", "onnx")
    assert outcome.code == 2 and "is a picture" in outcome.err and "safetensors" in outcome.err
    assert not (tmp_path / "out").exists()
    weights = dlkit(*command, "--format", "safetensors")
    assert weights.code == 0 and (tmp_path / "out" / "model.safetensors").is_file()
    assert not (tmp_path / "out" / "model.pt2").exists() and "is a picture" in weights.out

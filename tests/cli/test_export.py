"""``dlkit export``: whole files, never over others unasked, and what cannot be exported is said."""

from __future__ import annotations

import pytest


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


def test_what_cannot_be_exported_is_said(dlkit, trained, ids, place, exporting, monkeypatch):
    unknown = dlkit("export", ids[0], "--workspace", trained, "--format", "plian", "-o", place)
    assert unknown.code == 2 and "no such format" in unknown.err and "plain" in unknown.err
    from toy_parts import ValuesPredictor

    monkeypatch.setattr(ValuesPredictor, "exports", {})
    outcome = dlkit("export", ids[0], "--workspace", trained, "-o", place)
    assert outcome.code == 2 and "has nothing to export" in outcome.err and not list(place.iterdir())

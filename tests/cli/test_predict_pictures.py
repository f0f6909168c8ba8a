"""``dlkit predict`` writes pictures where the predictor draws them, and no file of the user's is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from dlkit.cli.answer_files import Pictures
from dlkit.predictor import Predictor


@pytest.fixture
def drawing(monkeypatch, toy_installed):
    """The toy predictor, drawing: a picture as wide as its first number."""
    from toy_parts import ValuesPredictor

    monkeypatch.setattr(ValuesPredictor, "draws", True)
    monkeypatch.setattr(ValuesPredictor, "draw", lambda self, value, answer: Image.new("RGB", (int(value[0]), 2)))


def test_pictures_are_written_and_named_in_the_answers(dlkit, trained, ids, tmp_path, drawing):
    outcome = dlkit("predict", ids[0], "5,2,3", "7,0,0", "-o", tmp_path / "out", "--json", "--workspace", trained)
    assert outcome.code == 0, outcome.err
    pictures = [Path(answer["picture"]) for answer in outcome.json["predictions"]]
    assert pictures == [tmp_path / "out" / "input-1.png", tmp_path / "out" / "input-2.png"]
    widths = []
    for picture in pictures:
        with Image.open(picture) as image:
            widths.append(image.width)
    assert widths == [5, 7]
    assert outcome.err.strip() == f"wrote 2 pictures into {tmp_path / 'out'}"


def test_without_a_folder_they_go_to_predictions(dlkit, trained, ids, tmp_path, drawing, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = dlkit("predict", ids[0], "5,2,3", "--workspace", trained)
    assert outcome.code == 0 and "wrote predictions/input-1.png" in outcome.err
    assert (tmp_path / "predictions" / "input-1.png").exists()


def test_a_folder_that_cannot_be_made_is_refused(dlkit, trained, ids, tmp_path, drawing):
    (tmp_path / "file").write_text("")
    outcome = dlkit("predict", ids[0], "5,2,3", "-o", tmp_path / "file", "--workspace", trained)
    assert outcome.code == 2 and "cannot be written" in outcome.err


def test_a_predictor_that_does_not_draw_refuses_a_folder_and_writes_nothing(dlkit, trained, ids, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = dlkit("predict", ids[0], "5,2,3", "-o", tmp_path / "out", "--workspace", trained)
    assert outcome.code == 2 and "draws no pictures" in outcome.err
    assert dlkit("predict", ids[0], "5,2,3", "--workspace", trained).code == 0
    assert not (tmp_path / "out").exists() and not (tmp_path / "predictions").exists()


class White(Predictor):
    """Draws a white pixel for every input, and puts a note beside it."""

    def read(self, arguments):
        return list(arguments)

    def predict(self, inputs):
        return [{} for _ in inputs]

    def samples(self, count, rng, examples):
        return []

    def files(self, value, answer):
        return {".note": b"white"}

    def draw(self, value, answer):
        return Image.new("RGB", (1, 1), "white")


def drawn_into(folder, inputs):
    pictures = Pictures(White(None, None, None), folder, inputs)
    return [pictures.drawn(value, {"n": number}) for number, value in enumerate(inputs, 1)]


def test_inputs_are_never_written_over_and_every_input_has_a_picture_of_its_own(tmp_path, capsys):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (3, 3)).save(tmp_path / folder / "1.png")
    inputs = [tmp_path / "a" / "1.png", tmp_path / "b" / "1.png", str(tmp_path / "a" / "2.jpg")]
    (tmp_path / "a" / "2.note").write_bytes(b"mine")
    inputs.append(tmp_path / "a" / "2.note")
    drawn = drawn_into(tmp_path / "a", inputs)
    assert [Path(answer["picture"]).name for answer in drawn] == ["1-2.png", "1-3.png", "2-2.png", "2-3.png"]
    assert [Path(answer["note"]).name for answer in drawn] == ["1-2.note", "1-3.note", "2-2.note", "2-3.note"]
    assert (tmp_path / "a" / "2-2.note").read_bytes() == b"white"
    assert (tmp_path / "a" / "2.note").read_bytes() == b"mine"
    assert [answer["n"] for answer in drawn] == [1, 2, 3, 4]
    with Image.open(inputs[0]) as image:
        assert image.size == (3, 3)
    again = drawn_into(tmp_path / "a", inputs)
    assert [answer["picture"] for answer in again] == [answer["picture"] for answer in drawn]

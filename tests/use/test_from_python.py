"""``run.predictor()(…)``: every task that ships answers what Python programs have, the same in every form of it."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import dlkit
from dlkit.errors import DataError
from dlkit.predictor import Answer, AnyPredictor
from kept_runs import KEPT

RUNS: Mapping[str, Mapping[str, str]] = json.loads((KEPT / "continued.json").read_text())["runs"]
ASKED = {"translation": "a dog sees the cat", "textgen": "the class "}
"""What tasks are asked whose predictor knows no example without its data."""


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], AnyPredictor]:
    """The predictor of a kept run, as a program gets it."""
    workspace = tmp_path_factory.mktemp("kept")

    def predictor(name: str) -> AnyPredictor:
        if not (workspace / "runs" / RUNS[name]["id"]).exists():
            with tarfile.open(KEPT / f"{name}.tar.xz") as archive:
                archive.extractall(workspace / "runs", filter="data")
        return dlkit.open_run(RUNS[name]["id"], workspace).predictor()

    return predictor


def forms(predictor: AnyPredictor, name: str, folder: Path) -> list[object]:
    """One question in every form; the text of the command line first."""
    if predictor.asks == "image":
        pixels = np.random.default_rng(0).integers(0, 256, (40, 30), np.uint8)
        path = folder / "a.png"
        Image.fromarray(pixels).save(path)
        return [str(path), path, Image.fromarray(pixels), pixels, pixels.astype(np.int64), pixels.tolist()]
    examples = predictor.example(None, np.random.default_rng(0), folder)
    text = examples[-1] if examples else ASKED[name]
    if predictor.asks == "row":
        cells = [cell.rpartition("=") for cell in text.split(",")]  # of two coordinates the text has no names
        row = {key or "xy"[place]: float(value) for place, (key, _, value) in enumerate(cells)}
        return [text, row, list(row.values()), tuple(row.values()), np.array(list(row.values()))]
    if predictor.asks == "seed":
        return [text, int(text), np.int64(int(text))]
    return [text]


def told(answer: Answer) -> dict[str, object]:
    """Without where the question came from, and how long it took."""
    return {key: value for key, value in answer.items() if key not in ("file", "seconds")}


@pytest.mark.parametrize("name", RUNS)
def test_every_form_of_a_question_has_the_same_answer(
    name: str, ask: Callable[[str], AnyPredictor], tmp_path: Path
) -> None:
    predictor = ask(name)
    given = forms(predictor, name, tmp_path)
    answers = [[told(answer) for answer in predictor(value)] for value in given]
    assert len(answers[0]) == 1 and answers[0][0]
    assert all(answer == answers[0] for answer in answers)
    together = [told(answer) for answer in predictor(*given)]
    assert len(together) == len(given), "one answer an input, in order"


def test_a_file_of_rows_is_a_row_each(ask: Callable[[str], AnyPredictor], tmp_path: Path) -> None:
    predictor = ask("regression")
    text, *_ = predictor.example(None, np.random.default_rng(0), tmp_path)
    cells = [cell.partition("=") for cell in text.split(",")]
    line = ",".join(value for *_, value in cells)
    (tmp_path / "rows.csv").write_text("\n".join([",".join(key for key, *_ in cells), line, line]) + "\n")
    assert predictor(str(tmp_path / "rows.csv")) == predictor(text, text)


def test_what_is_no_question_is_refused(ask: Callable[[str], AnyPredictor]) -> None:
    with pytest.raises(DataError, match="neither a mapping of columns nor a list of values"):
        ask("regression")(3.5)
    with pytest.raises(DataError, match="an image is"):
        ask("classification")(np.zeros(3))

"""``dlkit compare -o``: curves as a picture for a paper, or a page."""

from __future__ import annotations

import pytest
from PIL import Image

from recorded import record_seeds

SEEDS = [{"lr": 0.1, "seed": 1, "mse": 0.3}, {"lr": 0.1, "seed": 2, "mse": 0.2}, {"lr": 0.5, "seed": 1, "mse": 0.4}]


def test_pictures_and_a_page(dlkit, tmp_path):
    pytest.importorskip("matplotlib")
    runs = [run.id for run in record_seeds(tmp_path, SEEDS)]
    words = ("compare", *runs, "--workspace", tmp_path, "-o")
    assert dlkit(*words, tmp_path / "a.png").out == f"{tmp_path / 'a.png'}\n"
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width > 1000 and len(picture.convert("RGB").getcolors(1 << 20) or ()) > 10
    assert dlkit(*words, tmp_path / "a.svg").code == 0
    text = (tmp_path / "a.svg").read_text()
    assert all(run[-4:] in text for run in runs) and "train/loss" in text and "val/mse" in text
    assert dlkit(*words, tmp_path / "means.svg", "--group", "lr", "--metric", "val/mse").code == 0
    means = (tmp_path / "means.svg").read_text()
    assert "trainer.lr 0.1 (n = 2)" in means and "train/loss" not in means
    dlkit(*words, tmp_path / "b.svg")
    assert (tmp_path / "b.svg").read_bytes() == (tmp_path / "a.svg").read_bytes(), "equal charts, equal files"
    assert dlkit(*words, tmp_path / "a.html").code == 0
    assert "<h1>3 runs compared</h1>" in (tmp_path / "a.html").read_text()


def test_what_is_refused(dlkit, tmp_path, monkeypatch):
    runs = [run.id for run in record_seeds(tmp_path, SEEDS)]
    words = ("compare", *runs, "--workspace", tmp_path, "-o")
    for more, told in (
        ([tmp_path / "a.gif"], "the file is .png, .svg, .pdf, .html"),
        ([tmp_path / "a.svg", "--best"], "-o writes curves into FILE"),
        ([tmp_path / "a.svg", "--metric", "val/msa"], "val/mse"),
        ([tmp_path / "none" / "a.svg" / "b.svg"], ""),
    ):
        outcome = dlkit(*words, *more)
        assert (outcome.code == 2) is bool(told) and told in outcome.err
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    outcome = dlkit(*words, tmp_path / "a.png")
    assert outcome.code == 2 and "pip install 'dlkit[plots]'" in outcome.err and not (tmp_path / "a.png").exists()

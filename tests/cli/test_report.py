"""``dlkit report``: one file of a run, of several, of a study; and what it refuses."""

from __future__ import annotations

import os

import pytest

from asked import asked, recorded
from schemas import check


def test_of_one_run(dlkit, trained, ids, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = dlkit("report", ids[0], "--workspace", trained)
    assert outcome.code == 0 and outcome.out == f"{ids[0]}.html\n"
    assert "best val/mse" in outcome.err and "next: " in outcome.err
    text = (tmp_path / f"{ids[0]}.html").read_text()
    assert "<h1>first</h1>" in text and "dlkit train toy" in text and len(text) < 3_000_000
    again = dlkit("report", ids[0], "--workspace", trained, "--json")  # over a report it may
    check("report", again.json)
    assert again.json["report"] == str(tmp_path / f"{ids[0]}.html")


def test_of_several_as_markdown(dlkit, trained, ids, tmp_path):
    found = dlkit("report", *ids, "--workspace", trained, "-o", tmp_path / "both.md", "--json").json
    assert found["format"] == "md" and found["runs"] == ids and len(found["files"]) > 1
    assert "# 2 runs compared" in (tmp_path / "both.md").read_text()
    assert dlkit("report", *ids, "--workspace", trained, "-o", tmp_path, "--format", "md").code == 0
    assert (tmp_path / "2-runs.md").exists()


def test_of_a_study(dlkit, tmp_path):
    study = asked(tmp_path / "workspace", "lr=0.001,0.01,0.1", seeds=2)
    recorded(study, {(s, seed): 1.0 + s + 0.1 * seed * s for s in range(3) for seed in (0, 1)})
    words = ("report", "--study", "last", "--workspace", tmp_path / "workspace")
    outcome = dlkit(*words, "-o", tmp_path / "a.html")
    shown = dlkit("study", "show", "last", "--workspace", tmp_path / "workspace").out
    assert outcome.code == 0 and shown.splitlines()[1] in outcome.err, "the same answer as anywhere"
    text = (tmp_path / "a.html").read_text()
    assert "What matters" in text and "6 trials" in text and text.count("<td>run-") == 6
    assert dlkit(*words, "-o", tmp_path / "a.md").code == 0
    assert "| trainer.lr | val/mse |" in (tmp_path / "a.md").read_text()


def test_ways_through_several_options(dlkit, tmp_path):
    study = asked(tmp_path / "workspace", "lr=0.001,0.01", "trainer.momentum=0.1,0.9")
    recorded(study, {(s, 0): 1.0 + s for s in range(4)})
    words = ("report", "--study", "last", "--workspace", tmp_path / "workspace")
    assert dlkit(*words, "-o", tmp_path / "a.html").code == 0
    assert dlkit(*words, "-o", tmp_path / "a.md").code == 0
    page, file = (tmp_path / "a.html").read_text(), (tmp_path / "a-files" / "ways.svg").read_text()
    for text in (page, file):
        assert text.count('<path class="way') == 4 and text.count('class="way line c0"') == 1
        assert "trainer.lr" in text and "trainer.momentum" in text
    assert "![every setting's way" in (tmp_path / "a.md").read_text()


@pytest.mark.parametrize(("words", "told"), [
    ([], "of what? Give RUN …, or --study S"),
    (["first", "--study", "last"], "a report is of one of them"),
    (["nonsense"], "no run 'nonsense'"),
    (["first", "--format", "pdf"], "--format pdf: "),
    (["first", "-o", "a.pdf"], "a report is .html or .md"),
    (["first", "-o", "a.md", "--format", "html"], "leave one of them out"),
    (["--study", "nonsense"], "there are no studies"),
])  # fmt: skip
def test_what_is_refused(dlkit, trained, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    outcome = dlkit("report", *words, "--workspace", trained)
    assert outcome.code == 2 and told in outcome.err and not outcome.out
    assert not [path for path in tmp_path.iterdir() if path.suffix in (".html", ".md", ".pdf")]


def test_files_of_others_and_places_that_cannot_be_written(dlkit, trained, tmp_path):
    mine = tmp_path / "README.md"
    mine.write_text("mine")
    words = ("report", "first", "--workspace", trained, "-o")
    outcome = dlkit(*words, mine)
    assert outcome.code == 2 and "--force writes over it" in outcome.err and mine.read_text() == "mine"
    assert dlkit(*words, mine, "--force").code == 0 and mine.read_text() != "mine"
    outcome = dlkit(*words, mine / "below.html")
    assert outcome.code == 2 and "cannot be written" in outcome.err
    fifo = tmp_path / "pipe.html"
    os.mkfifo(fifo)
    outcome = dlkit(*words, fifo)  # which nobody writes into: to open it would wait for ever
    assert outcome.code == 2 and "no report of dlkit" in outcome.err

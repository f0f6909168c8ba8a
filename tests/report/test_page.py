"""A run's report: what it says, what it never does, and what it weighs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlkit.errors import RunError
from dlkit.monitor.clock import seconds_at
from dlkit.monitor.moments import Moment
from dlkit.report import one_run, several
from dlkit.report.blocks import Chart, Charts, Document, Film, Grid, Line, Part, Shot, Words
from dlkit.report.drawing import svg
from dlkit.report.film import developed
from dlkit.report.page import LARGEST, page
from dlkit.samples import Text
from recorded import record_run, record_seeds
from report.reports import Page, grow, noise, ordinary, sample, told_of
from sample_kinds import SAMPLES

pytestmark = pytest.mark.usefixtures("toy_installed")
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[2J\u202e"


def held(text: str) -> list[dict[str, list[dict[str, list[float]]]]]:
    """What a page's charts are drawn from."""
    return [json.loads(found) for found in re.findall(r'<script type="application/json">(.*?)</script>', text)]


def test_what_a_page_says(tmp_path: Path) -> None:
    text = page(one_run.document(told_of(ordinary(tmp_path))))
    found = Page(text)
    for words in ("completed: step 100 of 100 in 12 s on cpu", "best val/mse", "test/mse 0.1235", "looked at once",
                  "something to know", "Drawn from noise", "model.dropout", "0.25",
                  "dlkit train toy --epochs 7"):  # fmt: skip
        assert words in found.text, words
    headings = re.findall(r"<h2>(.*?)</h2>", text)
    assert headings == [
        "Result", "Verdicts", "Curves", "Samples", "What happened", "Data", "Model",
        "Configuration", "Environment", "Make it again",
    ]  # fmt: skip
    assert sum(attributes.get("class") == "shot" for _, attributes in found.elements) == 3
    # What stands out of all options is what was chosen, with the default beside it.
    assert re.search(r"<td>engine.epochs</td><td[^>]*>7</td><td[^>]*>10</td>", text)
    assert "<strong>7</strong>" in text and "<strong>64</strong>" not in text


def test_it_asks_the_network_for_nothing(tmp_path: Path) -> None:
    found = Page(page(one_run.document(told_of(ordinary(tmp_path)))))
    for tag, attributes in found.elements:
        for name in ("src", "href", "data", "action", "poster"):
            value = attributes.get(name) or ""
            assert not value or value.startswith(("data:", "#")), (tag, value)
    policy = next(a["content"] or "" for t, a in found.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy and "script-src 'sha256-" in policy and "'unsafe-inline'" in policy
    assert "script-src 'unsafe-inline'" not in policy


def test_texts_of_a_run_are_text(tmp_path: Path) -> None:
    run = record_run(tmp_path, name=HOSTILE, reason=HOSTILE)
    grow(run, {f"val/{HOSTILE}": [1.0, 2.0], HOSTILE: [3.0]})
    sample(run, {5: [Text(name="said", title=HOSTILE, text=HOSTILE, prompt=HOSTILE)]})
    run.config.write_text(f'task = "toy"\n[model]\nname = {json.dumps(HOSTILE)}\n')
    for document in (one_run.document(told_of(run)), several.document([told_of(run), told_of(ordinary(tmp_path))])):
        text = page(document)
        found = Page(text)
        scripts = [attributes.get("type") for tag, attributes in found.elements if tag == "script"]
        assert scripts.count(None) == 1 and set(scripts) == {None, "application/json"}
        assert not [1 for _, attributes in found.elements if any(name.startswith("on") for name in attributes)]
        assert "\x1b" not in text and "\u202e" not in text
        assert "alert(1)" in found.text


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts=st.lists(st.text(max_size=20), min_size=4, max_size=4), x=st.integers(0, 3))
def test_any_text_anywhere_keeps_the_page_whole(texts: list[str], x: int) -> None:
    a, b, c, d = texts
    line = Line(a, np.array([x, x + 1]), np.array([0.5, float("nan")]))
    document = Document(a, [b, f"next: {c}"], [
        Part(b, [Words(c), Grid([a, b], [[c, 1.5], [d, None]], frozenset([(0, 0)]), folded=d)]),
        Part(c, [Charts([Chart(d, [line], a, moments=[Moment(x, b, c)])], folded=b)]),
        Part(d, [Film(a, b, [Shot(1, lambda: Text(name="t", text=c, prompt=d))])]),
    ], d)  # fmt: skip
    text = page(document)
    found = Page(text)
    assert sum(tag == "script" and "type" not in attributes for tag, attributes in found.elements) == 1
    assert held(text)[0]["lines"][0]["x"] == [x, x + 1]


def test_a_million_points_are_few_and_have_every_spike(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    values = np.full(1_000_000, 2.0)
    values[[17, 400_003, 999_990]] = 77.0, 88.0, -3.5
    grow(run, {"train/other": values.tolist()})
    text = page(one_run.document(told_of(run)))
    line = next(one for chart in held(text) for one in chart["lines"] if len(one["x"]) > 100 and 77 in one["y"])
    assert line["points"] == 1_000_000 and len(line["x"]) <= 6000
    assert {77, 88, -3.5} <= set(line["y"])
    assert [x for x, y in zip(line["x"], line["y"], strict=True) if y != 2] == [18, 400_004, 999_991]


def test_steps_are_epochs_and_seconds_too(tmp_path: Path) -> None:
    told = told_of(ordinary(tmp_path))
    line = held(page(one_run.document(told)))[0]["lines"][0]
    assert line["epoch"] == told.view.epoch_steps > 0
    assert len(line["seconds"]) == len(line["x"]) and line["seconds"] == sorted(line["seconds"])
    assert line["seconds"][-1] == pytest.approx(seconds_at(told.view.clock, np.array([line["x"][-1]]))[0], abs=0.01)


def test_samples_take_no_more_room_than_there_is(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    sample(run, {step: [noise(step)] for step in range(0, 1200, 60)})
    text = page(one_run.document(told_of(run)))
    assert len(text) < LARGEST
    steps = re.findall(r'class="shot" data-step="step ([\d ]+)"', text)
    assert 2 <= len(steps) < 20 and steps[0] == "0" and steps[-1] == "1 140", "the first and the last are among them"
    assert f"{len(steps)} of 20 steps are shown" in text


def test_every_kind_of_sample_and_damaged_ones() -> None:
    def torn() -> Text:
        raise ValueError("no sample")

    shots = [Shot(step, lambda one=one: one) for step, one in enumerate(SAMPLES)]  # type: ignore[misc]
    whole = developed(Film("all", "All", [*shots, Shot(99, torn)]), 10**8)
    assert [step for step, _ in whole.shots] == list(range(len(SAMPLES)))
    assert whole.notes == ["left out, since it cannot be shown: ValueError: no sample (1 times)"]
    Page("".join(f"<div>{html}</div>" for _, html in whole.shots))


@pytest.mark.parametrize("values", [
    [], [1.0], [float("nan")], [float("inf"), 1.0], [-1.7e308, 1.7e308], [5e-324, 1e-320], [0.0, 0.0], [1e-9, 1e9],
])  # fmt: skip
@pytest.mark.parametrize("log", [False, True])
def test_any_values_can_be_drawn(values: list[float], log: bool) -> None:
    line = Line("a", np.arange(len(values)), np.array(values))
    found = svg(Chart("t", [line], log=log), alone=True)
    Page(found)
    drawn = "".join(re.findall(r' d="(.*?)"| c[xy]="(.*?)"', found)[0] if "<path" in found else ())
    assert "nan" not in drawn and "inf" not in drawn


def test_several_runs(tmp_path: Path) -> None:
    runs = record_seeds(tmp_path, [
        {"lr": 0.1, "seed": 1, "mse": 0.3}, {"lr": 0.1, "seed": 2, "mse": 0.2}, {"lr": 0.5, "seed": 1, "mse": 0.4},
    ])  # fmt: skip
    document = several.document([told_of(run) for run in runs])
    assert document.lead[1].startswith("best val/mse: ") and document.lead[1].endswith(", 0.2")
    text = page(document)
    charts = held(text)
    means, each = charts[0]["lines"], charts[2]["lines"]
    assert [line["name"] for line in means] == ["trainer.lr 0.1 (n = 2)", "trainer.lr 0.5 (n = 1)"]
    assert "low" in means[0] and len(each) == 3
    assert "<td>engine.seed</td>" in text and "<td>trainer.lr</td>" in text and "engine.epochs</td>" not in text


def test_of_what_cannot_be_understood_nothing_is_said(tmp_path: Path) -> None:
    damaged, newer = record_run(tmp_path, 1), record_run(tmp_path, 2, format=99)
    damaged.record.write_text("{")
    with pytest.raises(RunError, match="is damaged, and cannot be reported"):
        told_of(damaged)
    with pytest.raises(RunError, match="newer dlkit"):
        told_of(newer)


def test_a_run_that_has_hardly_begun(tmp_path: Path) -> None:
    for number, state in enumerate(("queued", "interrupted", "failed")):
        run = record_run(tmp_path, number, state=state)
        (run.events if state == "queued" else run.config).unlink()
        Page(page(one_run.document(told_of(run))))

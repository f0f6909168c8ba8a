"""What a study tells besides its answer: the best so far, its curves, what each option has to do with it."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asked import asked, recorded
from dlkit.errors import UsageError
from dlkit.events import MetricsLogged
from dlkit.present.parallel import Axis, parallel_axes
from dlkit.present.parallel import Path as Way
from dlkit.runs.folder import RunFolder
from dlkit.studies.curves import MOST_LINES, curves
from dlkit.studies.document import document as whole
from dlkit.studies.folder import StudyFolder
from dlkit.studies.importance import PED_ANOVA, VARIANCE, importance
from dlkit.studies.parallel import parallel
from dlkit.studies.reading import document, told
from dlkit.studies.results import Look, Results, best_so_far
from dlkit.studies.scales import grouped, scale_of
from dlkit.studies.telling import answer, columns, titles
from recorded import write_events
from schemas import check

pytestmark = pytest.mark.usefixtures("plugins")


def of(study: StudyFolder) -> Results:
    return Look(study).results()


def with_curves(study: StudyFolder) -> Results:
    """Each trial's log has the metric at four steps: its best, and less the later it is."""
    found = of(study)
    for row in found.rows:
        for trial in row.trials:
            run = study.workspace / "runs" / trial.run
            run.mkdir(parents=True)
            values = tuple(float(trial.best or 0.0) + 1.0 / step for step in (5, 10, 15, 20))
            write_events(RunFolder(run), [MetricsLogged(first=5, every=5, count=4, values={"val/mse": values})])
    return found


def test_what_each_option_explains(tmp_path: Path) -> None:
    """Of a metric that is made of one option alone, all; of one that it does not know, nothing."""
    study = asked(tmp_path, "lr=0.001,0.01,0.1", "engine.batch_size=16,32")
    recorded(study, {(setting, 0): float(setting // 2) for setting in range(6)})
    shares = importance(of(study))
    assert shares.by == VARIANCE and list(shares.shares) == ["trainer.lr", "engine.batch_size"]
    assert shares.shares["trainer.lr"] == pytest.approx(1.0)
    assert shares.shares["engine.batch_size"] == pytest.approx(0.0)
    text = "\n".join(told(of(study), colour=False, width=80))
    assert "trainer.lr" in text and "100 %" in text and "as a power of ten" in text


@pytest.mark.parametrize("direction", ["min", "max"])
def test_what_makes_a_setting_one_of_the_best(tmp_path: Path, direction: str) -> None:
    """A valley in one option, none in the other: PED-ANOVA puts the first far ahead, whichever way is better; the share
    of the variance may be less clear. An option that one model has is judged among its settings."""
    pytest.importorskip("optuna")
    study = asked(
        tmp_path, "lr=log:1e-4..1", "model=linear,mlp", "model.width=4..64", "engine.batch_size=8..64",
        search="random", trials=40, direction=direction,
    )  # fmt: skip
    settings = Look(study).results().rows
    sign = 1.0 if direction == "min" else -1.0
    scores = {(r.number, 0): sign * (math.log10(float(str(r.values["trainer.lr"]))) + 2) ** 2 for r in settings}
    recorded(study, scores)
    found = importance(of(study))
    assert found.by == PED_ANOVA and sum(found.shares.values()) == pytest.approx(1.0)
    assert next(iter(found.shares)) == "trainer.lr" and found.shares["trainer.lr"] > 0.6, found
    assert set(found.shares) == {"trainer.lr", "model.name", "model.width", "engine.batch_size"}
    assert "PED-ANOVA" in "\n".join(told(of(study), colour=False, width=80))


def test_without_optuna_the_variance_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = asked(tmp_path, "lr=log:1e-4..1", "engine.batch_size=8..64", search="random", trials=12)
    recorded(study, {(setting, 0): float(setting) for setting in range(12)})
    monkeypatch.setattr("dlkit.studies.importance.find_spec", lambda name: None)
    assert importance(of(study)).by == VARIANCE


def test_curves_are_overlaid_by_setting_and_by_option(tmp_path: Path) -> None:
    study = asked(tmp_path, "lr=0.001,0.01,0.1", "engine.batch_size=16,32", seeds=2)
    recorded(study, {(setting, seed): setting + seed for setting in range(6) for seed in (0, 1)})
    found = with_curves(study)
    by_setting = curves(found)
    assert [line.settings for line in by_setting.lines] == [[n] for n in range(6)] and by_setting.left_out == 0
    first = by_setting.lines[0]
    assert first.runs == 2 and first.name == "trainer.lr 0.001, engine.batch_size 16"
    assert first.course.x.tolist() == [5, 10, 15, 20] and first.course.mean[-1] == pytest.approx(0.5 + 1 / 20)
    assert first.course.high[0] - first.course.mean[0] == pytest.approx(math.sqrt(0.5))
    by_size = curves(found, "batch-size")
    assert by_size.by == "engine.batch_size" and [line.name for line in by_size.lines] == [
        "engine.batch_size 16",
        "engine.batch_size 32",
    ]
    assert [line.settings for line in by_size.lines] == [[0, 2, 4], [1, 3, 5]] and by_size.lines[1].runs == 6
    assert by_size.lines[1].course.mean[-1] == pytest.approx(3.5 + 1 / 20)
    with pytest.raises(UsageError, match=r"--by bach_size: did you mean 'engine.batch_size'"):
        curves(found, "bach_size")
    text = "\n\n".join(told(found, "lr", colour=False, width=80))
    assert "val/mse by step, the mean of each trainer.lr" in text and "trainer.lr 0.001 (n = 4)" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_what_has_no_curve_is_left_out(tmp_path: Path) -> None:
    """Runs that are gone, and a log that is none."""
    study = asked(tmp_path, "lr=0.1,0.2", seeds=2)
    recorded(study, {(setting, seed): float(setting) for setting in (0, 1) for seed in (0, 1)})
    assert curves(of(study)).lines == []
    run = study.workspace / "runs" / "run-0"
    run.mkdir(parents=True)
    (run / "events.jsonl").mkdir()
    assert curves(of(study)).lines == []


def test_of_many_settings_the_best_have_a_curve(tmp_path: Path) -> None:
    study = asked(tmp_path, "lr=log:1e-4..1", search="random", trials=9)
    recorded(study, {(setting, 0): float((setting * 5) % 9) for setting in range(9)})
    found = curves(with_curves(study))
    assert len(found.lines) == MOST_LINES and found.left_out == 9 - MOST_LINES
    assert [line.settings[0] * 5 % 9 for line in found.lines] == list(range(MOST_LINES))
    groups = curves(of(study), "lr").lines
    assert len(groups) == 4 and sum(len(line.settings) for line in groups) == 9, "quarters of many numbers"
    assert all(re.fullmatch(r"trainer\.lr \S+ to \S+", line.name) for line in groups)


def test_the_ways_of_settings_through_their_options(tmp_path: Path) -> None:
    """The best is last, so that it lies on top; what lacks an option has no place on its axis."""
    study = asked(tmp_path, "model=linear,mlp", "model.width=4,64", "lr=0.001,0.1")
    recorded(study, {(setting, 0): float(setting) for setting in range(6)})
    found = of(study)
    ways = parallel(found, found.keys)
    assert [axis.key for axis in ways.axes] == ["model.name", "trainer.lr", "model.width", "val/mse"]
    assert ways.flipped and not ways.left_out and [line.best for line in ways.lines] == [False] * 5 + [True]
    best, worst = ways.lines[-1], ways.lines[0]
    assert best.setting == 0 and best.places == [0.0, 0.0, None, 1.0]
    assert worst.places == [1.0, 1.0, 1.0, 0.0]
    assert [line.places[1] for line in ways.lines] == [1.0, 0.0] * 3
    text = "\n".join(told(found, colour=False, width=70))
    assert "every setting's way, the best one of 6 settings in front" in text and "linear" in text and "*" in text


AXES = st.lists(
    st.builds(Axis, st.text(max_size=30), st.lists(st.tuples(st.floats(0, 1), st.text(max_size=20)), max_size=9)),
    min_size=2,
    max_size=14,
)


@given(AXES, st.data(), st.integers(16, 120), st.integers(2, 20), st.booleans())
def test_any_axes_have_a_picture(axes: list[Axis], data: st.DataObject, width: int, height: int, colour: bool) -> None:
    places = st.lists(st.none() | st.floats(0, 1), min_size=len(axes), max_size=len(axes))
    ways = data.draw(st.lists(st.builds(Way, places, st.booleans()), max_size=6))
    drawn = parallel_axes(axes, ways, colour=colour, width=width, height=height)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", drawn).split("\n")
    assert len(lines) == height + 1 and all(len(line) <= width for line in lines)


@given(
    st.lists(st.floats(-1e6, 1e6) | st.integers(-5, 5) | st.booleans() | st.text(max_size=4), min_size=1, max_size=40)
)
def test_every_value_has_a_place_and_a_group(values: list[object]) -> None:
    scale = scale_of("key", values)
    places = [scale.place(value) for value in values]
    assert all(place is not None and -1e-9 <= place <= 1 + 1e-9 for place in places)
    assert len(grouped(values)) == len(values)
    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(numbers) == len(values):
        assert len(set(grouped(values))) <= 6
        assert sorted(places) == [place for _, place in sorted(zip(numbers, places, strict=True))]  # type: ignore[type-var]


def test_programs_read_the_same(tmp_path: Path) -> None:
    study = asked(tmp_path, "model=linear,mlp", "model.width=4,64", seeds=2)
    recorded(study, {(setting, seed): setting + 0.1 * seed for setting in range(3) for seed in (0, 1)})
    found = with_curves(study)
    charts = document(found, "model")
    check("study-show", {**whole(found), "charts": charts})
    assert charts["curves"]["by"] == "model.name"  # type: ignore[index]


def test_the_best_never_gets_worse(tmp_path: Path) -> None:
    study = asked(tmp_path, "lr=log:1e-3..1", search="random", trials=9)
    recorded(study, {(setting, 0): float((setting * 5) % 9) for setting in range(9)})
    _, values = best_so_far(of(study))
    assert values == sorted(values, reverse=True) and values[-1] == 0.0
    assert len(importance(of(study)).shares) == 1
    assert told(of(study), colour=False, width=60)


def test_of_nothing_there_is_nothing_to_tell(tmp_path: Path) -> None:
    found = of(asked(tmp_path, "lr=0.1,0.2"))
    assert best_so_far(found) == ([], []) and importance(found).shares == {"trainer.lr": 0.0}
    assert told(found, colour=False, width=60) == []
    check("study-show", {**whole(found), "charts": document(found)})


def test_of_an_ablation_what_is_changed_is_told(tmp_path: Path) -> None:
    """Not every option of every setting: each differs from the base in one."""
    study = asked(tmp_path, "lr=0.1,0.2", "engine.batch_size=16,32", search="ablation", seeds=2)
    recorded(study, {(setting, seed): 1.0 - setting + seed / 100 for setting in range(3) for seed in (0, 1)})
    found = of(study)
    assert titles(found) == ["changed"]
    assert [cells[0] for cells in columns(found)[1]] == ["engine.batch_size 32", "trainer.lr 0.2", "the base"]
    assert answer(found).startswith("engine.batch_size 32 is the best so far: val/mse")
    assert found.remarks[0] == (
        "the base has trainer.lr 0.1, engine.batch_size 16; each other setting changes one option of it"
    )

"""A folder of anybody: whatever lies in it, it is judged, soon and in little memory; what is to type is harmless."""

from __future__ import annotations

import dataclasses
import shlex
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.planted_runs import toy
from dlkit.diagnose import Record, diagnose, read_record
from dlkit.diagnose.layers import looks
from dlkit.diagnose.record import NOTHING, Course
from dlkit.diagnose.words import explained
from dlkit.events import Finished, Sampled, SampleRef
from dlkit.samples import Sample, Table

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.just(10**400), st.floats(), st.text(max_size=5),
    st.just([1]), st.just({"a": 1}),
)  # fmt: skip
CAUSES = (
    "metric", "step", "epoch", "batch", "weights", "lost", "first", "asked", "used", "total", "gradients", "device",
    "plugin", "who", "error", "where", "file", "signal", "code",
)  # fmt: skip
OPTIONS = {
    "engine": ("workers", "batch_size", "accumulate", "clip", "epochs", "steps", "checkpoint_every", "early_stopping"),
    "trainer": ("lr", "weight_decay", "schedule"),
}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return read_record(toy(epochs=2)(tmp_path_factory.mktemp("strangers")))


def failed(record: Record, cause: dict[str, Any]) -> Record:
    end = Finished(
        run=record.run.id, status="failed", reason="", steps=9, metrics={}, seconds=1.0, train_seconds=1.0, cause=cause
    )
    kept = [event for event in record.events if not isinstance(event, Finished)]
    return dataclasses.replace(record, state="failed", events=[*kept, end])


def with_courses(record: Record, **courses: Course) -> Record:
    named = {name.replace("_", "/", 1): course for name, course in courses.items()}
    return dataclasses.replace(record, names=tuple(named), course=lambda name: named.get(name, NOTHING))


@given(
    kind=st.sampled_from(["metric", "memory", "plugin", "data", "disk", "crash", "exit", "new"]),
    cause=st.dictionaries(st.sampled_from(CAUSES), ANYTHING),
    config=st.fixed_dictionaries(
        {section: st.dictionaries(st.sampled_from(names), ANYTHING) for section, names in OPTIONS.items()}
    ),
)
def test_whatever_is_written_there(
    record: Record, kind: str, cause: dict[str, Any], config: dict[str, dict[str, Any]]
) -> None:
    given = dataclasses.replace(failed(record, {**cause, "kind": kind}), config=config)
    assert explained(given.run, diagnose(given), 80)


def test_words_to_type_are_words(record: Record) -> None:
    """A name that would be a command of its own stays a name."""
    evil = "x; touch /tmp/here"
    given = failed(record, {"kind": "plugin", "plugin": evil, "error": "it"})
    given = dataclasses.replace(given, record={**given.record, "task": evil})
    for verdict in diagnose(given):
        for mend in verdict.mends:
            assert "touch" not in shlex.split(mend.words) and "x;" not in shlex.split(mend.words)


def test_a_long_course_takes_little_memory(record: Record) -> None:
    """As many evaluations as steps, of a run that overfits: rank correlation looks at pairs."""
    count = 20_000
    steps, time = np.arange(1, count + 1), np.linspace(0, 1, count)
    val = Course(steps, 1 + (time - 0.2) ** 2)
    given = with_courses(record, train_loss=Course(steps, 1 - 0.9 * time), val_loss=val)
    given = dataclasses.replace(given, record={**given.record, "metric": "val/loss", "direction": "min"})
    tracemalloc.start()
    try:
        found = diagnose(given)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "overfitting" in [verdict.name for verdict in found]
    assert peak < 100e6


def test_few_of_many_layers_tables_are_read_and_each_once(record: Record) -> None:
    read: list[str] = []

    def sample(file: str) -> Sample:
        read.append(file)
        row = ["linear", "Linear", 0.0, 1.0, 0.001]
        return Table(name="layers", headers=["layer", "kind", "dead", "gradient", "update"], rows=[row])

    every = [
        Sampled(step=step, samples=[SampleRef(name="layers", kind="table", title="", file=f"{step}")])
        for step in range(5000)
    ]
    given = dataclasses.replace(record, events=[*record.events, *every], sample=sample)
    diagnose(given)
    assert len(read) == len(set(read)) <= 200
    assert [look.step for look in looks(given)][-2:] == [4998, 4999]


def test_what_became_worse_is_on_no_plateau(record: Record) -> None:
    """It learned, and loses of it at every evaluation since."""
    values = np.concatenate([np.linspace(0.5, 0.9, 10), np.linspace(0.9, 0.7, 40)])
    given = with_courses(record, val_accuracy=Course(np.arange(1, 51), values))
    told = {**given.record, "metric": "val/accuracy", "direction": "max", "baseline": {}}
    found = diagnose(dataclasses.replace(given, record=told))  # type: ignore[arg-type]
    assert "plateau" not in [verdict.name for verdict in found]

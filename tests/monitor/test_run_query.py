"""The language of the filter over lists of runs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.monitor.run_options import RunOptions
from dlkit.monitor.run_query import parse
from dlkit.runs.folder import Summary, summarise
from recorded import record_run

RUN = Summary(
    id="20261130-toy-mlp-phw2", name="wide net", task="toy", model="mlp", dataset="plane", state="failed", device="cpu",
    metric="val/accuracy", direction="max", best=0.93, last=0.91, step=40, total_steps=100, seconds=90.0, seed=7,
    created=time.time() - 3600, metrics={"val/accuracy": 0.93, "val/loss": 0.25},
)  # fmt: skip
OPTIONS = {"trainer.lr": 0.003, "engine.epochs": 3, "trainer.optimizer": "adam", "model.bias": True}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True), ("phw2$", True), ("^wide", True), ("m.p", True), ("CNN|MLP", True), ("name:wide.net", True),
        ("task:mlp", False), ("-state:failed", False), ("!state:completed", True), ("state:stop|fail", True),
        ("val/accuracy>0.9", True), ("accuracy>=0.93", True), ("accuracy>0.93", False), ("loss<0.3", True),
        ("val/loss=0.25", True), ("nothing>0", False), ("-nothing>0", True), ("best>0.9 last<0.92", True),
        ("lr<0.01", True), ("trainer.lr<=0.003", True), ("lr>0.003", False), ("epochs=3", True), ("epochs!=3", False),
        ("optimizer=Adam", True), ("optimizer!=adam", False), ("optimizer=sgd", False), ("bias=true", True),
        ("bias>0", False), ("time>1m", True), ("time>2m", False), ("step<50 steps=100", True), ("seed=7", True),
        ("since:2h", True), ("since:30m", False), ("before:30m", True), ("since:1w", True), ("since:2001-01-01", True),
        ("model=mlp", True), ("model!=mlp", False),
    ],
)  # fmt: skip
def test_what_holds_of_a_run(text: str, expected: bool) -> None:
    query = parse(text)
    assert query.problems == () and query.matches(RUN, OPTIONS) is expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a", "'[a' is no regular expression"), ("lr<fast", "'fast' is no number: only = and != compare words"),
        ("since:soon", "'soon' is not a duration: seconds, or as 90s, 9m, 1h30m, 2d"),
        ("since:2026-13-41", "is no day"),
        ("name:(", "'(' is no regular expression"), ("time>x", "'x' is no number"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_said_and_left_out(text: str, said: str) -> None:
    query = parse(f"{text} mlp")
    assert len(query.problems) == 1 and said in query.problems[0]
    assert query.matches(RUN) and not query.matches(RUN._replace(id="x", model="cnn"))


@given(st.text(st.sampled_from("a:-!<>=0.9/[(*) since\n"), max_size=20))
def test_nothing_that_is_being_typed_raises(text: str) -> None:
    parse(text).matches(RUN, OPTIONS)


@given(st.sampled_from(["best>0.9", "mlp", "lr<0.01", "since:2h", "state:failed"]))
def test_not_is_the_opposite(word: str) -> None:
    assert parse(f"-{word}").matches(RUN, OPTIONS) is not parse(word).matches(RUN, OPTIONS)


def test_only_what_asks_for_options_has_them_read(tmp_path: Path) -> None:
    assert parse("lr<1 mlp").asks_options and parse("-optimizer=adam").asks_options
    assert not any(parse(text).asks_options for text in ("mlp", "val/loss<1", "time>1m", "model=mlp", "since:1d"))
    run = record_run(tmp_path, 1)
    run.config.write_text('task = "toy"\n[trainer]\nlr = 0.5\n')
    summary, options = summarise(run), RunOptions(tmp_path)
    assert options.missing([summary]) == [summary]
    options.read([summary])
    assert options.missing([summary]) == [] and parse("lr=0.5").matches(summary, options.known[run.id])
    assert options.missing([summary._replace(total_steps=7)]), "a resume may have given it other options"

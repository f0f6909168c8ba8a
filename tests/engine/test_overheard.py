"""What libraries say while a run is trained in this process is kept with the run."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import pytest

from dlkit.engine.overheard import MOST, overheard
from dlkit.events import Started
from dlkit.monitor.run_log import RunLog
from dlkit.monitor.view import RunView
from recorded import record_run
from toy import toy_attempt

pytestmark = pytest.mark.filterwarnings("always")


def test_warnings_and_logged_words_are_kept_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, before = record_run(tmp_path), (warnings.showwarning, list(logging.getLogger().handlers))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with overheard(run):
            warnings.warn("lr_scheduler.step() before optimizer.step()", UserWarning, stacklevel=1)
            logging.getLogger("some.library").warning("falls back to the %s path", "slow")
            logging.getLogger("some.library").info("nothing to worry about")
        warnings.warn("after it", UserWarning, stacklevel=1)
    assert [str(one.message) for one in seen] == ["lr_scheduler.step() before optimizer.step()", "after it"]
    text = run.output.read_text()
    assert "UserWarning: lr_scheduler.step() before optimizer.step()" in text
    assert "WARNING some.library: falls back to the slow path" in text
    assert "worry" not in text and "after it" not in text
    assert (warnings.showwarning, list(logging.getLogger().handlers)) == before


def test_who_warns_at_every_step_fills_no_disk(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    with warnings.catch_warnings(record=True), overheard(run):
        warnings.simplefilter("always")
        for _ in range(MOST + 50):
            logging.getLogger("some.library").error("again")
    assert run.output.read_text().count("again") == MOST


def test_a_run_in_the_foreground_has_them_in_its_log(tmp_path: Path) -> None:
    attempt = toy_attempt(tmp_path)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        for event in attempt.events():
            if isinstance(event, Started):
                warnings.warn("odd weather", UserWarning, stacklevel=1)
    view = RunView(attempt.run)
    view.poll()
    lines = [line.text for line in RunLog().lines(view)]
    (place,) = [i for i, line in enumerate(lines) if "UserWarning: odd weather" in line]
    assert "completed" in lines[-1] and place < len(lines) - 1

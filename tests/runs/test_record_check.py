"""run.json is looked at where it is read: what no field may be is said by file and field, the rest is left alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlkit.errors import RunError
from dlkit.runs.folder import RunFolder, summarise
from recorded import record_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return record_run(tmp_path)


def change(run: RunFolder, **fields: Any) -> None:
    run.record.write_text(json.dumps({**json.loads(run.record.read_text()), **fields}))


WRONG: dict[str, Any] = {
    "created": -1, "total_steps": 1e9, "state": None, "name": 3, "command": "dlkit train", "components": [],
    "devices": ["cpu", 0], "pid": 1 << 40, "format": "1", "result": {"step": -1}, "job": {"priority": 1 << 60},
}  # fmt: skip


@pytest.mark.parametrize("field", WRONG)
def test_a_field_that_is_not_what_it_may_be_is_named(run: RunFolder, field: str) -> None:
    change(run, **{field: WRONG[field]})
    with pytest.raises(RunError, match=rf"run\.json: {field}[.\[\] a-z0-9]* (=|is) .* is not (a|text)"):
        run.read()
    assert summarise(run).state == "damaged"


@pytest.mark.parametrize("created", [1e300, 253_402_300_801, 10**39])
def test_no_calendar_goes_so_far(run: RunFolder, created: float) -> None:
    change(run, created=created)
    assert "created = " in summarise(run).reason


def test_what_a_newer_version_says_is_its_own_affair(run: RunFolder) -> None:
    change(run, format=99, state=["anything"], created="yesterday")
    assert summarise(run).state != ""
    change(run, format=1, state="completed", created=1.0, never_heard_of=[1])
    assert summarise(run).state == "completed"

"""Wandering about: whatever is pressed, wherever, at whatever size, with a run that goes on meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from at_length import at_length
from dlkit.errors import RunError
from dlkit.jobs import handover
from dlkit.runs.folder import RunFolder
from live import live_run
from recorded import record_run
from screens import opened
from walking import walk

KEYS = int(os.environ.get("DLKIT_TEST_KEYS", "1600"))
"""The whole walk is one of 20 000 keys: DLKIT_TEST_KEYS=20000, half an hour or more."""
SEED = int(os.environ.get("DLKIT_TEST_SEED", "0"))
FIRST = int(os.environ.get("DLKIT_TEST_FIRST", "0"))
"""The part, of a hundred keys, that a walk begins with: what part 78 of a seed found is seen again in a minute."""


@at_length
@pytest.mark.slow
async def test_a_random_walk_ends_where_it_began(
    tmp_path: Path, toy_installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a picture of the screen, which the palette offers, is written where one is
    for name in ("hand_over", "hand_over_again"):
        monkeypatch.setattr(handover, name, _refuse)
    runs = [
        record_run(tmp_path, number, state=state) for number, state in enumerate(("completed", "failed", "stopped"))
    ]
    with live_run(tmp_path, epochs=1_000_000, sample_every="50 epochs") as live:
        async with opened(tmp_path, (120, 35)) as (app, pilot):
            places = [
                *(lambda key=key: app.switch_mode(key) for key in ("home", "runs", "queue", "playground", "studies")),
                lambda: app.open_launch("toy"),
                lambda: app.open_run(RunFolder(live.run.path)),
                lambda: app.open_run(runs[0]),
                lambda: app.open_compare([*runs, live.run]),
            ]
            walked = await walk(app, pilot, places, keys=KEYS, resizes=KEYS // 40, seed=SEED, first=FIRST)
    assert not walked.stale, "\n".join(walked.stale[:20])
    assert {"HomeScreen", "RunsScreen", "QueueScreen", "LaunchScreen", "RunScreen", "CompareScreen"} <= walked.screens
    if KEYS < 6000:  # too short for what was left to be collected
        return
    third = len(walked.widgets) // 3
    # What somebody just left is collected in a while: what is kept for good rises above all that was there before.
    assert min(walked.widgets[-third:]) <= max(walked.widgets[third : 2 * third]), walked.widgets


def _refuse(*_: object, **__: object) -> None:
    raise RunError("nothing is begun in this test")

"""Plugins planted to disturb: only their own components suffer, each named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlkit.events import Notice, Sampled
from dlkit.runs.log import read_events
from toy import finish, toy_attempt, toy_run

SPOILT = "a sample is left out: inference 'unruly': "
SPOILT_SAMPLES = {
    "samples raise": ("no samples: inference 'unruly': ZeroDivisionError: no samples", 0),
    "samples exit": ("no samples: inference 'unruly': SystemExit: no samples", 0),
    "samples are none": ("no samples: inference 'unruly': TypeError: 'NoneType' object is not iterable", 0),
    "two samples of one name": (f"{SPOILT}two samples are called 'rows'", 1),
    "a ragged table": (f"{SPOILT}table sample 'ragged': row 1 has 1 cells for 2 headers", 1),
    "a short curve": (f"{SPOILT}curve sample 'fit': 1 values of line 'found' for 2 x", 1),
    "a name with a slash": (f"{SPOILT}text sample '../../out': a name has 1 to 100 characters, no '/' or '\\'", 1),
    "a stranger": (f"{SPOILT}a str is not a dlkit.samples.Sample", 1),
    "a tensor in a cell": (f"{SPOILT}TypeError: Object of type Tensor is not JSON serializable", 1),
}


def unruly(part: str, way: str) -> dict[str, Any]:
    return {part: {"name": "unruly", "way": way}}


@pytest.mark.parametrize(("way", "said", "left"), [(w, *v) for w, v in SPOILT_SAMPLES.items()], ids=SPOILT_SAMPLES)
def test_what_goes_wrong_with_samples_is_a_notice_and_training_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], way: str, said: str, left: int
) -> None:
    run = finish(toy_attempt(tmp_path, layer=unruly("inference", way), plugins=["unruly"], sample_every="1 epoch"))
    assert run.read()["state"] == "completed"
    events = list(read_events(run.events))
    assert [event.text for event in events if isinstance(event, Notice)] == [said] * 3
    assert [len(event.samples) for event in events if isinstance(event, Sampled)] == [left] * (3 if left else 0)
    assert len(list(run.samples.iterdir())) == 3 * left
    assert ("Traceback" in capfd.readouterr().err) == ("Error:" in said or "Exit:" in said)
    other = toy_run(tmp_path, sample_every="never")
    assert other.read()["result"] == {**run.read()["result"], **{k: other.read()["result"][k] for k in TIMED}}


TIMED = ("seconds", "updated")

"""Every option of every component at the ends of what it allows: a run, or an error with the reason; nothing dies."""

from __future__ import annotations

import os
import random
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from at_length import at_length
from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import make_context
from dlkit.engine import room
from dlkit.engine.start import start
from dlkit.errors import DataError, DlkitError, UsageError
from dlkit.processes import die_with_parent
from hostile.extremes import Case, cases

CATALOG = Catalog.load_everything()
ALL = list(cases(CATALOG))
QUICK = [case for case in ALL if case.task in ("regression", "classification", "autoencoder", "gan")]
"""The data of the others take seconds to make; ``tests/engine/test_room.py`` has a case of each of their models."""
SAMPLE = random.Random(0).sample([case for case in QUICK if case.field not in ("threads", "batch_size")], 30)
MEMORY, SECONDS = 800 << 20, 60
"""What a case may take."""
SHARED = Path("/dev/shm")


@pytest.fixture(autouse=True)
def bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "free_memory", lambda: MEMORY)


def ended(case: Case) -> str:
    """How a run with such an option ended: its state, or the class of the error that it was refused with."""
    with tempfile.TemporaryDirectory(dir=SHARED if SHARED.is_dir() else None) as folder:
        try:
            resolved = resolve(CATALOG, case.task, [Layer("test", case.layer())])
            attempt = start(CATALOG, resolved, Path(folder), make_context(CATALOG, Path(folder), offline=True))
        except (UsageError, DataError) as error:
            assert str(error) and not list(Path(folder).glob("runs/*"))
            return type(error).__name__
        for _ in attempt.events():
            pass
        record = attempt.run.read()
        assert record["state"] == "completed" or record.get("reason")
        return str(record["state"])


def failures(chosen: Sequence[Case]) -> list[str]:
    """What went wrong. In forked processes, so that a case that dies names itself and the others go on; many threads in
    one of their own, as they stay when the number is changed back."""
    alone = [case for case in chosen if case.field == "threads"]
    found = _failures([case for case in chosen if case.field != "threads"])
    return found + [line for case in alone for line in _failures([case])]


def _failures(chosen: Sequence[Case]) -> list[str]:
    found, left = [], list(chosen)
    while left:
        reading, writing = os.pipe()
        if not (child := os.fork()):
            _run(left, writing)
        os.close(writing)
        with os.fdopen(reading, "r") as told:
            lines = told.read().splitlines()
        _, status = os.waitpid(child, 0)
        found += [line for line in lines if line]
        if os.waitstatus_to_exitcode(status):
            found.append(f"{left[len(lines)]}: the process died: {os.waitstatus_to_exitcode(status)}")
        left = left[len(lines) + 1 :] if os.waitstatus_to_exitcode(status) else []
    return found


def _run(chosen: Sequence[Case], told: int) -> None:
    """In the child: a line a case, empty if all is well."""
    die_with_parent()
    for case in chosen:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of computing: what hangs in C ends with the process
        try:
            ended(case)
            line = ""
        # Whatever it is, it is what the test is about.
        except BaseException as error:
            what = type(error).__name__ if not isinstance(error, DlkitError) else f"{type(error).__name__}: {error}"
            line = f"{case}: {what} {str(error).splitlines()[:1]}"
        os.write(told, line.replace("\n", " ").encode() + b"\n")
    os._exit(0)


def test_there_are_options_of_every_kind_of_component() -> None:
    assert len(ALL) > 1000
    assert {case.section for case in ALL} == {"engine", "job", "dataset", "model", "loss", "trainer", "inference"}


def test_some_options_at_their_ends() -> None:
    assert failures(SAMPLE) == []


LONG_TO_TRAIN = ("gan", "translation")


@pytest.mark.slow
@pytest.mark.parametrize(
    "task",
    [
        pytest.param(task, marks=at_length if task in LONG_TO_TRAIN else ())
        for task in sorted({case.task for case in ALL})
    ],
)
def test_all_options_at_their_ends(task: str) -> None:
    assert failures([case for case in ALL if case.task == task]) == []


@pytest.mark.slow
def test_pairs_of_options_at_their_ends() -> None:
    """The second option's value beside the first one's."""
    generator = random.Random(1)
    pairs = []
    for _ in range(300):
        task = generator.choice(ALL).task
        one, other = generator.sample([case for case in ALL if case.task == task], 2)
        if one.section != other.section and other.section not in ("model", "trainer"):
            pairs.append(one.beside(other))
    assert len(pairs) > 100
    assert failures(pairs) == []

"""Why a job's processes ended: what ranks said, and what their end says where they could not."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from dlkit.jobs.post_mortem import post_mortem, reports_of


def report(run: Path, rank: int, time: float, kind: str = "error", **fields: Any) -> None:
    path = run / f".report-{rank}.json"
    said = {"kind": kind, "reason": f"reason {rank}", "traceback": f"lines {rank}", "exit_code": 3, **fields}
    path.write_text(json.dumps(said))
    os.utime(path, (time, time))


def test_the_first_to_fail_is_believed_and_who_only_lost_the_others_is_not(tmp_path: Path) -> None:
    report(tmp_path, 0, 1.0, kind="peer")
    report(tmp_path, 1, 3.0)
    report(tmp_path, 2, 2.0, kind="memory", steps=7, metrics={"val/mse": 0.5}, other="not known")
    died = post_mortem(tmp_path, 1, 3, for_memory=True)
    assert (died.kind, died.reason, died.traceback, died.exit_code) == ("memory", "rank 2: reason 2", "lines 2", 3)
    assert died.known == {"steps": 7, "metrics": {"val/mse": 0.5}}
    assert not died.silent


def test_of_one_process_no_rank_is_named(tmp_path: Path) -> None:
    report(tmp_path, 0, 1.0, kind="final")
    assert post_mortem(tmp_path, 1, 1, for_memory=False).reason == "reason 0"


def test_a_report_that_was_cut_short_says_nothing(tmp_path: Path) -> None:
    (tmp_path / ".report-0.json").write_text('{"kind": "err')
    assert len(reports_of(tmp_path)) == 1
    assert "code 1" in post_mortem(tmp_path, 1, 1, for_memory=False).reason


@pytest.mark.parametrize(
    ("code", "nproc", "for_memory", "kind", "reason", "silent"),
    [
        (-signal.SIGKILL, 1, True, "memory", "for want of memory: try a smaller --batch-size", False),
        (-signal.SIGKILL, 1, False, "killed", "its process was ended by SIGKILL", True),
        (-signal.SIGSEGV, 1, False, "error", r"crashed \(SIGSEGV\): output\.log", False),
        (7, 1, False, "error", "ended with code 7", False),
        (1, 2, False, "killed", "a process died without a word", True),
    ],
)
def test_where_nobody_said_why_the_code_tells(
    tmp_path: Path, code: int, nproc: int, for_memory: bool, kind: str, reason: str, silent: bool
) -> None:
    died = post_mortem(tmp_path, code, nproc, for_memory=for_memory)
    assert (died.kind, died.silent) == (kind, silent)
    assert re.search(reason, died.reason)


def test_the_rank_that_left_nothing_is_the_one_that_died(tmp_path: Path) -> None:
    report(tmp_path, 0, 1.0, kind="peer")
    report(tmp_path, 2, 1.0, kind="peer")
    assert post_mortem(tmp_path, 1, 3, for_memory=False).reason == "rank 1 died without a word"

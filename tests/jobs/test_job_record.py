"""The job table of run.json: what is written when a job is handed over, and what is read of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dlkit.config import Layer, Resolved, resolve
from dlkit.jobs.allocate import Need
from dlkit.jobs.job_record import JobRecord, Submission, continued_job, job_of, need_of, new_job, resumed_job
from toy import toy_catalog

GIB = 1 << 30


def configured(**sections: dict[str, Any]) -> Resolved:
    return resolve(toy_catalog(), "toy", [Layer("test", sections)])


def test_a_need_is_read_from_the_job_table() -> None:
    table: JobRecord = {"device": "cuda:1", "nproc": 2, "gpu_memory": 4 * GIB, "priority": 3}
    assert need_of(table) == Need("cuda:1", 2, 4 * GIB)
    assert need_of({}) == Need("auto", 1, None)


@pytest.mark.parametrize("record", [{}, {"job": None}, {"job": "damaged"}, {"state": "completed", "job": []}])
def test_a_run_that_was_never_handed_over_has_no_job(record: dict[str, Any]) -> None:
    assert job_of(record) == {}


def test_a_new_job_has_every_key_that_any_job_has() -> None:
    job = new_job(configured(job={"gpu_memory": "4GiB"}), Submission(True, 3, ("other",), True), commands_from=17)
    goes_on = {"resume", "overrides", "allow_inexact", "before", "inexact", "mark", "gave_way", "held"}
    assert job.keys() == JobRecord.__annotations__.keys() - goes_on
    assert (job["queued"], job["priority"], job["after"], job["offline"]) == (True, 3, ["other"], True)
    assert (job["gpu_memory"], job["commands_from"], job["launcher"]["name"]) == (4 * GIB, 17, "local")
    assert json.loads(json.dumps(job)) == job


def test_a_job_that_goes_on_may_have_any_gpu_and_knows_what_was_before() -> None:
    record = {"state": "stopped", "reason": "asked", "device": "cuda:1", "job": {"priority": 9}}
    job = resumed_job(configured(), Submission(False), record, {"epochs": 7}, True, 5)
    assert (job["device"], job["overrides"], job["allow_inexact"], job["resume"]) == ("cuda", {"epochs": 7}, True, True)
    assert job["before"] == {"state": "stopped", "reason": "asked", "result": None}
    assert job["priority"] == 0, "that was another submission"
    cpu = resumed_job(configured(), Submission(False), {"device": "cpu"}, {}, False, 0)
    assert cpu["device"] == "cpu"


@pytest.mark.parametrize("built", [{}, {"fingerprint": "f", "device": "cuda:1"}])
def test_a_job_that_is_continued_waits_for_nobody_again(built: dict[str, Any]) -> None:
    record = {"state": "running", "job": {"after": ["other"], "priority": 9}, **built}
    job = continued_job(record, 5)  # type: ignore[arg-type]  # what matters of one
    assert (job["after"], job["priority"], job["commands_from"]) == ([], 9, 5), "the other may be gone by now"

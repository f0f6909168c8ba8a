"""A disk that is full under a detached job: it says so, what is good stays good, and it goes on when there is room."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.jobs.detach import start_worker
from dlkit.jobs.job_record import Submission
from dlkit.jobs.submit import resubmit, submit
from dlkit.runs.checkpoints import complete
from dlkit.runs.folder import summarise
from waiting import LONG

LAYER = {
    "loss": {"name": "troubled", "wait": 0.02},
    "engine": {"device": "cpu", "epochs": 20, "eval_every": "1 step", "checkpoint_every": 0.01, "threads": 1},
}


def tmpfs_can_be_mounted() -> bool:
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not tmpfs_can_be_mounted(), reason="no tmpfs can be mounted here")
def test_a_detached_job_on_a_full_disk(tmp_path: Path, plugins: None) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f"mount -t tmpfs -o size=2m tmpfs {disk} && exec {sys.executable} {Path(__file__)} {disk}"
    done = subprocess.run(
        ["unshare", "-rm", "--kill-child", "sh", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["state"] == "failed"
    assert found["reason"].startswith("could not write: ")
    assert "No space left on device" in found["reason"]
    assert found["good"], "there is a checkpoint to go on from"
    assert found["problems"] == []
    assert found["resumed"] == "completed"


def on_a_full_disk(disk: Path) -> dict[str, object]:
    """In a mount namespace of its own: fill the disk under a job, free it after the job's end, and have it go on."""
    catalog = Catalog.load_everything()
    run = submit(catalog, resolve(catalog, "toy", [Layer("test", LAYER)]), disk / "workspace", Submission(queued=False))
    worker = start_worker(run)
    wait_for(lambda: len(complete(run.path)) > 0)
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    worker.wait(LONG)
    summary = summarise(run)
    good = complete(run.path)
    problems = [problem for checkpoint in good for problem in checkpoint.problems()]
    filler.unlink()
    resubmit(catalog, run, Submission(queued=False))
    start_worker(run).wait(LONG)
    return {
        "state": summary.state,
        "reason": summary.reason,
        "good": [checkpoint.step for checkpoint in good],
        "problems": problems,
        "resumed": summarise(run).state,
    }


def wait_for(condition: object, seconds: float = LONG) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


if __name__ == "__main__":
    os.environ["DLKIT_DEVICES"] = str(Path(sys.argv[1]).parent / "devices")
    print(json.dumps(on_a_full_disk(Path(sys.argv[1]))))

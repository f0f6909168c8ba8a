"""Claims of devices: seen by every process, decided one at a time, gone with whoever made them."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dlkit.errors import RunError
from dlkit.jobs.claims import Claim, Refused, claims, folder, hold
from waiting import LONG

ROOT = Path(__file__).parents[2]
PRELUDE = """
import os, sys, time
from pathlib import Path
from dlkit.jobs.claims import Refused, claims, hold
def say(*words): print(*words, flush=True)
def alone(held):
    time.sleep(0.02)  # long enough for the others to look, were they let in
    return f"taken by {held[0].run}" if held else ""
"""
HOLD = """
with hold(sys.argv[1].split(","), run=sys.argv[2], workspace=Path("work"), memory=4, queued=True) as others:
    say(*(other.run for other in others))
    sys.stdin.readline()
say("released")
"""
COMPETE = """
say("ready")
sys.stdin.readline()
try:
    with hold(["cpu"], run=sys.argv[1], workspace=Path("work"), admit=alone):
        say("got it")
        sys.stdin.readline()
except Refused as refused:
    say(refused)
"""
DECIDE_FOR_EVER = """
def decide(held):
    say("deciding")
    time.sleep(60)
with hold(["cpu"], run="slow", workspace=Path("work"), admit=decide): pass
"""
OVER_AND_OVER = """
say("ready")
while True:
    with hold(["cpu"], run="restless", workspace=Path("work")): pass
"""
LIST = "say(*(claim.run for claim in claims()))"
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of claims, not made yet."""
    found = tmp_path / "devices"
    monkeypatch.setenv("DLKIT_DEVICES", str(found))
    return found


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """``start(source, word, …)``: a process of its own that runs the source; killed at the end of the test."""
    started: list[subprocess.Popen[str]] = []

    def start(source: str, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PRELUDE + source, *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=tmp_path, env=environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def take(*devices: str, run: str = "mine") -> list[str]:
    """Claim devices for a moment, if nobody has any; the runs that have them too."""
    with hold(devices, run=run, workspace=ROOT, admit=lambda held: ", ".join(claim.run for claim in held)) as others:
        return [other.run for other in others]


def test_a_claim_tells_who_has_what(start: Start, tmp_path: Path) -> None:
    before = time.time()
    process = start(HOLD, "GPU-a,GPU-b", "run-1")
    heard(process)
    (found,) = claims()
    workspace = str((tmp_path / "work").resolve())
    assert found == Claim(("GPU-a", "GPU-b"), "run-1", workspace, process.pid, 4, found.since, True)
    assert before - 0.001 <= found.since <= time.time()
    go(process)
    assert heard(process) == "released"
    assert claims() == []


def test_reading_creates_nothing(place: Path) -> None:
    assert claims() == []
    assert not place.exists()


def test_the_foreground_always_claims_and_hears_who_is_there_too(start: Start) -> None:
    for devices, run in (("cpu", "run-1"), ("GPU-a", "run-2"), ("GPU-a,GPU-b", "run-3")):
        heard(start(HOLD, devices, run))
    with hold(["GPU-b", "GPU-a"], run="mine", workspace=ROOT) as others:
        assert [other.run for other in others] == ["run-2", "run-3"]
        assert [claim.run for claim in claims()] == ["run-1", "run-2", "run-3", "mine"]


def test_a_refused_claim_leaves_nothing(start: Start, place: Path) -> None:
    heard(start(HOLD, "cpu", "run-1"))
    before = sorted(place.iterdir())
    with pytest.raises(Refused, match="run-1"):
        take("cpu")
    assert sorted(place.iterdir()) == before


def test_of_many_who_want_one_device_at_once_exactly_one_gets_it(start: Start) -> None:
    names = [f"run-{i}" for i in range(5)]
    processes = [start(COMPETE, name) for name in names]
    assert [heard(process) for process in processes] == ["ready"] * 5
    for process in processes:
        go(process)
    answers = {name: heard(process) for name, process in zip(names, processes, strict=True)}
    winners = [name for name, answer in answers.items() if answer == "got it"]
    assert len(winners) == 1
    assert [claim.run for claim in claims()] == winners
    assert {answer for answer in answers.values() if answer != "got it"} == {f"taken by {winners[0]}"}


def test_of_threads_of_one_process_exactly_one_gets_it() -> None:
    together, answered = threading.Barrier(3), threading.Semaphore(0)
    over = threading.Event()
    got: list[str] = []

    def admit(held: list[Claim]) -> str:
        time.sleep(0.02)
        return "taken" if held else ""

    def compete(name: str) -> None:
        together.wait()
        try:
            with hold(["cpu"], run=name, workspace=ROOT, admit=admit):
                got.append(name)
                answered.release()
                over.wait(LONG)
        except Refused:
            answered.release()

    threads = [threading.Thread(target=compete, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    assert all(answered.acquire(timeout=LONG) for _ in threads)
    over.set()
    for thread in threads:
        thread.join()
    assert len(got) == 1


def test_who_is_killed_leaves_a_free_device(start: Start, place: Path) -> None:
    process = start(HOLD, "cpu", "run-1")
    heard(process)
    kill(process)
    assert claims() == []
    assert len(list(place.glob("*.json"))) == 1, "what the dead one left is there still"
    assert take("cpu") == []
    assert list(place.glob("*.json")) == [], "and has been removed by the next who claimed"


def test_who_is_killed_while_it_decides_blocks_nobody(start: Start) -> None:
    slow = start(DECIDE_FOR_EVER)
    assert heard(slow) == "deciding"
    waiting = start(COMPETE, "run-2")
    assert heard(waiting) == "ready"
    go(waiting)
    time.sleep(0.1)
    assert claims() == [], "nobody decides while another does"
    kill(slow)
    assert heard(waiting) == "got it"


def test_killed_at_any_instant_a_claimer_blocks_nobody(start: Start, place: Path) -> None:
    instants = random.Random(3)
    for _ in range(10):
        process = start(OVER_AND_OVER)
        assert heard(process) == "ready"
        time.sleep(instants.uniform(0, 0.03))
        kill(process)
        assert claims() == []
        assert take("cpu") == []
    assert [path.name for path in place.iterdir()] == [".mutex"]


@pytest.mark.parametrize("content", ["", '{"devices": ["cpu"], "ru', "[]", '{"devices": 1}'])
def test_a_file_that_says_nothing_is_passed_over_and_removed_once_dead(place: Path, content: str) -> None:
    place.mkdir(mode=0o700)
    (place / "1-half.json").write_text(content)
    assert claims() == []
    assert take("cpu") == []
    assert not (place / "1-half.json").exists()


def test_a_live_file_of_another_form_is_passed_over_and_kept(start: Start, place: Path) -> None:
    process = start(HOLD, "cpu", "run-1")
    heard(process)
    (path,) = place.glob("*.json")
    known = json.loads(path.read_text())
    path.write_text(json.dumps({**known, "of a newer version": 1}))
    assert [claim.run for claim in claims()] == ["run-1"]
    path.write_text(json.dumps({"format": 2}))
    assert claims() == []
    assert take("cpu") == []
    assert path.exists(), "its process is alive"


def test_own_claims_survive_being_read(start: Start) -> None:
    with hold(["cpu"], run="one", workspace=ROOT), hold(["cpu"], run="two", workspace=ROOT) as others:
        assert [other.run for other in others] == ["one"]
        for _ in range(3):
            assert {claim.run for claim in claims()} == {"one", "two"}
        assert set(heard(start(LIST)).split()) == {"one", "two"}
    assert heard(start(LIST)) == ""


def test_own_claims_survive_a_claim_that_ends(start: Start) -> None:
    with hold(["cpu"], run="one", workspace=ROOT):
        with pytest.raises(Refused, match="one"):
            take("cpu", run="two")
        with hold(["mps"], run="three", workspace=ROOT):
            pass
        assert heard(start(LIST)) == "one"


def test_it_is_released_when_its_body_fails() -> None:
    with pytest.raises(ZeroDivisionError), hold(["cpu"], run="mine", workspace=ROOT):
        raise ZeroDivisionError
    assert claims() == []
    assert take("cpu") == []


def test_the_folder_is_for_its_owner_alone(place: Path) -> None:
    take("cpu")
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_it_lies_in_the_runtime_folder_else_in_a_folder_of_the_user_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DLKIT_DEVICES")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    runtime = tmp_path / "runtime"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    users = tmp_path / f"dlkit-{os.getuid()}" / "devices"
    assert folder() == users, "the runtime folder is not there"
    runtime.write_text("")
    runtime.chmod(0o700)
    assert folder() == users, "it is no folder"
    runtime.unlink()
    runtime.mkdir()
    assert folder() == runtime / "dlkit" / "devices"
    take("cpu")
    assert stat.S_IMODE((runtime / "dlkit").stat().st_mode) == 0o700
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert folder() == users


def test_a_relative_folder_stays_the_one_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DLKIT_DEVICES", "here")
    with hold(["cpu"], run="mine", workspace=ROOT):
        monkeypatch.chdir("/")
    assert list((tmp_path / "here").glob("*.json")) == []


@pytest.mark.parametrize("trap", ["link", "dangling", "file"])
@pytest.mark.parametrize("at", ["devices", "parent"])
def test_a_link_or_a_file_in_its_place_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str, at: str
) -> None:
    monkeypatch.delenv("DLKIT_DEVICES")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    parent = tmp_path / f"dlkit-{os.getuid()}"
    path = parent / "devices" if at == "devices" else parent
    path.parent.mkdir(exist_ok=True)
    elsewhere = tmp_path / "elsewhere"
    if trap == "file":
        path.write_text("")
    else:
        path.symlink_to(elsewhere)
    if trap == "link":
        elsewhere.mkdir()
    with pytest.raises(RunError, match=f"{path} is not a folder of yours"):
        take("cpu")
    assert claims() == []
    assert not elsewhere.exists() or list(elsewhere.iterdir()) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another user")
def test_a_folder_of_somebody_else_s_is_refused_and_not_believed(start: Start, place: Path) -> None:
    process = start(HOLD, "cpu", "run-1")
    heard(process)
    assert [claim.run for claim in claims()] == ["run-1"]
    os.chown(place, 12345, -1)
    with pytest.raises(RunError, match="is not a folder of yours"):
        take("cpu")
    assert claims() == []


def test_a_chosen_folder_may_lie_beneath_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    monkeypatch.setenv("DLKIT_DEVICES", str(tmp_path / "alias" / "devices"))
    with hold(["cpu"], run="mine", workspace=ROOT):
        assert [claim.run for claim in claims()] == ["mine"]


def test_where_no_folder_can_be_made_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DLKIT_DEVICES", str(tmp_path / "file" / "devices"))
    with pytest.raises(RunError, match=r"devices cannot be claimed in .*Not a directory"):
        take("cpu")
    assert claims() == []

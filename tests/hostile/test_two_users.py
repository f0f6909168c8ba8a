"""Two users of one workspace: each reads what the mode allows, and is told in a line what it does not."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from installed import TESTS, install_metadata
from users import ALICE, BOB, TEAM, Told, Users, users

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two other users")

TRAIN = ("train", "toy", "--device", "cpu", "--engine.threads", "1", "--epochs", "1", "--quiet")
LONGER = ("resume", "last", "--epochs", "2", "--quiet")
READING = (
    ("runs",),
    ("show", "last"),
    ("queue", "list"),
    ("predict", "last", "1,2,3"),
    ("evaluate", "last", "--split", "val"),
    ("sample", "last"),
)
WRITING = (
    ("resume", "last", "--epochs", "3", "--quiet"),
    ("rename", "last", "another"),
    ("queue", "run"),
    TRAIN,
    ("remove", "last", "--yes"),
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where everybody may go: pytest's own folders are root's."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o777)
    (made / "shared").mkdir()
    (made / "shared").chmod(0o777)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def somebody(folder: Path) -> Iterator[Users]:
    install_metadata(folder / "site", "dlkit-toy", "toy", "toy")
    with users(os.pathsep.join(map(str, (folder / "site", TESTS, TESTS.parent)))) as found:
        yield found


class Place:
    """A workspace that Alice has made with a umask, and a run in it."""

    def __init__(self, somebody: Users, folder: Path, umask: int) -> None:
        self.path, self.umask, self._somebody = folder / f"umask-{umask:03o}", umask, somebody
        assert self(ALICE, *TRAIN).code == 0

    def __call__(self, user: int, *words: str, umask: int | None = None) -> Told:
        """Those who work with umask 002 are a team."""
        umask = self.umask if umask is None else umask
        group = TEAM if self.umask == 0o002 else None
        told = self._somebody(user, *words, "--workspace", str(self.path), umask=umask, group=group)
        assert "Traceback" not in told.err and told.code in (0, 1), told
        return told


@pytest.fixture(scope="module", params=[0o022, 0o002, 0o077], ids=["022", "002", "077"])
def place(request: pytest.FixtureRequest, somebody: Users, folder: Path) -> Place:
    return Place(somebody, folder, request.param)


def test_the_umask_decides(place: Place) -> None:
    assert place(ALICE, *LONGER).code == place(ALICE, "evaluate", "last", "--split", "val").code == 0
    for path in place.path.rglob("*"):
        if path.name != "dlkit.key":  # whose readers are those who may put runs into the workspace
            expected = (0o777 if path.is_dir() else 0o666) & ~place.umask
            assert stat.S_IMODE(path.stat().st_mode) == expected, path
    assert len(list(place.path.rglob("*.safetensors"))) >= 3


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_reading(place: Place, words: tuple[str, ...]) -> None:
    told = place(BOB, *words)
    if place.umask == 0o077:
        assert (told.code, told.out) == (1, "")
        assert told.err == f"dlkit {words[0]}: {place.path}/runs cannot be read: Permission denied\n"
    else:
        assert told.code == 0, told
    if place.umask == 0o022 and words[0] == "evaluate":
        assert "note: this will not be on record: " in told.err and "cannot be written\n" in told.err
        assert "val/mse" in told.out


def test_what_is_not_of_this_workspace(place: Place) -> None:
    tasks, sources = place(BOB, "tasks"), place(BOB, "data", "list")
    assert tasks.code == sources.code == 0 and "toy" in tasks.out
    assert ("unreadable" in sources.out) == (place.umask == 0o077)


@pytest.mark.parametrize("words", WRITING, ids=lambda words: words[0])
def test_writing(place: Place, words: tuple[str, ...]) -> None:
    """The team's workspace is both's; in another's nothing is begun, and the reason is told."""
    told = place(BOB, *words)
    if place.umask == 0o002:
        assert told.code == 0, told
    else:
        assert told.code == 1 and told.err.rstrip().endswith("Permission denied"), told
        assert told.err.count(": Permission denied") == 1 and str(place.path) in told.err


def test_a_private_run_among_others(somebody: Users, folder: Path) -> None:
    """It is a line in every list, and hides no other."""
    place = Place(somebody, folder / "shared", 0o022)
    assert place(ALICE, *TRAIN, "--name", "secret", umask=0o077).code == 0
    listed = json.loads(place(BOB, "runs", "--json").out)
    private, public = sorted(listed, key=lambda run: str(run["state"]), reverse=True)
    assert (public["state"], private["state"]) == ("completed", "damaged")
    assert private["reason"].endswith("Permission denied") and private["name"] == ""
    assert place(BOB, "runs").out.count("\n") == 3
    for words in (["predict", "1,2,3"], ["evaluate"]):
        assert place(BOB, words[0], public["run"], *words[1:]).code == 0
    for words in (["show"], ["predict", "1,2,3"], ["evaluate"], ["resume"], ["remove", "--yes"]):
        told = place(BOB, words[0], private["run"], *words[1:])
        assert told.code == (words[0] != "show") and "Permission denied" in told.err, told
    (entry,) = json.loads(place(BOB, "queue", "list", "--json").out)["jobs"]
    assert (entry["run"], entry["state"]) == (private["run"], "damaged")

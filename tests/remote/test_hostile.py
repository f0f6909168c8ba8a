"""A far side that means harm, or is broken: nothing leaves the mirror, nothing hangs, nothing takes memory."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlkit.errors import DlkitError, UsageError
from dlkit.remote.connection import Connection
from dlkit.remote.defined import Remote, line, parsed, path, remotes
from dlkit.remote.far import CHUNK, Far
from dlkit.remote.frames import MAGIC, MOST_BYTES, MOST_JSON, PROTOCOL, BadFrame, Frame, packed, read_frame
from dlkit.remote.mirror import Mirror
from dlkit.remote.ssh import words
from dlkit.runs import mirrors
from dlkit.runs.folder import RunFolder
from recorded import record_run

EVIL = Remote("evil", "evil.example", "work")
NAMES = ["../../out", "/etc/passwd", "runs/../../x", "a/b", "..", ".", "", "a\0b", "x" * 300, "run.lock", "dlkit.key",
         "samples/../../x", ".ssh/authorized_keys", "-oProxyCommand=x", "é"]  # fmt: skip


class Answers:
    """In the place of a connection: the frames that a far side sends, whatever is asked."""

    def __init__(self, *frames: tuple[Mapping[str, object], bytes]) -> None:
        self.frames = frames
        self.is_open = True

    def ask(self, what: str, **more: object) -> Iterator[Frame]:
        for told, data in self.frames:
            yield Frame(told, data)


def outside(place: Path) -> set[str]:
    """Everything beside the mirror."""
    return {str(found) for found in place.rglob("*") if "remotes/evil/" not in f"{found}/"}


@pytest.mark.parametrize("name", NAMES)
def test_names_lead_nowhere(name: str, cache_folder: Path) -> None:
    before = outside(cache_folder.parent)
    keeper = Mirror(EVIL)
    keeper.refresh(Answers(({"runs": {name: {"task": "x"}, "good": {"task": "x"}}}, b""), ({"done": True}, b"")))  # type: ignore[arg-type]
    assert all(mirrors.RUN.fullmatch(run) for run in keeper.told) and "good" in keeper.told
    keeper.refresh(Answers(({"done": True, "gone": [name, 7, None]}, b"")))  # type: ignore[arg-type]
    with pytest.raises(DlkitError):
        keeper.pull(Answers(({"file": name, "offset": 0}, b"evil"), ({"done": True}, b"")), "good")  # type: ignore[arg-type]
    with pytest.raises((DlkitError, OSError, ValueError)):
        keeper.fetch(Answers(({"done": True}, b"evil")), RunFolder(keeper.place / "runs" / "good"), name)  # type: ignore[arg-type]
    assert outside(cache_folder.parent) <= before | {str(cache_folder), str(cache_folder / "remotes")}


def test_a_copy_is_never_a_link_that_somebody_laid(cache_folder: Path, tmp_path: Path) -> None:
    keeper = Mirror(EVIL)
    keeper.refresh(Answers(({"runs": {"good": {}}}, b""), ({"done": True}, b"")))  # type: ignore[arg-type]
    run = keeper.pull(Answers(({"done": True}, b"")), "good")  # type: ignore[arg-type]
    target = tmp_path / "target"
    target.write_text("mine")
    run.events.symlink_to(target)
    with pytest.raises(OSError):
        keeper.pull(Answers(({"file": "events.jsonl", "offset": 4}, b"evil"), ({"done": True}, b"")), "good")  # type: ignore[arg-type]
    assert target.read_text() == "mine"


@pytest.mark.parametrize("offset", [-1, 1, 1 << 40, 0.5, "0", None])
def test_parts_follow_what_is_there(offset: object, cache_folder: Path) -> None:
    with pytest.raises(DlkitError):
        Mirror(EVIL).pull(Answers(({"file": "events.jsonl", "offset": offset}, b"x"), ({"done": True}, b"")), "good")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fields",
    [{"step": "x"}, {"created": 1e300}, {"state": ["x"]}, {"metrics": [1]}, {"seed": "x"}, {"name": {"a": 1}},
     {"step": -1}, {}, {"id": "other", "remote": "other"}],
)  # fmt: skip
def test_what_makes_no_sense_is_damaged_and_hides_nothing(fields: dict[str, object], cache_folder: Path) -> None:
    keeper = Mirror(EVIL)
    keeper.refresh(Answers(({"runs": {"bad": fields, "good": {"task": "toy"}}}, b""), ({"done": True}, b"")))  # type: ignore[arg-type]
    runs = {run.id: run for run in Mirror(EVIL).runs()}
    assert set(runs) == {"evil:bad", "evil:good"} and all(run.remote == "evil" for run in runs.values())
    assert runs["evil:good"].task == "toy"


@given(st.binary(max_size=400))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_a_bad_frame(data: bytes) -> None:
    try:
        frame = read_frame(io.BytesIO(data).read)
    except BadFrame:
        return
    assert frame is None or isinstance(frame.told, dict)


@given(st.integers(0, 60))
def test_a_truncated_frame_is_a_bad_frame(cut: int) -> None:
    whole = packed({"file": "events.jsonl", "offset": 0}, b"0123456789")
    data = whole[: min(cut, len(whole) - 1)]
    if data:
        with pytest.raises(BadFrame):
            read_frame(io.BytesIO(data).read)
    else:
        assert read_frame(io.BytesIO(data).read) is None


@pytest.mark.parametrize("head", [(MOST_JSON + 1, 0), (2, MOST_BYTES + 1), (0xFFFFFFFF, 0xFFFFFFFF)])
def test_a_giant_length_is_refused_before_anything_is_read(head: tuple[int, int]) -> None:
    asked = []

    def read(count: int) -> bytes:
        asked.append(count)
        return struct.pack(">II", *head)

    with pytest.raises(BadFrame, match="more than there may be"):
        read_frame(read)
    assert asked == [8]


@pytest.mark.parametrize(
    "sent",
    [
        b"", MAGIC, MAGIC + b"\xff" * 8, b"x" * (1 << 17), MAGIC + packed({"protocol": PROTOCOL}) + b"\x00\x00",
        MAGIC + packed({"protocol": PROTOCOL}) + packed({"runs": "x"}) + struct.pack(">II", 50, 0) + b"{",
        MAGIC + packed({"protocol": PROTOCOL}) + struct.pack(">II", 400_000, 0) + b"[" * 400_000,
    ],
)  # fmt: skip
def test_a_process_that_talks_nonsense_is_left(sent: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "sent"
    file.write_bytes(sent)
    fake = tmp_path / "ssh"
    fake.write_text(f"#!/bin/sh\ncat {file}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("DLKIT_SSH", str(fake))
    with Connection(EVIL) as connection, pytest.raises(DlkitError):
        Mirror(EVIL).refresh(connection)
    assert not connection.is_open


@pytest.mark.parametrize(
    "address",
    ["-oProxyCommand=x:work", "me@-oProxyCommand=x:work", "-l root@host:work", "host name:work", "host;id:work", "host",
     "host:", ":work", "a@b@c:work", "host:wo\nrk", "$(id):work", "`id`:work", "h\u00f6st:work"],
)  # fmt: skip
def test_hosts_are_no_options_and_no_shell(address: str) -> None:
    with pytest.raises(UsageError):
        parsed("box", address, "dlkit", None)


def test_what_ssh_is_given() -> None:
    there = parsed("box", "me@box.example:my work/$(id)", "'~/my env/bin/dlkit' --safe-mode", 2222)
    found = words(there)
    at = found.index("--")
    assert found[at + 1] == "me@box.example" and found[at - 2 : at] == ["-p", "2222"] and len(found) == at + 3
    assert found[-1] == "\"$HOME\"/'my env/bin/dlkit' --safe-mode remote serve"
    assert "BatchMode=yes" in found and not any("$(id)" in word for word in found), "the workspace goes in a frame"
    assert line(there._replace(command="a ';id' \"$(id)\"")) == "a ';id' '$(id)' remote serve"
    assert parsed("box", "me@[::1]:/work/", "dlkit", None).address == "me@[::1]:/work"


@pytest.mark.parametrize(
    "text",
    ['[box]\nhost = "-oProxyCommand=x"\nworkspace = "w"', "[box]\nhost = 1", "box = 1", "[box]\nhosts = 1",
     "[b.c]\nx=1", '["../x"]\nhost = "h"\nworkspace = "w"', '[box]\nhost="h"\nworkspace="w"\nport=70000', "]"],
)  # fmt: skip
def test_a_file_that_is_wrong_is_named(text: str, config_folder: Path) -> None:
    path().write_text(text)
    with pytest.raises(UsageError, match=r"remotes\.toml"):
        remotes()


def test_a_workspace_names_no_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may come from anybody."""
    for folder in (tmp_path, tmp_path / "workspace"):
        folder.mkdir(exist_ok=True)
        (folder / "remotes.toml").write_text('[box]\nhost = "h"\nworkspace = "w"\n')
        (folder / "dlkit.toml").write_text('[box]\nhost = "h"\nworkspace = "w"\n')
    monkeypatch.chdir(tmp_path)
    assert remotes() == {}


@pytest.mark.parametrize(
    "told",
    [{"ask": "pull", "run": "../.."}, {"ask": "pull", "run": "gone"},
     {"ask": "file", "run": "GOOD", "file": "run.json"}, {"ask": "nonsense"}, {}, {"ask": "run", "words": 7},
     {"ask": "file", "run": "GOOD", "file": "samples/../run.json"},
     {"ask": "run", "words": ["runs"], "texts": {"9": "x"}}, {"ask": "run", "words": ["runs"], "texts": {"0": 1}}],
)  # fmt: skip
def test_the_far_side_refuses_in_words(told: dict[str, object], tmp_path: Path) -> None:
    run = record_run(tmp_path)
    out = io.BytesIO()
    question = {key: run.id if value == "GOOD" else value for key, value in told.items()}
    Far(io.BytesIO(), out).answer(Frame({**question, "workspace": str(tmp_path)}, b""))
    out.seek(0)
    frame = read_frame(out.read)
    assert frame is not None and frame.told["error"] and frame.told["done"]


def test_logs_are_copied_from_where_the_copy_ends(tmp_path: Path, cache_folder: Path) -> None:
    run = record_run(tmp_path / "far")
    far = _Direct(tmp_path / "far")
    keeper = Mirror(EVIL)
    copy = keeper.pull(far, run.id)  # type: ignore[arg-type]
    assert copy.events.read_bytes() == run.events.read_bytes()
    keeper.pull(far, run.id)  # type: ignore[arg-type]
    assert far.bytes == 0, "nothing new"
    with run.events.open("ab") as log:
        log.write(b'{"event":"half a li')
    keeper.pull(far, run.id)  # type: ignore[arg-type]
    assert far.bytes == 19 and copy.events.read_bytes() == run.events.read_bytes()
    run.events.write_bytes(b"another\n" * CHUNK)  # not what it was: whole again, in many parts
    keeper.pull(far, run.id)  # type: ignore[arg-type]
    assert copy.events.read_bytes() == run.events.read_bytes()
    run.config.write_text('task = "other"\n')
    keeper.pull(far, run.id)  # type: ignore[arg-type]
    assert copy.config.read_text() == 'task = "other"\n'


class _Direct:
    """The far side itself, without ssh; ``bytes`` counts what it gave last."""

    def __init__(self, workspace: Path) -> None:
        self._workspace, self.bytes, self.is_open = workspace, 0, True

    def ask(self, what: str, **more: object) -> Iterator[Frame]:
        out = io.BytesIO()
        Far(io.BytesIO(), out).answer(Frame({"ask": what, "workspace": str(self._workspace), **more}, b""))
        out.seek(0)
        frames = []
        while (frame := read_frame(out.read)) is not None:
            frames.append(frame)
        self.bytes = sum(len(frame.data) for frame in frames)
        yield from frames

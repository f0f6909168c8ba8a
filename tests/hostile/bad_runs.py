"""Run folders that a stranger made, or an accident: every kind of damage that lists, screens and readers must survive.

``make_bad_runs(workspace)`` makes one of each, beside the good runs of a workspace; ``make_bad_run(workspace, kind)``
makes a certain one. The same seed gives the same folders. What links lead to lies in ``outside``, beside the
workspace: ``contents(outside)`` tells whether anybody has written there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from dlkit.runs.folder import RunFolder
from recorded import record_run

BRACKETS = 200_000
DEEP = 100_000
HUGE = 10**400
"""A whole number that no float holds."""
ENDLESS = 1 << 40
"""Bytes of a sparse file: it takes no room, and no memory holds it."""
FOREIGN = "stranger"


class BadRun(NamedTuple):
    """``damaged``: its run.json cannot be used, which its line in a list says; None: either may be right."""

    kind: str
    run: RunFolder
    damaged: bool | None


class Place(NamedTuple):
    """What a kind of damage is done to: a whole run of 100 steps; ``outside`` is not the workspace's."""

    run: RunFolder
    outside: Path
    random: Random

    def change(self, **fields: object) -> None:
        """Fields of run.json, JSON or not."""
        record = json.loads(self.run.record.read_text())
        self.run.record.write_text(json.dumps({**record, **fields}))

    def append(self, *lines: str | bytes) -> None:
        """Lines of events.jsonl."""
        with self.run.events.open("ab") as file:
            for line in lines:
                file.write((line if isinstance(line, bytes) else line.encode()) + b"\n")


Damage = Callable[[Place], None]


class Kind(NamedTuple):
    damage: Damage
    state: str
    damaged: bool | None


KINDS: dict[str, Kind] = {}
"""By name, in a fixed order."""


def kind(name: str, *, state: str = "completed", damaged: bool | None = False) -> Callable[[Damage], Damage]:
    """Declare a kind: what is done to a run of that state."""

    def declare(damage: Damage) -> Damage:
        assert name not in KINDS, name
        KINDS[name] = Kind(damage, state, damaged)
        return damage

    return declare


def make_bad_run(workspace: Path, name: str, number: int = 0, seed: int = 0, outside: Path | None = None) -> BadRun:
    """A run of one kind; ``number`` tells it from others of the workspace."""
    outside = outside or workspace.parent / "outside"
    if not outside.exists():
        _make_outside(outside)
    found = KINDS[name]
    run = record_run(workspace, number, state=found.state, **_job(found.state))
    place = Place(run, outside, Random(f"{seed} {name}"))
    found.damage(place)
    return BadRun(name, _renamed(run), found.damaged)


def make_bad_runs(workspace: Path, count: int | None = None, seed: int = 0, first: int = 1) -> list[BadRun]:
    """One run of each kind, or of the first ``count`` in an order that the seed gives. ``first`` numbers the runs."""
    names = list(KINDS)
    if count is not None:
        names = sorted(Random(seed).sample(names, count), key=names.index)
    return [make_bad_run(workspace, name, first + i, seed) for i, name in enumerate(names)]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, links not followed."""
    return {
        str(path.relative_to(folder)): os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def delete(folder: Path) -> None:
    """Whatever is in it, as deep as it may be: Python's own functions give up at 1 000 levels."""
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def _make_outside(outside: Path) -> None:
    """Somebody's home: a whole run, and a file that a shell would execute."""
    outside.mkdir(parents=True)
    run = record_run(outside / "workspace", 999)
    run.path.rename(outside / "run")
    shutil.rmtree(outside / "workspace")
    (outside / "profile").write_text("PS1=mine\n")
    (outside / "folder").mkdir()
    (outside / "folder" / "kept").write_text("kept\n")


def _renamed(run: RunFolder) -> RunFolder:
    """Where the run is now: some kinds are of its folder's name."""
    if os.path.lexists(run.path):
        return run
    (moved,) = (path for path in run.path.parent.iterdir() if path.name.startswith(run.id))
    return RunFolder(moved)


JOB: Mapping[str, Any] = {
    "since": 1.0, "queued": True, "priority": 0, "after": [], "offline": False, "device": "cpu", "threads": 1,
    "nproc": 1, "launcher": {"name": "local"}, "gpu_memory": None, "max_restarts": 0, "on_oom": "fail",
    "notify": None, "commands_from": 0,
}  # fmt: skip


def _job(state: str) -> dict[str, Any]:
    return {"job": dict(JOB), "total_steps": 100} if state == "queued" else {}


# What is put in place of a file or a value


def _replace(name: str, how: str, place: Place) -> None:
    """Put something in a file's place that no reader expects."""
    path = place.run.path / name
    whole = path.read_bytes() if path.is_file() else b"{}"
    path.unlink(missing_ok=True)
    match how:
        case "a FIFO":
            os.mkfifo(path)
        case "a link to an endless device":
            path.symlink_to("/dev/zero")
        case "a link to itself":
            path.symlink_to(path.name)
        case "a dangling link":
            path.symlink_to(place.outside / "not-there")
        case "a link outside":
            path.symlink_to(place.outside / "profile")
        case "a folder":
            path.mkdir()
            (path / "inside").write_text("{}")
        case "missing":
            pass
        case "empty":
            path.write_bytes(b"")
        case "torn":
            path.write_bytes(whole[: place.random.randrange(1, max(2, len(whole) - 2))])
        case "NUL":
            path.write_bytes(bytes(max(1, len(whole))))
        case "brackets":
            path.write_bytes(b"[" * BRACKETS)
        case "nested objects":
            path.write_bytes(b'{"a":' * DEEP + b"1" + b"}" * DEEP)
        case "invalid bytes":
            path.write_bytes(b"\xff\xfe\xfa" + whole + b"\xc3")
        case "UTF-16":
            path.write_bytes(whole.decode(errors="replace").encode("utf-16"))
        case "a terabyte":
            with path.open("wb") as file:
                file.truncate(ENDLESS)
        case "a number of 5 000 digits":
            path.write_bytes(b'{"format": ' + b"9" * 5000 + b"}")
        case _:
            raise ValueError(how)


SHAPES = (
    "a FIFO", "a link to an endless device", "a link to itself", "a dangling link", "a link outside", "a folder",
    "missing", "empty", "torn", "NUL", "brackets", "nested objects", "invalid bytes", "UTF-16", "a terabyte",
    "a number of 5 000 digits",
)  # fmt: skip


def _declare_files() -> None:
    """Every file of a run as everything that it is not."""
    for how in SHAPES:
        state = "interrupted" if how in ("brackets", "a FIFO") else "completed"
        kind(f"run.json is {how}", state=state, damaged=True)(partial(_replace, "run.json", how))
    others: dict[str, tuple[str, ...]] = {
        "events.jsonl": ("a FIFO", "a link to an endless device", "a link outside", "a folder", "missing", "torn",
                         "NUL", "brackets", "invalid bytes", "a terabyte", "a number of 5 000 digits"),
        "config.toml": ("a FIFO", "a link to an endless device", "a folder", "missing", "torn", "NUL", "brackets",
                        "invalid bytes", "a terabyte"),
        "commands.jsonl": ("a FIFO", "a link to an endless device", "a link outside", "brackets", "NUL"),
        "evaluations.jsonl": ("a FIFO", "a link to an endless device", "a link outside", "brackets",
                              "nested objects", "a terabyte"),
        "output.log": ("a FIFO", "a link to an endless device", "a link outside", "a folder", "a terabyte", "NUL"),
        "run.lock": ("a FIFO", "a link to an endless device", "a dangling link", "a link outside", "a folder"),
        "init.safetensors": ("a FIFO", "a terabyte"),
    }  # fmt: skip
    for name, shapes in others.items():
        for how in shapes:
            # An interrupted run's line is made from its log, its lock and its record.
            state = "interrupted" if name in ("events.jsonl", "run.lock") else "completed"
            kind(f"{name} is {how}", state=state, damaged=None)(partial(_replace, name, how))


_declare_files()


# Fields of run.json


def odd_values(random: Random) -> list[object]:
    """What a field may hold that no dlkit writes, of every JSON type; NaN and infinity are not even JSON."""
    return [
        None, True, -1, 0, HUGE, -HUGE, 10**12, 1e300, -1e300, 1e-300, float("nan"), float("inf"), float("-inf"), "",
        "nan", "1e999", "\ud800", "\x1b]0;owned\x07", "../../../etc/passwd", "a" * 10_000, [], {}, [[]], {"": {}},
        [None] * 3, {"name": []}, [random.random()], {str(random.random()): HUGE},
    ]  # fmt: skip


FIELDS = (
    "format", "id", "name", "state", "reason", "result", "created", "task", "metric", "direction", "components", "seed",
    "host", "command", "git", "versions", "device", "identity", "precision", "threads", "processes", "total_steps",
    "fingerprint", "pid", "worker", "devices", "job",
)  # fmt: skip


def _set(field: str, value: object, place: Place) -> None:
    part, _, name = field.partition(".")
    place.change(**{part: {**JOB, name: value} if name else value})


def _set_odd(field: str, place: Place) -> None:
    _set(field, place.random.choice(odd_values(place.random)), place)


def _declare_fields() -> None:
    for field in FIELDS:
        state = "interrupted" if field in ("total_steps", "created", "host") else "completed"
        kind(f"{field} of the wrong type", state=state, damaged=None)(partial(_set_odd, field))
    for field in JOB:
        kind(f"job.{field} of the wrong type", state="queued", damaged=None)(partial(_set_odd, f"job.{field}"))
    numbers: dict[str, tuple[object, ...]] = {
        "created": (HUGE, 1e300, -1e300, float("nan"), 10**15),
        "total_steps": (HUGE, -1, 1e300, float("inf")),
    }
    for field, values in numbers.items():
        for i, value in enumerate(values, 1):
            kind(f"{field} out of range, {i}", state="interrupted", damaged=None)(partial(_set, field, value))
    job: dict[str, tuple[object, ...]] = {
        "priority": (HUGE, -HUGE, float("inf")),
        "nproc": (10**9, 0, -3, HUGE),
        "since": (HUGE, float("nan"), 1e300),
        "threads": (10**9,),
        "gpu_memory": (HUGE, -1),
        "after": ([FOREIGN] * 10_000, ["../../outside/run"], [HUGE]),
        "device": ("cuda:" + "9" * 5000, "cuda:-1", "cuda:x", "warp"),
        "commands_from": (HUGE, -5),
        "max_restarts": (HUGE, 10**9),
    }
    for field, values in job.items():
        for i, value in enumerate(values, 1):
            kind(f"job.{field} out of range, {i}", state="queued", damaged=None)(partial(_set, f"job.{field}", value))


_declare_fields()


@kind("a name of half a surrogate pair")
def _surrogate_name(place: Place) -> None:
    place.change(name="x\ud800y")


@kind("a task of half a surrogate pair", damaged=None)
def _surrogate_task(place: Place) -> None:
    place.change(task="x\ud800y")


@kind("a name that steers the terminal", damaged=None)
def _steering_name(place: Place) -> None:
    place.change(name="x\x1b]0;owned\x07\x9b2J\u202e\n")


@kind("a name of ten million letters", damaged=None)
def _long_name(place: Place) -> None:
    place.change(name="a" * 10_000_000)


@kind("metrics by the hundred thousand", damaged=None)
def _many_metrics(place: Place) -> None:
    result = {"step": 1, "total_steps": 1, "last": 1.0, "best": 1.0, "updated": 1.0, "seconds": 1.0}
    place.change(result={**result, "metrics": {f"val/{i}": 1.0 for i in range(100_000)}})


@kind("a result out of range", damaged=None)
def _result(place: Place) -> None:
    place.change(result={"step": HUGE, "total_steps": -HUGE, "last": HUGE, "best": 1e999, "metrics": {"val/mse": HUGE},
                         "updated": HUGE, "seconds": HUGE})  # fmt: skip


@kind("components nested deeply", damaged=None)
def _deep_components(place: Place) -> None:
    text = place.run.record.read_text().rstrip().removesuffix("}")
    place.run.record.write_text(text + ', "components": ' + '{"model":' * 5000 + "1" + "}" * 5001)


@kind("keys given twice", damaged=None)
def _twice(place: Place) -> None:
    text = place.run.record.read_text().rstrip().removesuffix("}")
    place.run.record.write_text(text + ', "state": "queued", "state": [], "job": 5}')


@kind("it waits for itself", state="queued")
def _itself(place: Place) -> None:
    place.change(job={**JOB, "after": [place.run.id]})


@kind("a newer format", damaged=None)
def _newer(place: Place) -> None:
    place.change(format=place.random.choice([2, 10**9, HUGE]), state=place.random.choice(["queued", "completed", 5]))


# Events

_METRICS: Mapping[str, Any] = {"event": "metrics", "seq": 9, "time": 2e9, "first": 101, "count": 1,
                               "values": {"val/mse": [0.5]}, "every": 1, "epoch": 5, "rate": 8.0}  # fmt: skip


def _metrics(**fields: object) -> str:
    return json.dumps({**_METRICS, **fields})


EVENTS: Mapping[str, Sequence[str]] = {
    "of every 0": (_metrics(every=0),),
    "of every -3": (_metrics(every=-3),),
    "of 200 million steps in 90 bytes": (_metrics(count=200_000_000),),
    "of fewer steps than it says": (_metrics(count=-5), _metrics(count=3)),
    "of steps without end": (_metrics(first=HUGE), _metrics(count=HUGE), _metrics(every=HUGE, count=2)),
    "of steps that are no whole numbers": (_metrics(first=1.5), _metrics(count="2"), _metrics(every=None)),
    "of values that are no numbers": (
        _metrics(values={"val/mse": ["x"]}), _metrics(values={"val/mse": [[1]]}), _metrics(values={"val/mse": [HUGE]}),
        _metrics(values={"val/mse": 5}), _metrics(values=[1]), _metrics(values={"val/mse": None}),
        _metrics(values={"val/mse": [True]}), _metrics(values={"val/mse": {"0": 1}}),
    ),
    "of a time that is none": (_metrics(time=HUGE), _metrics(time="now"), _metrics(time=1e300), _metrics(time=[])),
    "of a rate that is none": (_metrics(rate=HUGE), _metrics(rate="fast", time_left=HUGE), _metrics(time_left="x")),
    "of a number that is none": (_metrics(seq=HUGE), _metrics(seq="x"), _metrics(epoch=HUGE), _metrics(epoch=[])),
    "that begins without sense": (
        json.dumps({"event": "started", "seq": 9, "time": 2e9, "total_steps": HUGE, "epoch_steps": 0, "summary": 5}),
        json.dumps({"event": "started", "seq": "9", "time": None, "total_steps": "x", "epoch_steps": [],
                    "summary": {"model": [], "data": {"splits": 5, "notes": 7}}}),
    ),
    "that resumes without sense": (
        json.dumps({"event": "resumed", "seq": 9, "time": 2e9, "from_step": -HUGE, "total_steps": HUGE,
                    "epoch_steps": 0, "exact": 5, "differences": 7, "from_seq": HUGE}),
    ),
    "that ends without sense": (
        json.dumps({"event": "finished", "seq": 9, "time": 2e9, "run": 5, "status": [], "metrics": {"val/mse": HUGE},
                    "seconds": HUGE, "train_seconds": "x", "steps": HUGE, "reason": {}, "traceback": 5}),
    ),
    "of samples elsewhere": (
        json.dumps({"event": "samples", "seq": 9, "time": 2e9, "step": 100, "samples": [
            {"kind": "text", "name": "a", "title": "b", "file": "../../../../etc/passwd"},
            {"kind": "text", "name": "a", "title": "b", "file": "/dev/zero"},
            {"kind": "text", "name": "a", "title": "b", "file": "/etc/passwd"},
            {"kind": 5, "name": [], "title": {}, "file": HUGE}]}),
        json.dumps({"event": "samples", "seq": 10, "time": 2e9, "step": 100, "samples": 5}),
        json.dumps({"event": "samples", "seq": 11, "time": 2e9, "step": 100, "samples": [5, None, {}]}),
    ),
    "of a machine that is none": (
        json.dumps({"event": "machine", "seq": 9, "time": 2e9, "step": 100, "cpu": HUGE, "memory": -HUGE,
                    "processes": "many", "gpus": [5, {"index": [], "use": HUGE, "memory": "x", "total": 0}]}),
        json.dumps({"event": "machine", "seq": 9, "time": 2e9, "step": 100, "cpu": 1, "memory": 1, "processes": 1,
                    "gpus": 5}),
    ),
    "of orders that are none": (
        json.dumps({"event": "command", "seq": 9, "time": 2e9, "step": HUGE, "action": [], "key": 5, "value": {},
                    "id": {}, "by": 7, "end": HUGE, "refused": []}),
        json.dumps({"event": "checkpoint", "seq": 9, "time": 2e9, "step": HUGE, "folder": "/", "best": "x",
                    "seconds": HUGE}),
        json.dumps({"event": "notice", "seq": 9, "time": 2e9, "step": [], "text": {}}),
        json.dumps({"event": "retried", "seq": 9, "time": 2e9, "step": -1, "reason": 5, "attempt": HUGE, "of": "x",
                    "settings": 7}),
    ),
    "that is none": ("[]", "5", '"x"', "null", "{}", '{"event": 5}', '{"event": []}', '{"event": {}}'),
}  # fmt: skip


def _append(lines: Sequence[str], place: Place) -> None:
    place.append(*lines)


def _declare_events() -> None:
    for what, lines in EVENTS.items():
        kind(f"an event {what}", state="interrupted", damaged=None)(partial(_append, lines))


_declare_events()


@kind("an event in a line of ten million letters", state="interrupted", damaged=None)
def _long_line(place: Place) -> None:
    place.append('{"event": "notice", "text": "' + "a" * 10_000_000)


@kind("events without lines", state="interrupted", damaged=None)
def _empty_lines(place: Place) -> None:
    place.append(b"\n" * 100_000)


@kind("events of ten thousand metrics", state="interrupted", damaged=None)
def _wide(place: Place) -> None:
    place.append(_metrics(values={f"train/{i}": [0.5] for i in range(10_000)}))


# The other files


@kind("a configuration 3 000 tables deep", damaged=None)
def _deep_toml(place: Place) -> None:
    place.run.config.write_text(f"task = 'toy'\nx = {'[' * 3000}{']' * 3000}\n")


@kind("a configuration of 3 000 dots", damaged=None)
def _dotted_toml(place: Place) -> None:
    place.run.config.write_text(f"task = 'toy'\n[{'a.' * 3000}a]\nb = 1\n")


@kind("a configuration of wrong types", damaged=None)
def _odd_toml(place: Place) -> None:
    place.run.config.write_text(
        "task = 5\nengine = 7\ndataset = []\nmodel = 1979-05-27T07:32:00Z\nx = inf\ny = -nan\n"
        f"z = {'9' * 4000}\n[trainer]\nlr = {{a = [[1], {{b = 2}}]}}\n"
    )


@kind("evaluations of wrong types", damaged=None)
def _odd_evaluations(place: Place) -> None:
    lines: list[object] = [
        5, [], None, {}, {"metrics": 5}, {"metrics": {"test/mse": "x"}, "split": [], "step": {}},
        {"metrics": {"test/mse": HUGE, "test/x": None, "": [1]}, "split": 5, "step": HUGE, "time": "x"},
    ]  # fmt: skip
    place.run.evaluations.write_text("".join(json.dumps(line) + "\n" for line in lines))


@kind("orders of wrong types", damaged=None)
def _odd_commands(place: Place) -> None:
    lines: list[object] = [5, [], {}, {"action": 5}, {"action": "set", "key": [], "value": HUGE, "id": {}, "time": "x"},
                           {"action": "stop", "end": HUGE}]  # fmt: skip
    place.run.commands.write_text("".join(json.dumps(line) + "\n" for line in lines))


def _checkpoint(text: str | bytes, place: Place) -> None:
    folder = place.run.checkpoints / "step-00000100"
    folder.mkdir()
    (folder / "manifest.json").write_bytes(text if isinstance(text, bytes) else text.encode())


MANIFEST: Mapping[str, Any] = {"step": 100, "epoch": 4, "batch": 0, "best": True, "task": "toy", "model": "linear",
                               "metrics": {"val/mse": 0.5}, "files": {}, "created": 1e9, "aliases": {}, "seq": 4,
                               "commands": 0, "settings": {}, "format": 1}  # fmt: skip
MANIFESTS: Mapping[str, str | bytes] = {
    "brackets": b"[" * BRACKETS,
    "nested objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "NUL": bytes(400),
    "no files": json.dumps(MANIFEST),
    "files of negative size": json.dumps({**MANIFEST, "files": {"model.safetensors": {"size": -1, "sha256": 5}}}),
    "files elsewhere": json.dumps(
        {**MANIFEST, "files": {"../../../../etc/passwd": {"size": 5, "sha256": ""}, "/dev/zero": {"size": 0,
         "sha256": ""}, "model.safetensors": {"size": 0, "sha256": ""}}}),
    "numbers out of range": json.dumps({**MANIFEST, "epoch": HUGE, "batch": -1, "created": HUGE, "seq": "x",
                                        "commands": HUGE, "metrics": {"val/mse": HUGE}, "format": 1}),
    "wrong types": json.dumps({**MANIFEST, "files": 5, "metrics": [], "aliases": 7, "settings": [], "best": "yes"}),
    "a format without end": json.dumps({**MANIFEST, "format": HUGE}),
}  # fmt: skip


def _declare_manifests() -> None:
    for what, text in MANIFESTS.items():
        kind(f"a manifest of {what}", state="interrupted", damaged=None)(partial(_checkpoint, text))


_declare_manifests()


@kind("a manifest that is a FIFO", damaged=None)
def _fifo_manifest(place: Place) -> None:
    os.mkfifo(place.run.checkpoints / "step-00000200")
    (place.run.checkpoints / "step-00000300").mkdir()
    os.mkfifo(place.run.checkpoints / "step-00000300" / "manifest.json")


@kind("checkpoints that are a link elsewhere", damaged=None)
def _linked_checkpoints(place: Place) -> None:
    place.run.checkpoints.rmdir()
    place.run.checkpoints.symlink_to(place.outside / "folder")


@kind("checkpoints that are a file", damaged=None)
def _checkpoint_file(place: Place) -> None:
    place.run.checkpoints.rmdir()
    place.run.checkpoints.write_text("x")


@kind("samples that are a link elsewhere", damaged=None)
def _linked_samples(place: Place) -> None:
    place.run.samples.rmdir()
    place.run.samples.symlink_to(place.outside / "folder")


@kind("reports of processes that are none", state="interrupted", damaged=None)
def _reports(place: Place) -> None:
    (place.run.path / ".report-0.json").write_text("[" * BRACKETS)
    (place.run.path / ".report-x.json").write_text('{"kind": 5}')
    os.mkfifo(place.run.path / ".report-1.json")


# The folder itself


@kind("a folder 2 000 deep", damaged=None)
def _deep_folders(place: Place) -> None:
    here = os.open(place.run.path, os.O_RDONLY)
    for _ in range(2000):
        os.mkdir("a", dir_fd=here)
        inner = os.open("a", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)


@kind("a folder whose name is no UTF-8", damaged=None)
def _undecodable(place: Place) -> None:
    place.run.path.rename(os.fsdecode(os.fsencode(place.run.path) + b"-\xff\xfe"))


@kind("a folder whose name steers the terminal", damaged=None)
def _steering_folder(place: Place) -> None:
    place.run.path.rename(f"{place.run.path}-\x1b]0;owned\x07\n\x9b2J")


@kind("a folder whose name a shell would execute", damaged=None)
def _shell(place: Place) -> None:
    place.run.path.rename(f"{place.run.path}-$(touch owned);`touch owned`'\" #?%25")


@kind("a folder whose name is as long as names get", damaged=None)
def _long_folder(place: Place) -> None:
    place.run.path.rename(str(place.run.path) + "a" * (255 - len(place.run.id)))


@kind("a folder that is a link to a run elsewhere", damaged=None)
def _linked_run(place: Place) -> None:
    shutil.rmtree(place.run.path)
    place.run.path.symlink_to(place.outside / "run")


@kind("a folder that is a link to itself", damaged=None)
def _loop(place: Place) -> None:
    shutil.rmtree(place.run.path)
    place.run.path.symlink_to(place.run.id)


@kind("a folder that is a link to nowhere", damaged=None)
def _dangling_run(place: Place) -> None:
    shutil.rmtree(place.run.path)
    place.run.path.symlink_to(place.outside / "nowhere")


@kind("a folder that is a FIFO", damaged=None)
def _fifo_run(place: Place) -> None:
    shutil.rmtree(place.run.path)
    os.mkfifo(place.run.path)


@kind("a folder with nothing in it", damaged=True)
def _empty(place: Place) -> None:
    shutil.rmtree(place.run.path)
    place.run.path.mkdir()

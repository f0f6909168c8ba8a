"""A run is a folder: copy it, rsync it, delete it. What is said of a run anywhere is read from here.

Listing a thousand runs reads their index and little else, so what only some runs need is imported where it is used,
and tuples stand here for dataclasses, whose module costs as much as Python's own start.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack, cast

from dlkit.errors import DAMAGE, in_words
from dlkit.runs import mirrors, opening
from dlkit.runs.files import write_json
from dlkit.runs.lock import holder

if TYPE_CHECKING:  # 0.4 ms of every listing, which makes no such dictionary
    from dlkit.runs.run_record import Result, RunRecord

FORMAT = 1
ENDED = ("completed", "stopped", "failed")
_YEAR_10000 = 253_402_300_800
_ENDS = {"created": _YEAR_10000, "updated": _YEAR_10000, "step": 1 << 63, "total_steps": 1 << 63, "seconds": math.inf}
"""What each number of a summary is below. Nobody can say the date of a later moment."""
_TEXTS = (
    "name", "task", "model", "dataset", "metric", "direction", "device", "host", "reason", "study", "parent", "tags",
    "note", "remote",
)  # fmt: skip
"""Fields of a summary that are text."""
NOTED = 200
"""Characters of a note that lists have."""
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # ids are read out and typed: no l, o, 0 and 1


class RunFolder(NamedTuple):
    """The paths of a run, and its run.json."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def config(self) -> Path:
        return self.path / "config.toml"

    @property
    def record(self) -> Path:
        return self.path / "run.json"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def past(self) -> Path:
        """What a fork's parent had measured up to the branch: lines of metrics, as in its own log."""
        return self.path / "past.jsonl"

    @property
    def commands(self) -> Path:
        return self.path / "commands.jsonl"

    @property
    def output(self) -> Path:
        return self.path / "output.log"

    @property
    def evaluations(self) -> Path:
        return self.path / "evaluations.jsonl"

    @property
    def samples(self) -> Path:
        return self.path / "samples"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def lock(self) -> Path:
        return self.path / "run.lock"

    @property
    def init(self) -> Path:
        """Weights that the run starts from, copied from another run."""
        return self.path / "init.safetensors"

    def read(self) -> RunRecord:
        """run.json; RunError, which is an OSError or ValueError too, if it is damaged or is no file."""
        from dlkit.runs.record_check import check_record  # 1 ms, which a list of runs that have ended does not need

        record = opening.read_json(self.path, "run.json")
        if not _is_newer(record):  # what its fields mean is not known here
            check_record(record, str(self.record))
        return cast("RunRecord", record)

    def update(self, **fields: Unpack[RunRecord]) -> None:
        """Change fields of run.json; RunError if a newer version wrote it: what it means is not known here."""
        record = self.read()
        if record.get("format", 0) > FORMAT:
            from dlkit.errors import RunError

            raise RunError(f"{self.id} was written by a newer dlkit (format {record['format']}); it stays as it is")
        # Read and written as a whole: of two writers one would lose its fields, so only run.lock's holder may.
        write_json(self.record, {**record, **fields})


def _is_newer(record: Mapping[str, object]) -> bool:
    made_by = record.get("format", 0)
    return isinstance(made_by, int) and made_by > FORMAT


def new_id(task: str, model: str) -> str:
    """``20261121-101530-regression-mlp-k3f9``: sorts by time, tells what it is, collides with none."""
    import secrets

    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    return f"{stamp}-{task}-{model}-{''.join(secrets.choice(LETTERS) for _ in range(4))}"


def create(
    runs: Path,
    task: str,
    model: str,
    record: RunRecord,
    config: str,
    identity: str = "",
    fill: Callable[[Path], None] = lambda folder: None,
) -> RunFolder:
    """Make a run's folder with its config.toml and run.json; it appears under its name when both are there.

    ``identity``: an id of ``new_id`` that was settled, and written down, before. OSError: it is there already, too.
    ``fill``: puts what else it begins with into the folder, before that has its name.
    """
    runs.mkdir(parents=True, exist_ok=True)
    run = RunFolder(runs / (identity or new_id(task, model)))
    hidden = RunFolder(runs / f".{run.id}")  # who lists runs never meets one without its run.json
    if identity:  # whoever was to make it was killed meanwhile, and comes again
        with suppress(FileNotFoundError):
            opening.remove_beside(hidden.path)
    hidden.path.mkdir()
    try:
        opening.write(hidden.path, "config.toml", config.encode())
        write_json(hidden.record, {"format": FORMAT, "id": run.id, **_marked(run, record, config)})
        for folder in ("samples", "checkpoints"):
            opening.make_folder(hidden.path, folder)
        fill(hidden.path)
        hidden.path.rename(run.path)
    except BaseException:  # Ctrl-C as well
        with suppress(OSError):
            opening.remove_beside(hidden.path)
        raise
    return run


def _marked(run: RunFolder, record: RunRecord, config: str) -> RunRecord:
    """The record as that of a run which its workspace has made; as it is where there is no workspace."""
    from dlkit.runs import own

    key = own.own_key(run.path)
    return own.marked(key, run.id, record, config.encode()) if key is not None else record


class Summary(NamedTuple):
    """One run in a list. ``state`` is what is true now: a run that says running but is not alive is ``interrupted``.

    ``metric`` is the primary one with its ``last`` and ``best`` values; ``seconds`` is what it has run in all; ``size``
    is what the folder takes on the disk, in bytes; ``study`` is the id of the study whose trial it is, or empty;
    ``parent`` is ``ID@STEP`` of the checkpoint that a fork began with, or empty; ``tags`` have spaces between them, and
    ``note`` is the first line of the last one. ``remote`` is the machine that the run lies on, whose name stands before
    its ``id`` then (``NAME:ID``); empty: this one.
    """

    id: str
    name: str = ""
    task: str = ""
    model: str = ""
    dataset: str = ""
    seed: int | None = None
    state: str = ""
    created: float = 0.0
    updated: float = 0.0
    step: int = 0
    total_steps: int = 0
    metric: str = ""
    direction: str = ""
    last: float | None = None
    best: float | None = None
    device: str = ""
    host: str = ""
    seconds: float = 0.0
    reason: str = ""
    size: int = 0
    metrics: Mapping[str, float] = {}  # never changed in place
    study: str = ""
    parent: str = ""
    tags: str = ""
    note: str = ""
    remote: str = ""

    def to_dict(self) -> dict[str, object]:
        return self._asdict()


def folder_of(workspace: Path, identity: str) -> RunFolder:
    """The folder of a run that a list has: in its workspace, or in the mirror of the machine that it lies on."""
    return RunFolder(mirrors.folder(identity) if ":" in identity else workspace / "runs" / identity)


def told(summary: Summary, run: RunFolder) -> dict[str, object]:
    """What programs are told of a run: its id is ``run``, and ``path`` is where it lies."""
    fields = summary.to_dict()
    return {"run": fields.pop("id"), "path": str(run.path.absolute()), **fields, "tags": summary.tags.split()}


def summarise(run: RunFolder) -> Summary:
    """A run's summary from its folder; what is damaged is said in ``state`` and ``reason``, never raised."""
    if (told := _mirrored(run)) is not None:  # of a copy, locks and sizes say nothing
        return told
    try:
        record = run.read()
    except (OSError, ValueError, MemoryError) as error:
        return Summary(id=run.id, state="damaged", reason=str(error) or in_words(error))
    try:
        return _understood(run, record)
    except opening.Refused as error:  # it names the file
        return Summary(id=run.id, state="damaged", reason=str(error))
    except DAMAGE as error:
        return Summary(id=run.id, state="damaged", reason=f"{run.record}: {in_words(error)}")


def _mirrored(run: RunFolder) -> Summary | None:
    """What another machine said last of a run whose copy this is; None of one that lies here."""
    # What is copied says how the run was, not how it is: its lock and its processes are elsewhere.
    told = mirrors.told(run.path)
    if told is None:
        return None
    name = mirrors.name_of(run.path)
    return from_afar(name, run.id, told, mirrors.silence(name))


def from_afar(name: str, run: str, told: object, quiet: str) -> Summary:
    """A summary of what another machine said, whatever that was; ``quiet``: since when it says nothing, if so."""
    identity = f"{name}:{run}"
    # Fields that this dlkit does not know are passed over: the other side may be newer.
    try:
        fields = {key: value for key, value in dict(told).items() if key in Summary._fields}  # type: ignore[call-overload]
        found = checked(Summary(**{**fields, "id": identity, "remote": name}))
        if not isinstance(found.state, str):
            raise ValueError("state is not text")
    except DAMAGE as error:
        return Summary(id=identity, state="damaged", reason=f"what {name} says of it: {error}", remote=name)
    # Whether it still runs, nobody here can know.
    return found._replace(state=f"unknown, {quiet}") if quiet and found.state not in (*ENDED, "damaged") else found


def _understood(run: RunFolder, record: RunRecord) -> Summary:
    """A readable run.json as a summary; fields of a newer format are passed over."""
    known: dict[str, object] = {
        key: record[key]
        for key in ("name", "task", "seed", "created", "metric", "direction", "device", "host", "reason", "study")
        if key in record
    }
    parts = record.get("components", {})
    names: dict[str, object] = {part: parts.get(part, {}).get("name", "") for part in ("model", "dataset")}
    result = record.get("result")
    told = result if result else _progress(run, record)  # whoever ends a run says what came of it: no log to read
    progress = {key: value for key, value in told.items() if key in Summary._fields}
    if origin := record.get("forked_from"):
        known["parent"] = f"{origin.get('id', '')}@{origin.get('step', 0)}"
    if opening.size(run.path, "labels.jsonl"):  # most runs have none
        from dlkit.runs.labels import labels

        found = labels(run.path)
        known["tags"] = " ".join(found.tags)
        known["note"] = next(iter(found.notes[-1].text.splitlines()), "")[:NOTED] if found.notes else ""
    always = {"id": run.id, "state": current_state(run, record), "size": disk_use(str(run.path))}
    if always["state"] == "foreign":
        from dlkit.runs.own import FOREIGN

        always["reason"] = FOREIGN
    fields: dict[str, Any] = {**known, **names, **progress, **always}
    return checked(Summary(**fields))


def checked(summary: Summary) -> Summary:
    """ValueError if a field is not of its kind: whoever sorts, stores or shows it relies on that."""
    for name in _TEXTS:
        if not isinstance(getattr(summary, name), str):
            raise ValueError(f"{name} is not text")
    for name, end in _ENDS.items():
        value = getattr(summary, name)
        if not isinstance(value, (int, float)):
            raise ValueError(f"{name} is not a number")
        if not 0 <= value < end:
            raise ValueError(f"{name} is {value:.6g}, which it cannot be")
    if not isinstance(summary.seed, (int, type(None))):
        raise ValueError("seed is not a number")
    for name in ("last", "best"):
        if not isinstance(getattr(summary, name), (int, float, type(None))):  # NaN and infinity are values of metrics
            raise ValueError(f"{name} is not a number")
    if not isinstance(summary.metrics, dict):
        raise ValueError("metrics is not a table")
    return summary


def disk_use(folder: str) -> int:
    """Bytes of all files below a folder; what goes meanwhile does not count."""
    import os

    total, waiting = 0, [folder]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):  # a link to data elsewhere takes no room here
                    waiting.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    return total


def current_state(run: RunFolder, record: RunRecord) -> str:
    """``running`` is believed only while somebody holds the lock; of another host's run nothing can be known.

    ``foreign`` is a job that says it is queued and is not its workspace's own.

    A run that ends between the look at its run.json and the look at its lock seems interrupted: what run.json says
    after the lock was found free is what counts.
    """
    state = str(record.get("state", "?"))
    if record.get("format", 0) > FORMAT:
        return f"{state} (newer format)"
    if (elsewhere := _mirrored(run)) is not None:
        return elsewhere.state
    if state == "queued":
        return "foreign" if _is_foreign(run, record) else state
    if state not in ("running", "paused"):
        return state
    import socket

    if record.get("host") != socket.gethostname():  # locks say nothing of processes elsewhere
        told = opening.status(run.path, "events.jsonl")
        age = max(0, int(time.time() - told.st_mtime)) if told is not None else 0
        return f"unknown, last event {age} s ago"
    if holder(run.lock) is not None:
        return state
    with suppress(OSError, ValueError, AttributeError):
        again = run.read()
        if (last := str(again.get("state"))) in (*ENDED, "queued"):
            return last if last in ENDED else current_state(run, again)
    return "interrupted"


def _is_foreign(run: RunFolder, record: RunRecord) -> bool:
    """Whether a job that waits is not its workspace's own, so that nobody will start it by himself."""
    from dlkit.runs.own import is_own_job

    return is_own_job(run.path, record) is False


def _progress(run: RunFolder, record: RunRecord) -> Result:
    """Step and metrics of a run that has not said how it ended, from the end of its log."""
    from dlkit.events import Finished, Forked, MetricsLogged, Resumed, Started
    from dlkit.runs.log import tail_events

    metric, better = record.get("metric", ""), max if record.get("direction") == "max" else min
    step, total = 0, int(record.get("total_steps", 0))
    metrics: dict[str, float] = {}
    values: list[float] = []
    events = tail_events(run.events)
    for event in events:
        if isinstance(event, MetricsLogged):
            step = max(step, event.last_step)
            metrics.update({name: column[-1] for name, column in event.values.items() if column})
            values += event.values.get(metric, ())
        elif isinstance(event, Started):
            step, total = event.from_step if isinstance(event, Forked) else 0, event.total_steps
        elif isinstance(event, Resumed):  # it trains again from there, though nothing of it may be measured yet
            step, total = event.from_step, event.total_steps
        elif isinstance(event, Finished):
            step = event.steps
    return {
        "step": step,
        "total_steps": total,
        "last": values[-1] if values else None,
        "best": better(values) if values else None,
        "metrics": metrics,
        "updated": events[-1].time if events else 0.0,
        "seconds": max(0.0, events[-1].time - events[0].time) if events else 0.0,
    }

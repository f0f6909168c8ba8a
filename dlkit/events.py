"""The vocabulary of a run: what the engine yields, and each line of ``events.jsonl``.

An event is recorded before it is yielded. ``seq`` (its number, from 0) and ``time`` (UTC seconds) are given by the log.
A line is strict JSON; a non-finite number is the string "nan", "inf" or "-inf".
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from dlkit.json_types import Json
from dlkit.metric_lines import MetricsLine, last_of, metric_steps, steps_of, time_left_of
from dlkit.shapes import LATEST, Kind, anything, fields, list_of, number, switch, table_of, text, whole
from dlkit.strict_numbers import decode, encode, finite


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events. ``step`` counts finished optimizer steps."""

    event: ClassVar[str] = ""

    seq: int = -1
    time: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Started(Event):
    """A run begins at step 0. ``summary``: model, data, device and precision, as people read them.

    ``run`` is its id, empty in logs of before; ``total_steps`` is the planned end, ``epoch_steps`` the steps of the
    first epoch.
    """

    event = "started"
    run: str = ""
    total_steps: int
    epoch_steps: int
    summary: Mapping[str, Json]


@dataclass(frozen=True, kw_only=True)
class Forked(Started):
    """A run begins with the whole state of another one's checkpoint: the first event of a fork, in the place of
    ``started``.

    ``parent`` is that run's id, ``from_step`` and ``sha256`` (of the weights) are the checkpoint's; ``changes`` are the
    settings that differ from there on, by full key, each as it was and as it is; ``exact`` and ``differences`` as for
    ``resumed``: what of the state fits no more, or is computed otherwise.
    """

    event = "forked"
    parent: str
    from_step: int
    sha256: str
    changes: Mapping[str, Json] = dataclasses.field(default_factory=dict)
    exact: bool = True
    differences: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Resumed(Event):
    """The run goes on from a checkpoint; step-indexed events beyond ``from_step`` that stand before this are void.

    ``from_seq`` is the ``seq`` that the next event had when the checkpoint was taken: metrics, samples and commands
    from there on are void too, though of the same step (it may lie before an evaluation at its step).
    """

    event = "resumed"
    run: str = ""
    from_step: int
    total_steps: int
    epoch_steps: int
    exact: bool
    differences: Sequence[str] = ()
    from_seq: int = -1


@dataclass(frozen=True, kw_only=True)
class MetricsLogged(Event):
    """Metrics of ``steps``, in columns: value i of every list in ``values`` belongs to step ``first + i * every``.

    ``rate`` is steps a second since the batch before; ``epoch`` the epoch of the last step; ``time_left`` the seconds
    until ``engine.max_time`` ends the run, None where it does not.
    """

    event = "metrics"
    first: int
    count: int
    values: Mapping[str, Sequence[float]]
    every: int = 1  # metrics that are measured now and then stay columns, too
    epoch: int = 0
    rate: float = 0.0
    time_left: float | None = None

    @property
    def steps(self) -> range:
        return metric_steps(self.first, self.count, self.every)

    @property
    def last_step(self) -> int:
        return last_of(self.steps)

    def points(self, name: str) -> Iterator[tuple[int, float]]:
        """One metric's steps with their values; none if it is not among them."""
        return zip(self.steps, self.values.get(name, ()), strict=False)

    def until(self, step: int) -> MetricsLogged | None:
        """What of it belongs to steps up to ``step``; None if nothing does."""
        count = len(range(self.first, min(self.steps.stop, step + 1), self.every))
        if count >= self.count:
            return self
        values = {name: column[:count] for name, column in self.values.items()}
        return dataclasses.replace(self, count=count, values=values) if count else None


@dataclass(frozen=True, kw_only=True)
class SampleRef:
    """Where a sample lies: ``file`` relative to the run's folder, with its kind, name and title."""

    kind: str
    name: str
    title: str
    file: str


@dataclass(frozen=True, kw_only=True)
class Sampled(Event):
    """Samples were made from the model as of ``step``."""

    event = "samples"
    step: int
    samples: Sequence[SampleRef]


@dataclass(frozen=True, kw_only=True)
class Checkpointed(Event):
    """A checkpoint is complete on disk. ``folder`` is relative to the run; ``best``: the best so far when made."""

    event = "checkpoint"
    step: int
    folder: str
    best: bool
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Notice(Event):
    """Something to know that is not a failure: a checkpoint skipped, an observer switched off."""

    event = "notice"
    step: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Preparing(Event):
    """Before the first step of an attempt, at most about once a second: ``done`` of ``total`` rows of ``text``."""

    event = "preparing"
    step: int
    text: str
    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Commanded(Event):
    """A command was obeyed after ``step``, or ``refused`` says why not.

    ``action`` is one of ``dlkit.runs.commands.ACTIONS``, ``key`` and ``value`` those of ``set``; ``id`` and ``by`` are
    the command's, ``reason`` is why, if that was said, ``end`` the offset behind its line in commands.jsonl.
    """

    event = "command"
    step: int
    action: str
    key: str = ""
    value: Json = None
    id: str = ""
    by: str = ""
    end: int = 0
    refused: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Machine(Event):
    """What the job's processes use, about once a second.

    ``cpu`` is in percent of one core, ``memory`` the resident bytes of all ``processes`` together. ``gpus`` has an
    entry for each one that they use: ``index``, ``name``, ``use`` (percent, by whomever), ``memory`` (bytes of this
    job), ``total`` (bytes), ``celsius``, ``watts`` (both missing in older logs); what the driver does not tell is None.
    ``printed``: bytes of output.log by then, so that its lines have a place among events; 0 without one, in older logs.
    """

    event = "machine"
    step: int
    cpu: float
    memory: int
    processes: int
    gpus: Sequence[Mapping[str, Json]] = ()
    printed: int = 0


@dataclass(frozen=True, kw_only=True)
class Spent(Event):
    """Where the time of this attempt has gone until now, from its first event on: each one holds all before it.

    Told after evaluations, at most once a second; otherwise every ten seconds; and before ``finished``. Missing in
    older logs.

    ``seconds`` are of the clock, by kind; together they are the attempt's. ``loading``: waiting for the next batch;
    ``augmenting``: changing it, where the engine does so (a data set's own augmentation is loading; on a GPU, only what
    starting it took); ``steps``: in the trainer's step, on a GPU until it is queued; ``device``: waiting for the device
    when metrics are read; ``evaluation``, ``sampling``; ``checkpoints``: as far as the loop waited; ``preparing``:
    putting back a checkpoint, making splits ready; ``paused``; ``other``: logging, orders, whoever follows the run.

    ``cpu_seconds`` are this process's, of all its threads; ``children_cpu_seconds`` those of processes below it.
    ``voluntary`` and ``involuntary`` count context switches of all its threads. ``machine``, as far as known:
    ``delayed`` (seconds for which the loop's thread was ready to go on and had no core), ``busy`` and ``steal`` (CPU
    seconds of the whole machine, whoever's, and those that its host gave to others), ``cores`` of that machine,
    ``usable`` ones for this process, ``load`` (mean number of ready threads over a minute), ``threads`` of a step.
    Of several processes it is rank 0's. Runs that are trained as one have the steps that all take together.
    """

    event = "spent"
    step: int
    seconds: Mapping[str, float]
    cpu_seconds: float
    children_cpu_seconds: float = 0.0
    voluntary: int = 0
    involuntary: int = 0
    machine: Mapping[str, float] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Retried(Event):
    """The job's processes died or ran out of memory, and are started again: attempt number ``attempt`` of ``of``.

    ``settings`` are options that were changed for it (``{"engine.batch_size": 32, "engine.accumulate": 2}``).
    """

    event = "retried"
    step: int
    reason: str
    attempt: int
    of: int
    settings: Mapping[str, Json] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Finished(Event):
    """The run ended. ``status``: ``completed``, ``stopped`` or ``failed``; ``reason`` says why it ended so.

    ``metrics`` are those of the best evaluation (the last, if none is better); ``seconds`` count the whole run over
    all its resumes, ``train_seconds`` its steps alone. ``traceback`` is a failure's, empty for expected ones.
    ``cause`` is what ended it, as data: its ``kind`` and what is known of that (``dlkit.engine.cause``); empty where
    nothing failed, and in older logs.
    """

    event = "finished"
    run: str
    status: str
    metrics: Mapping[str, float]
    seconds: float
    train_seconds: float
    steps: int
    reason: str = ""
    traceback: str = ""
    cause: Mapping[str, Json] = dataclasses.field(default_factory=dict)


KINDS: dict[str, type[Event]] = {
    cls.event: cls
    for cls in (
        Started,
        Forked,
        Resumed,
        Preparing,
        MetricsLogged,
        Sampled,
        Checkpointed,
        Notice,
        Commanded,
        Machine,
        Spent,
        Retried,
        Finished,
    )
}


def likely_end(planned: int, step: int, rate: float, time_left: float | None) -> int:
    """The step at which a run will end that is at ``step`` now: the planned one, unless its time is up sooner."""
    more = time_left * rate if time_left is not None and rate > 0 else math.inf
    return min(planned, step + round(max(0.0, more))) if math.isfinite(more) else planned


def to_json(event: Event) -> str:
    """One line of events.jsonl, without its newline."""
    return _line(_record(event))


def told(event: Event) -> str:
    """The same line for programs that listen, in the words that all of dlkit's JSON has: how a run ended is its
    ``state``, and epochs count from 1, as people do."""
    record = _record(event)
    if isinstance(event, Finished):
        record = {"state" if name == "status" else name: value for name, value in record.items()}
    elif isinstance(event, MetricsLogged):
        record["epoch"] = event.epoch + 1
    return _line(record)


def _record(event: Event) -> dict[str, object]:
    record = {item.name: getattr(event, item.name) for item in dataclasses.fields(event)}
    if isinstance(event, Sampled):
        record["samples"] = [dataclasses.asdict(sample) for sample in event.samples]
    return {"event": event.event, **record}


def _line(record: Mapping[str, object]) -> str:
    try:
        return json.dumps(record, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except ValueError:  # a number that is not finite: rare, so that only then every value is looked at
        return json.dumps(encode(record), allow_nan=False, ensure_ascii=False, separators=(",", ":"))


_TIME = number(0, LATEST)
_SECONDS = number(-1e15, 1e15)
_FIELDS: Mapping[str, Kind] = {
    **dict.fromkeys(("seq", "from_seq"), whole(-1)),
    **dict.fromkeys(("step", "steps", "from_step", "total_steps", "epoch_steps", "first", "count", "epoch"), whole()),
    **dict.fromkeys(("memory", "processes", "printed", "attempt", "of", "end", "done", "total"), whole()),
    **dict.fromkeys(("voluntary", "involuntary"), whole()),
    "machine": table_of(_SECONDS),
    **dict.fromkeys(
        ("run", "status", "reason", "traceback", "folder", "text", "action", "key", "id", "by", "parent", "sha256"),
        text,
    ),
    **dict.fromkeys(("seconds", "train_seconds", "cpu", "cpu_seconds", "children_cpu_seconds"), _SECONDS),
    **dict.fromkeys(("exact", "best"), switch),
    **dict.fromkeys(("summary", "settings", "changes", "cause"), table_of(anything)),
    **dict.fromkeys(("rate", "time_left", "value"), anything),
    "time": _TIME,
    "every": whole(1),
    "refused": text,
    "differences": list_of(text),
    "samples": list_of(fields(kind=text, name=text, title=text, file=text)),
    "gpus": list_of(table_of(anything)),
    "metrics": table_of(anything),
    "values": anything,  # as many as steps, and numbers: ``steps_of`` and ``decode``, which see each one anyway
}
"""What every field of an event may be, by name: it is looked at where the line is read, and nowhere after."""
_OWN: Mapping[type[Event], dict[str, Kind]] = {Spent: {"seconds": table_of(_SECONDS)}}
"""What is otherwise in one event than in all others."""
_SHAPES = {
    cls: fields(**{item.name: _FIELDS[item.name] for item in dataclasses.fields(cls)} | _OWN.get(cls, {}))
    for cls in KINDS.values()
}


def from_record(record: Mapping[str, Json]) -> Event | None:
    """A parsed line as an event; None for a kind this version does not know, unknown fields left out.

    A line that is damaged raises AttributeError, KeyError, TypeError or ValueError.
    """
    cls = KINDS.get(str(record.get("event", "")))
    if cls is None:
        return None
    if wrong := _SHAPES[cls](record, cls.event):
        raise ValueError(wrong)
    found: dict[str, Any] = {item.name: record[item.name] for item in dataclasses.fields(cls) if item.name in record}
    if cls is MetricsLogged:
        line = cast(MetricsLine, record)
        steps_of(line)  # raises what readers of this line would otherwise meet one by one
        found |= {"values": decode(found["values"]), "time_left": finite(time_left_of(line))}
        found["rate"] = finite(found.get("rate")) or 0.0
    elif cls is Finished:
        found["metrics"] = decode(found["metrics"])
    elif cls is Sampled:
        names = {item.name for item in dataclasses.fields(SampleRef)}
        found["samples"] = [SampleRef(**{k: v for k, v in s.items() if k in names}) for s in found["samples"]]
    return cls(**found)

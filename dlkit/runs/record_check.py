"""What run.json may hold: looked at once, where it is read, so that nobody after that has to.

Field by field what ``RunRecord`` and ``jobs.job_record.JobRecord`` promise, in ranges that machines and calendars have.
"""

from __future__ import annotations

from dlkit.json_types import JsonObject
from dlkit.runs.opening import Damaged
from dlkit.shapes import (
    LATEST,
    STEPS,
    anything,
    fields,
    list_of,
    measured,
    number,
    or_none,
    switch,
    table_of,
    text,
    whole,
)

_TIME, _SECONDS = number(0, LATEST), number(0, 1e12)
_RESULT = fields(
    step=whole(),
    total_steps=whole(),
    last=or_none(measured),
    best=or_none(measured),
    metrics=table_of(anything),
    updated=_TIME,
    seconds=_SECONDS,
)
_JOB = fields(
    since=_TIME,
    queued=switch,
    priority=whole(-(1 << 31), 1 << 31),
    after=list_of(text),
    offline=switch,
    device=text,
    threads=anything,  # numbers of threads and processes are bounded, in words, where they are used
    nproc=anything,
    gpu_memory=or_none(whole()),
    launcher=table_of(anything),
    max_restarts=whole(),
    on_oom=text,
    notify=or_none(text),
    commands_from=whole(),
    resume=switch,
    overrides=table_of(anything),
    allow_inexact=switch,
    before=fields(state=text, reason=or_none(text), result=or_none(_RESULT)),
    inexact=list_of(text),
    stack=text,
    urgent=switch,
    at=_TIME,
    nice=whole(0, 19),
    held=text,
    gave_way=fields(to=text, called=text, why=text, whose=text, step=whole(), time=_TIME),
    mark=anything,  # any but the right one is none
)
_RECORD = fields(
    format=whole(),
    id=text,
    name=text,
    state=text,
    reason=or_none(text),
    result=or_none(_RESULT),
    created=_TIME,
    task=text,
    metric=text,
    direction=text,
    components=table_of(fields(name=text, plugin=text, plugin_version=text, version=whole())),
    seed=whole(-STEPS, 1 << 64),
    host=text,
    command=list_of(text),
    git=text,
    versions=table_of(text),
    device=text,
    identity=fields(kind=text, model=text, count=whole(), driver=text),
    precision=text,
    threads=anything,
    processes=anything,
    total_steps=whole(),
    fingerprint=text,
    baseline=table_of(measured),
    pid=whole(0, 1 << 31),
    worker=whole(0, 1 << 31),
    devices=list_of(text),
    mark=anything,  # any but the right one is none
    forked_from=fields(
        id=text,
        step=whole(),
        sha256=text,
        changes=table_of(list_of(anything)),
        before=list_of(fields(id=text, step=whole())),
    ),
    estimate=fields(
        seconds=or_none(_SECONDS),
        starting=_SECONDS,
        steps=whole(),
        memory=or_none(whole()),
        device_memory=or_none(whole()),
        disk=whole(),
    ),
    study=text,
    trial=whole(),
    job=_JOB,
)


def check_record(record: JsonObject, name: str) -> None:
    """Damaged names the file and the first field that is not what it may be; what else there is, a newer one wrote."""
    if wrong := _RECORD(record, ""):
        raise Damaged(f"{name}: {wrong}")

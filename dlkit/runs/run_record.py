"""run.json: what a run says of itself.

Whoever reads the file gets a ``RunRecord``, and whoever changes it names its fields: the type is what writers promise.
A file from a person's hand, or a damaged one, may hold anything, so a reader that must not fail checks what it uses
(``folder.summarise``). No field is required: a run says what it knows when it knows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from dlkit.json_types import Json


class ComponentRecord(TypedDict, total=False):
    """A component that the run was made with: found again by name, migrated from ``version``."""

    name: str
    plugin: str
    plugin_version: str
    version: int


class Result(TypedDict, total=False):
    """What a run that has ended came to; fields as in ``Summary``."""

    step: int
    total_steps: int
    last: float | None
    best: float | None
    metrics: Mapping[str, float]
    updated: float
    seconds: float


class DeviceIdentity(TypedDict):
    """What computed the run: its kind, its maker's name for it, how many the machine has, the driver's version."""

    kind: str
    model: str
    count: int
    driver: str


class Ancestor(TypedDict):
    """A run, and the step at which another one branched off from it."""

    id: str
    step: int


class ForkedFrom(TypedDict, total=False):
    """Where a fork comes from: the run ``id``, its checkpoint at ``step`` with weights of that SHA-256.

    ``changes`` are the settings that differ from there on, by full key, each as it was and as it is (null: unset);
    ``before`` are the parent's own ancestors, the nearest first: they may be gone.
    """

    id: str
    step: int
    sha256: str
    changes: Mapping[str, Sequence[object]]
    before: Sequence[Ancestor]


class RunRecord(TypedDict, total=False):
    """The whole of run.json, format 1, or a part of it that somebody contributes.

    state                ``queued``, ``running``, ``paused``, ``completed``, ``stopped`` or ``failed``, as last said
    reason, result       of the end; result is null while a run goes on again
    name                 what people call it
    created              UTC seconds
    task … git           how it came to be (``runs.origin``): ``command`` are the words that were given, ``git`` the
                         commit of the folder they were given in
    versions … processes what must be the same for a resume to be exact; ``identity`` is missing from older runs
    threads_why, building_threads
                         what decided ``threads``, and how many made data and model: kept by every resume
    total_steps, fingerprint
                         planned end, and the hash of the data: known once the components are built
    baseline             of an answer that does not look at its input (``Task.constant``): metrics of the validation
                         split by full name; missing where there is none, before the first evaluation, from older runs
    pid, worker, devices processes that train and supervise, devices that were claimed
    job                  what a supervisor and a scheduler must know (``jobs.job_record``)
    mark                 that the workspace made the run (``runs.own``); missing from older runs
    forked_from          of a fork: where it comes from
    estimate             what it was to take, where that was tried before it was handed over (``runs.estimates``)
    study, trial         of a run that a study made: the study's id, and which of its trials it is
    """

    format: int
    id: str
    name: str
    state: str
    reason: str | None
    result: Result | None
    created: float

    task: str
    metric: str
    direction: str
    components: Mapping[str, ComponentRecord]
    seed: int
    host: str
    command: Sequence[str]
    git: str

    versions: Mapping[str, str]
    device: str
    identity: DeviceIdentity
    precision: str
    threads: int
    threads_why: str
    building_threads: int
    processes: int

    total_steps: int
    fingerprint: str
    baseline: Mapping[str, Json]
    pid: int
    worker: int
    devices: Sequence[str]
    job: Mapping[str, object]
    mark: str
    forked_from: ForkedFrom
    estimate: Mapping[str, object]
    study: str
    trial: int

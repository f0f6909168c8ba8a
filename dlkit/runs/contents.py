"""What a run's folder says, read without building anything: damaged parts are left out, never raised."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypedDict, cast

from dlkit.bounded import DOCUMENT, parse_json
from dlkit.events import Event, Finished, Sampled
from dlkit.json_types import Settings
from dlkit.runs import mirrors, opening
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.folder import RunFolder
from dlkit.shapes import LATEST, fields, measured, number, table_of, text, whole

if TYPE_CHECKING:  # who reads no samples need not wait for NumPy, a supervisor say
    from dlkit.samples import Sample


class EvaluationRecord(TypedDict, total=False):
    """A line of evaluations.jsonl: what ``dlkit evaluate`` measured, of which weights, at which UTC seconds."""

    run: str
    checkpoint: str
    step: int
    split: str
    metrics: Mapping[str, float]
    sha256: str
    time: float


_EVALUATION = fields(
    run=text, checkpoint=text, step=whole(), split=text, metrics=table_of(measured), sha256=text, time=number(0, LATEST)
)


class CheckpointRecord(TypedDict):
    """A complete checkpoint; ``folder`` is relative to the run, ``best`` marks the one that ``best`` means now."""

    step: int
    best: bool
    size: int
    folder: str
    sha256: str
    metrics: Mapping[str, float]


class SampleRecord(TypedDict):
    """A sample on record; ``file`` is relative to the run."""

    step: int
    kind: str
    name: str
    title: str
    file: str


def evaluations(run: RunFolder) -> list[EvaluationRecord]:
    """Oldest first; lines that are none, and a file that cannot be read, are left out."""
    try:
        lines = opening.read_bytes(run.path, "evaluations.jsonl", DOCUMENT).split(b"\n")
    except (OSError, ValueError):
        return []
    found = []
    for line in lines:
        try:
            record = parse_json(line, constants=True)  # metrics that are not finite stand there as NaN
        except ValueError:  # also the last line, which somebody may be writing
            continue
        if not _EVALUATION(record, ""):
            found.append(cast(EvaluationRecord, record))
    return found


def why_unrecordable(run: RunFolder) -> str:
    """Why no evaluation can be put on record, as far as that is known before one; empty: it seems that it can."""
    place = run.evaluations if run.evaluations.exists() else run.path
    if not os.access(place, os.W_OK):  # on a disk that is read-only, too
        return f"{place} cannot be written"
    return f"{run.path}: there is no room on the disk" if os.statvfs(run.path).f_bavail == 0 else ""


def latest_evaluations(run: RunFolder) -> dict[str, float]:
    """The metrics of the last evaluation of each split."""
    found: dict[str, float] = {}
    for record in evaluations(run):
        found.update(record.get("metrics", {}))
    return found


def stored_values(run: RunFolder) -> dict[str, object]:
    """config.toml as plain values, not validated; empty if it cannot be read."""
    try:
        return dict(opening.read_toml(run.path, "config.toml"))
    except (OSError, ValueError):
        return {}


def stored_sections(run: RunFolder) -> dict[str, Settings]:
    """Its sections alone (``engine``, ``model`` …)."""
    return {name: values for name, values in stored_values(run).items() if isinstance(values, Mapping)}


def flatten(values: Settings) -> dict[str, object]:
    """``{"engine": {"epochs": 3}}`` → ``{"engine.epochs": 3}``."""
    flat: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat.update({f"{key}.{name}": item for name, item in flatten(value).items()})
        else:
            flat[key] = value
    return flat


def checkpoints(run: RunFolder) -> list[CheckpointRecord]:
    """By step."""
    found = complete(run.path)
    best = choose(run.path, "best").step if found else None
    return [
        {
            "step": c.step,
            "best": c.step == best,
            "size": c.size,
            "folder": f"checkpoints/{c.folder.name}",
            "sha256": c.sha256,
            "metrics": dict(c.manifest.metrics),
        }
        for c in found
    ]


def samples(events: Iterable[Event]) -> list[SampleRecord]:
    """Oldest first."""
    return [
        {"step": event.step, "kind": ref.kind, "name": ref.name, "title": ref.title, "file": ref.file}
        for event in events
        if isinstance(event, Sampled)
        for ref in event.samples
    ]


def save_sample(run: RunFolder, sample: Sample, stem: str) -> str:
    """Store a sample; its file, relative to the run. SampleError: it could not be shown."""
    from dlkit.samples import encoded

    for name, data in encoded(sample, stem).items():
        opening.write(run.path, f"samples/{name}", data)
    return f"samples/{stem}.json"


def load_sample(run: RunFolder, file: str) -> Sample:
    """A stored sample; what a damaged one raises: OSError, KeyError, TypeError, ValueError."""
    from dlkit.samples import decoded

    folder, _, name = file.rpartition("/")
    return decoded(name, lambda beside: _sample_file(run, f"{folder}/{beside}"))


def _sample_file(run: RunFolder, file: str) -> bytes:
    """Of a mirrored run, samples are copied when somebody looks at them."""
    try:
        return opening.read_bytes(run.path, file, DOCUMENT)
    except FileNotFoundError:
        if mirrors.OnDemand.fetch is None or not mirrors.name_of(run.path):
            raise
        mirrors.OnDemand.fetch(run.path, file)
    return opening.read_bytes(run.path, file, DOCUMENT)


def how_it_ended(events: list[Event]) -> Finished | None:
    """The end, if the run said it."""
    return next((event for event in reversed(events) if isinstance(event, Finished)), None)

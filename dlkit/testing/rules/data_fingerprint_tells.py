"""Other data have another fingerprint."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator

from dlkit.config import Resolved, fields_of
from dlkit.data.splits import Data, Split, TensorSplit
from dlkit.engine.build import build_data
from dlkit.errors import DlkitError
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.offline import offline_data
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import rows

MOST = 200
SECONDS = {True: 2.0, False: 8.0}
"""How long options are varied, quick or not."""


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    seen: dict[str, tuple[str, str]] = {}
    yield from _noted(seen, job.data, "as they are")
    until = time.monotonic() + SECONDS[subject.quick]
    for option, value in _varied(job.resolved):
        if time.monotonic() > until:
            break
        data = _built(subject, option, value)
        if data is not None:
            yield from _noted(seen, data, f"with dataset.{option} = {value!r}")


def _noted(seen: dict[str, tuple[str, str]], data: Data, how: str) -> Iterator[Finding]:
    """A finding, if another content has had its fingerprint: of the data, and of each split that hashes itself."""
    whole = " ".join(_content(split) for split in (data.train, data.val))
    found = [("the data", data.fingerprint(), whole)]
    found += [
        (f"split {name!r}", split.fingerprint(), _content(split))
        for name, split in data.splits.items()
        if type(split).fingerprint is not TensorSplit.fingerprint  # of what it stores; the rest is its transform's
    ]
    for what, fingerprint, content in found:
        before = seen.setdefault(fingerprint, (content, how))
        if before[0] != content:
            yield Finding(f"{what} have the fingerprint of those {before[1]}, and other samples", "another one", how)


def _content(split: Split) -> str:
    digest = hashlib.sha256(str(len(split)).encode())
    for name, column in sorted(rows(split, min(MOST, len(split))).items()):
        digest.update(name.encode() + column.contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()


def _built(subject: Subject, option: str, value: object) -> Data | None:
    """None where the data set does not take the option's other value, or has no data for it."""
    try:
        resolved = subject.resolved({"dataset": {option: value}})
        with offline_data(subject.catalog, subject.scratch) as context:
            return build_data(subject.catalog, resolved, subject.experiment().task, context)[0]
    except (DlkitError, Skipped):
        return None


def _varied(resolved: Resolved) -> Iterator[tuple[str, object]]:
    """Options, each with a value near its own."""
    section = resolved.sections["dataset"]
    for field in fields_of(type(section)):
        value = getattr(section, field.name)
        if isinstance(value, bool):
            yield field.name, not value
        elif isinstance(value, int):
            yield field.name, value + 1
        elif isinstance(value, float):
            yield field.name, value * 0.9 + 0.01


RULE = Rule(
    name="data-fingerprint-tells",
    tier="silver",
    kinds=("dataset",),
    title="The fingerprint changes with the data",
    why="A resume compares fingerprints: it refuses to go on with other data only if these have another one.",
    mend="Hash in Split.fingerprint whatever decides what take() gives: the content of files, and the options by which "
    "samples are made of them. TensorSplit does so by itself.",
    buggy='def fingerprint(self):\n    return "my-data-1"',
    corrected="def fingerprint(self):\n    return hashlib.sha256(self.images.tobytes() + "
    "self.labels.tobytes()).hexdigest()",
    check=check,
)

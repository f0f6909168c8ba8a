"""What failed for a reason that is not the training's: data, a plugin, the disk, a crash; and what nobody foresaw."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from dlkit.diagnose import mending
from dlkit.diagnose.record import Record
from dlkit.diagnose.verdict import Mend, Seen, Verdict


def data_missing(record: Record) -> Iterator[Verdict]:
    """A file that is not there, or data that are not what they should be."""
    cause = record.cause
    if cause.get("kind") != "data":
        return
    file, error = str(cause.get("file") or ""), str(cause.get("error", record.reason))
    text = f"its data are missing: {file}" if file else f"its data cannot be used: {error}"
    dataset = record.record.get("components", {}).get("dataset", {}).get("name", "")
    evidence = (_where(record, error), Seen(f"the data set is {dataset!r}"))
    mends = (
        Mend("data list", "what is there, what is missing, and how to get it"),
        mending.resumed(record, "goes on once they are there"),
    )
    yield Verdict("data-missing", "failure", "bad", text, evidence, mends)


def plugin_broken(record: Record) -> Iterator[Verdict]:
    """A component's code that raised, or broke its contract."""
    cause = record.cause
    if cause.get("kind") != "plugin":
        return
    plugin, who = str(cause.get("plugin") or ""), str(cause.get("who") or "")
    error = str(cause.get("error", ""))
    named = f"plugin {plugin!r} is broken" if plugin else "a plugin is broken"
    text = f"{named}: {who}{f' raised {error}' if error and error not in who else ''}"
    evidence = [_where(record, error or record.reason)]
    if (where := str(cause.get("where") or "")) and where != who:
        evidence.append(Seen(f"raised in {where}"))
    version = next(
        (
            c.get("plugin_version", "")
            for c in record.record.get("components", {}).values()
            if c.get("plugin") == plugin
        ),
        "",
    )
    if version:
        evidence.append(Seen(f"{plugin} {version} trained it"))
    mends = (
        [Mend(f"check-plugin {shlex.quote(plugin)}", "which of its contracts it breaks, rule by rule")]
        if plugin
        else []
    )
    mends += [Mend("plugins --check", "what else is wrong"), mending.resumed(record, "goes on once it is mended")]
    yield Verdict("plugin-broken", "failure", "bad", text, tuple(evidence), tuple(mends))


def disk_full(record: Record) -> Iterator[Verdict]:
    """A disk that is full, read-only or ill."""
    cause = record.cause
    error = str(cause.get("error", ""))
    if cause.get("kind") != "disk" and "No space left on device" not in record.reason:
        return
    full = "Errno 28" in error or "No space left" in error + record.reason
    text = "the disk is full" if full else f"the disk refused to write: {error}"
    mends = (
        Mend("clean --dry-run", "what could be freed: old checkpoints, interrupted runs"),
        mending.resumed(record),
    )
    yield Verdict("disk-full", "failure", "bad", text, (_where(record, error or record.reason),), mends)


def crashed(record: Record) -> Iterator[Verdict]:
    """A process that ended below Python, or with a code and no word."""
    cause = record.cause
    kind = cause.get("kind")
    if kind not in ("crash", "exit"):
        return
    how = f"crashed with {cause.get('signal')}" if kind == "crash" else f"ended with code {cause.get('code')}"
    text = f"its process {how}, below Python: a library's fault, or a plugin's that is not in Python"
    if kind == "exit":
        text = f"its process {how} and without a word"
    mends = (
        Mend(f"show {record.run.id} --log", "what it printed last: the stack of a crash, too"),
        Mend("doctor", "whether driver and libraries fit"),
        mending.resumed(record),
    )
    yield Verdict("crashed", "failure", "bad", text, (_where(record, record.reason),), mends)


def failed(record: Record) -> Iterator[Verdict]:
    """What none of the others knows: said as it was raised, and as such."""
    if record.state != "failed":
        return
    error = str(record.cause.get("error") or record.reason or "nothing was said")
    text = f"failed at step {record.step}: {error}"
    evidence = [_where(record, error)]
    if record.finished is not None and record.finished.traceback:
        last = record.finished.traceback.rstrip().splitlines()
        evidence.append(Seen(next((line.strip() for line in reversed(last) if line.startswith("  File")), last[-1])))
    mends = (Mend(f"show {record.run.id} --log", "the whole of what it said"), mending.resumed(record))
    yield Verdict("failed", "failure", "bad", text, tuple(evidence), mends)


def _where(record: Record, error: str) -> Seen:
    return Seen(f"it ended at step {record.step} of {record.total_steps}: {error}", record.step)

"""Giving runs tags and notes: lines that are appended to labels.jsonl."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable

from dlkit.errors import RunError, UsageError
from dlkit.runs import labels as kept
from dlkit.runs import opening
from dlkit.runs.commands import checked_reason, somebody
from dlkit.runs.files import encode_json
from dlkit.runs.folder import FORMAT, RunFolder
from dlkit.runs.labels import FILE, MOST_TAGS, Labels, checked_note, checked_tag, labels


def tag(run: RunFolder, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Labels:
    """Give and take tags; what a run has now. UsageError: one is none, or there are too many; RunError: it cannot be
    written."""
    added, removed = [checked_tag(word) for word in add], [checked_tag(word) for word in remove]
    if both := {*added} & {*removed}:
        raise UsageError(f"tag {min(both)!r}: given and taken away at once")
    there = labels(run.path).tags
    # Not passed over: who mistypes a tag would believe that it is gone.
    if unknown := [word for word in removed if word not in there]:
        raise UsageError(f"{run.id} has no tag {unknown[0]!r}: it has {', '.join(there) or 'none'}")
    new = [word for word in dict.fromkeys(added) if word not in there]
    if len(there) - len({*removed}) + len(new) > MOST_TAGS:
        raise UsageError(f"{run.id} would have more than {MOST_TAGS} tags")
    # Taken first: of a run that has as many as it may, one is exchanged for another.
    for action, words in (("untag", dict.fromkeys(removed)), ("tag", new)):
        for word in words:
            _append(run, action, word)
    return labels(run.path)


def retag(run: RunFolder, words: str) -> str:
    """Have a run have these tags and no others; what was done, in words. Errors as of ``tag``."""
    there, wanted = labels(run.path).tags, words.replace(",", " ").split()
    found = tag(run, wanted, [word for word in there if word not in wanted])
    return f"{run.id}: {', '.join(found.tags) or 'no tags'}"


def noted(run: RunFolder, text: str) -> str:
    """Add a note; what was done, in words. Errors as of ``tag``."""
    note(run, text)
    return f"{run.id}: noted"


def note(run: RunFolder, words: str) -> Labels:
    """Add a note. Errors as of ``tag``."""
    _append(run, "note", checked_note(words))
    return labels(run.path)


def give_reason(run: RunFolder, what: str, reason: str) -> None:
    """Keep with a run why somebody did something to it, as a note; nothing where no reason was given."""
    if reason:
        note(run, f"{what}: {checked_reason(reason)}")


def _append(run: RunFolder, action: str, value: str) -> None:
    try:
        made_by = run.read().get("format", 0)
    except (OSError, ValueError) as error:
        raise RunError(f"{run.id}: {error}") from error
    if made_by > FORMAT:
        raise RunError(f"{run.id} was written by a newer dlkit (format {made_by}); it stays as it is")
    record = {"time": round(time.time(), 3), "by": somebody(), "action": action, "value": value}
    line = encode_json(json.dumps(record, ensure_ascii=False) + "\n")
    # A reader takes no more: what lies behind would never be seen.
    if opening.size(run.path, FILE) + len(line) > kept.LARGEST:
        raise RunError(f"{run.id}: {FILE} is full: it has {kept.LARGEST >> 20} MiB")
    try:
        opening.append(run.path, FILE, line)
    except OSError as error:
        raise RunError(f"{run.id}: {error}") from error

"""Tags and notes that people give runs: ``labels.jsonl`` in the run's folder, append-only.

A line is one JSON object: ``{"time": …, "by": …, "action": "tag"|"untag"|"note", "value": …}``. Anybody appends, while
a run goes and after it: no lock is needed, and what was taken away stays on record. No torch, no pydantic.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dlkit.bounded import parse_json
from dlkit.errors import RunError, UsageError
from dlkit.runs import opening
from dlkit.runs.commands import somebody
from dlkit.runs.files import encode_json
from dlkit.runs.folder import FORMAT, RunFolder
from dlkit.shapes import LATEST, fields, number, text

FILE = "labels.jsonl"
LARGEST = 1 << 20
"""Bytes of the file that are read, and that it grows to."""
MOST_TAGS = 32
LONGEST_TAG = 50
LONGEST_NOTE = 10_000
_TAG = re.compile(r"\w[\w.+/-]*", re.UNICODE)
"""Letters of any script: a tag is a word of a filter (``tag:baseline``), of a list with commas, and perhaps RUN."""
_LINE = fields(action=text, value=text, by=text, time=number(0, LATEST))


class Note(NamedTuple):
    """What somebody wrote of a run, at which UTC seconds."""

    text: str
    by: str
    time: float


class Labels(NamedTuple):
    """The tags that a run has now, in the order in which it got them, and all notes, the oldest first."""

    tags: Sequence[str] = ()
    notes: Sequence[Note] = ()


def labels(run: RunFolder) -> Labels:
    """What a run is labelled with; lines that are none, and a file that cannot be read, are left out."""
    try:
        data = opening.read_bytes(run.path, FILE, LARGEST)
    except (OSError, ValueError):
        return Labels()
    tags: dict[str, None] = {}
    notes: list[Note] = []
    for line in data.split(b"\n"):
        try:
            record = parse_json(line)
        except ValueError:  # the last, too, which somebody may be writing
            continue
        if not isinstance(record, dict) or _LINE(record, ""):
            continue
        action, value = record.get("action"), str(record.get("value", ""))
        if action == "tag" and _TAG.fullmatch(value) and len(value) <= LONGEST_TAG and len(tags) < MOST_TAGS:
            tags[value] = None
        elif action == "untag":
            tags.pop(value, None)
        elif action == "note":
            moment = record.get("time", 0.0)
            notes.append(
                Note(value, str(record.get("by", "")), float(moment) if isinstance(moment, (int, float)) else 0)
            )
    return Labels(tuple(tags), tuple(notes))


def checked_tag(word: str) -> str:
    """UsageError for what is no tag."""
    if not _TAG.fullmatch(word) or len(word) > LONGEST_TAG:
        raise UsageError(
            f"tag {word!r}: a word of letters, digits and, after the first, . _ + / -, at most {LONGEST_TAG} long"
        )
    return word


def checked_note(words: str) -> str:
    """UsageError for what is too long, or empty."""
    words = words.strip()
    if not words:
        raise UsageError("the note is empty: nothing is noted")
    if len(words) > LONGEST_NOTE:
        raise UsageError(f"the note has {len(words)} characters: at most {LONGEST_NOTE}")
    return words


def tag(run: RunFolder, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Labels:
    """Give and take tags; what a run has now. UsageError: one is none, or there are too many; RunError: it cannot be
    written."""
    added, removed = [checked_tag(word) for word in add], [checked_tag(word) for word in remove]
    if both := {*added} & {*removed}:
        raise UsageError(f"tag {min(both)!r}: given and taken away at once")
    there = labels(run).tags
    # Not passed over: who mistypes a tag would believe that it is gone.
    if unknown := [word for word in removed if word not in there]:
        raise UsageError(f"{run.id} has no tag {unknown[0]!r}: it has {', '.join(there) or 'none'}")
    new = [word for word in dict.fromkeys(added) if word not in there]
    if len(there) - len({*removed}) + len(new) > MOST_TAGS:
        raise UsageError(f"{run.id} would have more than {MOST_TAGS} tags")
    for action, words in (("untag", dict.fromkeys(removed)), ("tag", new)):
        for word in words:
            _append(run, action, word)
    return labels(run)


def retag(run: RunFolder, words: str) -> str:
    """Have a run have these tags and no others; what was done, in words. Errors as of ``tag``."""
    there, wanted = labels(run).tags, words.replace(",", " ").split()
    found = tag(run, wanted, [word for word in there if word not in wanted])
    return f"{run.id}: {', '.join(found.tags) or 'no tags'}"


def noted(run: RunFolder, text: str) -> str:
    """Add a note; what was done, in words. Errors as of ``tag``."""
    note(run, text)
    return f"{run.id}: noted"


def note(run: RunFolder, words: str) -> Labels:
    """Add a note. Errors as of ``tag``."""
    _append(run, "note", checked_note(words))
    return labels(run)


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
    if opening.size(run.path, FILE) + len(line) > LARGEST:
        raise RunError(f"{run.id}: {FILE} is full: it has {LARGEST >> 20} MiB")
    try:
        opening.append(run.path, FILE, line)
    except OSError as error:
        raise RunError(f"{run.id}: {error}") from error

"""Tags and notes that people give runs: ``labels.jsonl`` in the run's folder, append-only.

A line is one JSON object: ``{"time": …, "by": …, "action": "tag"|"untag"|"note", "value": …}``. Anybody appends, while
a run goes and after it: no lock is needed, and what was taken away stays on record. No torch, no pydantic.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dlkit.bounded import parse_json
from dlkit.errors import UsageError
from dlkit.runs import opening
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


def labels(run: Path) -> Labels:
    """What the run in a folder is labelled with; lines that are none, and a file that cannot be read, are left out."""
    try:
        data = opening.read_bytes(run, FILE, LARGEST)
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

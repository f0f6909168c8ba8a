"""What came of training a run again: ``reproductions.jsonl`` in its folder, append-only, a line each."""

from __future__ import annotations

import json
from typing import NamedTuple, cast

from dlkit.bounded import DOCUMENT, parse_json
from dlkit.runs import opening
from dlkit.runs.files import encode_json
from dlkit.runs.folder import RunFolder
from dlkit.shapes import LATEST, fields, list_of, number, switch, text, whole

FILE = "reproductions.jsonl"


class Reproduction(NamedTuple):
    """Steps ``begin`` to ``until`` were trained again on ``host``, as run ``run``, and were ``equal`` or not.

    ``values`` of metrics were compared; ``weights``: whether the weights at ``until`` were, too. ``metric`` and
    ``step`` are the first that differed, ``was`` and ``came`` its values as text; ``around`` is what was
    otherwise, in words.
    """

    time: float = 0.0
    by: str = ""
    host: str = ""
    run: str = ""
    begin: int = 0
    until: int = 0
    equal: bool = False
    values: int = 0
    weights: bool = False
    metric: str = ""
    step: int = 0
    was: str = ""
    came: str = ""
    around: tuple[str, ...] = ()


_LINE = fields(
    time=number(0, LATEST), by=text, host=text, run=text, begin=whole(), until=whole(), equal=switch, values=whole(),
    weights=switch, metric=text, step=whole(), was=text, came=text, around=list_of(text),
)  # fmt: skip


def record(run: RunFolder, found: Reproduction) -> None:
    """Put a result on record; OSError if it cannot be written."""
    opening.append(run.path, FILE, encode_json(json.dumps(found._asdict(), ensure_ascii=False) + "\n"))


def reproductions(run: RunFolder) -> list[Reproduction]:
    """Oldest first; lines that are none, and a file that cannot be read, are left out."""
    try:
        lines = opening.read_bytes(run.path, FILE, DOCUMENT).split(b"\n")
    except (OSError, ValueError):
        return []
    found = []
    for line in lines:
        try:
            entry = parse_json(line)
        except ValueError:  # also the last, which somebody may be writing
            continue
        if isinstance(entry, dict) and not _LINE(entry, ""):
            known = {key: value for key, value in entry.items() if key in Reproduction._fields}
            around = tuple(cast("list[str]", known.pop("around", [])))
            found.append(Reproduction(**known, around=around))  # type: ignore[arg-type]  # looked at above
    return found

"""A fork's folder: what of its parent is copied into it. No torch.

A copy, and no links: each folder can be sent, changed and deleted without the other. Where the file system can share
what two files have in common, ``copy_file_range`` has it do so, and a checkpoint of gigabytes is there at once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from dlkit.errors import RunError
from dlkit.events import Event, MetricsLogged, to_json
from dlkit.json_types import Json
from dlkit.runs import opening
from dlkit.runs.checkpoints import FROZEN, Checkpoint, complete
from dlkit.runs.faults import point
from dlkit.runs.files import encode_json
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import every_event, read_events
from dlkit.runs.rollback import Rollback
from dlkit.runs.run_record import Ancestor, ForkedFrom, RunRecord

PORTION = 1 << 26
"""Bytes that are copied in one go."""
BEGUN = 1
"""The events that a fork's log has before the first that a resume may make void: that it was forked."""


def forked_from(parent: RunFolder, record: RunRecord, chosen: Checkpoint, changes: Mapping[str, Sequence[object]]) -> (
    ForkedFrom
):  # fmt: skip
    """What run.json of a fork says of where it comes from."""
    found: ForkedFrom = {"id": parent.id, "step": chosen.step, "sha256": chosen.sha256, "changes": changes}
    own = record.get("forked_from")  # kept with it: the folders of ancestors may go
    if own is not None and "id" in own and "step" in own:
        above: Ancestor = {"id": own["id"], "step": own["step"]}
        found["before"] = [above, *own.get("before", ())]
    return found


def branch_off(folder: Path, chosen: Checkpoint, taken_with: Mapping[str, Json], dropped: Sequence[str]) -> None:
    """Put into a new run's folder what it begins with: the checkpoint, what is frozen, what was measured before it.

    ``taken_with``: options that the state was trained with and the new run has otherwise; ``dropped`` are settings that
    the parent had been given while it went, and that the new run's configuration now says. RunError: the checkpoint
    is gone, or is not what it was.
    """
    try:
        for checkpoint in _wanted(chosen):
            first = checkpoint.folder == chosen.folder
            _copy_checkpoint(folder, checkpoint, taken_with if first else None, dropped)
        if chosen.manifest.frozen:
            _copy(chosen.run, FROZEN, folder, FROZEN)
    except FileNotFoundError as error:  # a run that goes on prunes
        raise RunError(f"{chosen.folder} was removed while it was copied: {error.filename}") from error
    _keep_past(folder, chosen)
    point("fork.filled")


def _wanted(chosen: Checkpoint) -> list[Checkpoint]:
    """The chosen one, and the best so far, if that is an earlier one: what ``best`` means is part of the state."""
    if chosen.manifest.best:
        return [chosen]
    return [chosen, *[c for c in complete(chosen.run) if c.manifest.best and c.step < chosen.step][-1:]]


def _copy_checkpoint(
    folder: Path, checkpoint: Checkpoint, taken_with: Mapping[str, Json] | None, dropped: Sequence[str]
) -> None:
    inside = f"checkpoints/{checkpoint.folder.name}"
    opening.make_folder(folder, inside)
    for name in checkpoint.manifest.files:
        _copy(checkpoint.run, checkpoint.name(name), folder, f"{inside}/{name}")
    manifest = checkpoint.manifest.to_dict()
    # Its own log begins here, and nobody has asked anything of it yet.
    settings = {key: value for key, value in checkpoint.manifest.settings.items() if key not in dropped}
    manifest |= {"seq": BEGUN, "commands": 0, "settings": settings}
    manifest.pop("taken_with", None)
    if taken_with is not None:
        manifest["taken_with"] = dict(taken_with)
    opening.write(folder, f"{inside}/manifest.json", json.dumps(manifest, indent=1).encode(), durable=True)
    opening.sync_folder(folder, inside)


def _copy(source: Path, name: str, target: Path, new: str) -> None:
    """A file, on disk when this returns."""
    with (
        os.fdopen(opening.open_file(source, name), "rb") as read,
        os.fdopen(opening.open_file(target, new, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as write,
    ):
        if not _shared(read.fileno(), write.fileno()):
            while data := read.read(PORTION):
                write.write(data)
        write.flush()
        os.fsync(write.fileno())
    point("fork.copied")


def _shared(read: int, write: int) -> bool:
    """Copied by the kernel, which shares blocks where it can; False: it cannot, and nothing is copied."""
    copy = getattr(os, "copy_file_range", None)
    if copy is None:
        return False
    done = 0
    try:
        while count := copy(read, write, PORTION):
            done += count
    except OSError:
        if done:
            raise
        return False
    return done > 0 or os.fstat(read).st_size == 0


def _keep_past(folder: Path, chosen: Checkpoint) -> None:
    """What the parent, and its parents, had measured up to the branch. A log that cannot be read has none."""
    parent = RunFolder(chosen.run)
    try:
        own = Rollback(chosen.step, chosen.manifest.seq).apply(read_events(parent.events))
        lines = [to_json(event) for event in [*past_of(parent), *own] if isinstance(event, MetricsLogged)]
    except RunError:
        lines = []
    # Not durable: curves of before are worth less than the wait for the disk, and the parent may still have them.
    if lines:
        opening.write(folder, "past.jsonl", encode_json("\n".join(lines) + "\n"))


def past_of(run: RunFolder) -> list[Event]:
    """What was measured before a fork began, oldest first; nothing of a run that is none."""
    try:
        return list(every_event(run.past))
    except (RunError, OSError):
        return []

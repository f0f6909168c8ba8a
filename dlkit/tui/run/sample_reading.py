"""What the samples' pane shows, read from a run's files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlkit.errors import in_words
from dlkit.events import Sampled, SampleRef
from dlkit.monitor import sample_looks
from dlkit.monitor.sample_export import spread
from dlkit.runs.folder import RunFolder
from dlkit.samples import Boxes
from dlkit.tui.sample import Shown, read


@dataclass(frozen=True)
class Key:
    """What is shown: files of a run, side by side if they are several; then only boxes of these ``roles``."""

    run: str
    files: tuple[tuple[int, str], ...]
    tiled: bool = False
    roles: str = ""


def many_steps(run: RunFolder, sampled: Sequence[Sampled], ref: SampleRef, roles: str, lines: int) -> Key:
    """The samples of that name, as many of them as so many lines have room for."""
    there = [(event.step, r.file) for event in sampled for r in event.samples if r.name == ref.name]
    chosen = spread(len(there), sample_looks.steps_of(ref.kind, lines))
    return Key(run.id, tuple(there[place] for place in chosen), True, roles)


def read_all(run: RunFolder, key: Key) -> Sequence[Shown]:
    """What a key means. Reads files: call it from a thread."""
    found = [(step, read(run, file)) for step, file in key.files]
    if not key.tiled:
        return [sample for _, sample in found]
    there = [(step, sample_looks.of_roles(s, key.roles) if isinstance(s, Boxes) else s)
             for step, s in found if not isinstance(s, str)]  # fmt: skip
    wrong = [sample for _, sample in found if isinstance(sample, str)]
    try:
        return [*wrong, *(sample_looks.side_by_side(there) if there else ())]
    # A folder may hold anything, so that anything may come of it.
    except Exception as error:
        return [f"cannot be shown side by side: {in_words(error)}"]

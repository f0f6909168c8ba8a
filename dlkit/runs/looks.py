"""How often a split was looked at: the test split that all runs of a workspace are measured on is looked at by all."""

from __future__ import annotations

from dataclasses import dataclass

from dlkit.errors import RunError
from dlkit.runs import opening
from dlkit.runs.contents import evaluations, stored_sections
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.index import signatures

_WHERE = ("name", "path", "source")
"""Options of a data set that say what it is made of. Others (a size, a share) change what is seen of the same data: to
count a look too many is the lesser error."""


@dataclass(frozen=True)
class Looks:
    """Evaluations on record of one split of one data set and task: by a run itself, and by how many ``others``."""

    dataset: str
    own: int
    by_others: int
    others: int

    def __str__(self) -> str:
        """As people are told; empty where nobody has looked."""
        found = []
        if self.own:
            found.append(f"{_times(self.own)} with this run")
        if self.by_others:
            runs = "another run" if self.others == 1 else f"{self.others} other runs"
            found.append(f"{_times(self.by_others)} with {runs} of the same task and data set {self.dataset!r}")
        return ", ".join(found)


def looks(run: RunFolder, split: str) -> Looks:
    """What the run's workspace has on record; of a run outside of any, its own alone. What was removed is not known."""
    wanted = _data(run)
    counts = [_count(other, split) for other in _neighbours(run) if _data(other) == wanted]
    others = [count for count in counts if count]
    return Looks(str(wanted[1]), _count(run, split), sum(others), len(others))


def _neighbours(run: RunFolder) -> list[RunFolder]:
    folder = run.path.parent
    if folder.name != "runs":
        return []
    try:
        names = signatures(str(folder))
    except RunError:
        return []
    found = [RunFolder(folder / name) for name in names if name != run.path.name]
    return [
        other for other in found if opening.size(other.path, other.evaluations.name)
    ]  # few of a thousand have been measured


def _data(run: RunFolder) -> tuple[object, ...]:
    """The task, and what the data set is made of."""
    options = stored_sections(run).get("dataset", {})
    return (summarise(run).task, *(options.get(name) for name in _WHERE))


def _count(run: RunFolder, split: str) -> int:
    return sum(record.get("split") == split for record in evaluations(run))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"

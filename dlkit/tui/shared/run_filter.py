"""Which runs a list shows, by what is typed into its filter line."""

from __future__ import annotations

from dlkit.runs.folder import Summary


def matches(run: Summary, text: str) -> bool:
    """Whether all words of a filter occur; ``task:``, ``state:``, ``model:``, ``data:``, ``name:`` look there only."""
    fields = {"task": run.task, "state": run.state, "model": run.model, "data": run.dataset, "name": run.name}
    everything = " ".join((run.id, *fields.values(), run.device)).lower()
    for word in text.lower().split():
        field, colon, rest = word.partition(":")
        where = fields[field].lower() if colon and field in fields else everything
        if (rest if colon and field in fields else word) not in where:
            return False
    return True

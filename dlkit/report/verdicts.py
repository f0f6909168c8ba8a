"""What is said of a run in words, with what says so; which commands mend it is for whoever has the run."""

from __future__ import annotations

from dlkit.diagnose import diagnose
from dlkit.monitor.verdicts import record_of
from dlkit.report.blocks import Block, Grid
from dlkit.report.reading import Told

WORDS = {"bad": "wrong", "note": "to know", "unknown": "not known"}


def verdicts(told: Told) -> list[Block]:
    """A row each, the worst first; of what cannot be told nothing, where nothing is wrong."""
    found = [verdict for verdict in diagnose(record_of(told.view)) if verdict.weight != "unknown"]
    rows = [[WORDS[one.weight], one.text, "; ".join(seen.text for seen in one.evidence)] for one in found]
    return [Grid(("", "verdict", "what says so"), rows)] if rows else []

"""Questions to a run's model, and what their answers have in common."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence

from rich.cells import cell_len, set_cell_size

from dlkit.monitor.choices import Choices
from dlkit.present.numbers import number
from dlkit.runs.checkpoints import Checkpoint
from dlkit.runs.folder import Summary
from dlkit.steering import one_line

BAR, MOST = 24, 10
"""Cells of the longest bar, and bars of one answer."""
EIGHTHS = " ▏▎▍▌▋▊▉"

_RANGE = re.compile(r"(\d+)\s*-\s*(\d+)")


def checkpoint_choices(found: Sequence[Checkpoint]) -> Choices:
    """What can be asked of a run: the best, the last, and every one that is there, by step."""
    best = next((c.step for c in reversed(found) if c.manifest.best), None)
    named = [("best", f"best  step {best}")] if best is not None else []
    named += [("last", f"last  step {found[-1].step}")] if found else []
    return (*named, *((str(c.step), f"step {c.step}") for c in found))


def beside_choices(found: Sequence[Checkpoint], others: Sequence[Summary]) -> Choices:
    """What can be asked beside a run's model: every step of the run, and the best of other runs, as ``best RUN``."""
    steps = tuple((str(c.step), f"step {c.step}  of this run") for c in found)
    return (*steps, *((f"best {run.id}", f"{run.id}  {one_line(_figures(run))}") for run in others))


def _figures(run: Summary) -> str:
    best = f"{run.metric} {number(run.best)}" if run.best is not None else run.state
    return "  ".join(filter(None, (run.name, run.model, best)))


def other_seeds(text: str) -> str:
    """As many seeds as a question names, of another place: ``0-15`` becomes ``4711-4726``."""
    first, found = secrets.randbelow(100_000), _RANGE.search(text)
    count = int(found[2]) - int(found[1]) if found else 0
    return f"{first}-{first + count}" if count > 0 else str(first)


def chances(answer: Mapping[str, object]) -> str:
    """The probabilities of one answer as bars, the likeliest first, a line each; empty where it has none.

    They are a mapping from names to shares of 1, or a list of [name, share].
    """
    for value in answer.values():
        pairs = _pairs(value)
        if len(pairs) > 1 and sum(share for _, share in pairs) < 1.001:
            return _bars(sorted(pairs, key=lambda pair: -pair[1])[:MOST])
    return ""


def _pairs(value: object) -> list[tuple[str, float]]:
    found = list(value.items()) if isinstance(value, Mapping) else value
    if not isinstance(found, list) or not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in found):
        return []
    named = [(str(name), share) for name, share in found if type(share) is float and 0.0 <= share <= 1.0]
    return named if len(named) == len(found) else []


def _bars(pairs: Sequence[tuple[str, float]]) -> str:
    wide = min(30, max(cell_len(name) for name, _ in pairs))
    lines = []
    for name, share in pairs:
        name = set_cell_size(one_line(name), wide)
        full, rest = divmod(round(share * BAR * 8), 8)
        bar = "█" * full + (EIGHTHS[rest] if rest else "")
        lines.append(f"{name}  {bar:{BAR}}  {100 * share:5.1f} %")
    return "\n".join(lines)

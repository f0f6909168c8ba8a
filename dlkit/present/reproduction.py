"""What came of training a run again, in words."""

from __future__ import annotations

from dlkit.present.numbers import counted, when
from dlkit.runs.reproductions import Reproduction


def verdict(found: Reproduction) -> str:
    """Verdict first, then the evidence: what was compared, or what differs first and what differs around it."""
    where = f"steps {found.begin} to {found.until}"
    around = f"; around it: {'; '.join(found.around)}" if found.around else ""
    if found.equal:
        proof = (
            "and the weights are equal" if found.weights else "are equal; no checkpoint there has weights to compare"
        )
        though = f", though {'; '.join(found.around)}" if found.around else ""
        return f"reproduced: {where}, {counted(found.values, 'value')} {proof}{though}"
    values = (
        f"{found.was} is now {found.came}" if len(found.was) < 60 else f"{found.was[:12]}… is now {found.came[:12]}…"
    )
    return (
        f"not reproduced: {found.metric} differs first, at step {found.step}: {values}{around or '; nothing else does'}"
    )


def on_record(found: Reproduction) -> str:
    """The same in a line of ``show``: ``reproduced 2026-12-01 on HOST, …``."""
    word, _, rest = verdict(found).partition(": ")
    return f"{word} {when(found.time, '%Y-%m-%d')} on {found.host}: {rest}"

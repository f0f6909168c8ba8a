"""Every rule, in the order in which what they say is looked at; and the one function that asks them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dlkit.diagnose.bound import bound
from dlkit.diagnose.broken import crashed, data_missing, disk_full, failed, plugin_broken
from dlkit.diagnose.classes import class_ignored
from dlkit.diagnose.constant import collapsed, no_better_than_constant
from dlkit.diagnose.contended import contended, device_waits
from dlkit.diagnose.diverged import diverged
from dlkit.diagnose.ended import killed, stopped
from dlkit.diagnose.out_of_memory import out_of_memory
from dlkit.diagnose.overfitting import overfitting
from dlkit.diagnose.progress import plateau, still_improving
from dlkit.diagnose.rate import rate_too_high, rate_too_low
from dlkit.diagnose.record import Record
from dlkit.diagnose.units import dead_units
from dlkit.diagnose.verdict import Verdict

Rule = Callable[[Record], Iterable[Verdict]]
ENDINGS: Sequence[Rule] = (
    diverged, out_of_memory, data_missing, plugin_broken, disk_full, crashed, killed, failed, stopped,
)  # fmt: skip
"""How it ended: the first that has a word is right, and the others are not asked."""
LEARNING: Sequence[Rule] = (
    no_better_than_constant, collapsed, class_ignored, rate_too_high, rate_too_low, overfitting, dead_units,
    still_improving, plateau,
)  # fmt: skip
"""Whether it is any good: each is asked."""
SPEED: Sequence[Rule] = (bound, contended, device_waits)
"""Where its time goes: each is asked."""
ORDER = ("bad", "note", "unknown")
TALKED_OVER = {
    "plateau": {"overfitting", "rate-too-high", "no-better-than-constant", "collapsed"},
    "still-improving": {"overfitting", "rate-too-high"},
    "no-better-than-constant": {"diverged"},
    "collapsed": {"diverged", "overfitting"},  # which may go as far as that
    "class-ignored": {"no-better-than-constant", "collapsed"},  # a constant answer ignores all classes but one
    "rate-too-high": {"collapsed", "diverged"},
}
"""What need not be said beside something that says more."""


def diagnose(record: Record) -> list[Verdict]:
    """All that can be said of a run, the worst first."""
    ending = next((found for rule in ENDINGS if (found := list(rule(record)))), [])
    others = [verdict for rule in (*SPEED, *LEARNING) for verdict in rule(record)]
    if record.state == "failed":  # what cannot be told of its learning is not what anybody asks now
        others = [verdict for verdict in others if verdict.weight != "unknown"]
    found = [*ending, *others]
    bad = {verdict.name for verdict in found if verdict.weight == "bad"}
    kept = [verdict for verdict in found if not TALKED_OVER.get(verdict.name, set()) & bad]
    return sorted(kept, key=lambda verdict: ORDER.index(verdict.weight))

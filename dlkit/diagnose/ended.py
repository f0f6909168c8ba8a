"""Runs that somebody, or something outside, ended: by an order, by a signal, without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dlkit.diagnose import mending
from dlkit.diagnose.record import Record
from dlkit.diagnose.verdict import Mend, Seen, Verdict
from dlkit.present.numbers import size, when

_SIGNAL = re.compile(r"\bSIG[A-Z]+\b")
_FROM_OUTSIDE = ("terminated", "SIGTERM", "SIGHUP")


def killed(record: Record) -> Iterator[Verdict]:
    """From outside: its process is gone and did not say how it ended, or it was told to by a signal."""
    if record.state == "interrupted":
        yield _without_a_word(record)
    elif record.state == "stopped" and any(word in record.reason for word in _FROM_OUTSIDE):
        name = found[0] if (found := _SIGNAL.search(record.reason)) else "SIGTERM"
        text = f"ended from outside by {name}: a scheduler, a shutdown, a login that ended, or somebody's kill"
        evidence = (Seen(f"it stopped at step {record.step}, and said: {record.reason}", record.step),)
        yield Verdict("killed", "failure", "bad", text, evidence, (mending.resumed(record), _outliving(record)))


def _without_a_word(record: Record) -> Verdict:
    said = record.record.get("reason") or ""
    if found := _SIGNAL.search(said):
        text = f"killed from outside by {found[0]}: no program can catch it, and so nothing was said"
        if found[0] != "SIGKILL":
            text = f"killed from outside by {found[0]}"
    elif "job" in record.record:
        text = "its worker and whoever watched it are gone without a word: killed together, or the machine went down"
    else:
        text = "gone without a word: killed (SIGKILL), its terminal was closed, or the machine went down"
    evidence = []
    last = max((event.time for event in record.events), default=0.0)
    if last:
        evidence.append(Seen(f"the last that is on record is of {when(last, '%Y-%m-%d %H:%M:%S')}", record.step))
    if said:
        evidence.append(Seen(said))
    if record.machine is not None:
        memory = record.machine.memory
        evidence.append(Seen(f"it then had {size(memory)} of memory", figures={"memory": memory}))
    return Verdict("killed", "failure", "bad", text, tuple(evidence), (mending.resumed(record), _outliving(record)))


def _outliving(record: Record) -> Mend:
    return Mend(f"resume {record.run.id} --detach", "the same, in a process that outlives this terminal")


def stopped(record: Record) -> Iterator[Verdict]:
    """By a person, or by a study that was: nothing is wrong."""
    if record.state != "stopped" or any(word in record.reason for word in _FROM_OUTSIDE):
        return
    text = f"stopped before its end: {record.reason or 'nobody said why'}"
    of = f" of {record.total_steps}" if record.total_steps else ""
    evidence = (Seen(f"at step {record.step}{of}", record.step),)
    yield Verdict("stopped", "failure", "note", text, evidence, (mending.resumed(record),))

"""What tests compare runs by: weights, everything else a resume needs, and every recorded value."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.engine.attempt import Attempt
from dlkit.engine.signals import StopSignals
from dlkit.events import Event, Finished, MetricsLogged, Resumed
from dlkit.runs.checkpoints import choose
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import read_events

Outcome = tuple[int, str, str]


def outcome(run: RunFolder) -> Outcome:
    """The last checkpoint: its step, and the SHA-256 of its weights and of all its other tensors."""
    last = choose(run.path, "last")
    return last.step, last.sha256, str(last.manifest.files["state.safetensors"]["sha256"])


def values_of(run: RunFolder) -> dict[tuple[str, int], float]:
    """(metric, step) → value, each of which must have been recorded once."""
    found: dict[tuple[str, int], float] = {}
    for event in read_events(run.events):
        if isinstance(event, MetricsLogged):
            for name in event.values:
                for step, value in event.points(name):
                    key = name, step
                    assert key not in found, f"{key} is recorded twice"
                    found[key] = value
    return found


def finished(run: RunFolder) -> Finished:
    """How a run ended, by its log."""
    last = read_events(run.events)[-1]
    assert isinstance(last, Finished)
    return last


def close_at(attempt: Attempt, step: int) -> RunFolder:
    """Train until a metric of ``step`` is seen, then walk away."""
    stream = attempt.events()
    for event in stream:
        if _reached(event, step):
            break
    stream.close()
    return attempt.run


def stop_at(attempt: Attempt, step: int) -> RunFolder:
    """Train until a metric of ``step`` is seen, then ask for a stop, as Ctrl-C does."""
    signals = StopSignals()
    for event in attempt.events(signals):
        if _reached(event, step):
            signals.asked = "a test"
    return attempt.run


def _reached(event: Event, step: int) -> bool:
    if isinstance(event, Resumed):
        return event.from_step >= step
    return isinstance(event, MetricsLogged) and event.last_step >= step


def notices(events: Iterator[Event]) -> list[str]:
    """The texts of notices, the run going to its end."""
    return [event.text for event in events if event.event == "notice"]  # type: ignore[attr-defined]

"""Where an attempt's time goes: the clock's seconds by kind, and what the processor and the machine did meanwhile.

Always on: between two attentions of the loop it costs a reading of the clock a step (0.1 µs), everything else happens
once per attention. Whoever is busy with something says so (``with breakdown.on("evaluation"):``), and what is inside
of that again counts for itself alone; so the kinds add up to the time that has passed.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Concatenate, Literal, NamedTuple, ParamSpec, Protocol, TypeAlias, TypeVar

from dlkit.engine.counters import Used
from dlkit.events import Event, Spent

Kind: TypeAlias = Literal[
    "loading", "augmenting", "steps", "device", "evaluation", "sampling", "checkpoints", "preparing", "paused", "other"
]
KINDS: tuple[Kind, ...] = (
    "loading", "augmenting", "steps", "device", "evaluation", "sampling", "checkpoints", "preparing", "paused", "other",
)  # fmt: skip
AT_LEAST, AT_MOST = 1.0, 10.0
"""Seconds between two times that it is told: after an evaluation, and otherwise."""


class Stretch(NamedTuple):
    """Steps between two attentions: ``seconds`` in all, of which so many were no steps."""

    seconds: float
    loading: float = 0.0
    augmenting: float = 0.0
    device: float = 0.0


class Breakdown:
    """One attempt's, from now on; made on the thread of the loop."""

    def __init__(self) -> None:
        self._seconds: dict[Kind, float] = dict.fromkeys(KINDS, 0.0)
        self._kind: Kind = "other"
        self._since = self._told_at = time.monotonic()
        self._evaluated = -1
        self._before = Used.now()

    @contextmanager
    def on(self, kind: Kind) -> Iterator[None]:
        """What happens inside is of this kind, unless something in it says otherwise."""
        before = self._switch(kind)
        try:
            yield
        finally:
            self._switch(before)

    def stepped(self, stretch: Stretch) -> None:
        """Such a stretch has just ended, within what counts for nothing in particular."""
        self._switch(self._kind)
        seconds, loading, augmenting, device = stretch
        loading -= augmenting  # batches are changed while they are waited for
        parts: dict[Kind, float] = {"loading": loading, "augmenting": augmenting, "device": device}
        parts |= {"steps": seconds - loading - augmenting - device, "other": -seconds}
        for kind, part in parts.items():
            self._seconds[kind] += part

    def due(self, evaluated: int) -> bool:
        """Whether it is to be told: so often that a run which is killed has said where its time went.

        ``evaluated``: the step that was last evaluated.
        """
        waits = AT_MOST if evaluated == self._evaluated else AT_LEAST
        return time.monotonic() - self._told_at >= waits

    def told(self, step: int, evaluated: int) -> Spent:
        """All of it until now, as an event."""
        self._switch(self._kind)
        self._told_at, self._evaluated = self._since, evaluated
        # Parts are taken from one kind for another: what rounds may leave a kind with less than nothing.
        seconds: dict[str, float] = {kind: round(max(0.0, seconds), 6) for kind, seconds in self._seconds.items()}
        return Spent(step=step, seconds=seconds, **Used.now().since(self._before))

    def handing_out(self, inner: Generator[E, None, None]) -> Generator[E, None, None]:
        """The same events; what whoever gets them does meanwhile counts for nothing in particular."""
        go_on: Callable[[], E] = functools.partial(next, inner)
        while True:
            try:
                event = go_on()
            except StopIteration:
                return
            go_on = functools.partial(next, inner)
            with self.on("other"):
                try:
                    yield event
                except GeneratorExit:
                    inner.close()
                    raise
                except BaseException as error:  # the stack's, which has it come up where its row waits
                    go_on = functools.partial(inner.throw, error)

    def _switch(self, kind: Kind) -> Kind:
        now = time.monotonic()
        self._seconds[self._kind] += now - self._since
        self._since, before, self._kind = now, self._kind, kind
        return before


class Timed(Protocol):
    """Who has a breakdown."""

    _spent: Breakdown


E = TypeVar("E", bound=Event)
T = TypeVar("T", bound=Timed)
R = TypeVar("R")
P = ParamSpec("P")
Method: TypeAlias = Callable[Concatenate[T, P], Generator[Event, None, R]]


def counts_as(kind: Kind) -> Callable[[Method[T, P, R]], Method[T, P, R]]:
    """A method whose events, and all that it does, are of this kind."""

    def decorate(method: Method[T, P, R]) -> Method[T, P, R]:
        def timed(self: T, /, *args: P.args, **kwargs: P.kwargs) -> Generator[Event, None, R]:
            with self._spent.on(kind):
                return (yield from method(self, *args, **kwargs))

        return timed

    return decorate

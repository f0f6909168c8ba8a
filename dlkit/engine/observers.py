"""Observers: plugins that are told of logged events, and can never stop, slow or change training."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping

from dlkit.catalog import Plugin
from dlkit.json_types import Json

SILENCE = 5.0
"""Seconds after which an observer that does not return is switched off."""
QUEUE = 1000
"""Events that may wait for an observer: three minutes of a run, which logs about five a second."""


class Observer:
    """One plugin's ``dlkit_event`` on a thread of its own, fed in order through a bounded queue."""

    def __init__(self, plugin: Plugin, run: Mapping[str, object]) -> None:
        assert plugin.manager is not None
        self.name = plugin.name
        self.problem = ""
        self._call = plugin.manager.hook.dlkit_event
        self._run = run
        self._queue: queue.Queue[Mapping[str, Json] | None] = queue.Queue(QUEUE)
        self._busy_since: float | None = None
        self._thread = threading.Thread(target=self._work, name=f"observer-{plugin.name}", daemon=True)
        self._thread.start()

    def post(self, record: Mapping[str, Json]) -> None:
        """Hand over one event without waiting."""
        try:
            self._queue.put_nowait(record)
        except queue.Full:  # to wait would stop training, and with a gap its picture of the run would be wrong
            self.problem = self.problem or f"{QUEUE} events behind"

    def check(self) -> str:
        """Why this observer is to be switched off; empty while it works."""
        since = self._busy_since
        if not self.problem and since is not None and time.monotonic() - since > SILENCE:
            self.problem = f"silent for {SILENCE:g} s"
        return self.problem

    def close(self) -> None:
        """Let it finish what it has, for at most the time it may be silent."""
        try:
            self._queue.put_nowait(None)
        except queue.Full:  # it hangs, and does not notice: its thread ends with the process
            return
        self._thread.join(SILENCE)

    def _work(self) -> None:
        while (record := self._queue.get()) is not None and not self.problem:
            self._busy_since = time.monotonic()
            try:
                self._call(run=self._run, event=record)
            # The plugin boundary: an observer's failure is its own.
            except (Exception, SystemExit) as error:
                self.problem = f"{type(error).__name__}: {error}"
            self._busy_since = None


class Observers:
    """All observers of one run."""

    def __init__(self, plugins: list[Plugin], run: Mapping[str, object]) -> None:
        self._observers = [Observer(plugin, run) for plugin in plugins]

    def post(self, record: Mapping[str, Json]) -> None:
        for observer in self._observers:
            observer.post(record)

    def switched_off(self) -> Iterator[str]:
        """What to say of each observer that has just been switched off."""
        for observer in list(self._observers):
            if problem := observer.check():
                self._observers.remove(observer)
                yield f"observer {observer.name!r} switched off: {problem}"

    def __bool__(self) -> bool:
        return bool(self._observers)

    def close(self) -> None:
        for observer in self._observers:
            observer.close()

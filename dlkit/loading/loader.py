"""Imports plugins, one after the other, each so that it harms neither the others nor the process.

Imports are made in a thread: who waits can give one up, and what only a main thread may change (signals) stays.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Iterable
from dataclasses import fields, replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pluggy

from dlkit.errors import PluginError
from dlkit.interpreter import ThisProcess
from dlkit.loading.declared import declare
from dlkit.loading.guard import MOST_FILES, Guard
from dlkit.loading.journal import Journal, Verdict, keep, stamp, suspects, verdicts
from dlkit.loading.plugin import Plugin
from dlkit.loading.quiet import Quiet, Streams
from dlkit.loading.trial import limit, tried

SLOW_SECONDS = 0.5
"""A plugin whose entry-point module takes longer than this to load is reported as slow.

The time that this thread waits for a core is left out: where others keep the machine busy, no plugin is to blame.
"""

_SCHEDULING = Path("/proc/thread-self/schedstat")


def load(waiting: Iterable[tuple[Plugin, EntryPoint]], seconds: float | None = None, *, again: bool = False) -> None:
    """Import these plugins; what is wrong with one is told in it. One that takes longer than ``seconds``, or
    ``trial.limit()``, is broken: its import is left behind in a thread.

    ``again``: those that were found to crash are tried once more, in a process of their own.
    """
    left = [(plugin, entry) for plugin, entry in waiting if plugin.state == "found"]
    left = _without_those_that_crash(left, again)
    if not left:
        return
    # The interface, which gives seconds, draws meanwhile; in the browser it does so on its stdout.
    journal, streams = Journal(), Streams(ThisProcess.is_command and seconds is None)
    try:
        while left:
            left = _loaded(left, limit() if seconds is None else seconds, journal, streams)
    finally:
        streams.close()
    journal.done()


class _Round:
    """A thread's way through plugins: ``place`` is the one that it imports, since ``began``.

    Who waits is woken at the end alone: to be woken for each plugin takes 5 ms, in which two threads want the one core.
    """

    def __init__(self, waiting: list[tuple[Plugin, EntryPoint]], journal: Journal, streams: Streams) -> None:
        self._waiting, self._journal, self._streams = waiting, journal, streams
        self._lock, self._finished = threading.Lock(), threading.Event()
        self._quiet = Quiet()
        self.place, self._began, self._given_up = 0, time.monotonic(), False

    def run(self) -> None:
        try:
            self._run()
        finally:
            self._finished.set()

    def _run(self) -> None:
        guard, self._quiet = Guard(), Quiet()
        for plugin, entry in self._waiting:
            trial = replace(plugin)  # a late end of the import changes what nobody looks at any more
            self._journal.importing(plugin.name)
            self._import(trial, entry, guard)
            with self._lock:
                if self._given_up:
                    return
                for item in fields(Plugin):
                    setattr(plugin, item.name, getattr(trial, item.name))
                self.place, self._began = self.place + 1, time.monotonic()

    def wait(self, seconds: float) -> bool:
        """Whether every plugin has been dealt with; False once one has taken longer than that, and is given up, or has
        left the thread unable to go on."""
        left = seconds
        while not self._finished.wait(max(left, 0.001)):
            with self._lock:
                left = self._began + seconds - time.monotonic()
                self._given_up = left <= 0 and self.place < len(self._waiting)
                if self._given_up:
                    self._quiet.end()
                    return False
        return self.place == len(self._waiting)

    def _import(self, plugin: Plugin, entry: EntryPoint, guard: Guard) -> None:
        self._quiet.begin()
        load_bare(plugin, entry)
        with self._lock:
            if self._given_up:
                return
            plugin.undone = (*self._quiet.end(), *guard.undo(), *self._streams.undo())
        _judge(plugin, entry, guard)


def load_bare(plugin: Plugin, entry: EntryPoint) -> None:
    """Import a plugin and nothing else: for ``load``, and for whoever wants to see all that an import does."""
    began = unhindered_seconds()
    try:
        plugin.manager, plugin.specs = declare(entry)
    # The plugin boundary: whatever a stranger's module does at import, SystemExit too, the other plugins go on.
    except BaseException as error:  # in a thread, where nobody's Ctrl-C arrives
        plugin.broken(reason_of(error), traceback.format_exc())
    else:
        plugin.state = "ready"
    plugin.seconds = unhindered_seconds() - began
    if plugin.state == "ready" and plugin.seconds > SLOW_SECONDS:
        plugin.state, plugin.reason = "slow", f"took {plugin.seconds:.1f} s to import"


def _loaded(
    waiting: list[tuple[Plugin, EntryPoint]], seconds: float, journal: Journal, streams: Streams
) -> list[tuple[Plugin, EntryPoint]]:
    """Import these; those that come after one that hangs are left."""
    way = _Round(waiting, journal, streams)
    threading.Thread(target=way.run, name="load-plugins", daemon=True).start()
    if way.wait(seconds):
        return []
    waiting[way.place][0].broken(f"has not been imported within {seconds:g} s")
    journal.left_behind()
    return waiting[way.place + 1 :]


def _judge(plugin: Plugin, entry: EntryPoint, guard: Guard) -> None:
    """What cannot be undone breaks a plugin, and keeps it out of the processes to come."""
    reason = ""
    if patched := guard.patched_by(entry.module):
        reason = f"puts its own in the place of {', '.join(patched[:3])} while it is imported"
    elif (files := guard.files_left()) >= MOST_FILES:
        reason = f"left {files} files open when it was imported"
    if reason:
        plugin.broken(f"{reason}; {plugin.reason}" if plugin.reason else reason)
        keep(plugin.name, Verdict(reason, stamp(entry, plugin.version)))


def _without_those_that_crash(waiting: list[tuple[Plugin, EntryPoint]], again: bool) -> list[tuple[Plugin, EntryPoint]]:
    """The plugins that may be imported; one that has crashed a process, or may have, is tried in another first."""
    known, suspected = verdicts(), suspects()
    if not known and not suspected:
        return waiting
    found = []
    for plugin, entry in waiting:
        if plugin.name in known or plugin.name in suspected:
            reason = _reason_not_to(plugin, entry, known.get(plugin.name), again or plugin.name in suspected)
            if reason:
                plugin.broken(f"{reason} (once it is mended, `dlkit plugins --check` tries it again)")
                continue
        found.append((plugin, entry))
    for note in (note for plugin, _ in waiting for note in suspected.get(plugin.name, ())):
        note.unlink(missing_ok=True)
    return found


def _reason_not_to(plugin: Plugin, entry: EntryPoint, known: Verdict | None, suspected: bool) -> str:
    """What is wrong with it, as it is known, or else found out; empty: it may be imported."""
    now = stamp(entry, plugin.version)
    if known is not None and known.stamp == now and not suspected:
        return known.reason
    reason = tried(entry)
    keep(plugin.name, Verdict(reason, now) if reason else None)
    return reason


def unhindered_seconds() -> float:
    """The clock, less what this thread has waited for a core (which Linux tells)."""
    try:
        waited = int(_SCHEDULING.read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        waited = 0.0
    return time.perf_counter() - waited


def reason_of(error: BaseException) -> str:
    """What an import raised, in words; an error whose text raises too is named by its type."""
    try:
        text = str(error) or repr(error)
    except BaseException:  # a stranger's method, called to tell what that stranger did
        text = "its text raises an error of its own"
    if isinstance(error, pluggy.PluginValidationError):
        return text.partition("\n")[0]
    return text if isinstance(error, PluginError) else f"{type(error).__name__}: {text}"

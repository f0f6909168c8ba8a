"""What Python does meanwhile: files that are opened, addresses that are asked for."""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

Heard = list[tuple[str, tuple[object, ...]]]
"""Audit events, each with its arguments."""
_listening: list[tuple[int, frozenset[str], Heard]] = []
_hooked = False


@contextmanager
def watched(events: Collection[str]) -> Iterator[Heard]:
    """The audit events of these names that happen in this thread meanwhile, as a list that grows."""
    global _hooked
    if not _hooked:  # a hook cannot be taken away again: one for good, which has mostly nothing to do
        sys.addaudithook(_hear)
        _hooked = True
    heard: Heard = []
    entry = (threading.get_ident(), frozenset(events), heard)
    _listening.append(entry)
    try:
        yield heard
    finally:
        _listening.remove(entry)


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if _listening:
        for thread, events, heard in _listening:
            if event in events and thread == threading.get_ident():
                heard.append((event, arguments))

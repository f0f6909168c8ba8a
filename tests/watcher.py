"""A plugin that observes: ``behaviour`` is what it does with an event, ``seen`` are all of them, ``runs`` whose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dlkit import hookimpl

seen: list[Mapping[str, Any]] = []
runs: list[Mapping[str, Any]] = []
behaviour: Callable[[Mapping[str, Any]], None] = seen.append


@hookimpl
def dlkit_event(run: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    runs.append(run)
    behaviour(event)

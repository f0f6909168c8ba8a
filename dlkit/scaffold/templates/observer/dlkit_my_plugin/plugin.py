"""What this plugin offers: an observer. The rest is imported when a run ends."""

from __future__ import annotations

from collections.abc import Mapping

from dlkit import hookimpl
from dlkit.json_types import Json


@hookimpl
def dlkit_event(run: Mapping[str, Json], event: Mapping[str, Json]) -> None:
    """Called with every event that was logged, on a thread of its own: nothing here can stop or slow training."""
    if event["event"] == "finished":
        from dlkit_my_plugin.diary import write

        write(run, event)

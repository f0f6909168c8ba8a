"""One line a run, in a file beside the runs that a spreadsheet opens."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from dlkit.json_types import Json

HEADERS = ("ended", "run", "task", "state", "steps", "seconds")


def write(run: Mapping[str, Json], event: Mapping[str, Json]) -> None:
    """Add a line for a run that has ended to ``my-plugin.csv`` of its workspace."""
    folder = Path(str(run["path"]))
    place = folder.parent.parent / "my-plugin.csv"
    is_new = not place.exists()
    ended = datetime.fromtimestamp(float(str(event["time"])), UTC).isoformat(timespec="seconds")
    with place.open("a", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        if is_new:
            lines.writerow(HEADERS)
        lines.writerow([ended, folder.name, run["task"], event["status"], event["steps"], event["seconds"]])

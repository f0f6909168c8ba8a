"""What this plugin offers: an observer, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping

from dlkit import hookimpl
from dlkit.json_types import Json

WHERE = "DLKIT_TENSORBOARD"
"""The variable that names another folder for all runs, or says ``off``."""


@hookimpl
def dlkit_event(run: Mapping[str, Json], event: Mapping[str, Json]) -> None:
    if os.environ.get(WHERE) != "off":
        from dlkit_tensorboard.writing import take

        take(run, event, os.environ.get(WHERE, ""))

"""Which exit code the end of a run is; those of errors are with the errors (dlkit.errors)."""

from __future__ import annotations

from dlkit.errors import STOPPED

EXIT = {"completed": 0, "failed": 1, "stopped": STOPPED}

"""A sign to the person who has looked away."""

from __future__ import annotations

import os
import sys

from dlkit.present.notification import notification
from dlkit.steering import own_stream


def tell_ended(text: str) -> None:
    """Ring, and have the terminal show a text, if stderr is one."""
    if sys.stderr.isatty():
        print(notification(text, os.environ), end="", file=own_stream(sys.stderr), flush=True)

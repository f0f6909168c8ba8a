"""Starting Python: the one place that says how, for every process of dlkit's own. Light: help loads it.

``python -m`` looks for modules in the current folder first. A file there that is called as something of the standard
library (``random.py``, ``argparse.py``) would run in every worker: a person's own script by accident, or what came
with a run folder that somebody else has made. ``-P`` leaves the current folder out. What is installed, editable too, or
named in PYTHONPATH, is found as ever.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SAFE_PATH: Mapping[str, str] = {"PYTHONSAFEPATH": "1"}
"""The same for processes that others start: torch's loaders and compilers, a plugin's launcher."""

MOST_PROCESSES = 1024
"""Processes of a job at most: each is a whole Python with torch in it, some 300 MB before the model."""
A_CORE = 4
"""Processes or threads for each core that no run asks for in earnest."""


class ThisProcess:
    """``is_command``: it is a command of dlkit's, whose stdout is nobody else's."""

    is_command = False


def python(module: str, *words: str) -> list[str]:
    """The command line of ``python -m module words``, in which nothing of the current folder can run."""
    return [sys.executable, "-P", "-m", module, *words]


def alone(script: Path, *words: str) -> list[str]:
    """The command line of a script that is to see what is installed and nothing of the environment or of its folder."""
    return [sys.executable, "-I", str(script), *words]


def leave_out_current_folder() -> None:
    """Of a process that is dlkit's own: for those that come of it, and for this one, if it was ``python -m dlkit``."""
    os.environ.update(SAFE_PATH)
    if not sys.flags.safe_path and sys.path[:1] == [_current_folder()]:
        del sys.path[0]


def _current_folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109  # pathlib would be an import more
    except OSError:  # it has been removed
        return ""

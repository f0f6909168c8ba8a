"""Folders in each other, deeper than a path can say."""

from __future__ import annotations

import os
from pathlib import Path


def nested(top: Path, levels: int) -> Path:
    """A new folder with so many folders in each other, and a file in each."""
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for _ in range(levels):
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        os.mkdir("folder", dir_fd=here)
        inner = os.open("folder", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    return top

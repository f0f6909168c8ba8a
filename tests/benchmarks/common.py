"""What the benchmarks share: where the real data is, interleaved timing, medians."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import Context
from dlkit.engine.attempt import Attempt
from dlkit.engine.start import start


def data_folder() -> Path:
    """$DLKIT_TEST_DATA, else workspace/data; ends the process if there is neither."""
    folder = Path(os.environ.get("DLKIT_TEST_DATA") or "workspace/data")
    if not folder.is_dir():
        sys.exit(
            f"no real data in {folder}: set DLKIT_TEST_DATA to a folder that holds mnist/, cifar10/, bike-sharing/"
        )
    return folder


@contextmanager
def workspace() -> Iterator[Path]:
    """A throw-away workspace over the real data."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "data").symlink_to(data_folder().resolve())
        yield Path(folder)


def attempt(where: Path, task: str, values: Mapping[str, Any]) -> Attempt:
    """A run about to go, as ``dlkit train TASK`` would start it with these settings."""
    catalog = Catalog.load_everything()
    resolved = resolve(catalog, task, [Layer("benchmark", values)])
    sources = {spec.name: spec for spec in catalog.specs("source")}
    return start(catalog, resolved, where, Context(where / "data", sources, offline=True))


def interleaved(one: Callable[[], float], other: Callable[[], float], rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of both, in the order A B B A a round, so that a drifting machine favours neither."""
    ones, others = [], []
    for _ in range(rounds):
        ones.append(one())
        others.append(other())
        others.append(other())
        ones.append(one())
    return ones, others


def spread(values: list[float]) -> float:
    """How far equal runs lie apart: the median of |a − b| over neighbouring pairs, as a share of the median."""
    pairs = [abs(a - b) for a, b in zip(values[::2], values[1::2], strict=True)]
    return statistics.median(pairs) / statistics.median(values)

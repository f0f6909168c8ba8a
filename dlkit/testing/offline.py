"""Data without a download: what would need one is no fault of a plugin, but nothing to look at either."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.data.context import Context, make_context
from dlkit.errors import DataError
from dlkit.testing.finding import Skipped


@dataclass(frozen=True)
class _Offline(Context):
    """Remembers which sources were asked for in vain: a data set may go on with another one."""

    refused: list[str] = field(default_factory=list)

    def source(self, name: str) -> Path:
        try:
            return super().source(name)
        except DataError:
            self.refused.append(name)
            raise


@contextmanager
def offline_data(catalog: Catalog, scratch: Path) -> Iterator[Context]:
    """What data sets are built with: never the network. Skipped, if that is what one failed for."""
    made = make_context(catalog, scratch, offline=True)
    context = _Offline(made.data, made.sources, made.offline, workspace=made.workspace)
    try:
        yield context
    except DataError as error:
        if not context.refused:
            raise
        sources = ", ".join(dict.fromkeys(context.refused))
        raise Skipped(f"source {sources} is not here, and nothing is downloaded for a check") from error

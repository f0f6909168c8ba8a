"""What a data set is given to build itself with: the narrow side of workspace, sources and talk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlkit.catalog import Catalog
from dlkit.components import SourceSpec
from dlkit.errors import DataError, nearest


def silent(text: str) -> None:
    """Say nothing."""


def _nothing() -> None:
    """The earlier ``info`` of a new run."""


@dataclass(frozen=True)
class Context:
    """Passed to a data set's ``build(config, context)``.

    data       folder that sources are laid out in (``workspace/data``)
    sources    the catalogue's sources, by name
    offline    never use the network
    say        one line of talk to the person at the terminal
    workspace  where a data set that builds on another run looks for it; None: there is no such place
    earlier    the validated ``info`` of the checkpoint that the data is built for again (to resume, measure or show a
               run); returns None for a new run. What was taken from another run is taken from there: that run may be
               gone
    """

    data: Path
    sources: Mapping[str, SourceSpec] = field(default_factory=dict)
    offline: bool = False
    say: Callable[[str], None] = silent
    workspace: Path | None = None
    earlier: Callable[[], Any] = _nothing

    def source(self, name: str) -> Path:
        """The folder of a source, downloaded first if it is absent and that is allowed (DataError otherwise)."""
        from dlkit.data.sources import ensure

        if name not in self.sources:
            raise DataError(f"no source {name!r}: {nearest(name, self.sources)}")
        return ensure(self.sources[name], self.data, offline=self.offline, say=self.say)


def make_context(
    catalog: Catalog, workspace: Path, *, offline: bool = False, say: Callable[[str], None] = silent
) -> Context:
    """A workspace's context: its folder of data, and every source that the plugins declare."""
    sources = {source.name: source for source in catalog.specs("source")}
    return Context(workspace / "data", sources, offline, say, workspace)

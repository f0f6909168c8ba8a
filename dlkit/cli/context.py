"""What a data set is given to build itself with, as the commands make it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.catalog import Catalog
from dlkit.present.output import say

if TYPE_CHECKING:
    from dlkit.data.context import Context


def make_context(catalog: Catalog, workspace: Path, offline: bool = False) -> Context:
    """The workspace's data folder and every source that the plugins declare; talk goes to stderr."""
    from dlkit.data.context import Context

    sources = {source.name: source for source in catalog.specs("source")}
    return Context(data=workspace / "data", sources=sources, offline=offline, say=say, workspace=workspace)

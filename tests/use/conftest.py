"""Runs of the toy plugin, and what was exported of one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlkit.catalog import Catalog
from dlkit.data.context import make_context
from dlkit.runs.folder import RunFolder
from dlkit.use.export.formats import Made, Wanted, export
from dlkit.use.export.split import proving_split
from dlkit.use.load import load_predictor
from toy import toy_catalog, toy_run

Exporter = Callable[..., Made]


@pytest.fixture(scope="session")
def toy_trained(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A completed run, to be read only."""
    return toy_run(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return toy_catalog()


@pytest.fixture(scope="session")
def exporter(toy_trained: RunFolder, catalog: Catalog) -> Exporter:
    """``exporter("onnx", folder, int8=True)``: one format of that run, its metric proved."""

    def make(
        kind: str,
        folder: Path,
        *,
        force: bool = False,
        verify: str = "val",
        int8: bool = False,
        run: RunFolder = toy_trained,
    ) -> Made:
        loaded = load_predictor(catalog, run)
        context = make_context(catalog, run.path.parent.parent)
        split = None if verify == "none" else proving_split(catalog, run, loaded, context, verify)
        wanted = Wanted(int8=int8, verify=verify, split=split, examples=6, seconds=0.02)
        return export(catalog, run, loaded, kind, folder, wanted, force=force)

    return make


@pytest.fixture(scope="session")
def exported(exporter: Exporter, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The run as ONNX, with smaller networks, to be read only."""
    return exporter("onnx", tmp_path_factory.mktemp("exported") / "toy", int8=True)

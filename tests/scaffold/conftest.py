"""New plugins, installed without pip: their packages, and what pip writes about them, in a folder to import from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from dlkit.cli.main import main
from installed import install_metadata

Begin = Callable[..., Path]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """``begin("waves", "--kind", "model")``: the folder of a new plugin, which is then installed."""
    site, projects = tmp_path / "site", tmp_path / "projects"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("DLKIT_WORKSPACE", str(tmp_path / "workspace"))

    def made(name: str, *words: str) -> Path:
        assert main(["new-plugin", name, *words, "--into", str(projects)]) == 0
        package = f"dlkit_{name.replace('-', '_')}"
        (site / package).symlink_to(projects / f"dlkit-{name}" / package)
        install_metadata(site, f"dlkit-{name}", name, f"{package}.plugin", "0.1.0")
        invalidate_caches()
        return projects / f"dlkit-{name}"

    yield made
    for name, module in list(sys.modules.items()):  # the next test may begin another of the same name
        if Path(getattr(module, "__file__", None) or "/").is_relative_to(site):
            del sys.modules[name]

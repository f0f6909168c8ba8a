"""docs/reference says what the code declares: ``DLKIT_UPDATE_DOCS=1`` writes it anew."""

from __future__ import annotations

import os
import tomllib

import pytest

from dlkit.catalog import Catalog
from installed import PLUGINS
from reference_pages import pages
from structure import ROOT

REFERENCE = ROOT / "docs" / "reference"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Of dlkit and the plugins of this repository, whatever else is installed."""
    projects = [tomllib.loads(path.read_text()) for path in ROOT.glob("plugins/*/pyproject.toml")]
    ours = {name for project in projects for name in project["project"]["entry-points"]["dlkit"]}
    if lacking := ours - {"tensorboard"} - set(PLUGINS):  # an observer, which has no components
        pytest.skip(f"not installed: {', '.join(sorted(lacking))}")
    monkeypatch.setenv("DLKIT_DISABLE", ",".join(set(PLUGINS) - ours))
    return dict(pages(Catalog.load_everything()))


def test_the_reference_says_what_the_code_declares(written: dict[str, str]) -> None:
    if os.environ.get("DLKIT_UPDATE_DOCS"):
        for path, text in written.items():
            (REFERENCE / path).parent.mkdir(parents=True, exist_ok=True)
            (REFERENCE / path).write_text(text, encoding="utf-8")
    there = {str(page.relative_to(REFERENCE)): page.read_text(encoding="utf-8") for page in REFERENCE.rglob("*.md")}
    assert set(there) == set(written), "a page too many or too few"
    old = [path for path, text in written.items() if there[path] != text]
    assert not old, f"{', '.join(old)}: no longer true; DLKIT_UPDATE_DOCS=1 uv run pytest tests/test_reference.py"

"""What is installed when the session begins is what counts, whoever asks later and whatever a test has installed."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest


def test_a_plugin_of_a_test_is_none_of_the_installed(toy_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "toy" in {found.name for found in entry_points(group="dlkit")}
    monkeypatch.delitem(sys.modules, "conftest", raising=False)  # as pytest does, whenever it loads another one
    from installed import PLUGINS  # here: at the top of a file it would be before any test

    assert PLUGINS and "toy" not in PLUGINS

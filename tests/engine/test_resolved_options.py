"""Options that a data set resolves when it is built: a run's configuration keeps what they turned out to mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import toy_parts
from dlkit.config_file import read_toml
from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.errors import PluginError
from toy import finish, toy_attempt, toy_resume, toy_run


@pytest.fixture
def resolving(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """``resolving(points=70)``: the toy's data set resolves these options; returns the configurations it was given."""
    given: list[Any] = []
    build = toy_parts.build_plane

    def arrange(**options: Any) -> list[Any]:
        def resolve(config: Any, context: Context) -> Data:
            given.append(config)
            return replace(build(config, context), resolved_options=options)

        monkeypatch.setattr(toy_parts, "build_plane", resolve)
        return given

    return arrange


def test_config_and_resume_say_what_was_resolved(resolving: Callable[..., list[Any]], tmp_path: Path) -> None:
    given = resolving(noise=0.03125)
    run = toy_run(tmp_path, layer={"dataset": {"noise": 0.0}})
    assert read_toml(run.config).values["dataset"]["noise"] == 0.03125
    finish(toy_resume(run, allow_inexact=True, epochs=5))
    assert [config.noise for config in given] == [0.0, 0.03125]


def test_what_does_not_fit_is_the_plugins_fault(resolving: Callable[..., list[Any]], tmp_path: Path) -> None:
    resolving(nothing=1)
    with pytest.raises(PluginError, match=r"dataset 'plane' resolved its options to .*nothing"):
        toy_attempt(tmp_path)
    assert not (tmp_path / "runs").exists()

"""A broken preset file breaks that preset, named with its file, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlkit.config_file import broken_presets, presets
from outcome import Outcome
from toy import toy_catalog

BROKEN = {
    "no TOML": ("preset = ", "Invalid value"),
    "no text": (b"\xff\xfe\x00", "'utf-8' codec can't decode"),
    "no name": ("[engine]\nepochs = 2\n", "it needs a name, as preset = "),
    "a number for a name": ("preset = 3\n", "it needs a name"),
    "a misspelt section": ("preset = 'odd'\n[modle]\nname = 'linear'\n", "unknown key 'modle'; did you mean 'model'?"),
    "a value for a section": ("preset = 'odd'\nengine = 3\n", "engine = 3 must be a table"),
}


@pytest.mark.parametrize(("content", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_preset_is_named_with_its_file_and_the_others_stay(
    plant: Callable[..., str], content: str | bytes, reason: str
) -> None:
    package = plant({"odd.toml": content, "quick.toml": "preset = 'quick'\n[engine]\nepochs = 1\n"})
    catalog = toy_catalog(package)
    assert [preset.name for preset in presets(catalog, "toy")] == ["quick"]
    (broken,) = broken_presets(catalog, "toy")
    assert broken.file == f"{package}:presets/odd.toml"
    assert reason in broken.reason
    assert "\n" not in str(broken)


def test_a_folder_that_is_not_there_is_named(plant: Callable[..., str]) -> None:
    package = plant({}, folder="nowhere")
    catalog = toy_catalog(package)
    assert presets(catalog, "toy") == []
    (broken,) = broken_presets(catalog, "toy")
    assert broken.file == f"{package}:nowhere"


def test_a_task_with_a_broken_preset_trains_with_another(
    dlkit: Callable[..., Outcome], plant: Callable[..., str], tmp_path: Path
) -> None:
    package = plant({"odd.toml": "preset = ", "quick.toml": "preset = 'quick'\n[engine]\nepochs = 1\n"})
    assert dlkit("train", "toy", "--preset", "quick", "--workspace", tmp_path / "w").code == 0
    broken = f"preset file {package}:presets/odd.toml is broken: Invalid value"
    outcome = dlkit("train", "toy", "--preset", "odd", "--workspace", tmp_path / "w")
    assert outcome.code == 4
    assert outcome.err.startswith(f"dlkit train: {broken}")
    outcome = dlkit("train", "toy", "--preset", "quack", "--workspace", tmp_path / "w")
    assert outcome.code == 2
    assert "did you mean 'quick'?" in outcome.err and broken in outcome.err
    assert broken in dlkit("train", "toy", "--help").out

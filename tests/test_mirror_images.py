"""Own images are mirrored only where somebody says that left and right do not differ on them."""

from __future__ import annotations

import pytest

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.config_file import preset_layer

TASKS = ("autoencoder", "classification", "detection", "gan", "localization")


@pytest.mark.parametrize("task", TASKS)
def test_own_images_are_mirrored_by_preset_alone(task: str) -> None:
    catalog = Catalog.load_everything()
    own = Layer("flag", {"dataset": {"name": "files", "path": "photos"}})
    assert resolve(catalog, task, [own]).sections["dataset"].flip is False  # type: ignore[attr-defined]
    preset = preset_layer(catalog, task, "photographs", {"dataset": "files"})
    assert resolve(catalog, task, [preset, own]).sections["dataset"].flip is True  # type: ignore[attr-defined]

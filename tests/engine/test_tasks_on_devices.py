"""The default run of every task on an accelerator: nothing makes the host wait within a step, or has no such kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import make_context
from dlkit.engine.start import start
from kept_runs import ENGINE, RECIPES
from outcome import finished
from pretend_device import installed
from toy import finish

STEPS = {"steps": 4, "epochs": None, "device": "auto", "eval_every": "end", "sample_every": "never"}
SMALL: dict[str, dict[str, Any]] = {
    **{name: recipe for name, recipe in RECIPES.items() if name != "regression-scratch"},  # NumPy's is the CPU
    "localization-lenet": {"dataset": RECIPES["localization"]["dataset"]},
    "style": {**RECIPES["style"], "trainer": {"optimizer": "adam"}},  # L-BFGS decides on numbers at each step
    "detection-grid": {"model": {"name": "grid-relu"}, "dataset": RECIPES["detection"]["dataset"]},
}


@pytest.mark.parametrize("name", sorted(SMALL))
def test_no_step_waits_and_every_kernel_can_be_deterministic(name: str, tmp_path: Path) -> None:
    catalog = Catalog.load_everything()
    recipe = SMALL[name]
    layer = {**recipe, "engine": {**ENGINE, **recipe.get("engine", {}), **STEPS}}
    with installed() as device:
        resolved = resolve(catalog, name.partition("-")[0], [Layer("test", layer)])
        attempt = start(catalog, resolved, tmp_path, make_context(catalog, tmp_path, offline=True))
        device.watch(attempt.job)
        assert finished(finish(attempt)).status == "completed"
    assert not set(device.seen.waits)
    assert not set(device.seen.nondeterministic)

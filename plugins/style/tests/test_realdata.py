"""With SqueezeNet's ImageNet weights: a photograph as Van Gogh might have painted it."""

from __future__ import annotations

from pathlib import Path

import pytest

import dlkit

MOST_SECONDS = 45
"""Of a picture of 256 pixels, on two cores."""


@pytest.mark.realdata
def test_a_photograph_in_the_style_of_a_painting(real: Path, tmp_path: Path) -> None:
    (weights,) = (real / "squeezenet1_1").glob("*.safetensors")
    files = {"content": str(real / "style" / "amber.jpg"), "style": [str(real / "style" / "starry-night.jpg")]}
    run = dlkit.train(
        "style",
        workspace=tmp_path,
        dataset={"name": "files", **files},
        model={"name": "squeezenet", "weights": str(weights)},
    )
    assert run.summary.seconds <= MOST_SECONDS
    found = {name: run.history(f"val/{name}")[1] for name in ("style_loss", "content_loss", "changed")}
    assert found["style_loss"][-1] < found["style_loss"][0] / 5
    assert found["content_loss"][-1] < 1.5 and found["changed"][-1] > 0.05

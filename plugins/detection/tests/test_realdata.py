"""The whole way on MNIST's digits, as a user goes it: train, evaluate, predict from a file. Lines are well below the
recipes' figures (README): training is cut short.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import dlkit
from dlkit.data.context import Context
from dlkit_detection.datasets import digits_canvas
from dlkit_detection.options import DigitsCanvasConfig

pytestmark = pytest.mark.realdata


def test_two_digits(real: Context, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "data").symlink_to(real.data.resolve())
    options = {"source": "mnist", "classes": 2, "train": 8000, "val": 500, "test": 500}
    run = dlkit.train(
        "detection",
        preset="course",
        model="pyramid",
        dataset={"name": "digits-canvas", **options},
        epochs=2,
        batch_size=64,
        offline=True,
        device="cpu",
        workspace=workspace,
    )
    assert run.metrics["val/map50"] >= 0.9
    test = run.evaluate("test")
    assert test["test/map"] >= 0.6 and test["test/map50"] >= 0.9 and test["test/accuracy"] >= 0.8
    split = digits_canvas.build(DigitsCanvasConfig.model_validate(options), real).test
    assert split is not None
    pixels, boxes = (split.columns[key][:20] for key in ("image", "boxes"))  # type: ignore[attr-defined]
    for i, image in enumerate(pixels):
        Image.fromarray(image[0].numpy()).save(tmp_path / f"{i:02}.png")
    predictor = run.predictor()
    answers = predictor.predict(predictor.read([str(path) for path in sorted(tmp_path.glob("*.png"))]))
    near = 0
    for answer, true in zip(answers, boxes, strict=True):
        for item in answer["objects"]:
            near += bool((true - torch.tensor(item["box"])).abs().amax(1).min() < 3)
    objects = int((np.ptp(boxes.numpy(), axis=2) > 0).sum())
    assert near >= 0.8 * objects

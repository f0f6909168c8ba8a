"""Draws the README's pictures of kernels: ``uv run python plugins/insight/.readme/kernels.py``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

import dlkit
from dlkit.runs.contents import load_sample
from dlkit.runs.log import read_events
from dlkit.samples import Images
from dlkit_insight.pictures import side_by_side

HERE = Path(__file__).parent
STEPS = (5, 10, 20, 40, 80, 300)


def main() -> None:
    with tempfile.TemporaryDirectory() as workspace:
        fixed = dlkit.train("kernels", model="fixed", workspace=workspace).predictor()
        photograph = Image.fromarray(load_sample_image("china.jpg")).resize((192, 128)).convert("L")
        (answer,) = fixed.predict([photograph])
        fixed.draw(photograph, answer).quantize(48).save(HERE / "kernels.png", optimize=True)
        run = dlkit.train("kernels", workspace=workspace)
        print(f"{run.summary.seconds:.1f} s, kernel_error {run.metrics['val/kernel_error']:.1e}")
        drawn, titles = [], []
        for event in read_events(run.folder.events):
            for sample in getattr(event, "samples", ()):
                if sample.name == "kernels" and event.step in STEPS:  # type: ignore[attr-defined]
                    found = load_sample(run.folder, sample.file)
                    assert isinstance(found, Images)
                    drawn.append(found.images[0][::2, ::2])
                    titles.append(f"step {event.step}")  # type: ignore[attr-defined]
        side_by_side([np.ascontiguousarray(d) for d in drawn], titles, len(drawn)).save(
            HERE / "learnt.png", optimize=True
        )


if __name__ == "__main__":
    main()

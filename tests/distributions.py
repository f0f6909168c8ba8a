"""Samples of distributions inside a network, without a network."""

from __future__ import annotations

import numpy as np

from dlkit.events import Sampled, SampleRef
from dlkit.present.distribution import ACTIVATIONS, DECADES, GRADIENTS, captioned, histogram
from dlkit.runs.folder import RunFolder
from dlkit.samples import Images, save

BLUE = (86, 180, 233)


def sampled(run: RunFolder, step: int, reach: float = 2.0, size: float = -3.0) -> Sampled:
    """Activations of 1, gradients of 1e``size``."""
    drawn = {
        ACTIVATIONS: (histogram(np.full(9, 1.0), (-reach, reach), BLUE, axis=0.5), captioned("fc Linear", reach)),
        GRADIENTS: (histogram(np.full(9, size), DECADES, BLUE, axis=0.9), "fc Linear 1e-03"),
    }
    refs = []
    for name, (image, caption) in drawn.items():
        file = save(Images(name=name, images=image[None], captions=[caption]), run.samples, f"step-{step:08d}-{name}")
        refs.append(SampleRef(kind="images", name=name, title="", file=f"samples/{file}"))
    return Sampled(step=step, samples=refs)

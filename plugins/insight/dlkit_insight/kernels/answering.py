"""What kernels make of images, by an exported model: NumPy and Pillow alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlkit.answering import Answered
from dlkit.errors import DataError
from dlkit.image_answering import ImageAnswering


class FilterAnswering(ImageAnswering):
    """``given``: ``kernels``, their names. Images are answered at their own size."""

    def predict(self, inputs: Sequence[object]) -> list[Answered]:
        """``width``, ``height`` and ``kernels``, as ``Filter.predict``."""
        return [self.with_file(self._answer(value), value) for value in inputs]

    def _answer(self, value: object) -> Answered:
        opened = self.images.opened(value)
        if min(opened.size) < 2:
            raise DataError(f"an image of {opened.width} × {opened.height} pixels is too small: 2 × 2 at least")
        pixels = np.asarray(opened, np.uint8).reshape(opened.height, opened.width, self.images.channels)
        image = np.moveaxis(pixels, -1, 0)[None].astype(np.float32) / np.float32(255)
        outputs = self.run("model", image=image)["outputs"][0]
        told = {
            name: {"least": float(values.min()), "greatest": float(values.max()), "mean": float(values.mean())}
            for name, values in zip(self.given["kernels"], outputs, strict=True)
        }
        return {"width": opened.width, "height": opened.height, "kernels": told}

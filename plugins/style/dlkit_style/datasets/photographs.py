"""scikit-learn's two photographs (CC BY): a temple of the Summer Palace in Beijing, and a dahlia."""

from __future__ import annotations

from PIL import Image

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit_style.options import PhotographsConfig
from dlkit_style.storage import Named, as_data


def build(config: PhotographsConfig, context: Context) -> Data:
    """One of them in the style of the other, or of itself."""
    other = "flower" if config.content == "china" else "china"
    style = other if config.style == "other" else config.style
    return as_data(photograph(config.content), [photograph(style)], [1.0], config, context=context)


def photograph(name: str) -> Named:
    """One of them, RGB, 640x427 pixels."""
    from sklearn.datasets import load_sample_image

    return Named(name, Image.fromarray(load_sample_image(f"{name}.jpg")))

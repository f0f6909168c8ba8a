"""A folder of images: your own, or LFWcrop's faces."""

from __future__ import annotations

from pathlib import Path

from dlkit.data.augment import Mirror
from dlkit.data.context import Context
from dlkit.data.options import ImageFiles
from dlkit.data.splits import Data
from dlkit.data.unlabelled import folder
from dlkit_autoencoder.options import FilesConfig, LfwcropConfig
from dlkit_autoencoder.storage import as_data

_SHARE = 0.05
"""Of LFWcrop's faces for validation, and for the test."""


def build(config: FilesConfig, context: Context) -> Data:
    found = folder(Path(config.path), config, config.size)
    return as_data(found, config.fit, Mirror() if config.flip else None, config.reference, context)


def build_lfwcrop(config: LfwcropConfig, context: Context) -> Data:
    faces = context.source("lfwcrop") / "faces"
    options = ImageFiles(path=str(faces), colour=config.colour, val_fraction=_SHARE, test_fraction=_SHARE)
    found = folder(faces, options, config.size)
    return as_data(found, options.fit, Mirror() if config.flip else None, config.reference, context)

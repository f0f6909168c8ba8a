"""Photographs: the faces of LFWcrop, or a folder of your own."""

from __future__ import annotations

from pathlib import Path

from dlkit.data.context import Context
from dlkit.data.options import ImageFiles
from dlkit.data.splits import Data
from dlkit.data.unlabelled import folder
from dlkit_gan.options import FacesConfig, FilesConfig
from dlkit_gan.storage import as_data


def build(config: FilesConfig, context: Context) -> Data:
    """The images below a folder; DataError as ``dlkit.data.unlabelled.folder``."""
    images = folder(Path(config.path), config, config.size)
    return as_data(images, "turns", context, config.judged, flip=config.flip)


def build_faces(config: FacesConfig, context: Context) -> Data:
    """LFWcrop's 13,233 faces."""
    path = context.source("lfwcrop") / "faces"
    images = folder(path, ImageFiles(path=str(path)), config.size)
    return as_data(images, "turns", context, config.judged, flip=config.flip)

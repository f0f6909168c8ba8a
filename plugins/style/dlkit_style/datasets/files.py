"""Pictures of your own."""

from __future__ import annotations

from pathlib import Path

from dlkit.data.context import Context
from dlkit.data.conversions import Told, conversion_notes
from dlkit.data.images import allow_megapixels, look_at
from dlkit.data.options import pixel_rules
from dlkit.data.splits import Data
from dlkit.errors import DataError, UsageError
from dlkit_style.options import FilesConfig
from dlkit_style.storage import Named, as_data


def build(config: FilesConfig, context: Context) -> Data:
    """DataError for what cannot be read as an image; UsageError if styles and what they count do not match."""
    blend = _blend(config)
    allow_megapixels(config.max_megapixels)
    told: list[Told] = []
    content, *styles = (_opened(Path(path), config, told) for path in (config.content, *config.style))
    notes = conversion_notes(told, "dataset.")
    return as_data(content, styles, blend, config, context=context, rules=pixel_rules(config), notes=notes)


def _opened(path: Path, config: FilesConfig, told: list[Told]) -> Named:
    if not path.exists():
        raise DataError(f"{path}: no such file")
    enough = max(config.size, config.style_size)
    image, conversion = look_at(path, colour=True, enough=enough, rules=pixel_rules(config))
    told.append((str(path), conversion))
    return Named(path.name, image)


def _blend(config: FilesConfig) -> list[float]:
    count = len(config.style)
    if not config.blend:
        return [1.0] * count
    if len(config.blend) != count:
        raise UsageError(
            f"dataset.blend: {len(config.blend)} numbers for {count} styles; give one for each of dataset.style"
        )
    if not sum(config.blend):
        raise UsageError("dataset.blend: no style counts anything: one of the numbers must be above 0")
    return list(config.blend)

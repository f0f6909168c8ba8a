"""Makes the pictures of this plugin's README, of scikit-learn's two photographs (CC BY 2.0 and 3.0).

uv run python plugins/style/.readme/pictures.py [SQUEEZENET.safetensors]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import dlkit
from dlkit.events import Sampled
from dlkit.runs.log import read_events
from dlkit.samples import Images, load, tile
from dlkit_style.gallery import beside, shown

HERE = Path(__file__).parent


def painted(where: str, **settings: Any) -> Any:
    """The predictor of a run as ``dlkit train style`` starts it with these settings."""
    return dlkit.train("style", workspace=where, **settings)


def row(run: dlkit.Run) -> np.ndarray:
    """Content, style and picture side by side."""
    predictor: Any = run.predictor("last")
    return tile(beside(predictor.info, predictor.model.image()).images, 3, 4)


def forming(run: dlkit.Run) -> np.ndarray:
    """The picture at some of its samples, the last one too."""
    refs = [ref for event in read_events(run.folder.events) if isinstance(event, Sampled) for ref in event.samples]
    found = [load(run.path / ref.file) for ref in refs if ref.name == "picture"]
    pictures = [sample.images[0] for sample in found if isinstance(sample, Images)]
    return tile(np.stack([pictures[number] for number in (0, 2, 5, len(pictures) - 1)]), 4, 4)


def save(name: str, *rows: np.ndarray) -> None:
    gap = np.full((4, rows[0].shape[1], 3), 128, np.uint8)
    parts = [part for row in rows for part in (row, gap)][:-1]
    Image.fromarray(np.concatenate(parts)).save(HERE / name, quality=88)


def main(words: list[str]) -> None:
    with tempfile.TemporaryDirectory() as where:
        first, second = (painted(where, dataset={"content": name}) for name in ("china", "flower"))
        save("default.jpg", row(first), row(second))
        save("forming.jpg", forming(first))
        if words:
            model = {"name": "squeezenet", "weights": words[0]}
            runs = [painted(where, dataset={"content": name}, model=model) for name in ("china", "flower")]
            save("squeezenet.jpg", *map(row, runs))
            light = painted(where, dataset={"content": "flower"}, model={**model, "colours": "content"})
            Image.fromarray(shown(light.predictor("last").model.image())).save(HERE / "light.jpg", quality=88)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Draws the picture of this plugin's README: what the embedded network makes of scikit-learn's photographs.

uv run python plugins/transfer/.readme/pictures.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_sample_image

from dlkit.data.weights import embedded_weights
from dlkit.nn.backbone import MEAN, STD, embedded

WIDTH, HEIGHT = 160, 106
CHANNELS = 2
GAP = 4


def main() -> None:
    network, weights = embedded().eval(), embedded_weights()
    assert weights is not None
    network.load_state_dict({k: v for k, v in weights.items() if not k.startswith("head")}, strict=False)
    rows = [row(network, name) for name in ("flower.jpg", "china.jpg")]
    gap = np.full((GAP, rows[0].shape[1], 3), 255, np.uint8)
    whole = np.concatenate([rows[0], gap, rows[1]])
    Image.fromarray(whole).quantize(128).save(Path(__file__).parent / "maps.png", optimize=True)


@torch.no_grad()
def row(network: torch.nn.Module, name: str) -> np.ndarray:
    """The photograph, and for each halving the maps that vary most, two rows of them."""
    photograph = Image.fromarray(load_sample_image(name)).resize((2 * WIDTH + GAP, 2 * HEIGHT + GAP))
    pixels = torch.from_numpy(np.array(photograph)).permute(2, 0, 1)[None] / 255
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    columns = [np.array(photograph)]
    for maps in network((pixels - mean) / std):
        chosen = maps[0].flatten(1).var(1).topk(CHANNELS).indices
        columns.append(stacked([tile(maps[0, i]) for i in chosen]))
    gap = np.full((columns[0].shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([part for column in columns for part in (column, gap)][:-1], 1)


def stacked(tiles: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([tiles[0], np.full((GAP, WIDTH, 3), 255, np.uint8), tiles[1]])


def tile(values: torch.Tensor) -> np.ndarray:
    shown = (values / values.quantile(0.995).clamp(min=1e-6)).clamp(0, 1).mul(255).byte().numpy()
    return np.array(Image.fromarray(shown).resize((WIDTH, HEIGHT), Image.Resampling.NEAREST).convert("RGB"))


if __name__ == "__main__":
    main()

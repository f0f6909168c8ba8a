"""What the pixels minimise."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from dlkit_style.info import StyleInfo
from dlkit_style.options import PerceptualConfig
from dlkit_style.picture import Outputs

OUTSIDE = 10.0
"""What pixels darker than black or lighter than white count: enough that hardly any are cut off in the picture."""


class Perceptual:
    """Content, style and total variation, weighted and added up (Gatys et al. 2016, eq. 7).

    ``content_loss`` and ``style_loss`` are sums over layers of relative distances, 1 being as far as an empty map is;
    ``content_loss/LAYER``, ``style_loss/LAYER`` each layer's part of it. ``smoothness_loss``: mean squared difference
    of neighbouring pixels.
    """

    def __init__(self, config: PerceptualConfig, info: StyleInfo) -> None:
        self._config = config

    def __call__(self, outputs: Outputs, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        config, pixels = self._config, outputs["pixels"]
        kinds = {"content": outputs["content"], "style": outputs["style"]}
        content, style = (torch.stack(list(parts.values())).sum() for parts in kinds.values())
        found = {"content_loss": content, "style_loss": style}
        loss = config.content_weight * content + config.style_weight * style + OUTSIDE * _outside(pixels)
        if config.smoothness:
            found["smoothness_loss"] = _variation(pixels)
            loss = loss + config.smoothness * found["smoothness_loss"]
        parts = {f"{name}_loss/{layer}": part for name, layers in kinds.items() for layer, part in layers.items()}
        return {"loss": loss, **found, **parts}


def _outside(pixels: Tensor) -> Tensor:
    return (pixels - pixels.clamp(0, 1)).square().mean()


def _variation(pixels: Tensor) -> Tensor:
    """[C,H,W]: both directions."""
    across, down = pixels.diff(dim=2), pixels.diff(dim=1)
    return across.square().mean() + down.square().mean()

"""Tolstikhin et al. (2021), MLP-Mixer: An all-MLP Architecture for Vision, arXiv 2105.01601."""

from __future__ import annotations

from dlkit_classification.info import ClassificationInfo
from torch import Tensor, nn

from dlkit_mixer.options import Options


def build(config: Options, info: ClassificationInfo) -> nn.Module:
    return Mixer(config, info.shape, len(info.classes))


class Mixer(nn.Module):
    """image [N,C,H,W] → logits [N,classes]."""

    def __init__(self, config: Options, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        self.padding = (0, -width % config.patch, 0, -height % config.patch)
        patches = -(-height // config.patch) * -(-width // config.patch)
        self.cut = nn.Conv2d(channels, config.width, config.patch, config.patch)
        self.layers = nn.Sequential(*(Mixing(patches, config.width) for _ in range(config.depth)))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, classes)

    def forward(self, image: Tensor) -> Tensor:
        patches = self.cut(nn.functional.pad(image, self.padding)).flatten(2).mT  # [N,P,D]
        found: Tensor = self.head(self.norm(self.layers(patches)).mean(1))
        return found


class Mixing(nn.Module):
    """[N,P,D] → [N,P,D]: each number across the patches, then each patch within itself."""

    def __init__(self, patches: int, width: int) -> None:
        super().__init__()
        self.first, self.across = nn.LayerNorm(width), _layers(patches)
        self.second, self.within = nn.LayerNorm(width), _layers(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.across(self.first(x).mT).mT
        found: Tensor = x + self.within(self.second(x))
        return found


def _layers(size: int) -> nn.Module:
    return nn.Sequential(nn.Linear(size, 2 * size), nn.GELU(), nn.Linear(2 * size, size))

"""Networks after LeNet-5 that end in a map of cells; each says if an object's centre is in it, where, and which."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dlkit.errors import UsageError
from dlkit.nn.activations import ACTIVATIONS
from dlkit.nn.layers import PooledConvolutions, in_float32
from dlkit_detection.info import DetectionInfo
from dlkit_detection.options import GridLenetConfig
from dlkit_detection.places import grid_places

_STEEPEST = 4.0
"""Boxes are at most e⁴ = 55 times as wide or high as a cell."""


class Grid(nn.Module):
    """image [N,C,H,W] → what the places of a grid of rows × columns cells say (``dlkit_detection.places``).

    The last convolution has 5 + classes outputs a cell: the presence's logit; how far the object's centre is from the
    cell's, and the logarithm of its width and height, all four in units of the cell; the classes' logits.
    """

    places: Tensor

    def __init__(self, config: GridLenetConfig, info: DetectionInfo) -> None:
        super().__init__()
        channels, height, width = info.shape
        stack = PooledConvolutions(
            config.channels, config.kernel, config.pad, config.batch_norm, config.activation, config.pooling
        )
        self.features = nn.Sequential(*stack.layers(channels))
        channels = config.channels[-1]
        kernel, stride = _to_grid(stack, (height, width), config.grid)
        first, *others = config.hidden
        cells: list[nn.Module] = [nn.Conv2d(channels, first, kernel, stride), *_after(config, first)]
        for before, after in zip(config.hidden, others, strict=False):
            cells += [nn.Conv2d(before, after, 1), *_after(config, after)]
        self.cells = nn.Sequential(*cells)
        self.last = nn.Conv2d(config.hidden[-1], 5 + len(info.classes), 1)
        cell = width / config.grid[1], height / config.grid[0]
        self.register_buffer("places", grid_places(*config.grid, cell), persistent=False)

    def places_of(self, image: Tensor) -> Tensor:
        """Where it looks."""
        return self.places

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        features = self.cells(self.features(image))
        raw = in_float32(self.last, features).flatten(2).transpose(1, 2)  # [N,A,5+classes]
        presence, box, classes = raw[..., 0], raw[..., 1:5], raw[..., 5:]
        centre, cell = self.places[:, :2], self.places[:, 2:4]
        middle, half = centre + box[..., :2] * cell, box[..., 2:].clamp(max=_STEEPEST).exp() * cell / 2
        return {
            "boxes": torch.cat([middle - half, middle + half], 2),
            "scores": presence.sigmoid()[..., None] * classes.softmax(2),
            "presence": presence,
            "classes": classes,
            "places": self.places,
        }


def build(config: GridLenetConfig, info: DetectionInfo) -> nn.Module:
    return Grid(config, info)


def _after(config: GridLenetConfig, filters: int) -> list[nn.Module]:
    norm = [nn.BatchNorm2d(filters)] if config.batch_norm else []
    return [*norm, ACTIVATIONS[config.activation]()]


def _to_grid(
    stack: PooledConvolutions, size: tuple[int, int], grid: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Kernel and stride of the convolution that makes a map of exactly these cells; UsageError if there is none."""
    sides = stack.side(size[0]), stack.side(size[1])
    if min(sides) < 1:  # a convolution whose kernel does not fit into what pooling has left
        sides = 0, 0
    if any(side < cells for side, cells in zip(sides, grid, strict=True)):
        raise UsageError(
            f"model.grid = {list(grid)}: of images of {size[0]}x{size[1]} pixels, model.channels, model.kernel and "
            f"model.pad leave {sides[0]}x{sides[1]} cells at most"
        )
    stride = sides[0] // grid[0], sides[1] // grid[1]
    return (sides[0] - (grid[0] - 1) * stride[0], sides[1] - (grid[1] - 1) * stride[1]), stride

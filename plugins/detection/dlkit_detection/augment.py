"""Random changes to images and their boxes together, whole batches at a time, on their device."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from dlkit.data.augment import coin, mirrored, mirrored_boxes
from dlkit.data.splits import Augment, Batch
from dlkit.metrics.total import exact
from dlkit_detection.options import Augmentation

Drawn = npt.NDArray[np.bool_ | np.float32]
"""What is drawn for each image of a batch."""

VISIBLE = 0.4
"""Share of an object that must be left in the image; of less, nobody could say where it ends."""


class MoveAndLight(Augment):
    """Mirror images left and right, resize and shift them, change brightness and contrast: each box follows its object.

    What moves out of the image is lost: of an object, VISIBLE must be left for it to count. What comes in is the mean
    grey.
    """

    def __init__(self, *, flip: bool, zoom: tuple[float, float], shift: float, light: float) -> None:
        self.flip, self.zoom, self.shift, self.light = flip, zoom, shift, light
        self.moves = zoom != (1.0, 1.0) or shift > 0

    def draw(self, rng: np.random.Generator, count: int) -> Mapping[str, Drawn]:
        """``flip`` bool [count]; ``zoom`` [count], uniform in its logarithm; ``shift`` [count,2], shares of width and
        height; ``light`` [count,2], a factor and an addend of normalised pixels.
        """
        drawn: dict[str, Drawn] = {}
        if self.flip:
            drawn["flip"] = coin(rng, count)
        if self.moves:
            drawn["zoom"] = np.exp(rng.uniform(np.log(self.zoom[0]), np.log(self.zoom[1]), count)).astype(np.float32)
            drawn["shift"] = rng.uniform(-self.shift, self.shift, (count, 2)).astype(np.float32)
        if self.light:
            drawn["light"] = rng.uniform(-self.light, self.light, (count, 2)).astype(np.float32)
        return drawn

    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        image, boxes, labels = batch["image"], batch["boxes"], batch["labels"]
        if "light" in drawn:
            factor, addend = drawn["light"][:, :, None, None, None].unbind(1)
            image = image * (1 + factor) + addend
        if "flip" in drawn:
            image = mirrored(image, drawn["flip"])
            boxes = mirrored_boxes(boxes, drawn["flip"], image.shape[3])
        if "zoom" in drawn:
            image, boxes = _moved(image, boxes, drawn["zoom"], drawn["shift"])
        if "flip" in drawn or "zoom" in drawn:
            batch = {**batch, **_left(boxes, labels, image.shape[2:])}
        return {**batch, "image": image}


def build_augment(config: Augmentation) -> MoveAndLight | None:
    """What the options ask for; None if nothing."""
    if not (config.flip or config.shift or config.light or config.zoom != (1.0, 1.0)):
        return None
    return MoveAndLight(flip=config.flip, zoom=config.zoom, shift=config.shift, light=config.light)


def _moved(image: Tensor, boxes: Tensor, zoom: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Images [N,C,H,W] and their boxes [N,M,4], each resized by its ``zoom`` [N] about the middle, then shifted by its
    shares [N,2] of width and height; boxes may reach beyond the image afterwards.

    What torchvision.transforms.v2.functional.affine gives, to the bit, which takes one image at a time and its numbers
    from the host: an accelerator would be waited for at every step.
    """
    height, width = image.shape[2:]
    wide = exact(zoom)
    across, down = (exact(shift[:, 0]) * width, exact(shift[:, 1]) * height)
    dtype = image.dtype
    # Pixels: from where each comes, in units of half the image.
    back = 1 / wide
    x, y = _maps((back, -back * across, -back * down), dtype).unbind(2)
    sources = torch.stack([x / (width / 2), y / (height / 2)], 2)
    grid = _pixels(image)[None].expand(len(image), -1, -1).bmm(sources)
    pixels = F.grid_sample(image, grid.view(len(image), height, width, 2), align_corners=False)
    # Corners: to where they go.
    middle_x, middle_y = width / 2, height / 2
    there = _maps((wide, middle_x + across - wide * middle_x, middle_y + down - wide * middle_y), boxes.dtype)
    corners = boxes.reshape(len(boxes), -1, 2)
    moved = torch.cat([corners, torch.ones_like(corners[..., :1])], 2).bmm(there)
    return pixels, moved.view(boxes.shape)


def _maps(numbers: tuple[Tensor, Tensor, Tensor], dtype: torch.dtype) -> Tensor:
    """Matrices [N,3,2] that take (x, y, 1) to (scale·x + across, scale·y + down); ``numbers``: the three, each [N]."""
    scale, across, down = (number.to(dtype) for number in numbers)
    none = torch.zeros_like(scale)
    return torch.stack([scale, none, none, scale, across, down], 1).view(-1, 3, 2)


def _pixels(image: Tensor) -> Tensor:
    """(x, y, 1) of every pixel [H·W,3], from the image's middle."""
    height, width = image.shape[2:]
    x, y = (
        torch.linspace((1 - side) / 2, (side - 1) / 2, side, dtype=image.dtype, device=image.device)
        for side in (width, height)
    )
    x, y = x.expand(height, width), y[:, None].expand(height, width)
    return torch.stack([x, y, torch.ones_like(x)], 2).view(-1, 3)


def _left(boxes: Tensor, labels: Tensor, size: tuple[int, ...]) -> Batch:
    """Boxes [N,M,4] cut off at the image's edges, and labels −1 where too little is left."""
    height, width = size
    x1, y1, x2, y2 = boxes.unbind(-1)
    inside = torch.stack([x1.clamp(0, width), y1.clamp(0, height), x2.clamp(0, width), y2.clamp(0, height)], -1)
    area, whole = ((b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1]) for b in (inside, boxes))
    return {"boxes": inside, "labels": torch.where(area > VISIBLE * whole, labels, -1)}

"""Where a model looks, and which of these places answers for which object.

A *place* is a cell of a grid or a point of a pyramid's level: float32 [A,6] of centre x and y, the cell's width and
height, and the smallest and largest object (longest side) that it may answer for, all in pixels of the image. The
losses of this plugin ask a model for, besides ``boxes``:

    places    float32 [A,6]
    presence  float32 [N,A], the logit that there is an object
    classes   float32 [N,A,classes], logits of which it is, if there is one
    quality   float32 [N,A], the logit of how well its box fits; may be missing

and may ask it for ``places_of(image)``, the same ``places`` of a batch of images before it has looked at them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from dlkit.errors import UsageError

NEEDED = ("boxes", "presence", "classes", "places")


def grid_places(rows: int, columns: int, cell: tuple[float, float], least: float = 0, most: float = math.inf) -> Tensor:
    """Places [rows·columns, 6] of a map whose cells are ``cell`` (width, height) pixels, row by row."""
    width, height = cell
    y, x = torch.meshgrid((torch.arange(rows) + 0.5) * height, (torch.arange(columns) + 0.5) * width, indexing="ij")
    rest = torch.tensor([width, height, least, most], dtype=torch.float32).expand(rows * columns, -1)
    return torch.cat([x.reshape(-1, 1), y.reshape(-1, 1), rest], 1)


class Targets(NamedTuple):
    """What each place should say. ``positive`` bool [N,A]: it answers for an object; ``boxes`` float32 [N,A,4], that
    object's (elsewhere the place's own cell, so that every box is sound); ``labels`` int64 [N,A] (elsewhere 0);
    ``ignored`` bool [N,A]: it need not say anything, for it sees an object that is neither to be found nor a mistake.
    """

    positive: Tensor
    boxes: Tensor
    labels: Tensor
    ignored: Tensor


@torch.no_grad()
def assign(places: Tensor, boxes: Tensor, labels: Tensor, *, radius: float, inside: bool) -> Targets:
    """Give each place at most one object of ``boxes`` [N,M,4], ``labels`` [N,M] (below 0: none): the smallest it may.

    It may have an object whose centre is within ``radius`` cells of its own, in x and in y, and whose longest side is
    in the place's range; with ``inside``, the place's centre must lie in the box too (Tian et al. 2019,
    arXiv 1904.01355, with the centre sampling of its later version). At a radius of ½ it is the one cell that has the
    object's centre. An object that no place may have, as one between the places, is the nearest's in whose range it is:
    as background it would teach that there is nothing (at 160 pixels and strides of 8, 24 % of objects of 7 pixels).
    """
    if boxes.shape[1] == 0:
        boxes, labels = boxes.new_zeros(len(boxes), 1, 4), labels.new_full((len(labels), 1), -1)
    x, y, width, height, least, most = places[None, :, None].unbind(-1)  # each [1,A,1]
    x1, y1, x2, y2 = boxes[:, None].unbind(-1)  # each [N,1,M]
    away_x, away_y = ((x1 + x2) / 2 - x) / width, ((y1 + y2) / 2 - y) / height
    # Half open: a centre on the line between two cells belongs to one of them.
    near = (away_x >= -radius) & (away_x < radius) & (away_y >= -radius) & (away_y < radius)
    covered = (x > x1) & (x < x2) & (y > y1) & (y < y2)
    longest = torch.maximum(x2 - x1, y2 - y1)
    fit = (longest >= least) & (longest < most) & (labels[:, None] >= 0)
    allowed = fit & near & covered if inside else fit & near
    allowed = allowed | _nearest_of_orphans(allowed, fit, torch.maximum(away_x.abs(), away_y.abs()))
    area = torch.where(allowed, (x2 - x1) * (y2 - y1), math.inf)
    smallest, chosen = area.min(2)  # [N,A]
    positive = smallest < math.inf
    own = torch.stack([places[:, 0], places[:, 1], places[:, 0], places[:, 1]], 1)
    half = torch.stack([-places[:, 2], -places[:, 3], places[:, 2], places[:, 3]], 1) / 2
    found = boxes.gather(1, chosen[..., None].expand(-1, -1, 4))
    return Targets(
        positive,
        torch.where(positive[..., None], found, (own + half).to(boxes.dtype)),
        torch.where(positive, labels.gather(1, chosen), 0),
        ((near | covered) & (labels[:, None] < -1)).any(2) & ~positive,
    )


def _nearest_of_orphans(allowed: Tensor, fit: Tensor, away: Tensor) -> Tensor:
    """bool [N,A,M]: of each object that no place is ``allowed`` to have, the nearest that would ``fit`` it."""
    orphan = fit.any(1, keepdim=True) & ~allowed.any(1, keepdim=True)
    nearest = torch.where(fit, away, math.inf).argmin(1, keepdim=True)
    place = torch.arange(allowed.shape[1], device=allowed.device)[None, :, None]
    return orphan & (place == nearest)


def refuse_unfit(outputs: Mapping[str, Tensor], loss: str) -> None:
    """UsageError if a model does not say what a loss of this plugin asks for."""
    lacking = [key for key in NEEDED if key not in outputs]
    if lacking:
        raise UsageError(
            f"loss {loss!r} needs {', '.join(NEEDED)} of the model, which does not give {', '.join(lacking)}; "
            "choose the loss that the model's own plugin offers"
        )

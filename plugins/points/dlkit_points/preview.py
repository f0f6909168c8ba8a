"""What ``dlkit data show`` prints of points: where they lie."""

from __future__ import annotations

from dlkit.data.splits import Split
from dlkit.metrics.selection import evenly_spaced
from dlkit.samples import Scatter
from dlkit_points.info import PointsInfo
from dlkit_points.regions import own_units

MOST = 500


def cloud(info: PointsInfo, split: Split) -> Scatter:
    """Points from all over the split, by class."""
    batch = split.take(evenly_spaced(len(split), MOST))
    own = own_units(batch["point"].cpu(), info)
    names = [info.classes[label] for label in batch["label"].tolist()]
    title = f"{len(names)} of {len(split)} points" if len(names) < len(split) else f"all {len(names)} points"
    return Scatter(
        name="points",
        title=title,
        x=own[:, 0].tolist(),
        y=own[:, 1].tolist(),
        labels=names,
        x_label=info.axes[0],
        y_label=info.axes[1],
    )

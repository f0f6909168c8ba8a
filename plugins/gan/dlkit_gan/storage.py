"""Images without labels as this task's data, with the judge that belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlkit.data.augment import Mirror
from dlkit.data.context import Context
from dlkit.data.encoding import Encoding
from dlkit.data.splits import Data
from dlkit.data.unlabelled import Unlabelled
from dlkit.metrics.selection import evenly_spaced
from dlkit_gan.judge import KNOWN, SIDE, TURNS, of_digits, of_turns, restored, told_right
from dlkit_gan.options import Look

ENCODING = Encoding([0.5], [0.5])
"""Pixels to [−1, 1], the range of a hyperbolic tangent."""
DIGITS = [str(digit) for digit in range(10)]
_ASKED = 500
"""Validation images that a judge's accuracy is measured on."""


def as_data(images: Unlabelled, look: Look, context: Context, judged: int, *, flip: bool = False) -> Data:
    """The splits, and an ``info`` with the judge: the one at hand for digits, else learnt from the training images,
    once: built again for a run (to resume or measure it), the data takes the run's own. ``judged`` images are drawn at
    an evaluation; 0: as many as there are."""
    splits = images.splits(ENCODING)
    info = {
        "shape": images.shape,
        "look": look,
        "classes": DIGITS if look == "digits" else TURNS,
        "judged": judged,
        **_judge(images, look, context),
    }
    return Data(
        train=splits["train"],
        val=splits["val"],
        test=splits.get("test"),
        info=info,
        augment=Mirror() if flip else None,
        notes=[*images.notes, *_said(info)],
    )


def _judge(images: Unlabelled, look: Look, context: Context) -> dict[str, object]:
    """The fields of ``info`` about the judge."""
    earlier = context.earlier()
    # A judge learnt again would be another one, and figures before and after a resume would not compare.
    if earlier is not None:
        return {"judge": earlier.judge, "side": earlier.side, "accuracy": earlier.accuracy}
    if look == "digits":
        return {"judge": of_digits(), "side": SIDE, "accuracy": min(KNOWN.values())}
    context.say("learning from the images themselves what to judge drawn ones by, before training begins")
    weights, side = of_turns(images.parts["train"]), images.shape[1]
    unseen = images.parts["val"]
    some = unseen[evenly_spaced(len(unseen), _ASKED).numpy()]
    accuracy = told_right(restored(weights, images.shape[0], len(TURNS), side), some)
    return {"judge": weights, "side": side, "accuracy": accuracy}


def _said(info: Mapping[str, Any]) -> list[str]:
    """How far what is judged can be trusted."""
    judged, accuracy = info["judged"], info["accuracy"]
    said = [f"judge_frechet compares {judged:,} drawn images with a split's real ones"] if judged else []
    if accuracy is None:
        return said
    if info["look"] == "digits":
        known = ", ".join(f"{share:.2%} of {whose}" for whose, share in KNOWN.items())
        return [*said, f"the judge tells test digits right: {known}"]
    return [
        *said,
        f"the judge tells by how much validation images were turned in {accuracy:.1%} of cases (chance: 25 %)",
    ]

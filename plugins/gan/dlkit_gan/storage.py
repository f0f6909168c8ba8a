"""Images without labels as this task's data, with the judge that belongs to them."""

from __future__ import annotations

from dlkit.data.augment import Mirror
from dlkit.data.context import Context
from dlkit.data.encoding import Encoding
from dlkit.data.splits import Data
from dlkit.data.unlabelled import Unlabelled
from dlkit_gan.judge import TURNS, of_digits, of_turns
from dlkit_gan.options import Look

ENCODING = Encoding([0.5], [0.5])
"""Pixels to [−1, 1], the range of a hyperbolic tangent."""
DIGITS = [str(digit) for digit in range(10)]


def as_data(images: Unlabelled, look: Look, context: Context, *, flip: bool = False) -> Data:
    """The splits, and an ``info`` with the judge: the one at hand for digits, else learnt from the training images,
    once: built again for a run (to resume or measure it), the data takes the run's own."""
    splits = images.splits(ENCODING)
    earlier = context.earlier()
    # A judge learnt again would be another one, and figures before and after a resume would not compare.
    if earlier is not None:
        weights = earlier.judge
    elif look == "digits":
        weights = of_digits()
    else:
        context.say("learning from the images themselves what to judge drawn ones by, before training begins")
        weights = of_turns(images.parts["train"])
    info = {
        "shape": images.shape,
        "look": look,
        "classes": DIGITS if look == "digits" else TURNS,
        "judge": weights,
    }
    return Data(
        train=splits["train"],
        val=splits["val"],
        test=splits.get("test"),
        info=info,
        augment=Mirror() if flip else None,
        notes=images.notes,
    )

"""Validation text for samples: the first texts of a split, as passages."""

from __future__ import annotations

import torch

from dlkit.data.splits import Split
from dlkit.data.text.pieces import EOS, PAD
from dlkit_insight.reading import GapInfo, Passage, Reading, TranslatingInfo, WritingInfo

WINDOWS = 64
"""Looked at together, of text that goes on from window to window."""


def passages(reading: Reading, examples: Split, count: int, most: int) -> list[Passage]:
    """``count`` texts from all over a split; of text that goes on and on, ``most`` tokens each."""
    places = torch.linspace(0, len(examples) - 1, count + 2)[1:-1].round().long()
    places = torch.tensor(list(dict.fromkeys(places.tolist())))  # a small split has fewer
    if isinstance(reading.info, WritingInfo):
        return [reading.tokens(running(examples, int(place), most)) for place in places]
    batch = examples.take(places)
    if isinstance(reading.info, TranslatingInfo):
        kept = [[n for n in row if n not in (PAD, EOS)] for row in batch["source"].cpu().tolist()]
        return [reading.sentence(row) for row in kept]
    assert isinstance(reading.info, GapInfo)
    return [reading.context(row) for row in batch["context"].cpu().tolist()]


def running(examples: Split, first: int, most: int) -> list[int]:
    """Tokens of the text from one window on, as far as windows go on where the one before ends."""
    found: list[int] = []
    place, following = first, -1
    while len(found) < most and place < len(examples):
        batch = examples.take(torch.arange(place, min(place + WINDOWS, len(examples))))
        tokens, targets = batch["token"].cpu(), batch["target"].cpu()
        for row, target in zip(tokens.tolist(), targets.tolist(), strict=True):
            if found and following != row[0]:
                return found[:most]
            found += row
            following = target[-1]
        place += WINDOWS
    return found[:most]

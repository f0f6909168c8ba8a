"""Samples: originals above reconstructions; noisy above restored above clean; new images and a walk between codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from dlkit.data.encoding import Encoding
from dlkit.data.splits import Split
from dlkit.samples import Images, Sample
from dlkit_autoencoder.metrics import psnr

EXAMPLES = 1000
"""Validation images that samples are chosen from."""
COLUMNS = 8
_WIDE = 32
"""Columns of a large grid of new images."""
_WALKS = 4
_BATCH = 250
_EMPTY = 128
"""Grey that fills up a grid's last rows."""

Pixels = npt.NDArray[np.uint8]
Row = tuple[Pixels, Sequence[str]]
"""Images [N,H,W(,3)] and a caption for each."""


class Compresses(Protocol):
    """What samples are made with."""

    model: nn.Module
    encoding: Encoding

    def forward(self, *inputs: Tensor) -> Mapping[str, Tensor]: ...

    def decoded(self, codes: Tensor) -> Tensor: ...


def samples(asked: Compresses, count: int, rng: np.random.Generator, examples: Split | None) -> list[Sample]:
    """What there is to see: ``typical`` and ``worst`` reconstructions of ``count`` validation images together, and of a
    model with a prior ``count`` new images (``random``) and ``walk``, rows from one image's code to another's."""
    prior = getattr(asked.model, "prior", 0)
    noise = torch.from_numpy(rng.standard_normal((count if prior else 0, prior), np.float32))
    made: list[Sample] = []
    images = _examples(rng, examples)
    if images is not None:
        made += _reconstructions(asked, images, max(1, count // 2))
    if prior:
        codes = _new_codes(asked.model, noise)
        made.append(_drawn(asked, codes))
        made.append(_walk(asked, codes if images is None else asked.forward(images[: 2 * _WALKS])["code"]))
    return made


def stacked(name: str, title: str, rows: Sequence[Row]) -> Images:
    """Rows of equally many images one below the other, eight columns wide; what is over begins new rows below."""
    count = len(rows[0][0])
    columns = min(COLUMNS, count)
    blocks: list[Pixels] = []
    captions: list[str] = []
    for first in range(0, count, columns):
        for images, said in rows:
            part = images[first : first + columns]
            rest = columns - len(part)
            blocks += [part, np.full((rest, *part.shape[1:]), _EMPTY, np.uint8)]
            captions += [*said[first : first + columns], *[""] * rest]
    return Images(name=name, title=title, images=np.concatenate(blocks), captions=captions, columns=columns)


def decibels(value: float | None) -> str:
    """A PSNR for people; None or infinite: nothing is lost."""
    return "exact" if value is None or not np.isfinite(value) else f"{value:.1f} dB"


def _examples(rng: np.random.Generator, examples: Split | None) -> Tensor | None:
    """Some validation images, in an order by chance."""
    if examples is None:
        return None
    index = torch.from_numpy(rng.permutation(len(examples))[:EXAMPLES])
    return examples.take(index)["image"].cpu()


def _reconstructions(asked: Compresses, images: Tensor, count: int) -> list[Sample]:
    """The first ``count`` images (whole rows, where there are several), and those that the model does worst on."""
    if count > COLUMNS:
        count -= count % COLUMNS
    corrupt: Callable[[Tensor], Tensor] | None = getattr(asked.model.eval(), "corrupted", None)
    seen = images if corrupt is None else corrupt(images)
    found = torch.cat([asked.forward(part)["image"] for part in torch.split(seen, _BATCH)])
    worst = _errors(found, images).argsort(descending=True, stable=True)
    picked = {"typical": torch.arange(len(images))[:count], "worst": worst[:count]}
    return [
        _compared(asked.encoding, name, [images[index], seen[index], found[index]], len(images))
        for name, index in picked.items()
    ]


def _compared(encoding: Encoding, name: str, stages: Sequence[Tensor], total: int) -> Images:
    """Images, what the model saw and what it made of them: three rows where it saw them corrupted, else two."""
    images, seen, found = stages
    which = {"typical": "validation images by chance", "worst": f"the worst of {total} validation images"}[name]
    clean, restored = encoding.pixels(images), (encoding.pixels(found), _captions(found, images))
    if seen is images or torch.equal(seen, images):
        rows = [(clean, ["original"] * len(images)), restored]
        return stacked(name, f"Originals above reconstructions: {which}", rows)
    rows = [(encoding.pixels(seen), _captions(seen, images)), restored, (clean, ["clean"] * len(images))]
    return stacked(name, f"Noisy above restored above clean: {which}", rows)


def _new_codes(model: nn.Module, noise: Tensor) -> Tensor:
    draw = cast(Callable[[Tensor], Tensor], model.new_codes)
    with torch.no_grad():
        return draw(noise.to(next(model.parameters()).device)).cpu()


def _drawn(asked: Compresses, codes: Tensor) -> Images:
    pictures = asked.encoding.pixels(asked.decoded(codes))
    columns = COLUMNS if len(codes) <= COLUMNS**2 else _WIDE
    return Images(name="random", title="New images, from random codes", images=pictures, columns=columns)


def _walk(asked: Compresses, codes: Tensor) -> Images:
    """Rows of equal steps from one code to another, the ends included; ``codes`` [N,K] are taken in pairs."""
    whole = len(codes) // 2 * 2
    pairs = codes[: min(whole, 2 * _WALKS)].reshape(-1, 2, codes.shape[1]) if whole else codes[None, [0, 0]]
    share = torch.linspace(0, 1, COLUMNS)[:, None]
    steps = pairs[:, :1] * (1 - share) + pairs[:, 1:] * share  # [pairs, COLUMNS, K]
    pictures = asked.encoding.pixels(asked.decoded(steps.flatten(0, 1)))
    return Images(name="walk", title="From one image's code to another's", images=pictures, columns=COLUMNS)


def _captions(found: Tensor, images: Tensor) -> list[str]:
    return [decibels(psnr(error)) for error in _errors(found, images).tolist()]


def _errors(found: Tensor, images: Tensor) -> Tensor:
    """Mean squared error of each image [N]."""
    return (found - images).square().flatten(1).mean(1)

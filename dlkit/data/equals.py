"""Images that two parts of a set have: what is trained on and measured too makes every figure of the measure a lie."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dlkit.bounded import open_regular
from dlkit.data.parts import Indices

Digests = list[bytes]
"""Of each image of a part: equal ones have equal digests."""


def of_pixels(images: npt.NDArray[np.uint8]) -> Digests:
    """By what a model sees, uint8 [N,…]: files of one picture are equal, also if they differ in size alone."""
    return [hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest() for image in images]


def of_files(parts: Mapping[str, Sequence[Path]]) -> dict[str, Digests]:
    """By the files' bytes, for what is not in memory."""
    sizes: dict[int, int] = defaultdict(int)
    for paths in parts.values():
        for path in paths:
            sizes[path.stat().st_size] += 1
    # Most files have a size of their own, which tells them apart without reading them.
    return {
        part: [_digest(path) if sizes[path.stat().st_size] > 1 else str(path).encode("utf-8", "surrogateescape")
               for path in paths]
        for part, paths in parts.items()
    }  # fmt: skip


def _digest(path: Path) -> bytes:
    with os.fdopen(open_regular(path), "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()


def equal_notes(digests: Mapping[str, Digests], names: Mapping[str, Sequence[str]], *, dropped: bool) -> list[str]:
    """A line for each two parts that have images in common: how many, and the first of them."""
    said = []
    parts = [part for part in ("train", "val", "test") if part in digests]
    # Of pairs of parts, not of all parts: an image twice among those trained on is its owner's affair.
    for i, one in enumerate(parts):
        places = {digest: place for place, digest in reversed(list(enumerate(digests[one])))}
        for other in parts[i + 1 :]:
            twins = [place for place, digest in enumerate(digests[other]) if digest in places]
            if not twins:
                continue
            first = names[other][twins[0]]
            equal = names[one][places[digests[other][twins[0]]]]
            what = f"{len(twins)} of {len(digests[other])} {other} images are equal to {one} images"
            way = "dataset.equal = drop leaves such out of training" if one == "train" else "nothing is done about it"
            way = "they are left out of training" if dropped and one == "train" else way
            said.append(f"{what} (first: {first} and {equal}); {way}")
    return said


def kept_for_training(digests: Mapping[str, Digests]) -> Indices:
    """The training images that no other part has."""
    others = {digest for part, some in digests.items() if part != "train" for digest in some}
    return np.array([place for place, digest in enumerate(digests["train"]) if digest not in others], np.int64)

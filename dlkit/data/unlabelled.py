"""Images for models that need no labels (those that draw, or restore): digits, or a folder of your own.

Parts are uint8 [N,C,size,size], kept so in memory and encoded batch by batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from dlkit.data.canvases import stretched
from dlkit.data.context import Context
from dlkit.data.digits import digit_parts
from dlkit.data.encoding import Encoding
from dlkit.data.equals import equal_notes, kept_for_training, of_pixels
from dlkit.data.image_division import own_division
from dlkit.data.image_files import found_images
from dlkit.data.image_sets import Usable, read_usable
from dlkit.data.images import allow_megapixels, image_size
from dlkit.data.options import ImageFiles, folder_rules, pixel_rules
from dlkit.data.parts import Indices, drawn, held_out, part_folders, parts_note, refuse_hidden_parts, too_few
from dlkit.data.pixel_rules import PLAIN, PixelRules
from dlkit.data.splits import TensorSplit
from dlkit.data.unusable import attempt_all
from dlkit.errors import DataError, listed

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Unlabelled:
    """``parts``: ``train``, ``val`` and, where there is one, ``test``, each uint8 [N,C,size,size]; ``rules``: how files
    became these pixels."""

    parts: dict[str, Pixels]
    notes: Sequence[str] = field(default_factory=tuple)
    rules: PixelRules = PLAIN

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        _, channels, height, width = self.parts["train"].shape
        return channels, height, width

    def splits(self, encoding: Encoding) -> dict[str, TensorSplit]:
        """The parts as splits of batches ``{"image": float32[N,C,H,W]}``."""
        return {
            part: TensorSplit({"image": torch.from_numpy(images)}, transform=encoding)
            for part, images in self.parts.items()
        }


def digits(source: Literal["digits", "mnist"], size: int, context: Context) -> Unlabelled:
    """Handwritten digits, light on dark; the parts are those of ``digit_parts``."""
    parts = digit_parts(source, context)
    return Unlabelled({part: sized(found.images, size)[:, None] for part, found in parts.items()})


def sized(images: Pixels, size: int) -> Pixels:
    """Digits [N,28,28] as uint8 [N,size,size]: up to four pixels more are a black border, else they are enlarged."""
    border, odd = divmod(size - images.shape[-1], 2)
    if size <= images.shape[-1] + 4 and not odd:
        return np.pad(images, [(0, 0), (border, border), (border, border)])
    # In integers from end to end: the same pixels on every machine.
    large = stretched(stretched(images.astype(np.int64) << 8, 1, size), 2, size)
    return ((large + 128) >> 8).astype(np.uint8)


def folder(path: Path, options: ImageFiles, size: int) -> Unlabelled:
    """A folder's images: those of its folders ``train``, ``val`` and ``test``, or all of them divided at random.

    DataError names a folder that is missing or empty, and images that are unreadable or smaller than ``size``, as far
    as the options do not have them left out or enlarged.
    """
    allow_megapixels(options.max_megapixels)
    files, notes = _files(path, options)
    if options.lists:  # they say more than folders do
        files = {"train": [path for some in files.values() for path in some]}
    parts, names, rules = dict[str, Pixels](), dict[str, list[str]](), pixel_rules(options)
    for part, paths in files.items():  # the training images first: what they were taken for holds for all
        found = _read(paths, options, size, rules)
        parts[part], names[part], rules = found.images, [str(paths[i]) for i in found.kept], found.rules
        notes += [f"{part}: {note}" if len(files) > 1 else note for note in found.notes]
    train, named = parts["train"], names["train"]
    own, said = own_division([Path(name) for name in named], path, options, given=files.keys() - {"train"})
    held = own or _divided({part: len(images) for part, images in parts.items()}, path, options)
    if len(held) > 1:
        parts |= {part: train[index] for part, index in held.items()}
        names |= {part: [named[i] for i in index] for part, index in held.items()}
    parts, equal = _apart(parts, names, options)
    return Unlabelled(parts, [*notes, *said, *equal], rules)


def _apart(
    parts: dict[str, Pixels], names: Mapping[str, Sequence[str]], options: ImageFiles
) -> tuple[dict[str, Pixels], list[str]]:
    """The parts, training images that others have left out if the options say so, and notes."""
    digests = {part: of_pixels(images) for part, images in parts.items()}
    dropped = options.equal == "drop"
    notes = equal_notes(digests, names, dropped=dropped)
    if not dropped or not notes:
        return parts, notes
    kept = kept_for_training(digests)
    if not len(kept):
        raise DataError("\n".join([*notes, "no training image would be left"]))
    return {**parts, "train": parts["train"][kept]}, notes


def _files(path: Path, options: ImageFiles) -> tuple[dict[str, list[Path]], list[str]]:
    """The images of each part, or all as ``train``, and notes of what was left out."""
    how = folder_rules(options)
    places = part_folders(path) or {"train": path}
    files, notes = dict[str, list[Path]](), parts_note(places) if len(places) > 1 else []
    for part, place in places.items():
        files[part], said = found_images(place, how)
        if not files[part]:
            raise DataError("\n".join([f"{place}: holds no images", *said]))
        notes += [f"{part}: {note}" if len(places) > 1 else note for note in said]
        if how.strict:
            refuse_hidden_parts(place, files[part], "dataset.doubtful = take makes one set of them")
    return files, notes


def _divided(sizes: Mapping[str, int], path: Path, options: ImageFiles) -> dict[str, Indices]:
    """Places in the training images of the rest and of what is held out of them: validation, where no folder is of it,
    and where no folder says what any part is, the test."""
    shares = {"test": 0.0 if len(sizes) > 1 else options.test_fraction, "val": options.val_fraction}
    # Shares are of what is divided here. A test folder's images are not: with many of them, validation would be asked
    # to have more images than there are to train on.
    total = sizes["train"]
    rest, found = np.arange(total), dict[str, Indices]()
    for part, fraction in shares.items():
        if part in sizes or not fraction:
            continue
        count = held_out(total, fraction, least=0)
        if not 0 < count < len(rest):
            raise too_few(f"{path}: {len(rest)} images", part)
        left, chosen = drawn(len(rest), count, options.split_seed, part)
        rest, found[part] = rest[left], rest[chosen]
    return {"train": rest, **found}


def _read(paths: Sequence[Path], options: ImageFiles, size: int, rules: PixelRules) -> Usable:
    failed = [] if options.enlarge else _too_small(paths, options, size)
    if failed:
        advice = f"dataset.enlarge = true takes them all the same, a smaller dataset.size (now {size}) as they are"
        raise DataError(f"{listed(f'{len(failed)} of {len(paths)} images are too small', failed)}\n{advice}")
    return read_usable(
        paths, size, size, colour=options.colour, fit=options.fit, skip=options.skip_unreadable, rules=rules
    )


def _too_small(paths: Sequence[Path], options: ImageFiles, size: int) -> list[str]:
    """What is said of images that would have to be enlarged."""

    def judge(path: Path) -> str:
        width, height = image_size(path)
        fits = max(width, height) if options.fit == "letterbox" else min(width, height)
        return "" if fits >= size else f"{path}: {width}x{height}, less than {size}x{size}"

    # Of unreadable ones the reader tells, a moment later.
    return [found for found in attempt_all(judge, paths) if isinstance(found, str) and found]

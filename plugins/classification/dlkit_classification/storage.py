"""Images in memory as splits, by one rule: normalised float32 while that is small, else uint8 normalised per batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from dlkit.data.encoding import Encoding, channel_statistics
from dlkit.data.equals import equal_notes, kept_for_training, of_pixels
from dlkit.data.image_info import rules_info
from dlkit.data.options import ImageDivision
from dlkit.data.parts import Indices, held_out, stratified, too_few
from dlkit.data.pixel_rules import PLAIN, PixelRules
from dlkit.data.plans import Balanced
from dlkit.data.splits import Data, TensorSplit
from dlkit.errors import DataError
from dlkit_classification.augment import build_augment
from dlkit_classification.options import Augmentation, Fractions
from dlkit_classification.patches import patch_covariance

FLOAT_LIMIT = 256 << 20
"""Bytes up to which a whole data set is kept as float32, ready to use; MNIST has 220 million."""

VALIDATION = 5000
"""Training images of a published data set that are its validation split."""


@dataclass(frozen=True)
class LabelledImages:
    """Images uint8 [N,C,H,W], their labels int64 [N] and, of files, their names."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    names: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, index: Indices) -> LabelledImages:
        return LabelledImages(self.images[index], self.labels[index], [self.names[i] for i in index if self.names])

    def split(self, encoding: Encoding, index: Indices | None = None, *, as_float: bool) -> TensorSplit:
        """Those at ``index`` (None: all) as a split."""
        rows = torch.arange(len(self)) if index is None else torch.from_numpy(index)
        images, labels = torch.from_numpy(self.images), torch.from_numpy(self.labels)[rows]
        if as_float:
            return TensorSplit({"image": encoding.encoded(images, rows), "label": labels})
        kept = images if index is None else images.index_select(0, rows)
        return TensorSplit({"image": kept, "label": labels}, transform=encoding)


@dataclass(frozen=True)
class SetDescription:
    """What is known of images besides their pixels: their classes, how those not square were brought to shape, and how
    files became pixels."""

    classes: Sequence[str]
    notes: Sequence[str] = ()
    fit: str = "crop"
    rules: PixelRules = PLAIN


@dataclass(frozen=True)
class Published:
    """A data set whose classes, shape, size (all splits) and channel statistics are known beforehand."""

    classes: Sequence[str]
    shape: tuple[int, int, int]
    count: int
    mean: Sequence[float]
    std: Sequence[float]


def from_published(
    published: Published,
    read_train: Callable[[], LabelledImages],
    read_test: Callable[[], LabelledImages],
    config: Augmentation,
) -> Data:
    """The official test split; VALIDATION of the training images, stratified and always the same, are held out.

    The raw training pixels are freed before the test's are read: memory peaks just above the finished splits.
    """
    encoding = Encoding(published.mean, published.std)
    as_float = fits_as_float(published.count, published.shape)
    splits = _with_validation(read_train(), encoding, as_float=as_float)
    splits["test"] = read_test().split(encoding, as_float=as_float)
    return _as_data(splits, SetDescription(published.classes), encoding, config)


def from_one_set(pictures: LabelledImages, known: SetDescription, config: Fractions) -> Data:
    """Stratified train, val and test splits of one set."""
    total, parts = len(pictures), {}
    for part, fraction in (("test", config.test_fraction), ("val", config.val_fraction)):
        if fraction:
            pictures, parts[part] = _take_out(pictures, part, held_out(total, fraction, least=0), config.split_seed)
    return from_parts({**parts, "train": pictures}, known, config)


def from_parts(parts: Mapping[str, LabelledImages], known: SetDescription, config: Fractions) -> Data:
    """Splits as they are given; a missing ``val`` is taken from the training images, stratified."""
    parts = dict(parts)
    if "val" not in parts:
        count = held_out(len(parts["train"]), config.val_fraction, least=0)
        parts["train"], parts["val"] = _take_out(parts["train"], "val", count, config.split_seed)
    parts, said = _apart(parts, config)
    known = replace(known, notes=[*known.notes, *said])
    train = parts["train"].images
    encoding = Encoding(*channel_statistics(train))
    as_float = fits_as_float(sum(map(len, parts.values())), train.shape[1:])
    splits = {name: part.split(encoding, as_float=as_float) for name, part in parts.items()}
    return _as_data(splits, known, encoding, config)


def _apart(parts: dict[str, LabelledImages], config: Fractions) -> tuple[dict[str, LabelledImages], list[str]]:
    """The parts of somebody's files, training images that others have left out if the options say so, and notes."""
    if not isinstance(config, ImageDivision):
        return parts, []
    dropped = config.equal == "drop"
    digests = {part: of_pixels(some.images) for part, some in parts.items()}
    notes = equal_notes(digests, {part: some.names for part, some in parts.items()}, dropped=dropped)
    if not dropped or not notes:
        return parts, notes
    kept = kept_for_training(digests)
    if len(np.unique(parts["train"].labels[kept])) < len(np.unique(parts["train"].labels)):
        raise DataError("\n".join([*notes, "of some classes no training image would be left"]))
    return {**parts, "train": parts["train"].at(kept)}, notes


def fits_as_float(count: int, shape: Sequence[int]) -> bool:
    """Whether ``count`` images of that shape are kept as float32."""
    return count * int(np.prod(shape)) * 4 <= FLOAT_LIMIT


def _with_validation(pictures: LabelledImages, encoding: Encoding, *, as_float: bool) -> dict[str, TensorSplit]:
    train, val = stratified(pictures.labels, VALIDATION, 0, "val")
    return {
        "train": pictures.split(encoding, train, as_float=as_float),
        "val": pictures.split(encoding, val, as_float=as_float),
    }


def _take_out(pictures: LabelledImages, part: str, count: int, seed: int) -> tuple[LabelledImages, LabelledImages]:
    rest, chosen = stratified(pictures.labels, count, seed, part)
    if not len(chosen):
        raise too_few(f"{len(pictures)} images", part)
    return pictures.at(rest), pictures.at(chosen)


def _as_data(
    splits: Mapping[str, TensorSplit], known: SetDescription, encoding: Encoding, config: Augmentation
) -> Data:
    _, channels, height, width = splits["train"].columns["image"].shape  # type: ignore[union-attr]
    labels = splits["train"].columns["label"].numpy()  # type: ignore[union-attr]
    counts: list[int] = np.bincount(labels, minlength=len(known.classes)).tolist()
    if config.balanced:
        splits["train"].planner = Balanced(labels)
    info = {
        "classes": list(known.classes),
        "shape": (channels, height, width),
        "mean": encoding.mean,
        "std": encoding.std,
        "fit": known.fit,
        **rules_info(known.rules),
        "counts": counts,
        "patches": patch_covariance(splits["train"]),
    }
    return Data(
        train=splits["train"],
        val=splits["val"],
        test=splits.get("test"),
        info=info,
        augment=build_augment(config, height, width),
        notes=[*known.notes, *_uneven(counts, known.classes)],
    )


def _uneven(counts: Sequence[int], classes: Sequence[str]) -> list[str]:
    """The note on classes of very different sizes."""
    fewest, most = min(counts), max(counts)
    if most < _UNEVEN * max(1, fewest):
        return []
    rare, common = classes[counts.index(fewest)], classes[counts.index(most)]
    what = f"classes have from {fewest} ({rare}) to {most} ({common}) training images"
    return [
        f"{what}: accuracy says little of rare ones, macro_f1 does; dataset.balanced or loss.balanced evens them out"
    ]


_UNEVEN = 10
"""How many times as many images a class has as another, from which on that is said."""

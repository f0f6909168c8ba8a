"""Many images at once, of one size, in one array: what can be read, by one rule for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dlkit.data.conversions import conversion_notes
from dlkit.data.images import Fit, fitted, look_at
from dlkit.data.pixel_rules import PLAIN, Kind, PixelRules, Range, guessed
from dlkit.data.pixels import Conversion
from dlkit.data.unusable import attempt_all, left_out
from dlkit.errors import DataError

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Usable:
    """Images uint8 [K,C,height,width], their places int64 [K] among the files, notes, and the rules that other images
    are to be read by so that they become pixels as these did."""

    images: Pixels
    kept: npt.NDArray[np.int64]
    notes: list[str]
    rules: PixelRules


def read_usable(
    paths: Sequence[Path], height: int, width: int, *, colour: bool, fit: Fit, skip: bool, rules: PixelRules = PLAIN
) -> Usable:
    """The files that can be read. DataError names those that cannot, unless ``skip`` says to leave them out; and if
    none is left."""
    # Straight into one array: a list of images and a stack of it would hold everything twice.
    images = np.zeros((len(paths), 3 if colour else 1, height, width), np.uint8)

    def read(place: int, rules: PixelRules) -> Conversion:
        image, conversion = look_at(paths[place], colour=colour, enough=max(height, width), rules=rules)
        images[place] = fitted(image, height, width, fit)
        return conversion

    results, rules = by_one_rule(read, range(len(paths)), rules)
    failed = {place: str(found) for place, found in enumerate(results) if isinstance(found, DataError)}
    notes = left_out(
        f"{len(failed)} of {len(paths)} images cannot be read",
        list(failed.values()),
        skip=skip,
        option="dataset.skip_unreadable",
    )
    kept = np.setdiff1d(np.arange(len(paths)), list(failed))
    if not len(kept):
        raise DataError("\n".join([*notes, "none is left"]))
    told = [(str(paths[place]), found) for place, found in enumerate(results) if isinstance(found, Conversion)]
    notes += conversion_notes(told, "dataset.")
    return Usable(images[kept] if failed else images, kept, notes, rules)


def by_one_rule(
    read: Callable[[int, PixelRules], Conversion], places: Iterable[int], rules: PixelRules
) -> tuple[list[Conversion | DataError], PixelRules]:
    """``read`` of every place, and what of it failed; the rules now know the ranges of all.

    Where nothing says what is black and white, it is the same for all images of a kind: a dark image among bright ones
    is dark. So those that were taken for darker or brighter than all together are read once more.
    """
    places = list(places)
    results = attempt_all(lambda place: read(place, rules), places)
    known = replace(rules, ranges={**rules.ranges, **_common_ranges(results)})
    # Not all are read once more: of most sets every image looks like the whole.
    again = [i for i, found in enumerate(results) if isinstance(found, Conversion) and not _as_known(found, known)]
    for i, found in zip(again, attempt_all(lambda i: read(places[i], known), again), strict=True):
        results[i] = replace(found, origin="guess") if isinstance(found, Conversion) else found
    return results, known


def _common_ranges(results: Sequence[Conversion | DataError]) -> dict[Kind, Range]:
    extremes: dict[Kind, Range] = {}
    for found in results:
        if isinstance(found, Conversion) and found.kind and found.origin == "guess":
            low, high = extremes.get(found.kind, (found.low, found.high))
            extremes[found.kind] = min(low, found.low), max(high, found.high)
    return {kind: guessed(kind, low, high) for kind, (low, high) in extremes.items()}


def _as_known(found: Conversion, rules: PixelRules) -> bool:
    return found.origin != "guess" or found.kind is None or found.span == rules.ranges[found.kind]

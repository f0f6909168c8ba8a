"""Images divided as their owner says: by lists of names, or so that a group (a patient, a film) is in one part."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from dlkit.data.division import by_lists, divided, names_of, path_names
from dlkit.data.names import composed
from dlkit.data.options import ImageDivision, ImageLists
from dlkit.data.parts import Indices
from dlkit.errors import DataError, listed

FOLDER = "folder"
"""The value of ``group`` that makes one of each folder."""


def image_groups(paths: Sequence[Path], root: Path, options: ImageDivision) -> list[str] | None:
    """The group of each file by ``options.group``; None: there are none. DataError names files that have none."""
    if not options.group:
        return None
    below = [composed(path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name) for path in paths]
    # By paths below the folder: what is above is of this machine, and would group all images alike.
    if options.group == FOLDER:
        return [name.rpartition("/")[0] for name in below]
    matches = [re.search(options.group, name) for name in below]
    without = [name for name, match in zip(below, matches, strict=True) if match is None]
    if without:
        what = listed(f"{root}: {len(without)} of {len(paths)} images are in no group", without)
        raise DataError(f"{what}\ndataset.group is to match all paths below the folder, not {options.group!r}")
    # An optional parenthesis that is not there groups nothing.
    return [str(match.group(1 if match.re.groups else 0)) for match in matches if match is not None]


def own_division(
    paths: Sequence[Path],
    root: Path,
    options: ImageLists,
    labels: Sequence[int] | None = None,
    given: Collection[str] = (),
) -> tuple[dict[str, Indices], list[str]]:
    """Places in ``paths`` by part, and notes; empty where the options name neither lists nor groups.

    ``given``: parts that folders say: ``paths`` are training images, from which at most validation is taken. With
    ``labels`` every part that is drawn has the classes in proportion. DataError for names that are no image's, and for
    a list that leaves a part empty.
    """
    groups = image_groups(paths, root, options)
    shares = {"test": 0.0 if given else options.test_fraction, "val": 0.0 if "val" in given else options.val_fraction}
    if options.lists:
        parts, notes = _by_lists(paths, root, options.lists)
        return _with_val(parts, shares["val"], options.split_seed, labels, groups, str(root)), notes
    if groups is None or not any(shares.values()):
        return {}, []
    parts = divided(len(paths), shares, options.split_seed, strata=labels, groups=groups, who=str(root))
    return parts, [f"{len(set(groups))} groups (dataset.group), each in one part"]


def _by_lists(paths: Sequence[Path], root: Path, lists: Mapping[str, Path]) -> tuple[dict[str, Indices], list[str]]:
    found = by_lists(lists, names_of(path_names(path, root) for path in paths), "image")
    # A name that is wrong is no file that is broken: whoever wrote the list meant another image.
    if found.problems:
        raise DataError(listed(f"{len(found.problems)} names in lists are of no image", found.problems))
    for part, chosen in found.parts.items():
        if not len(chosen):
            raise DataError(f"{lists[part]}: names no image for the {part} part")
    taken = sum(map(len, found.parts.values()))
    left = len(paths) - taken
    return found.parts, [f"{left} of {len(paths)} images are in no list and left out"] if left else []


def _with_val(
    parts: dict[str, Indices],
    share: float,
    seed: int,
    labels: Sequence[int] | None,
    groups: Sequence[str] | None,
    who: str,
) -> dict[str, Indices]:
    """Validation taken from the training images, where no list is of it."""
    if "val" in parts:
        return parts
    train = parts["train"]
    strata, sets = ([values[i] for i in train] if values is not None else None for values in (labels, groups))
    drawn = divided(len(train), {"val": share}, seed, strata=strata, groups=sets, who=who)
    return {**parts, "train": train[drawn["train"]], "val": train[drawn["val"]]}

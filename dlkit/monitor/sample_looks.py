"""Samples looked at another way: many steps side by side, one image by itself, boxes of some roles alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dlkit.present.confusion import opened
from dlkit.present.numbers import grouped
from dlkit.runs.folder import ENDED
from dlkit.samples import Boxes, ConfusionMatrix, Images, Plane, Sample

STEPS = {"images": 8, "boxes": 15, "plane": 15}
"""Steps that are shown side by side of a kind; of others ``FEW``, one below the other."""
FEW = 6
ROW = 6
"""Lines that a row of small images takes, with its caption."""
ACROSS = 10
"""Images of one step that are shown beside each other."""
LARGE = 1024
"""Pixels of an image's longer side that is shown by itself."""
THUMBNAIL = 240
"""Pixels across of a plane among others."""

ROLES: dict[str, tuple[str, ...]] = {
    "": (),
    "missed and false": ("missed", "false"),
    "missed": ("missed",),
    "false": ("false",),
}
"""What of the boxes is shown, in the order in which a key goes through them; empty: all."""


def steps_of(kind: str, lines: int) -> int:
    """How many steps of a kind are shown at once in so many lines: of images, as many rows as can be seen."""
    return max(3, min(STEPS.get(kind, FEW), lines // ROW if kind == Images.kind else FEW + lines))


def side_by_side(made: Sequence[tuple[int, Sample]]) -> list[Sample]:
    """Samples of one name, each with its step, in one grid, or in the order of steps: images a row a step."""
    samples = [sample for _, sample in made]
    steps = [f"step {grouped(step)}" for step, _ in made]
    if all(isinstance(s, Images) for s in samples):
        grid = _grid([s for s in samples if isinstance(s, Images)], steps)
        if grid is not None:
            return [grid]
    pictures = [p for p in map(_thumbnail, samples) if p is not None]
    if len(pictures) == len(samples) and len({p.shape for p in pictures}) == 1:
        return [Images(name=samples[0].name, title=_title(samples[0]), images=np.stack(pictures), captions=steps)]
    return [replace(sample, title=f"{step} · {_title(sample)}") for step, sample in zip(steps, samples, strict=True)]


def _grid(samples: Sequence[Images], steps: Sequence[str]) -> Images | None:
    """None: their images differ in shape."""
    across = min([ACROSS, *(len(s.images) for s in samples)])
    if not across or len({s.images.shape[1:] for s in samples}) != 1:
        return None
    images = np.concatenate([s.images[:across] for s in samples])
    captions = [step if place == 0 else "" for step in steps for place in range(across)]
    return Images(
        name=samples[0].name,
        title=f"{_title(samples[-1])} · {'a row' if across > 1 else 'one'} a step",
        images=images,
        captions=captions,
        columns=across if across > 1 else ACROSS,
    )


def _thumbnail(sample: Sample) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None:
    if isinstance(sample, Boxes):
        from PIL import Image

        from dlkit.data.drawing import draw_boxes
        from dlkit.present.half_blocks import rgb

        bare = [replace(box, label="", score=None) for box in sample.boxes]
        return np.asarray(draw_boxes(Image.fromarray(rgb(np.asarray(sample.image))), bare), np.uint8)
    if isinstance(sample, Plane):
        from dlkit.present.plane_pixels import painted

        return painted(sample, THUMBNAIL)
    return None


def _title(sample: Sample) -> str:
    return sample.title or sample.name


def one_image(sample: Images, place: int) -> Images:
    """One of a grid, counted from 0, by itself."""
    caption = str(sample.captions[place]) if place < len(sample.captions) else ""
    good = [sample.good[place]] if place < len(sample.good) else []
    title = f"{_title(sample)} · image {place + 1} of {len(sample.images)}"
    image = sample.images[place : place + 1]
    # Made smaller to the room's very size: enlarged by whole numbers alone, it may fill half of the room.
    times = max(1, LARGE // max(image.shape[1:3]))
    large = image.repeat(times, 1).repeat(times, 2)
    return replace(sample, title=title, images=large, captions=[caption] if caption else [], good=good)


def parts(sample: Sample) -> int:
    """How many parts of a sample can be looked at by themselves: images of a grid, cells that have images."""
    if isinstance(sample, ConfusionMatrix):
        return len(opened(sample))
    return len(sample.images) if isinstance(sample, Images) and len(sample.images) > 1 else 0


def part(sample: Sample, place: int) -> Sample:
    """One of them, counted from 0."""
    if isinstance(sample, ConfusionMatrix):
        return cell_images(sample, opened(sample)[place])
    return one_image(sample, place) if isinstance(sample, Images) else sample


def cell_images(sample: ConfusionMatrix, cell: tuple[int, int]) -> Images:
    """The examples of one cell, (true, predicted)."""
    here = [place for place, there in enumerate(sample.cells) if tuple(there) == cell]
    true, predicted = (str(sample.classes[place]) for place in cell)
    count, total = sample.counts[cell[0]][cell[1]], sum(sample.counts[cell[0]])
    taken = f"{true}, taken for {predicted}" if cell[0] != cell[1] else f"{true}, and known as such"
    captions = [str(sample.captions[place]) for place in here] if len(sample.captions) else []
    return Images(
        name=sample.name,
        title=f"{taken}: {count} of {total}" + (f", {len(here)} of them shown" if len(here) < count else ""),
        images=np.asarray(sample.images)[here],
        captions=captions,
        good=[cell[0] == cell[1]] * len(here),
    )


def of_roles(sample: Boxes, shown: str) -> Boxes:
    """Boxes of the roles that ``ROLES`` has by that name, the image as it is."""
    if not ROLES[shown]:
        return sample
    kept = [box for box in sample.boxes if box.role in ROLES[shown]]
    title = f"{_title(sample)} · {shown}: {len(kept)} of {len(sample.boxes)} boxes"
    return replace(sample, boxes=kept, title=title)


def none_yet(state: str, every: str) -> str:
    """Why there are no samples, and when the first come; ``every`` is engine.sample_every."""
    if state in ENDED or state in ("interrupted", "damaged"):
        return "No samples: none were made before the run ended."
    when = {
        "": "",
        "never": "This run makes none by itself (engine.sample_every = never).\n",
        "end": "The first samples come at the end of the run (engine.sample_every = end).\n",
    }
    plan = f"The first samples come after {every} (engine.sample_every).\n"
    return f"No samples yet.\n{when.get(every, plan)}a asks for some now."

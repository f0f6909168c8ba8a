"""A run's samples as files for others: pictures, films, a page. For the command line and the interface."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dlkit.errors import UsageError, in_words
from dlkit.events import Sampled
from dlkit.present.numbers import counted, grouped
from dlkit.present.shades import PAPER
from dlkit.runs.contents import load_sample
from dlkit.runs.folder import RunFolder

if TYPE_CHECKING:
    from dlkit.samples import Sample

Drawn = TypeVar("Drawn")
PNG, GIF, HTML = "png", "gif", "html"
WAYS = (GIF, HTML, PNG)
MOST_FRAMES = {GIF: 60, HTML: 200, PNG: 10_000}
"""Steps of a sample that are shown; of more, so many that lie evenly, the first and the last among them."""
FILM_WIDTH = 560
"""Pixels: of noise, as untrained networks draw it, a film twice as wide is four times as large."""
FRAME_MS, LAST_MS = 200, 2000
"""How long a frame of a film is seen, and the last one, before it begins again."""


@dataclass
class Exported:
    """``files`` that were written, ``notes`` about what was left out."""

    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Named:
    """The samples of one name: the step and the file of each."""

    name: str
    files: Sequence[tuple[int, str]]


def export(run: RunFolder, sampled: Sequence[Sampled], folder: Path, way: str, *, only: str = "") -> Exported:
    """Write samples: ``png``: a picture of each; ``gif``: a film of each name; ``html``: one page. Reads and writes
    files, and takes its time.

    UsageError: there are none, none is called ``only``, or the folder cannot be written.
    """
    named = _named(run, sampled, only)
    made = Exported()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if way == HTML:
            _page(run, named, folder, made)
        for one, stem in zip(named, _stems(named), strict=True) if way != HTML else ():
            write = _film if way == GIF else _pictures
            write(run, one, folder / stem, made)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error.strerror or error}") from error
    if not made.files:
        raise UsageError(f"{run.id}: none of its samples can be read ({made.notes[0]})")
    return made


def spread(count: int, most: int) -> list[int]:
    """At most ``most`` of ``count`` places, evenly apart, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return [count - 1] if most < 2 else [round(i * (count - 1) / (most - 1)) for i in range(most)]


def _named(run: RunFolder, sampled: Sequence[Sampled], only: str) -> list[_Named]:
    found: dict[str, list[tuple[int, str]]] = {}
    for event in sampled:
        for ref in event.samples:
            found.setdefault(ref.name, []).append((event.step, ref.file))
    if not found:
        raise UsageError(f"{run.id}: it has no samples to write")
    if only and only not in found:
        raise UsageError(f"{run.id} has no sample {only!r}; its samples are {', '.join(found)}")
    return [_Named(name, files) for name, files in found.items() if not only or name == only]


def _stems(named: Sequence[_Named]) -> list[str]:
    """File names, each its own, whatever somebody's samples are called."""
    stems: list[str] = []
    for one in named:
        stem = re.sub(r"[^\w.-]+", "_", one.name).lstrip(".")[:80] or "sample"
        taken = sum(other == stem or other.startswith(f"{stem}~") for other in stems)
        stems.append(f"{stem}~{taken + 1}" if taken else stem)
    return stems


def _each(
    run: RunFolder, one: _Named, way: str, made: Exported, draw: Callable[[int, Sample], Drawn]
) -> Iterator[tuple[int, Drawn]]:
    """What is drawn of each step that is shown."""
    chosen = spread(len(one.files), MOST_FRAMES[way])
    if len(chosen) < len(one.files):
        made.notes.append(f"{one.name}: {len(chosen)} of its {counted(len(one.files), 'step')}, evenly apart")
    why: dict[str, list[str]] = {}
    for place in chosen:
        step, file = one.files[place]
        try:
            yield step, draw(step, load_sample(run, file))
        # A run's folder may hold anything, so that anything may come of it; the other samples can still be shown.
        except Exception as error:
            why.setdefault(in_words(error).replace(f"{Path(file).name}: ", ""), []).append(Path(file).name)
    for reason, files in why.items():
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        made.notes.append(f"left out, since it cannot be shown: {files[0]}{more}: {reason}")


def _film(run: RunFolder, one: _Named, path: Path, made: Exported) -> None:
    from PIL import Image

    from dlkit.present.frames import frame

    last = max(1, one.files[-1][0])
    found = _each(
        run, one, GIF, made, lambda step, sample: frame(sample, f"step {grouped(step)}", step / last, FILM_WIDTH)
    )
    frames = [picture for _, picture in found]
    if not frames:
        return
    size = max(f.width for f in frames), max(f.height for f in frames)
    same = []
    for one_frame in frames:
        sheet = Image.new("RGB", size, PAPER)
        sheet.paste(one_frame, (0, 0))
        same.append(sheet.quantize(256, dither=Image.Dither.NONE))  # whose noise would be most of the file
    file = path.with_name(f"{path.name}.gif")
    times = [FRAME_MS] * (len(same) - 1) + [LAST_MS]
    same[0].save(file, save_all=True, append_images=same[1:], duration=times, loop=0, optimize=True)
    made.files.append(file)


def _pictures(run: RunFolder, one: _Named, path: Path, made: Exported) -> None:
    from dlkit.present.frames import frame

    for step, picture in _each(run, one, PNG, made, lambda step, sample: frame(sample, f"step {grouped(step)}")):
        file = path.with_name(f"{path.name}-{step:08d}.png")
        picture.save(file, optimize=True)
        made.files.append(file)


def _page(run: RunFolder, named: Sequence[_Named], folder: Path, made: Exported) -> None:
    from dlkit.present.sample_page import page, section

    def drawn(name: str) -> Callable[[int, Sample], str]:
        return lambda step, sample: section(step, name, sample)

    sections = [text for one in named for _, text in _each(run, one, HTML, made, drawn(one.name))]
    if sections:
        file = folder / f"{run.id}.html"
        file.write_text(page(run.id, sections), encoding="utf-8")
        made.files.append(file)

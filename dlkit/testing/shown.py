"""Samples as people see them: in a terminal of 80×24, as a picture, stored and read."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence

from dlkit.present.frames import frame
from dlkit.present.samples import render
from dlkit.samples import Sample, checked, decoded, encoded
from dlkit.testing.finding import Finding

WIDTH, HEIGHT = 80, 24
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def unshowable(made: Sequence[object], who: str) -> Iterator[Finding]:
    """What of these cannot be shown somewhere."""
    try:
        samples = checked(made, who)
    # The kinds' own checks, and whatever odd values raise in them.
    except Exception as error:
        yield Finding(f"{type(error).__name__}: {error}", "samples as dlkit.samples describes them", "samples")
        return
    for sample in samples:
        where = f"{sample.kind} {sample.name!r}"
        for how, show in (("a terminal of 80×24", _terminal), ("a picture", _picture), ("a file", _file)):
            try:
                told = show(sample)
            # Whatever a value of a sample raises in whoever draws it.
            except Exception as error:
                told = f"{type(error).__name__}: {error}"
            if told:
                yield Finding(f"it cannot be shown as {how}: {told}", "plain numbers, texts, and uint8 images", where)


def _terminal(sample: Sample) -> str:
    for colour in (True, False):
        lines = _COLOURS.sub("", render(sample, colour=colour, width=WIDTH, height=HEIGHT)).split("\n")
        if len(lines) > HEIGHT or max(map(len, lines)) > WIDTH:
            return f"{len(lines)} lines of up to {max(map(len, lines))} characters"
    return ""


def _picture(sample: Sample) -> str:
    image, file = frame(sample, "step 1"), io.BytesIO()
    image.save(file, "PNG")
    return "" if file.getbuffer().nbytes and min(image.size) > 0 else "it is empty"


def _file(sample: Sample) -> str:
    files = encoded(sample, "sample")
    back = decoded("sample.json", lambda name: files[name])
    return "" if type(back) is type(sample) and back.name == sample.name else f"it comes back as {type(back).__name__}"

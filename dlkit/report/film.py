"""Samples through the training within so many bytes: as many steps as there is room for, evenly apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dlkit.errors import in_words
from dlkit.monitor.sample_export import spread
from dlkit.present.sample_page import body
from dlkit.report.blocks import Film

MOST_SHOTS = 60
WIDTHS = (720, 400)
"""Pixels across of a sample's pictures; the smaller where two of the larger would not fit."""


@dataclass(frozen=True)
class Developed:
    """``shots``: step and HTML, oldest first; ``notes`` say what was left out."""

    shots: Sequence[tuple[int, str]]
    notes: Sequence[str]


def developed(film: Film, room: int) -> Developed:
    """At most ``room`` bytes, but for a last sample that alone takes more."""
    for width in WIDTHS:
        drawing = _Drawing(film, width)
        last = drawing.size(len(film.shots) - 1)
        if 2 * last <= room or width == WIDTHS[-1]:
            break
    count = min(len(film.shots), MOST_SHOTS, max(1, room // max(1, last)))
    while count > 1 and sum(drawing.size(place) for place in spread(len(film.shots), count)) > room:
        count = max(1, count * 3 // 4)
    places = spread(len(film.shots), count)
    shots = [(film.shots[place].step, html) for place in places if (html := drawing.html(place))]
    return Developed(shots, [*drawing.notes, *_left_out(film, len(places))])


def _left_out(film: Film, shown: int) -> Iterator[str]:
    if shown < len(film.shots):
        yield f"{shown} of {len(film.shots)} steps are shown, evenly apart; dlkit show RUN --html has more"


class _Drawing:
    """Each sample is drawn once."""

    def __init__(self, film: Film, width: int) -> None:
        self._film, self._width = film, width
        self._made: dict[int, str] = {}
        self._why: dict[str, int] = {}

    def html(self, place: int) -> str:
        """Empty for what cannot be shown."""
        if place not in self._made:
            try:
                self._made[place] = body(self._film.shots[place].load(), self._width)
            # A run's folder may hold anything, so that anything may come of it; the other samples can still be shown.
            except Exception as error:
                self._made[place] = ""
                self._why[in_words(error)] = self._why.get(in_words(error), 0) + 1
        return self._made[place]

    def size(self, place: int) -> int:
        return len(self.html(place).encode(errors="replace"))

    @property
    def notes(self) -> list[str]:
        return [f"left out, since it cannot be shown: {reason} ({count} times)" for reason, count in self._why.items()]

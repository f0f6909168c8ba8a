"""What in a text a unit follows: things that people would call by a name, and how closely units go along with them.

After Karpathy, Johnson and Fei-Fei 2015 (arXiv 1506.02078), who found cells for quotes and line lengths by eye; here
every unit is compared with every thing. A unit is chosen on the first half of a text, and judged on the second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

OPENING, CLOSING = "“«([{", "”»)]}"
CLOSELY = 0.5
"""The correlation from which a unit is said to follow a thing."""


@dataclass(frozen=True)
class Follower:
    """The unit of a layer that goes along with a thing most closely; ``correlation``: Pearson's, on the text's second
    half, which it was not chosen on."""

    thing: str
    layer: str
    unit: int
    correlation: float

    @property
    def closely(self) -> bool:
        return abs(self.correlation) >= CLOSELY


def things(text: str) -> dict[str, Floats]:
    """By name, a number for each character of a text: what is so once it has been read. Only those that vary."""
    found = {name: np.array(measure(text), np.float64) for name, measure in _THINGS.items()}
    return {name: values for name, values in found.items() if len(values) > 1 and np.ptp(values) > 0}


def at_pieces(values: Floats, pieces: Sequence[str]) -> Floats:
    """Of each piece's last character; of a piece without any, that of the one before."""
    ends = np.cumsum([len(piece) for piece in pieces]) - 1
    found: Floats = values[np.clip(ends, 0, len(values) - 1)]
    return found


def followers(pieces: Sequence[str], states: Mapping[str, Floats]) -> list[Follower]:
    """For each thing the unit that follows it, the closest first. ``states`` are [T,H] by layer, one row a piece.

    Things that do not vary in both halves of the text are left out.
    """
    half, found = len(pieces) // 2, []
    for thing, values in things("".join(pieces)).items():
        wanted = at_pieces(values, pieces)
        if half < 2 or not (np.ptp(wanted[:half]) and np.ptp(wanted[half:])):
            continue
        chosen = [(layer, *_best(wanted[:half], state[:half])) for layer, state in states.items()]
        layer, unit, _ = max(chosen, key=lambda one: one[2])
        told = float(correlations(wanted[half:], states[layer][half:, unit : unit + 1])[0])
        found.append(Follower(thing, layer, unit, told))
    return sorted(found, key=lambda one: -abs(one.correlation))


def liveliest(pieces: Sequence[str], thing: str, length: int) -> slice:
    """Where in a text, in its second half if that is long enough, a thing changes most within ``length`` pieces."""
    wanted = at_pieces(things("".join(pieces))[thing], pieces)
    changes = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(wanted)))])
    first = len(pieces) // 2 if len(pieces) >= 2 * length else 0
    starts = range(first, max(first, len(pieces) - length) + 1)
    best = max(starts, key=lambda start: float(changes[min(start + length, len(pieces)) - 1] - changes[start]))
    return slice(best, best + length)


def _best(wanted: Floats, state: Floats) -> tuple[int, float]:
    sizes = np.abs(correlations(wanted, state))
    unit = int(sizes.argmax())
    return unit, float(sizes[unit])


def correlations(wanted: Floats, state: Floats) -> Floats:
    """Pearson's, of [T] with every column of [T,H]; 0 where either does not vary."""
    a, b = wanted - wanted.mean(), state - state.mean(0)
    size = np.sqrt((a**2).sum() * (b**2).sum(0))
    found: Floats = np.divide(a @ b, size, out=np.zeros(b.shape[1]), where=size > 1e-12)
    return found


def _inside(text: str) -> list[float]:
    """Straight quotes open and close in turn; a blank line ends what was never closed."""
    found, inside = [], False
    for place, character in enumerate(text):
        if character in '"“”«»':
            inside = not inside if character == '"' else character in "“«"
        elif character == "\n" and text[place - 1 : place] == "\n":
            inside = False
        found.append(float(inside))
    return found


def _depth(text: str) -> list[float]:
    found, depth = [], 0
    for place, character in enumerate(text):
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth = max(0, depth - 1)
        elif character == "\n" and text[place - 1 : place] == "\n":
            depth = 0
        found.append(float(depth > 0))
    return found


def _since(text: str, resets: Callable[[str], bool]) -> list[float]:
    found, count = [], 0
    for character in text:
        count = 0 if resets(character) else count + 1
        found.append(float(count))
    return found


def _indentation(text: str) -> list[float]:
    found, column, indent, leading = [], 0, 0, True
    for character in text:
        if character == "\n":
            column, indent, leading = 0, 0, True
        elif leading and character == " ":
            column += 1
            indent = column
        else:
            leading = False
        found.append(float(indent))
    return found


def _is(test: Callable[[str], bool]) -> Callable[[str], list[float]]:
    return lambda text: [float(test(character)) for character in text]


_THINGS: dict[str, Callable[[str], list[float]]] = {
    "inside quotes": _inside,
    "inside brackets": _depth,
    "line end": _is(lambda c: c == "\n"),
    "place in the line": lambda text: _since(text, lambda c: c == "\n"),
    "indentation": _indentation,
    "place in the word": lambda text: _since(text, lambda c: not c.isalnum()),
    "blank": _is(str.isspace),
    "capital letter": _is(str.isupper),
    "digit": _is(str.isdigit),
    "vowel": _is(lambda c: c.lower() in "aeiouyäöüáéíóúàèìòùâêîôû"),
    "end of a sentence": _is(lambda c: c in ".!?"),
}

"""Seeds that are asked for, and what follows from them; no torch: an exported model draws the same images."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dlkit.errors import UsageError
from dlkit.question_schema import text_of

MOST = 10_000
"""Seeds that one range may have: what is asked for by mistake ends at once."""
_RANGE = re.compile(r"(\d+)(?:-(\d+))?\Z")


def read_seeds(words: Sequence[str]) -> list[int]:
    """The seeds that are named; UsageError says what is not a seed."""
    return [seed for argument in words for word in argument.replace(",", " ").split() for seed in _seeds(word)]


def accepted_seed(value: object) -> int:
    """A seed: a whole number, or one as text."""
    if isinstance(value, (str, bytes)):
        seeds = _seeds(text_of(value, "a seed").strip())
        if len(seeds) > 1:
            raise UsageError(f"{value!r} is {len(seeds)} seeds: ask for each by itself")
        return seeds[0]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise UsageError(f"a seed is a whole number from 0 to 2^63 - 1, not {value!r:.40}")
    return value


def noise_of(seeds: Sequence[int], latent: int, kinds: int, temperature: float) -> npt.NDArray[np.float32]:
    """The latents of seeds, [len(seeds),Z]: ``latent`` standard normal numbers, then of so many ``kinds`` one, as long
    as those numbers are. The same on every machine."""
    rows = [_drawn(np.random.Generator(np.random.Philox(key=seed)), latent, kinds, temperature) for seed in seeds]
    return np.stack(rows)


def _drawn(rng: np.random.Generator, latent: int, kinds: int, temperature: float) -> npt.NDArray[np.float32]:
    noise: npt.NDArray[np.float32] = rng.standard_normal((1, latent), np.float32)[0] * np.float32(temperature)
    if not kinds:
        return noise
    kind = np.zeros(kinds, np.float32)
    kind[int(rng.integers(kinds, size=1)[0])] = latent**0.5
    whole: npt.NDArray[np.float32] = np.concatenate([noise, kind])
    return whole


def _seeds(word: str) -> range:
    found = _RANGE.match(word)
    if found is None:
        raise UsageError(f"{word!r} is not a seed: give whole numbers such as 7, or ranges such as 0-15")
    first = int(found[1])
    last = int(found[2]) if found[2] else first
    if last < first or last >= 2**63:
        raise UsageError(f"{word!r}: a range goes from a smaller seed to a larger one, below 2^63")
    if last - first >= MOST:
        raise UsageError(f"{word!r}: {last - first + 1} seeds; a range has at most {MOST}")
    return range(first, last + 1)

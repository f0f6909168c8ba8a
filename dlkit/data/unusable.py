"""Files that cannot be used: they stop everything, or are left out, counted and said. Never passed over in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from dlkit.errors import DataError, listed

Item = TypeVar("Item")
Result = TypeVar("Result")

_THREADS = 4
"""Decoding an image releases the interpreter's lock, and what waits for the disk costs nothing."""


def left_out(what: str, problems: Sequence[str], *, skip: bool, option: str) -> list[str]:
    """The note that says what was left out (none if there is no problem), or DataError where that is not allowed.

    ``what``: ``"3 of 20 images cannot be read"``; ``problems``: a line a file; ``option``: what allows it.
    """
    if not problems:
        return []
    message = listed(what, problems)
    if not skip:
        raise DataError(f"{message}\n{option} = true leaves them out")
    return [message]


def attempt_all(attempt: Callable[[Item], Result], items: Iterable[Item]) -> list[Result | DataError]:
    """``attempt`` of every item, in order, on several threads; the DataError where one fails: the others continue."""

    def attempted(item: Item) -> Result | DataError:
        try:
            return attempt(item)
        except DataError as error:
            return error

    # Threads, not processes: results are arrays, which processes would have to copy.
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(attempted, items))

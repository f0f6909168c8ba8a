"""How far something is that takes a while: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dlkit.data.download import seconds_of
from dlkit.present.output import say
from dlkit.steering import own_stream

EVERY = 10.0
"""Seconds between two lines where there is no terminal; $DLKIT_REPORT_SECONDS says otherwise."""
LATER = 1.0
"""Seconds after which a bar appears: what is done by then needs none."""


@contextmanager
def counting(what: str, unit: str = "batch") -> Iterator[Callable[[int, int], None]]:
    """``progress(done, total)``, in units; a total of 0 is not known."""
    if sys.stderr is not None and sys.stderr.isatty():
        from tqdm import tqdm

        file = own_stream(sys.stderr)
        with tqdm(desc=what, unit=unit, file=file, leave=False, delay=LATER, dynamic_ncols=True) as bar:

            def move(done: int, total: int) -> None:
                bar.total = total or None
                bar.update(done - bar.n)

            yield move
        return
    last, every = time.monotonic(), seconds_of("DLKIT_REPORT_SECONDS") or EVERY

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= every:
            last = time.monotonic()
            of_all = f" of {total}" if total else ""
            say(f"{what}: {done}{of_all} {unit}{'es' if unit.endswith('ch') else 's'}")

    yield tell

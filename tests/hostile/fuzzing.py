"""What is asked of every call that gets hostile input: no traceback, no hang, little memory, little time."""

from __future__ import annotations

import io
import re
import resource
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from dlkit.errors import ComponentError, DlkitError

SECONDS = 2.0
BYTES = 64 << 20
MANY = 20
"""Findings after which looking for more tells nothing new."""
_UNIT = 1024 if sys.platform == "linux" else 1


class Findings:
    """Counts calls, and keeps what was wrong with some: each kind of error once for each place."""

    def __init__(self) -> None:
        self.calls = 0
        self._wrong: dict[str, str] = {}
        self._warm = False

    def attempt(self, what: str, call: Callable[[], object], named: str = "") -> object:
        """Call it. DlkitErrors are fine, if they name what is wrong with it: one of ``named``, words with | between."""
        self.calls += 1
        talk = io.StringIO()
        memory, began = _peak(), time.process_time()
        result = None
        try:
            with redirect_stdout(talk), redirect_stderr(talk):
                result = call()
        except DlkitError as error:
            if isinstance(error, ComponentError):
                self._note(what, error.__cause__ or error)
            elif named and not re.search(named, str(error)):
                self._wrong.setdefault(f"unnamed {str(error)[:40]}", f"{what}: names none of {named}: {error}")
        except Exception as error:
            self._note(what, error)
        if "Traceback (most recent call last)" in talk.getvalue():
            self._wrong.setdefault(talk.getvalue()[-60:], f"{what}: {talk.getvalue()[-600:]}")
        self._spent(what, _peak() - memory, time.process_time() - began)
        return result

    def _spent(self, what: str, memory: int, seconds: float) -> None:
        # The first call imports what the others use.
        if self._warm and (memory > BYTES or seconds > SECONDS):
            self._wrong.setdefault(f"spent {what[:20]}", f"{what}: {memory >> 20} MB, {seconds:.1f} s")
        self._warm = True

    def _note(self, what: str, error: BaseException) -> None:
        places = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
        ours = [place for place in places if not place.startswith(("fuzzing.py", "test_"))]
        key = f"{type(error).__name__} {ours[-3:]}"
        self._wrong.setdefault(key, f"{what}: {type(error).__name__}: {str(error)[:200]}  at {' '.join(ours[-4:])}")

    @property
    def enough(self) -> bool:
        return len(self._wrong) >= MANY

    def report(self) -> str:
        """Empty, if nothing was wrong."""
        return "\n".join(f"{i}. {text}" for i, text in enumerate(self._wrong.values(), 1))


def _peak() -> int:
    """The most memory this process has ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT

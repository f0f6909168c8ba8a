"""The threads that Textual's workers run in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class WorkThreads(ThreadPoolExecutor):
    """A pool whose threads forget what they did.

    Textual sets its ``active_worker`` in the context of the thread, where it would stay until that thread works again:
    a pane that was closed long ago, with all the curves of its run, for each idle thread.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return super().submit(Context().run, partial(fn, *args, **kwargs))

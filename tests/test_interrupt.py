"""Signals that come at the worst instant: in a finaliser, between a look and a wait, into a print, too early."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
import threading
import time
import weakref
from array import array
from pathlib import Path
from typing import Any

import pytest

from dlkit.interrupt import Interrupts, dropped_ones_raised_again

LONG = 60.0


class Finalised:
    """Ctrl-C comes while it is deleted."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def in_a_finaliser() -> None:
    Finalised()


def in_a_callback() -> None:
    """As in ``importlib``, which has one for the lock of every module."""

    def gone(_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    watched = type("Watched", (), {})()
    reference = weakref.ref(watched, gone)
    del watched
    assert reference() is None


@pytest.mark.parametrize("come", [in_a_finaliser, in_a_callback])
def test_what_python_drops_is_raised_again(come: Any) -> None:
    before = sys.unraisablehook, signal.getsignal(signal.SIGALRM)
    with pytest.raises(KeyboardInterrupt), dropped_ones_raised_again():
        come()
        time.sleep(LONG)
    assert (sys.unraisablehook, signal.getsignal(signal.SIGALRM)) == before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the second is dropped too."""
    left = [Finalised()]

    def finaliser_interrupted(*_: object) -> None:
        if left:
            left.pop()
        else:
            raise KeyboardInterrupt

    monkeypatch.setattr(signal, "default_int_handler", finaliser_interrupted)
    with pytest.raises(KeyboardInterrupt), dropped_ones_raised_again():
        in_a_finaliser()
        time.sleep(LONG)


def test_other_errors_of_finalisers_go_where_they_went(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __del__(self) -> None:
            raise ZeroDivisionError

    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda dropped: told.append(dropped.exc_type))
    with dropped_ones_raised_again():
        Broken()
    assert told == [ZeroDivisionError]
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


def test_a_signal_is_noted_once_and_raises_nothing() -> None:
    with Interrupts(signal.SIGINT, signal.SIGTERM) as interrupts:
        in_a_finaliser()
        in_a_callback()
        signal.raise_signal(signal.SIGTERM)
        interrupts.wait(LONG)
        assert interrupts.take() == [signal.SIGINT, signal.SIGINT, signal.SIGTERM]
        assert interrupts.take() == []
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_signal_between_the_look_and_the_wait_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    real = select.select

    def late(*arguments: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return real(*arguments)

    with Interrupts(signal.SIGINT) as interrupts:
        with monkeypatch.context() as patch:
            patch.setattr(select, "select", late)
            interrupts.wait(LONG)
        assert interrupts.take() == [signal.SIGINT]
        began = time.monotonic()
        interrupts.wait(0.05)
        assert time.monotonic() - began >= 0.05, "one that was taken ends no other wait"


def test_a_signal_ends_the_wait_that_it_comes_into() -> None:
    with Interrupts(signal.SIGINT) as interrupts:
        sender = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        sender.start()
        began = time.monotonic()
        interrupts.wait(LONG)
        assert interrupts.take() == [signal.SIGINT]
        sender.join()
    assert time.monotonic() - began < LONG


def test_the_second_one_need_not_wait_for_a_look() -> None:
    with Interrupts(signal.SIGINT, insistent=True) as interrupts:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert interrupts.take() == [signal.SIGINT, signal.SIGINT]


def test_the_end_of_a_child_ends_a_wait_and_is_not_noted() -> None:
    with Interrupts(signal.SIGINT, wakes=(signal.SIGCHLD,)) as interrupts:
        with subprocess.Popen([sys.executable, "-c", "pass"]) as child:
            while child.poll() is None:
                interrupts.wait(LONG)
        assert interrupts.take() == []


def test_another_thread_hears_nothing_and_waits() -> None:
    def listen() -> None:
        with Interrupts(signal.SIGINT) as interrupts:
            interrupts.wait(0.01)
            found.append(signal.getsignal(signal.SIGINT))

    found: list[Any] = []
    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


TALKING = """
import sys
from dlkit.engine.signals import StopSignals
from dlkit.present.output import say, say_from_handler
with StopSignals(say_from_handler) as signals:
    while not signals.asked:
        say("x" * 1_000_000)
print("stopped")
"""


def test_a_stop_that_comes_into_a_print_is_told_and_breaks_nothing() -> None:
    """The terminal is slow, and the signal comes while a line is on its way to it."""
    usual = {**os.environ, "PYTHONUNBUFFERED": ""}
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", TALKING], stdout=pipe, stderr=pipe, env=usual)
    assert process.stderr is not None
    waiting = array("i", [0])
    while waiting[0] < 65_536 and process.poll() is None:  # the pipe is full: it is in the middle of a print
        fcntl.ioctl(process.stderr, termios.FIONREAD, waiting)
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LONG)
    assert (process.returncode, out) == (0, b"stopped\n"), err[-500:]
    assert b"interrupted (Ctrl-C)" in err
    assert err.count(b"x") % 1_000_000 == 0, "print, entered twice, drops what it was about to write"


SUITE = "import conftest, subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
LOOK = "import signal; print(*(int(signal.getsignal(n) == signal.SIG_IGN) for n in (signal.SIGINT, signal.SIGHUP)))"


def test_the_tests_do_not_depend_on_how_the_suite_is_started() -> None:
    """``nohup pytest &`` in a script: both signals are ignored, and would be in what the tests start."""
    words = ["sh", "-c", "trap '' INT HUP; exec \"$@\"", "sh", sys.executable, "-c", SUITE, LOOK]
    done = subprocess.run(words, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    assert done.stdout == "0 0\n"

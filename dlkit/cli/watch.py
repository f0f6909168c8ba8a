"""``dlkit watch RUN``: look on while a job goes, without touching it."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Sequence

from dlkit.cli.bell import tell_ended
from dlkit.cli.choice import chosen_run, run_parser
from dlkit.cli.exit_codes import EXIT
from dlkit.cli.progress import Display, make_display
from dlkit.errors import DlkitError, RunError, UsageError
from dlkit.events import Event, Finished, Resumed, Started
from dlkit.interrupt import Interrupts
from dlkit.jobs.follow import Follower, Gone, OutputLog
from dlkit.present.commands import to_type
from dlkit.present.outcome import next_steps, result, unrecorded_end
from dlkit.present.output import print_json, print_result, say
from dlkit.runs.files import file_size
from dlkit.runs.folder import RunFolder, summarise

INTERVAL = 0.1
WHY_SECONDS = 2.0
"""How often the queue is asked why a job waits."""
LOG_LINES = 50
"""Most lines of output.log shown at once."""
LONG_SECONDS = 10.0
"""A run that was started to be watched is worth a bell if it took longer."""


def main(argv: list[str]) -> int:
    parser = run_parser("watch", "Attach to a run: progress, metrics, samples and log as they come. Ctrl-C detaches.")
    parser.add_argument(
        "--json",
        action="store_true",
        help='one JSON event a line; a run that dies silently ends with {"event": "gone"}',
    )
    parser.add_argument(
        "--interval", type=float, default=INTERVAL, metavar="SECONDS", help=f"between two looks (default: {INTERVAL})"
    )
    options = parser.parse_args(argv)
    if not 0 < options.interval <= 3600:
        raise UsageError(f"--interval {options.interval:g}: must be more than 0 and at most 3600 seconds")
    return attach(chosen_run(options), as_json=options.json, interval=options.interval)


def attach(
    run: RunFolder,
    *,
    as_json: bool = False,
    quiet: bool = False,
    interval: float = INTERVAL,
    worker: subprocess.Popen[bytes] | None = None,
    interrupts: Interrupts | None = None,
) -> int:
    """Show a run until it ends; returns the exit code that is its own, or 0 after Ctrl-C.

    With ``worker``, the run's process was started to be looked at from here: its exit code is the run's, and the
    ``interrupts`` that the caller has entered are passed on to it.
    """
    if interrupts is None:  # a second Ctrl-C need not wait for a look: what is shown may hang
        with Interrupts(signal.SIGINT, insistent=True) as interrupts:
            return attach(run, as_json=as_json, quiet=quiet, interval=interval, worker=worker, interrupts=interrupts)
    watch = Watch(run, interrupts, as_json=as_json, quiet=quiet, worker=worker)
    try:
        ended = watch.until_its_end(interval)
    except KeyboardInterrupt:
        ended = False
    finally:
        watch.close()
    if ended:
        return watch.tell_end()
    again, stop = to_type(run, f"watch {run.id}"), to_type(run, f"stop {run.id}")
    say(f"\ndetached; {run.id} goes on ({again} attaches again, {stop} ends it)")
    return 0


class Watch:
    """One look at one run: its past at once, then what comes."""

    def __init__(
        self,
        run: RunFolder,
        interrupts: Interrupts,
        *,
        as_json: bool,
        quiet: bool,
        worker: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self._interrupts = interrupts
        self.run, self._as_json, self._quiet, self._worker = run, as_json, quiet, worker
        self._follower = Follower(run)
        self._display: Display | None = None
        self._live = False
        self._before: Finished | None = None
        self._since = self._asked_why = time.monotonic()
        self._said = ""

    def until_its_end(self, interval: float) -> bool:
        """Show what is there, then what comes, until nothing more will; False if it was left before that."""
        self._begin(self._follower.poll())
        while self._follower.ended is None:
            self._check_worker()
            self._say_state()
            self._interrupts.wait(interval)
            if self._interrupted():
                return False
            self._show(self._follower.poll())
        self._show_log(torn=True)
        return True

    def _interrupted(self) -> bool:
        """Whether somebody wants to look no longer. Signals for a worker are passed on: its run stops, and is shown."""
        noted = self._interrupts.take()
        if self._worker is None:
            return bool(noted)
        for number in noted:
            if self._worker.poll() is None:
                self._worker.send_signal(number)
                say("\nstopping after this step (again: at once)")
        return False

    def close(self) -> None:
        """Leave the terminal tidy."""
        if self._display is not None:
            self._display.close()

    def tell_end(self) -> int:
        """How it ended, as ``train`` says it; the exit code."""
        end = self._follower.ended
        assert end is not None
        if isinstance(end, Gone):
            self._tell_gone(end)
            status = end.state
        else:
            self._tell_finished(end)
            status = end.status
        if self._live and (self._worker is None or time.monotonic() - self._since > LONG_SECONDS):
            tell_ended(f"dlkit: {self.run.id} {status}")
        if self._worker is not None:
            return self._worker_code(self._worker)
        return 1 if end is self._before else EXIT.get(status, 1)

    def _worker_code(self, worker: subprocess.Popen[bytes]) -> int:
        """Its exit code, once it has told others of the end; which it can be kept from."""
        while (code := worker.poll()) is None:
            self._interrupts.wait(INTERVAL)
            for number in self._interrupts.take():
                worker.send_signal(number)
        return code

    def _begin(self, past: Sequence[Event]) -> None:
        if self._follower.state in ("damaged", "removed"):
            return
        self._display = make_display(self.run, as_json=self._as_json, quiet=self._quiet)
        self._live = self._follower.ended is None
        self._before = self._follower.withheld if self._live else None
        begun = any(isinstance(event, (Started, Resumed)) for event in past)
        self._log = OutputLog(self.run, file_size(self.run.output) if begun or not self._live else 0)
        if self._as_json:
            self._display.catch_up(past)
        elif self._live:
            if self._worker is None:
                unpause = f" ({to_type(self.run, f'unpause {self.run.id}')} goes on)"
                state = self._follower.state + (unpause if self._follower.state == "paused" else "")
                self._display.say(f"{self.run.id}: {state}; Ctrl-C detaches, the run stays as it is")
            self._display.catch_up(past)

    def _show(self, events: Sequence[Event]) -> None:
        if self._display is None:
            return
        self._show_log()
        for event in events:
            self._display.show(event)

    def _show_log(self, *, torn: bool = False) -> None:
        if self._display is None:
            return
        lines = self._log.poll(torn=torn)
        if len(lines) > LOG_LINES:
            self._display.say(f"log: … {len(lines) - LOG_LINES} more lines in {self.run.output}")
        for line in lines[-LOG_LINES:]:
            self._display.say(f"log: {line}")

    def _say_state(self) -> None:
        """Why it waits, when that changes."""
        state = self._follower.state
        if self._display is None or self._as_json:
            return
        text = ""
        if state in ("queued", "foreign"):
            if self._said and time.monotonic() - self._asked_why < WHY_SECONDS:
                return
            self._asked_why = time.monotonic()
            reason = why_queued(self.run)
            text = f"{state}{f': {reason}' if reason else ''}"
        elif state.startswith("unknown"):
            text = f"it runs on another host, if it still does ({state})" if not self._said else self._said
        if text and text != self._said:
            self._display.say(text)
        self._said = text

    def _check_worker(self) -> None:
        """RunError if the process that was to train has ended, and left the run as it was."""
        if self._worker is None or self._worker.poll() is None:
            return
        self._show(self._follower.poll())
        if self._follower.state == "queued":  # it has given its device back: this attempt is over
            self._follower.ended = self._follower.withheld
        if self._follower.ended is None:
            raise RunError(f"{self.run.id}: its worker did not start it; {self.run.output} has the details")

    def _tell_finished(self, end: Finished) -> None:
        if self._as_json:
            return
        if end is self._before:
            print_result(
                f"{self.run.id}: it could not go on ({self.run.output} has the reason) and is as it was before:"
            )
        elif end.traceback and not self._quiet:
            say(end.traceback)
        print_result(result(self.run, end, summarise(self.run).metric), flush=True)
        if not self._quiet:
            say(next_steps(self.run, end, called=self.run.id))

    def _tell_gone(self, end: Gone) -> None:
        if self._as_json:
            print_json({"event": "gone", "run": self.run.id, "state": end.state}, indent=None, flush=True)
        else:
            print_result(unrecorded_end(self.run, end.state))


def why_queued(run: RunFolder) -> str:
    """Why it has not been started yet; empty if that is not known."""
    try:
        if run.read().get("job", {}).get("queued") is False:
            return f"its worker is starting; what it says is in {run.output}"
        from dlkit.jobs.queue import why

        return why(run.path.parent.parent, run.id)
    except (DlkitError, OSError, ValueError):
        return ""

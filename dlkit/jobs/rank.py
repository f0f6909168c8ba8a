"""``python -m dlkit.jobs.rank RUN``: a process that trains, one of a job's. Started by its supervisor's launcher."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from dlkit.openmp import wait_asleep
from dlkit.present.output import say
from dlkit.processes import die_with_parent
from dlkit.runs import opening
from dlkit.runs.folder import RunFolder


def main(argv: list[str]) -> int:
    # A rank without its supervisor would train on unobserved, and a resume could not get the lock.
    die_with_parent(supervisor=int(os.environ.get("DLKIT_SUPERVISOR", "0")))
    wait_asleep()
    faulthandler.enable()  # a crash below Python leaves its stack in output.log
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor's to answer, until the loop listens itself
    run = RunFolder(Path(argv[0]))
    report = run.path / f".report-{os.environ.get('RANK', '0')}.json"
    try:
        return _train(run, report)
    # The process's boundary: whatever ends it, a component's sys.exit too, the supervisor is told why.
    except (Exception, SystemExit) as error:
        if opening.status(run.path, report.name) is None:  # else the loop has told already
            from dlkit.engine import failure

            failure.report(report, error, run.path, None)
        return _leave() if int(os.environ.get("WORLD_SIZE", "1")) > 1 else 1


def _train(run: RunFolder, report: Path) -> int:
    from dlkit.catalog import Catalog
    from dlkit.jobs.launch import next_attempt
    from dlkit.jobs.stacking import train_with_others, word_of
    from dlkit.runs.lock import WRITER

    # Commands from there on are for this attempt: what was asked while it was started counts, what was asked of an
    # earlier attempt does not.
    since = int(os.environ["DLKIT_COMMANDS_FROM"]) if "DLKIT_COMMANDS_FROM" in os.environ else None
    catalog = Catalog.load_everything(workspace=run.path.parent.parent)
    together = bool(word_of(run))
    attempt = train_with_others(catalog, run, since, say) if together else next_attempt(catalog, run, say)
    if attempt is not None:
        for _ in attempt.events(part=WRITER, report=report, commands_from=since):
            pass
    return 0


def _leave() -> NoReturn:
    """End at once: what an interpreter does on its way out would wait for the peers, who wait for this one."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``dlkit remove RUN …``: delete runs, after asking."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from dlkit.cli.choice import RUN_HELP, confirm, refuse_live
from dlkit.cli.common import Parser, print_json, say, size
from dlkit.errors import RunError, UsageError
from dlkit.runs.folder import RunFolder
from dlkit.runs.index import find_run
from dlkit.runs.lock import RunLock
from dlkit.runs.workspace import locate


def main(argv: list[str]) -> int:
    parser = Parser("remove", "Delete runs with all they hold.")
    parser.add_argument("runs", metavar="RUN", nargs="+", help=RUN_HELP)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.with_workspace().with_json().parse_args(argv)
    workspace = locate(options.workspace)
    runs = list(dict.fromkeys(find_run(workspace, reference) for reference in options.runs))
    for run in runs:  # all are looked at before the first is touched
        _check(run)
    total = sum(folder_size(run.path) for run in runs)
    for run in runs:
        say(f"{run.path}  {size(folder_size(run.path))}")
    if not confirm(f"Remove {len(runs)} run{'s' * (len(runs) > 1)}, {size(total)}?", options.yes):
        say("nothing removed")
        return 0
    for run in runs:
        delete_run(run)
        if not options.json:
            print(run.id)
    if options.json:
        print_json({"removed": [run.id for run in runs], "bytes": total})
    return 0


def _check(run: RunFolder) -> None:
    if not any(path.is_file() for path in (run.record, run.config, run.events)):
        raise UsageError(f"{run.path} is not a run: it has no run.json, config.toml or events.jsonl")
    refuse_live(run, _record(run))


def _record(run: RunFolder) -> dict[str, Any]:
    """A damaged run may be removed too; one of a newer format as well: only its state and host matter."""
    try:
        record = run.read()
    except (OSError, ValueError):
        return {}
    return {key: record[key] for key in ("state", "host") if key in record}


def delete_run(run: RunFolder) -> None:
    """Out of sight in one step, then away: nobody ever meets half a run."""
    hidden = run.path.with_name(f".{run.id}.removed")
    try:
        with RunLock(run.lock):
            run.path.rename(hidden)
        shutil.rmtree(hidden)
    except BlockingIOError as error:
        raise RunError(f"{run.id} is running; stop it first") from error
    except OSError as error:
        raise RunError(f"{run.id}: cannot be removed: {error}") from error


def folder_size(path: Path) -> int:
    """Bytes of all files below; links are not followed."""
    return sum(p.lstat().st_size for p in path.rglob("*") if p.is_file() or p.is_symlink())

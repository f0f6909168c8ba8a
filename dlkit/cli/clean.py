"""``dlkit clean``: shows what could go, then frees it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dlkit.cli.choice import confirm
from dlkit.cli.parser import Parser
from dlkit.errors import DlkitError, RunError
from dlkit.present.numbers import size
from dlkit.present.output import print_json, print_result, say
from dlkit.present.table import table
from dlkit.runs import opening
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.folder import ENDED, RunFolder, Summary, disk_use
from dlkit.runs.index import list_runs, note
from dlkit.runs.lock import RunLock, holder
from dlkit.runs.removal import delete_run
from dlkit.runs.workspace import locate, prepared

STALE_SECONDS = 600.0
"""Younger leftovers may be somebody's work in progress: a run is a hidden folder before it has its name and lock."""


@dataclass(frozen=True)
class Waste:
    """Something that can go. ``run``: what its lock must be held of; ``whole``: it is that run."""

    path: Path
    why: str
    bytes: int
    run: RunFolder | None = None
    whole: bool = False


def main(argv: list[str]) -> int:
    options = _parser().with_workspace().with_json().parse_args(argv)
    workspace = locate(options.workspace)
    found = list(_of_runs(workspace, options.task, options.interrupted))
    found += [] if options.task else list(_of_workspace(workspace))
    total = sum(waste.bytes for waste in found)
    if not found:
        say(f"nothing to clean in {workspace}")
    else:
        say(table(("what", "why", "size"), [(str(w.path), w.why, size(w.bytes)) for w in found]))
    if options.dry_run:
        return _tell(found, options.json)
    removed = [] if not found or not confirm(f"Free {size(total)}?", options.yes) else _remove(found)
    for run in {waste.run.path: waste.run for waste in removed if waste.run is not None and not waste.whole}.values():
        note(workspace, run)  # its size is another
    freed = sum(waste.bytes for waste in removed)
    if options.json:
        print_json(
            {"removed": [{"path": str(w.path), "why": w.why, "bytes": w.bytes} for w in removed], "bytes": freed}
        )
    elif found:
        print_result(f"freed {size(freed)}")
    return 0


def _parser() -> Parser:
    parser = Parser("clean", "Free disk space: checkpoints besides best and last, runs that left nothing, leftovers.")
    parser.add_argument("--task", metavar="T", help="only runs of this task")
    parser.add_argument("--interrupted", action="store_true", help="remove all interrupted runs too")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", action="store_true", help="only show what could go")
    return parser


def _tell(found: list[Waste], as_json: bool) -> int:
    """What could go, and stays."""
    total = sum(waste.bytes for waste in found)
    if as_json:
        entries = [{"path": str(w.path), "why": w.why, "bytes": w.bytes} for w in found]
        print_json({"could_go": entries, "bytes": total})
    elif found:
        print_result(f"{size(total)} could be freed; without --dry-run they are, after asking")
    return 0


def _of_runs(workspace: Path, task: str | None, interrupted: bool) -> Iterator[Waste]:
    for summary in list_runs(workspace, task):
        run = RunFolder(workspace / "runs" / summary.id)
        if summary.state not in (*ENDED, "interrupted") or holder(run.lock) is not None:
            continue
        if summary.state == "interrupted" and _is_old(run.record) and (interrupted or not complete(run.path)):
            why = "interrupted" if interrupted else "interrupted before its first checkpoint"
            yield Waste(run.path, why, disk_use(str(run.path)), run, whole=True)
        else:
            yield from _of_run(run, summary)


def _of_run(run: RunFolder, summary: Summary) -> Iterator[Waste]:
    found = complete(run.path)
    keep = {choose(run.path, which).folder for which in ("best", "last")} if found else set()
    for checkpoint in found:
        if checkpoint.folder not in keep:
            why = f"step {checkpoint.step}: neither best nor last"
            yield Waste(checkpoint.folder, why, disk_use(str(checkpoint.folder)), run)
    if summary.state == "interrupted" and not _is_old(run.record):
        return
    for folder in (".", "checkpoints"):
        hidden = (name for name in opening.names(run.path, folder) if name.startswith("."))
        for path in (run.path / folder / name for name in hidden):
            yield Waste(path, "left over", _bytes(path), run)


def _of_workspace(workspace: Path) -> Iterator[Waste]:
    """Half-made and half-removed runs, features that trainers keep, and downloads that were broken off."""
    for path in sorted((workspace / "runs").glob(".*")):
        if path.is_dir() and not path.is_symlink() and _is_old(path):
            yield Waste(path, "left over", disk_use(str(path)))
    for path in sorted(prepared(workspace).glob("*")):
        if path.is_dir() and not path.is_symlink() and _is_old(path):
            yield Waste(path, "features that are computed again when they are wanted", disk_use(str(path)))
    for path in sorted((workspace / "data").glob(".*.part")):
        if _is_old(path) and holder(path / "lock") is None:
            yield Waste(path, "broken-off download", _bytes(path))


def _is_old(path: Path) -> bool:
    return time.time() - path.lstat().st_mtime > STALE_SECONDS


def _bytes(path: Path) -> int:
    return disk_use(str(path)) if path.is_dir() and not path.is_symlink() else path.lstat().st_size


def _remove(found: list[Waste]) -> list[Waste]:
    """What could be removed; the rest is said and left."""
    removed = []
    for waste in found:
        try:
            _remove_one(waste)
        except (DlkitError, OSError) as error:
            say(f"{waste.path} stays: {error}")
        else:
            removed.append(waste)
    return removed


def _remove_one(waste: Waste) -> None:
    if waste.run is None:
        opening.remove_beside(waste.path)
    elif waste.whole:
        delete_run(waste.run)
    else:
        try:
            with RunLock(waste.run.lock):
                opening.remove(waste.run.path, str(waste.path.relative_to(waste.run.path)))
        except BlockingIOError as error:
            raise RunError(f"{waste.run.id} is running") from error

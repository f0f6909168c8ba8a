"""``dlkit.db``: a rebuildable index of the run folders, which are the truth.

A row is believed while the folder's signature (times and sizes of run.json and events.jsonl) is the row's; otherwise
the folder is read again. Readers never create the file: a workspace without one, or a read-only one, just reads slower.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dlkit.errors import UsageError
from dlkit.runs.folder import RunFolder, Summary, summarise

VERSION = 1
_SCHEMA = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY, signature TEXT NOT NULL, task TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL,
    summary TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX runs_by_time ON runs (created);
PRAGMA user_version = 1;
"""
LIVE = ("running", "paused")


def list_runs(workspace: Path, task: str | None = None) -> list[Summary]:
    """Every run of a workspace, newest first; with ``task``, of that one."""
    folders = _folders(workspace / "runs")
    rows = _rows(workspace / "dlkit.db")
    found, stale = [], []
    for name, signature in folders.items():
        row = rows.get(name)
        if row is not None and row[0] == signature:
            found.append(Summary(**json.loads(row[1])))
        else:
            summary = summarise(RunFolder(workspace / "runs" / name))
            found.append(summary)
            stale.append((summary, signature))
    _store(workspace / "dlkit.db", stale, gone=set(rows) - set(folders))
    chosen = [summary for summary in found if task is None or summary.task == task]
    return sorted(chosen, key=lambda summary: (summary.created, summary.id), reverse=True)


def note(workspace: Path, run: RunFolder) -> None:
    """Bring one run's row up to date, making the index if there is none. Never fails: the index can be rebuilt."""
    with suppress(sqlite3.Error, OSError), _connect(workspace / "dlkit.db", create=True) as db:
        _upsert(db, [(summarise(run), _signature(str(run.path)))])


def find_run(workspace: Path, reference: str) -> RunFolder:
    """The run that RUN means: an id, a unique prefix, ``last``, or a folder. UsageError names what there is."""
    folder = Path(reference)
    if (folder / "run.json").is_file():
        return RunFolder(folder.resolve())
    names = sorted(_folders(workspace / "runs"), reverse=True)
    if reference == "last":
        newest = list_runs(workspace)
        if not newest:
            raise UsageError(f"there are no runs in {workspace}")
        return RunFolder(workspace / "runs" / newest[0].id)
    match = [name for name in names if name == reference] or [name for name in names if name.startswith(reference)]
    if len(match) == 1:
        return RunFolder(workspace / "runs" / match[0])
    if match:
        raise UsageError(f"{reference!r} could be any of: {', '.join(match[:8])}")
    newest_first = ", ".join(names[:5]) or "none"
    raise UsageError(
        f"no run {reference!r} in {workspace}: give an id, a unique prefix, last, or a folder; newest: {newest_first}"
    )


def _folders(runs: Path) -> dict[str, str]:
    """Run ids and their signatures."""
    try:
        with os.scandir(runs) as entries:
            return {e.name: _signature(e.path) for e in entries if e.name[0] != "." and e.is_dir()}
    except FileNotFoundError:
        return {}


def _signature(folder: str) -> str:
    parts = []
    for name in ("run.json", "events.jsonl"):
        try:
            status = os.stat(f"{folder}/{name}")  # noqa: PTH116  # a Path costs more than the call, 2 000 times over
            parts.append(f"{status.st_mtime_ns}:{status.st_size}")
        except OSError:
            parts.append("-")
    return "/".join(parts)


def _rows(path: Path) -> dict[str, tuple[str, str]]:
    """Rows of runs that have ended: what is alive is always read from its folder."""
    with suppress(sqlite3.Error, OSError), _connect(path, create=False) as db:
        return {row[0]: (row[1], row[2]) for row in db.execute("SELECT id, signature, summary FROM runs")}
    return {}


def _store(path: Path, stale: list[tuple[Summary, str]], gone: set[str]) -> None:
    if not path.exists() or not (stale or gone):
        return
    with suppress(sqlite3.Error, OSError), _connect(path, create=False) as db:
        _upsert(db, stale)
        db.executemany("DELETE FROM runs WHERE id = ?", [(name,) for name in gone])


def _upsert(db: sqlite3.Connection, rows: list[tuple[Summary, str]]) -> None:
    """Only what cannot change without the folder changing: a live run's state also depends on its lock."""
    lasting = [(s, signature) for s, signature in rows if s.state in ("completed", "stopped", "failed")]
    db.executemany(
        "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?)",
        [(s.id, signature, s.task, s.state, s.created, json.dumps(s.to_dict())) for s, signature in lasting],
    )


@contextmanager
def _connect(path: Path, *, create: bool) -> Iterator[sqlite3.Connection]:
    mode = "rwc" if create else "rw"
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=10)
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise sqlite3.DatabaseError("written by a newer dlkit")
        if version == 0:
            if not create:
                raise sqlite3.DatabaseError("empty")
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(_SCHEMA)
        with db:
            yield db
    finally:
        db.close()

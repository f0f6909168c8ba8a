"""``dlkit.db``: a rebuildable index of the run folders, which are the truth.

A row is believed while its signature is the folder's: of a run that has ended, run.json's; of one that waits to go on,
that of all that its state depends on. Otherwise the folder is read again, as it always is of a run that is alive.
Readers never create the file: a workspace without one, or a read-only one, just reads slower.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dlkit.errors import RunError
from dlkit.runs.folder import ENDED, RunFolder, Summary, checked, summarise
from dlkit.runs.lock import holder
from dlkit.runs.workspace import KEY

VERSION = 7
# Two tables, since every list goes through all of the first: with the summaries in it, that took four times as long.
_SCHEMA = """
DROP TABLE IF EXISTS runs;
DROP TABLE IF EXISTS summaries;
CREATE TABLE runs (
    id TEXT PRIMARY KEY, signature TEXT NOT NULL, task TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE summaries (id TEXT PRIMARY KEY, summary TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 7;
"""
MOST_ASKED = 500
"""Runs asked for by name; of more, all are read: SQLite takes a thousand values in a query, or 32,000."""
WAITING = ("queued", "interrupted")
"""States that readers conclude, of what run.json says and of more."""
_Row = tuple[str, str, float, str]
"""Signature, task, created, state: plain, since there are thousands."""


class _Unusable(sqlite3.Error):
    """An index that is whole, and not ours to read."""


def list_runs(workspace: Path, task: str | None = None) -> list[Summary]:
    """Every run of a workspace, newest first; with ``task``, of that one."""
    return newest_runs(workspace, task)[0]


def newest_runs(workspace: Path, task: str | None = None, limit: int | None = None) -> tuple[list[Summary], int]:
    """The newest runs, at most ``limit``, and how many there are in all; with ``task``, of that one."""
    folders = signatures(f"{workspace}/runs")
    rows = _rows(workspace / "dlkit.db")
    place = _place(workspace)
    found: list[tuple[float, str, Summary | None]] = []  # a row's summary is read only if it is among the newest
    stale = []
    for name, signature in folders.items():
        row = rows.get(name)
        if row is not None and (row[0] == signature or _waits_still(row, signature, f"{workspace}/runs/{name}", place)):
            if task is None or row[1] == task:
                found.append((row[2], name, None))
            continue
        stale.append(_summed_up(RunFolder(workspace / "runs" / name), signature, place))
        summary = stale[-1][0]
        if task is None or summary.task == task:
            found.append((summary.created, name, summary))
    _store(workspace / "dlkit.db", stale, gone=rows.keys() - folders.keys())
    found.sort(key=lambda entry: entry[:2], reverse=True)  # by id where two began in the same millisecond
    newest = found[:limit]
    kept = _kept(workspace / "dlkit.db", [name for _, name, summary in newest if summary is None])
    return [summary or _told(kept.get(name, ""), workspace / "runs" / name) for _, name, summary in newest], len(found)


def _told(row: str, folder: Path) -> Summary:
    """What a row says; what its folder says, where the row makes no sense, or is gone."""
    try:
        return checked(Summary(**json.loads(row)))
    except (TypeError, ValueError, RecursionError):
        return summarise(RunFolder(folder))


def note(workspace: Path, run: RunFolder) -> None:
    """Bring one run's row up to date, making the index if there is none. Never fails: the index can be rebuilt."""
    path = workspace / "dlkit.db"
    row = _summed_up(run, _signature(str(run.path)), _place(workspace))
    with suppress(sqlite3.Error, OSError):
        try:
            _note(path, row)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            discard(path)
            _note(path, row)


def _note(path: Path, row: tuple[Summary, str]) -> None:
    with _connect(path, create=True) as db:
        _upsert(db, [row])


def discard(path: Path) -> None:
    """Remove a damaged index and what belongs to it; the folders have all it held."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _is_damage(error: sqlite3.Error) -> bool:
    """Not that it is locked, cannot be written, or is a newer version's."""
    return getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def signatures(runs: str) -> dict[str, str]:
    """Run ids, each with a word that changes whenever its run.json does. RunError if the folder cannot be read."""
    try:
        with os.scandir(runs) as entries:
            # Links too, even to nowhere: they are listed as what they are, and can be removed.
            return {e.name: _signature(e.path) for e in entries if e.name[0] != "." and is_folder(e)}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise RunError(f"{runs} cannot be read: {error.strerror or error}") from error


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, or a link: that is told of, and not followed."""
    return entry.is_dir(follow_symlinks=False) or entry.is_symlink()


def _signature(folder: str, name: str = "run.json") -> str:
    """Changes whenever run.json does: each write makes a new file. A run that has ended changes nowhere else, but for
    its labels."""
    try:
        status = os.lstat(f"{folder}/{name}")  # a Path costs more than the call, 1 000 times over
    except OSError:
        return "-"
    told = f"{status.st_mtime_ns}:{status.st_size}:{status.st_ino}"
    if name != "run.json":
        return told
    try:  # what people label a run with changes, though it has ended
        status = os.lstat(f"{folder}/labels.jsonl")
    except OSError:
        return told
    return f"{told} {status.st_mtime_ns}:{status.st_size}"


def _place(workspace: Path) -> str:
    """What the states of all runs that wait depend on: the key that jobs are vouched for with, and the machine whose
    locks can be asked."""
    return f"{_signature(str(workspace), KEY)} {os.uname().nodename}"


def _waiting_signature(signature: str, folder: str, place: str) -> str:
    """Changes whenever the summary of a run that waits may, but for its lock."""
    return f"{signature} {_signature(folder, 'events.jsonl')} {_signature(folder, 'config.toml')} {place}"


def _waits_still(row: _Row, signature: str, folder: str, place: str) -> bool:
    """Whether a run that waited still does: 25 µs of an interrupted one, where reading its folder takes 200."""
    if row[3] not in WAITING or row[0] != _waiting_signature(signature, folder, place):
        return False
    return row[3] == "queued" or holder(Path(folder, "run.lock")) is None


def _summed_up(run: RunFolder, signature: str, place: str) -> tuple[Summary, str]:
    """A run's summary, and the signature of what it was read from, looked at first: what changes meanwhile is read
    again."""
    waiting = _waiting_signature(signature, str(run.path), place)
    summary = summarise(run)
    return summary, waiting if summary.state in WAITING else signature


def _rows(path: Path) -> dict[str, _Row]:
    """Of runs that have ended, or wait: what is alive is always read from its folder."""
    # In SQL, which costs nothing: a file that somebody sends along may hold anything in any column.
    typed = " AND ".join(f"typeof({name}) = 'text'" for name in ("id", "signature", "task", "state"))
    query = f"SELECT id, signature, task, created, state FROM runs WHERE {typed} AND typeof(created) = 'real'"
    return {row[0]: row[1:] for row in _selected(path, query)}


def _kept(path: Path, names: Sequence[str]) -> dict[str, str]:
    """The summaries of some runs: of a thousand, 30 are shown."""
    query = "SELECT id, summary FROM summaries WHERE typeof(id) = 'text' AND typeof(summary) = 'text'"
    if len(names) <= MOST_ASKED:
        return dict(_selected(path, f"{query} AND id IN ({','.join('?' * len(names))})", names)) if names else {}
    return dict(_selected(path, query))


def _selected(path: Path, query: str, values: Sequence[str] = ()) -> list[Any]:
    """Rows of the index; none of one that is damaged, which is removed."""
    try:
        with _connect(path, create=False) as db:
            return db.execute(query, values).fetchall()
    except (sqlite3.Error, OSError) as error:
        if isinstance(error, sqlite3.Error) and _is_damage(error):
            with suppress(OSError):
                discard(path)
        return []


def _store(path: Path, stale: list[tuple[Summary, str]], gone: set[str]) -> None:
    if not path.exists() or not (stale or gone):
        return
    # A cache that cannot be written (a shared, read-only workspace; somebody else is at it) costs time, not answers.
    with suppress(sqlite3.Error, OSError), _connect(path, create=False) as db:
        _upsert(db, stale)
        for table in ("runs", "summaries"):
            db.executemany(f"DELETE FROM {table} WHERE id = ?", [(name,) for name in gone])


def _upsert(db: sqlite3.Connection, rows: list[tuple[Summary, str]]) -> None:
    """Only what cannot change without the folder changing: a live run's state also depends on its lock."""
    lasting = [(s, n) for s, n in rows if s.state in (*ENDED, *WAITING) and _is_text(s.id + s.task)]
    db.executemany(
        "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?)",
        [(s.id, signature, s.task, s.state, s.created) for s, signature in lasting],
    )
    db.executemany(
        "INSERT OR REPLACE INTO summaries VALUES (?, ?)", [(s.id, json.dumps(s.to_dict())) for s, _ in lasting]
    )


def _is_text(name: str) -> bool:
    """Whether UTF-8 has it: a folder's name need not be, and a database holds nothing else."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def _connect(path: Path, *, create: bool) -> Iterator[sqlite3.Connection]:
    mode = "rwc" if create else "rw"
    if create:
        # SQLite by itself leaves the group no right to write, whatever the umask; its journals take the file's rights.
        with suppress(FileExistsError):  # never open what is there: closing it would drop the locks of this process
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    address = str(path.absolute()).translate({37: "%25", 63: "%3f", 35: "%23"})  # as_uri() imports urllib: 3 ms
    db = sqlite3.connect(f"file:{address}?mode={mode}", uri=True, timeout=10)
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise _Unusable("written by a newer dlkit")
        if version < VERSION:
            if not create:
                raise _Unusable("empty, or of an older version")
            db.execute("PRAGMA journal_mode = WAL")  # who lists runs does not wait for one that ends
            db.executescript(_SCHEMA)  # nothing to migrate: the folders have it all
        with db:
            yield db
    finally:
        db.close()

"""The far side: what ``dlkit remote serve`` answers over standard input and output, to whoever came by ssh.

It has the rights of that person and no others. It lists runs, gives files of them, and has commands carried out by this
dlkit in a process of its own. When the connection goes, it goes.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO
from zlib import crc32

from dlkit.bounded import DOCUMENT
from dlkit.errors import DAMAGE, in_words
from dlkit.remote import files
from dlkit.remote.frames import MAGIC, PROTOCOL, Frame, packed, read_frame
from dlkit.runs import mirrors, opening
from dlkit.runs.folder import FORMAT, RunFolder, Summary, summarise
from dlkit.runs.index import newest_runs

CHUNK = 1 << 18
RUNS_A_FRAME = 1000
PORTION = 1 << 26
"""Bytes of one file that one answer gives: who wants more asks again, and hears of other files in between."""


def serve(incoming: IO[bytes], outgoing: IO[bytes]) -> None:
    """Answer until there are no more questions."""
    from dlkit import __version__

    told = {"protocol": PROTOCOL, "dlkit": __version__, "format": FORMAT, "host": socket.gethostname()}
    outgoing.write(MAGIC + packed(told))
    outgoing.flush()
    far = Far(incoming, outgoing)
    while (frame := read_frame(incoming.read)) is not None:
        far.answer(frame)


class Far:
    """Answers questions about one workspace, which each of them names."""

    def __init__(self, incoming: IO[bytes], outgoing: IO[bytes]) -> None:
        self._incoming, self._outgoing = incoming, outgoing

    def answer(self, frame: Frame) -> None:
        workspace = Path(str(frame.told.get("workspace", ""))).expanduser()
        ways = {"list": self._list, "pull": self._pull, "file": self._file, "run": self._run}
        way = ways.get(str(frame.told.get("ask")))
        try:
            if way is None:
                raise ValueError(f"this dlkit does not know {frame.told.get('ask')!r}")
            for told, data in way(workspace, frame.told):
                self._outgoing.write(packed(told, data))
                self._outgoing.flush()
        except BrokenPipeError:
            raise
        except DAMAGE as error:  # anything may lie in a workspace
            self._outgoing.write(packed({"done": True, "error": in_words(error)}))
            self._outgoing.flush()

    def _list(self, workspace: Path, told: Mapping[str, object]) -> Iterator[tuple[dict[str, object], bytes]]:
        """What has changed of the summaries of all runs since the asker saw them."""
        if not workspace.is_dir():
            yield {"done": True, "missing": str(workspace)}, b""
            return
        known = told.get("known")
        before: Mapping[str, object] = known if isinstance(known, dict) else {}
        found = {run.id: _plain(run) for run in newest_runs(workspace)[0]}
        named = {run: fields for run, fields in found.items() if mirrors.RUN.fullmatch(run)}
        changed = [run for run, fields in named.items() if before.get(run) != checksum(fields)]
        for first in range(0, len(changed), RUNS_A_FRAME):
            yield {"runs": {run: named[run] for run in changed[first : first + RUNS_A_FRAME]}}, b""
        gone = [run for run in before if run not in named]
        yield {"done": True, "gone": gone, "left_out": len(found) - len(named), "there": str(workspace.resolve())}, b""

    def _pull(self, workspace: Path, told: Mapping[str, object]) -> Iterator[tuple[dict[str, object], bytes]]:
        """What a run's files have more, or otherwise, than their copies."""
        run = _run_of(workspace, told)
        summary = _plain(summarise(run))  # before its logs: who is dead by then has written all there will be to read
        there = told.get("files")
        marks = there if isinstance(there, dict) else {}
        more = False
        for name in (*files.WHOLE[:-1], *files.LOGS, files.WHOLE[-1]):
            for part in _parts(run, name, marks.get(name)):
                yield part
                more |= bool(part[0].get("more"))
        yield {"done": True, "summary": summary, "more": more}, b""

    def _file(self, workspace: Path, told: Mapping[str, object]) -> Iterator[tuple[dict[str, object], bytes]]:
        """One file of samples, whole."""
        name = str(told.get("file"))
        if not name.startswith("samples/"):
            raise ValueError(f"{name!r} is no sample")
        data = opening.read_bytes(_run_of(workspace, told).path, name, DOCUMENT)
        for first in range(0, len(data), CHUNK):
            yield {}, data[first : first + CHUNK]
        yield {"done": True, "size": len(data)}, b""

    def _run(self, workspace: Path, told: Mapping[str, object]) -> Iterator[tuple[dict[str, object], bytes]]:
        from dlkit.remote.carrying_out import carried_out

        yield from carried_out(workspace, told, self._incoming)


def _plain(run: Summary) -> dict[str, object]:
    fields = run.to_dict()
    del fields["remote"]
    return fields


def checksum(fields: object) -> int:
    """Of what is said of a run: equal on both sides if that is."""
    return crc32(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode())


def _run_of(workspace: Path, told: Mapping[str, object]) -> RunFolder:
    name = str(told.get("run"))
    if not mirrors.RUN.fullmatch(name):
        raise ValueError(f"{name!r} is no run's id")
    run = RunFolder(workspace / "runs" / name)
    if not run.path.is_dir():
        raise ValueError(f"there is no run {name}")
    return run


def _parts(run: RunFolder, name: str, known: object) -> Iterator[tuple[dict[str, object], bytes]]:
    """A file from where its copy ends; all of it, if the copy is not its beginning; nothing, if it is the same."""
    size, crc = known if isinstance(known, list) and len(known) == 2 else (0, 0)
    try:
        descriptor = opening.open_file(run.path, name)
    except OSError:  # most runs lack some
        return
    try:
        there = min(os.fstat(descriptor).st_size, files.MOST)
        whole = name in files.WHOLE
        same = isinstance(size, int) and size <= there and files.crc_until(descriptor, size, whole=whole) == crc
        offset = size if same and (not whole or size == there) else 0
        if same and offset == there:
            return
        last = min(there, offset + PORTION)
        for first in range(offset, last, CHUNK):
            data = os.pread(descriptor, min(CHUNK, last - first), first)
            yield {"file": name, "offset": first, "more": last < there}, data
        if there == 0:
            yield {"file": name, "offset": 0}, b""
    finally:
        os.close(descriptor)


def main() -> int:
    """Standard output is the connection's alone: what anything prints goes where errors go."""
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with suppress(BrokenPipeError):
        serve(sys.stdin.buffer, outgoing)
    return 0

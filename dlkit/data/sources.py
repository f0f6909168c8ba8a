"""Sources: what is downloaded once into ``data/NAME/`` and used by several data sets.

A folder that has a source's layout is used as it is. Otherwise its files are fetched, from their official address or a
mirror, into the work folder ``data/.NAME.part/``, verified, unpacked, and renamed into place: ``data/NAME`` is there
wholly or not at all.

A mirror is a folder, with ``NAME/`` laid out, or the archives as ``NAME/FILE`` or ``FILE``; or an address, with
``ADDRESS/NAME/FILE``. It is named by ``--mirror`` or $DLKIT_MIRROR. $DLKIT_OFFLINE=1 is ``--offline``.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from dlkit.components import SourceFile, SourceSpec
from dlkit.data.download import check, download, seconds_of, shown
from dlkit.data.extract import extract
from dlkit.data.layout import file_sha256, size_problem, status, structural_problems, verify
from dlkit.errors import DataError, PluginError, UsageError
from dlkit.folders import DEEPEST, remove_tree

LOCK = "lock"
Say = Callable[[str], None]

_one_at_a_time = threading.Lock()
"""A record lock does not keep threads of one process apart."""


def ensure(
    spec: SourceSpec,
    data: Path,
    *,
    offline: bool = False,
    mirror: str | None = None,
    seconds: float | None = None,
    say: Say,
) -> Path:
    """The folder of a source, fetched if it is absent.

    DataError: it is absent and must not be fetched (offline), cannot be, or is there with files of the wrong size,
    which only ``dlkit data get`` replaces.
    """
    folder = data / spec.name
    state = status(spec, data)
    if state == "present":
        return folder
    # Wrong files are never replaced on the way to a run: they may be somebody's own.
    looked_at = spec.layout if state != "unreadable" else ()
    wrong = [p for f in looked_at if (folder / f.path).is_file() and (p := size_problem(f, folder / f.path))]
    if wrong:
        raise DataError(f"{'; '.join(wrong)}; to replace it: dlkit data get {spec.name}")
    return get(spec, data, offline=offline, mirror=mirror, seconds=seconds, say=say)


def get(
    spec: SourceSpec,
    data: Path,
    *,
    offline: bool = False,
    mirror: str | None = None,
    seconds: float | None = None,
    say: Say,
) -> Path:
    """Fetch a source unless it is there; missing files are added to an incomplete one, wrong ones replaced.

    ``offline``, ``mirror`` and ``seconds``, which each of its files may take, fall back on $DLKIT_OFFLINE,
    $DLKIT_MIRROR and $DLKIT_DOWNLOAD_SECONDS. Two processes may ask at the same time: the second waits.
    """
    folder = data / spec.name
    if (state := status(spec, data)) == "present":
        return folder
    if state == "unreadable":
        raise DataError(f"{folder} may not be read by you: have its owner let you, or give another --workspace")
    seconds = seconds_of("DLKIT_DOWNLOAD_SECONDS") if seconds is None else seconds
    origin = _Origin(spec, mirror or os.environ.get("DLKIT_MIRROR") or None, seconds)
    # A source without files is fetched by hand: what is at its address changes, so no checksum can prove a download.
    if not spec.files and origin.laid_out() is None:
        raise DataError(_by_hand_message(spec, folder))
    if (offline or os.environ.get("DLKIT_OFFLINE", "0") not in ("", "0")) and not origin.local:
        raise DataError(_offline_message(spec, folder))
    try:
        with _work_folder(spec, data, say) as work:
            # Asked again under the lock: another process may have fetched it while we waited.
            if status(spec, data) != "present":
                _put_in_place(_fetch(spec, origin, work, say), folder)
            with suppress(OSError):
                remove_tree(work)
    except OSError as error:
        raise DataError(f"source {spec.name!r}: {error}") from error
    say(f"{spec.name} is in {folder}")
    return folder


def _offline_message(spec: SourceSpec, folder: Path) -> str:
    missing = "; ".join(structural_problems(spec, folder))
    command = f"dlkit data get {spec.name}"
    return (
        f"source {spec.name!r} is not there, and downloading is off (offline): {missing}\n"
        f"  with a network: {command}\n  from a copy:    {command} --mirror DIR_OR_URL"
    )


def _by_hand_message(spec: SourceSpec, folder: Path) -> str:
    """Of a source that declares no files, since what is at its address changes: people fetch it themselves."""
    missing = "; ".join(structural_problems(spec, folder))
    return (
        f"source {spec.name!r} is not there, and dlkit cannot download it: {missing}\n"
        f"  by hand:     unpack what {spec.homepage or 'its owners'} offers into {folder}\n"
        f"  from a copy: dlkit data get {spec.name} --mirror DIR"
    )


class _Origin:
    """Where a source's files come from: their own addresses, a mirror's address, or a folder."""

    def __init__(self, spec: SourceSpec, mirror: str | None, seconds: float | None) -> None:
        self._spec = spec
        self.seconds = seconds
        self._url = mirror.rstrip("/") if mirror and mirror.startswith(("https://", "http://")) else None
        if mirror and not self._url and "://" in mirror:
            raise UsageError(f"mirror {mirror!r}: neither a folder nor an https:// or http:// address")
        self.local = Path(mirror).expanduser() if mirror and not self._url else None
        self.mirrored = mirror is not None

    def url(self, file: SourceFile) -> str:
        return f"{self._url}/{self._spec.name}/{quote(file.filename)}" if self._url else file.url

    def laid_out(self) -> Path | None:
        """The mirror's folder of this source, if its layout is there."""
        if self.local and self._spec.layout and status(self._spec, self.local) == "present":
            return self.local / self._spec.name
        return None

    def path(self, file: SourceFile) -> Path:
        assert self.local is not None
        places = (self.local / self._spec.name / file.filename, self.local / file.filename)
        for path in places:
            if path.is_file():
                return path
        laid_out = [self.local / self._spec.name / layout.path for layout in self._spec.layout[:1]]
        looked = ", ".join(map(str, (*laid_out, *places)))
        raise DataError(f"source {self._spec.name!r} is not in the mirror {self.local}: there is none of {looked}")


def _fetch(spec: SourceSpec, origin: _Origin, work: Path, say: Say) -> Path:
    """Build the source's tree in the work folder, verified."""
    # Under a name of its own: what an earlier try has left, and cannot be deleted, is not in the way.
    fresh = Path(tempfile.mkdtemp(prefix="unfinished-", dir=work))
    tree = fresh / "tree"
    ready = origin.laid_out()
    if ready is not None:
        say(f"copying {spec.name} from {ready}")
        _copy(ready, tree, {file.filename for file in spec.files if file.unpack})
    else:
        tree.mkdir()
        for file in spec.files:
            _add(file, _obtain(spec, file, origin, work, say), tree, fresh)
    # Of the result, not of what went into it: an archive may be sound and hold something else.
    problems = verify(_at(spec, "tree"), fresh)
    if problems:
        raise DataError(f"source {spec.name!r} from {ready or 'its files'} is not as declared: {'; '.join(problems)}")
    return tree


def _copy(folder: Path, target: Path, without: set[str], levels: int = DEEPEST) -> None:
    """Contents without permissions: a mirror may be read-only, what we make of it may not."""
    if not levels:
        raise DataError(f"{folder}: lies more than {DEEPEST} folders deep, or in a link to itself")
    target.mkdir()
    for entry in folder.iterdir():
        if entry.is_dir():
            _copy(entry, target / entry.name, without, levels - 1)
        elif entry.name not in without:
            shutil.copyfile(entry, target / entry.name)


def _at(spec: SourceSpec, name: str) -> SourceSpec:
    """The same layout under another folder's name."""
    return SourceSpec(name=name, summary=spec.summary, layout=spec.layout)


def _obtain(spec: SourceSpec, file: SourceFile, origin: _Origin, work: Path, say: Say) -> Path:
    """A verified file: the mirror's own, one that an earlier try left complete, or a download."""
    # Nothing unproved is ever fetched: without both there is no telling what came.
    if not file.size or not file.sha256:
        raise PluginError(f"source {spec.name!r}: {file.filename} is declared without size or sha256")
    if origin.local:
        path = origin.path(file)
        check(path, file.size, file.sha256, str(path))
        return path
    done, url = work / file.filename, origin.url(file)
    if done.is_file() and done.stat().st_size == file.size and file_sha256(done) == file.sha256.lower():
        return done
    # Under another name until it is whole, so that its own name always means a verified file.
    part = work / f"{file.filename}.part"
    say(f"downloading {file.filename} ({file.size / 1e6:.1f} MB) for {spec.name} from {url}")
    with shown(file.filename, file.size, say) as progress:
        download(
            url,
            part,
            size=file.size,
            sha256=file.sha256,
            plain_http=origin.mirrored,
            progress=progress,
            seconds=origin.seconds,
        )
    return part.replace(done)


def _add(file: SourceFile, path: Path, tree: Path, fresh: Path) -> None:
    """Unpack a file into the tree, or store it there by its name."""
    if not file.unpack:
        if (tree / file.filename).exists():
            raise DataError(f"{path}: {file.filename} came out of another archive before it")
        shutil.copyfile(path, tree / file.filename)
        return
    unpacked = fresh / "unpacked"
    extract(path, unpacked)
    _merge(unpacked, tree, path)
    remove_tree(unpacked)


def _merge(folder: Path, target: Path, archive: Path | None = None) -> None:
    """Move a folder's files into another; with ``archive`` named, nothing there may be replaced."""
    target.mkdir(exist_ok=True)
    for entry in folder.iterdir():
        goal = target / entry.name
        if entry.is_dir() and goal.is_dir():
            _merge(entry, goal, archive)
        elif archive and goal.exists():
            raise DataError(f"{archive}: {entry.name} came out of another archive before it")
        else:
            entry.replace(goal)


def _put_in_place(tree: Path, folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        _merge(tree, folder)  # file by file: the layout is complete with the last of them
    else:
        tree.replace(folder)


@contextmanager
def _work_folder(spec: SourceSpec, data: Path, say: Say) -> Iterator[Path]:
    """``data/.NAME.part``, ours alone until the end; it is deleted by who succeeds, and kept with what was fetched."""
    work = data / f".{spec.name}.part"
    with _one_at_a_time:
        lock = _locked(work, spec, say)
        try:
            _tidy(work)
            yield work
        finally:
            _tidy(work)
            # Whoever waits for the lock of a deleted folder finds that out by the file's identity (``_locked``).
            with suppress(OSError):
                if [entry.name for entry in work.iterdir()] == [LOCK]:
                    remove_tree(work)
            os.close(lock)


def _tidy(work: Path) -> None:
    """Delete what is half-unpacked: ours, or a killed process's; downloads stay."""
    for entry in list(os.scandir(work)) if work.is_dir() else []:
        if entry.is_dir(follow_symlinks=False):
            with suppress(OSError):
                remove_tree(Path(entry.path))


def _locked(work: Path, spec: SourceSpec, say: Say) -> int:
    """A descriptor that holds the lock of the work folder as it is now, whoever deleted it while we waited."""
    while True:
        work.mkdir(parents=True, exist_ok=True)
        try:
            # Closed in programs that we start: they have no business with it.
            lock = os.open(work / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except FileNotFoundError:
            continue
        try:
            try:
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"another process is getting {spec.name}: waiting for it")
                fcntl.lockf(lock, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(lock), (work / LOCK).stat()):
                return lock
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)

"""The writer of checkpoints: a thread that makes a snapshot durable while the loop goes on.

The loop stalls for the beginning of the copy into staging buffers only. The thread waits for the copies, writes a
hidden folder, fsyncs files and folder, and renames it: flush events → write → fsync → rename → ``checkpoint`` event →
prune.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from dlkit.engine.checkpoint import MODEL, Snapshot
from dlkit.engine.device import Copies, Device
from dlkit.engine.frozen_parts import FrozenParts, file_entry
from dlkit.engine.tensor_files import write_tensors
from dlkit.errors import RunError
from dlkit.runs import opening
from dlkit.runs.checkpoints import Checkpoint, FileEntry, Manifest, complete, kept_apart, step_folder
from dlkit.runs.faults import point

Published = tuple[Checkpoint, float]
"""A checkpoint that is complete on disk, and the seconds its writing took."""


class Work(Protocol):
    """Something that is done beside the loop, as a thread is."""

    def is_alive(self) -> bool: ...

    def join(self) -> None: ...


@dataclass(frozen=True)
class _Staged:
    tensors: Mapping[str, dict[str, Tensor]]
    copies: Copies
    documents: Mapping[str, str]
    fields: Mapping[str, Any]
    learned: tuple[str, ...]


class Writer:
    """Writes checkpoints on a thread, one after the other.

    ``submit`` stages a snapshot and returns; while one is being written, one more may wait, in a second set of staging
    buffers, and a newer one takes its place. ``poll`` gives what has become complete, or raises what went wrong;
    ``wait`` blocks until nothing is left. ``before_publish`` runs on the thread before a folder gets its name (it makes
    the events durable); ``frozen`` is stored before the first checkpoint.
    """

    def __init__(
        self, run: Path, before_publish: Callable[[], None], device: Device, frozen: FrozenParts | None = None
    ) -> None:
        self._run = run
        self._frozen = frozen
        self._before_publish = before_publish
        self._device = device
        self._buffers: tuple[dict[str, Tensor], dict[str, Tensor]] = {}, {}
        self._active = 0
        self._waiting: _Staged | None = None
        self._thread: Work | None = None
        self._result: Published | BaseException | None = None

    @property
    def busy(self) -> bool:
        return self._thread is not None

    def submit(self, shot: Snapshot) -> None:
        """Begin copying the tensors; write now, or after the one in progress."""
        # Two sets of buffers: what waits is not what is being written, and a newer snapshot may overwrite it.
        free = 1 - self._active
        staged = {f: {n: self._buffer(free, f"{f}:{n}", t) for n, t in ts.items()} for f, ts in shot.tensors.items()}
        copies = self._device.stage((t, staged[f][n]) for f, ts in shot.tensors.items() for n, t in ts.items())
        # Now and not on the thread: the state's own lists go on changing.
        documents = {name: json.dumps(value, allow_nan=False) for name, value in shot.documents.items()}
        self._waiting = _Staged(staged, copies, documents, shot.fields, shot.learned)
        if self._thread is None:
            self._start()

    def poll(self) -> list[Published]:
        """What has become complete since; starts the one that waits."""
        return [] if self._thread is None or self._thread.is_alive() else self._collect()

    def wait(self) -> list[Published]:
        """The same, once nothing is left to write."""
        done: list[Published] = []
        while self._thread is not None:
            done += self._collect()
        return done

    def _start(self) -> None:
        staged, self._waiting = self._waiting, None
        assert staged is not None
        self._active = 1 - self._active
        self._thread = self._launched(partial(self._work, staged))

    def _launched(self, work: Callable[[], None]) -> Work:
        thread = threading.Thread(target=work, name="checkpoint", daemon=True)
        thread.start()
        return thread

    def _collect(self) -> list[Published]:
        assert self._thread is not None
        self._thread.join()
        self._thread, result = None, self._result
        if isinstance(result, BaseException):
            self._waiting = None  # the run ends with this error: what waits would be written after its last word
            raise result
        assert result is not None
        if self._waiting is not None:
            self._start()
        return [result]

    def _buffer(self, bank: int, key: str, source: Tensor) -> Tensor:
        """Room for a copy on the host, allocated once."""
        buffer = self._buffers[bank].get(key)
        if buffer is None or buffer.shape != source.shape or buffer.dtype != source.dtype:
            buffer = self._buffers[bank][key] = self._device.host_buffer(source)
        return buffer

    def _work(self, staged: _Staged) -> None:
        began = time.monotonic()
        try:
            staged.copies.wait()  # here, not in the loop: steps go on while the device copies
            self._result = self._publish(staged), time.monotonic() - began
        # The thread's boundary: whatever went wrong is raised in the loop by poll or wait.
        except BaseException as error:
            self._result = error

    def _publish(self, staged: _Staged) -> Checkpoint:
        _refuse_non_finite(staged)
        frozen = self._frozen.store(self._run) if self._frozen is not None else None
        run, final = self._run, step_folder(staged.fields["step"])
        hidden = f"checkpoints/.{final}.tmp"
        opening.make_folder(run, "checkpoints")
        opening.remove(run, hidden)
        opening.make_folder(run, hidden)
        try:
            manifest = _fill(run, hidden, staged, frozen)
            self._before_publish()  # a checkpoint must not outlive the events before it: a resume cuts the log there
            point("checkpoint.synced")
            _replace(run, final, hidden)
            point("checkpoint.renamed")
            opening.sync_folder(run, "checkpoints")
        except BaseException:
            _drop(run, hidden)
            raise
        return Checkpoint(run / "checkpoints" / final, manifest)


def _refuse_non_finite(staged: _Staged) -> None:
    # A step's loss is that of the weights before it: it may be finite where what is saved here is not.
    bad = next((name for name in staged.learned if not staged.tensors[MODEL][name].isfinite().all()), None)
    if bad is not None:
        raise RunError(f"parameter {bad} became NaN or infinite at step {staged.fields['step']}")


def _fill(run: Path, folder: str, staged: _Staged, frozen: FileEntry | None) -> Manifest:
    """Everything a checkpoint holds, durably, the manifest last."""
    point("checkpoint.begun")
    for name, tensors in staged.tensors.items():
        write_tensors(tensors, run, f"{folder}/{name}")
    for name, text in staged.documents.items():
        opening.write(run, f"{folder}/{name}", text.encode(), durable=True)
    files = {name: file_entry(run, f"{folder}/{name}") for name in opening.names(run, folder)}
    point("checkpoint.written")
    manifest = Manifest(**staged.fields, files=files, created=round(time.time(), 3), **kept_apart(frozen))
    text = json.dumps(manifest.to_dict(), indent=1)
    opening.write(run, f"{folder}/manifest.json", text.encode(), durable=True)
    opening.sync_folder(run, folder)
    return manifest


def _replace(run: Path, final: str, hidden: str) -> None:
    """Give a checkpoint its name; one of the same step (asked for before its evaluation, or damaged) goes."""
    named, old = f"checkpoints/{final}", f"checkpoints/.{final}.old.tmp"
    if opening.status(run, named) is not None:
        opening.rename(run, named, old)
    opening.rename(run, hidden, named)
    _drop(run, old)


def _drop(run: Path, name: str) -> None:
    with suppress(OSError):  # what stays takes room, and ``dlkit clean`` finds it
        opening.remove(run, name)


def prune(checkpoints: list[Checkpoint], keep: int) -> list[Checkpoint]:
    """Remove all but the newest ``keep`` and the best; returns what was removed."""
    best = next((c for c in reversed(checkpoints) if c.manifest.best), None)
    spared = {c.step for c in checkpoints[-keep:]} | ({best.step} if best else set())
    removed = [c for c in checkpoints if c.step not in spared]
    for checkpoint in removed:
        _drop(checkpoint.run, f"checkpoints/{checkpoint.folder.name}")
    return removed


def clear_void(run: Path, step: int) -> None:
    """Remove what stands in the way of going on from ``step``: damaged checkpoints beyond it, and unfinished ones.

    Left there, a damaged one would count as the newest: asked for as ``last``, and kept in place of a good one.
    """
    for checkpoint in complete(run):
        if checkpoint.step > step:
            _drop(run, f"checkpoints/{checkpoint.folder.name}")
    for name in opening.names(run, "checkpoints"):
        if name.startswith(".step-") and name.endswith(".tmp"):
            _drop(run, f"checkpoints/{name}")

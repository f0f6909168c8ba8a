"""What a trainer makes of the splits before the first step, and where it is kept for the next run.

Frozen features, say: computed once, part by part, each stored as soon as it is there, so that what was broken off goes
on where it was, and another run on the same data and weights finds all of it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from dlkit.config import Resolved
from dlkit.folders import remove_tree
from dlkit.runs.folder import RunFolder
from dlkit.runs.workspace import prepared

ROWS = 128
"""Rows of a part: seconds of work for a large network, and some hundred files for all of CIFAR-10."""

Columns = dict[str, Tensor]


@dataclass(frozen=True)
class Stage:
    """How far a preparation is: ``text`` says what is made, ``done`` of ``total`` rows."""

    text: str
    done: int
    total: int


class Cache:
    """Columns that were computed from a split, kept under a hash of all that they depend on.

    One folder for each configuration of data set and model, in it one for each split, in it one for each hash: of these
    only the one that was asked for last stays. ``folder`` None: nothing is kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def columns(
        self, split: str, key: str, count: int, compute: Callable[[Tensor], Columns], *, rows: int = ROWS
    ) -> Generator[Stage | str, None, Columns]:
        """``count`` rows of what ``compute`` makes of indices (int64 [N] → columns [N, …] on the CPU), part by part.

        ``key`` is a hash of everything that the columns depend on (``fingerprint``). Yields how far it is, and what is
        to be known; returns all columns.
        """
        folder = self._folder / split / key if self._folder is not None else None
        parts: list[Columns] = []
        kept = True
        for start in range(0, count, rows):
            yield Stage(f"features of {split}", start, count)
            index = torch.arange(start, min(start + rows, count))
            part = _read(folder / _name(start), len(index)) if folder is not None else None
            if part is None:
                part = {name: column.contiguous() for name, column in compute(index).items()}
                problem = _write(part, folder / _name(start)) if folder is not None and kept else ""
                if problem:
                    kept = False
                    yield f"features of {split} are not kept for the next run: {problem}"
            parts.append(part)
        yield Stage(f"features of {split}", count, count)
        if folder is not None:
            _forget_others(folder)
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]} if parts else {}


def cache_of(run: RunFolder, resolved: Resolved, surroundings: str) -> Cache:
    """Where a run's preparations are kept: in its workspace; a run outside any keeps nothing.

    ``surroundings``: what else rounds otherwise (device, precision).
    """
    if run.path.parent.name != "runs":
        return Cache(None)
    choice = {s: resolved.sections[s].model_dump(mode="json") for s in ("dataset", "model")}
    names = {kind: resolved.specs[kind].name for kind in choice}
    text = json.dumps([resolved.task.name, names, choice, surroundings, torch.__version__], sort_keys=True)
    return Cache(prepared(run.path.parent.parent) / hashlib.sha256(text.encode()).hexdigest()[:16])


def fingerprint(*parts: str | nn.Module) -> str:
    """A hash of texts (a split's fingerprint, settings) and of modules (everything in their state)."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            digest.update(f"text {len(part)} {part}".encode())
            continue
        for name, tensor in part.state_dict().items():
            digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
            digest.update(_bytes(tensor))
    return digest.hexdigest()[:32]


def _name(start: int) -> str:
    return f"part-{start:09d}.safetensors"


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data


def _hash(columns: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, column in sorted(columns.items()):
        digest.update(f"{name} {column.dtype} {list(column.shape)}".encode())
        digest.update(_bytes(column))
    return digest.hexdigest()


def _read(path: Path, count: int) -> Columns | None:
    """A part that is whole; None of one that is not: it is computed again."""
    try:
        with safe_open(path, "pt") as file:
            columns = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
            whole = (file.metadata() or {}).get("sha256") == _hash(columns)
    except (OSError, SafetensorError):
        return None
    return columns if whole and columns and all(len(column) == count for column in columns.values()) else None


def _write(columns: Columns, path: Path) -> str:
    """Store a part under its name, whole or not at all; returns why it could not be."""
    hidden = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(columns, hidden, {"sha256": _hash(columns)})
        hidden.replace(path)
    except (OSError, SafetensorError) as error:  # a full or read-only disk costs the next run time, not this one
        with suppress(OSError):
            hidden.unlink(missing_ok=True)
        return str(error)
    return ""


def _forget_others(folder: Path) -> None:
    """What was made of other data or other weights under the same configuration is of no use to anybody."""
    with suppress(OSError):
        for other in folder.parent.iterdir():
            if other != folder:
                remove_tree(other)

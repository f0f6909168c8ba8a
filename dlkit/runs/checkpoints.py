"""Checkpoints on disk, as far as one can tell without torch.

A checkpoint is a folder ``checkpoints/step-00001200/``, complete once it has its name; its manifest was written last::

    model.safetensors   the model's parameters and buffers, by their state names
    state.safetensors   tensors of trainer, generators and averaged weights; state.json is their skeleton
    info.safetensors    arrays of ``info``; info.json is the rest
    manifest.json       what is here: see Manifest

Of a model that has frozen parts, those are in ``frozen.safetensors`` beside run.json, once for all checkpoints.

``last`` is the highest complete step, ``best`` the highest complete step marked best: computed, no links.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from dlkit.errors import RunError, UsageError
from dlkit.json_types import Json
from dlkit.runs import opening
from dlkit.runs.opening import Damaged
from dlkit.shapes import LATEST, anything, measured, number, switch, table_of, text, whole
from dlkit.shapes import fields as shape

FORMAT = 1
SPLIT_FORMAT = 2
"""Of a checkpoint that is whole only with the run's FROZEN: releases that know nothing of it must not try."""
MODEL = "model.safetensors"
FROZEN = "frozen.safetensors"
"""What is frozen of a run's model and loss, beside run.json."""
_MANIFEST = shape(
    format=whole(),
    step=whole(),
    epoch=whole(),
    batch=whole(),
    best=switch,
    task=text,
    model=text,
    metrics=table_of(measured),
    files=table_of(shape(size=whole(), sha256=text)),
    created=number(0, LATEST),
    aliases=table_of(text),
    seq=whole(-1),
    commands=whole(),
    settings=table_of(anything),
    frozen=shape(size=whole(), sha256=text),
    taken_with=table_of(anything),
)
"""What a manifest may hold, where this version knows it."""


class FileEntry(TypedDict):
    """A file of a checkpoint: its bytes, and their SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a checkpoint holds.

    ``epoch`` and ``batch`` are the loader's whole position; ``best``: best by the primary metric when made; ``task``
    and ``model`` name what it belongs to; ``files`` maps each file to its size and SHA-256; ``aliases`` maps state
    names of the model to the equal one that is stored (tied weights); ``seq`` is the number that the next event had;
    ``commands`` is the offset up to which commands.jsonl was consumed, ``settings`` what they changed, by full key;
    ``frozen`` has size and SHA-256 of the run's ``frozen.safetensors``, and is absent where nothing is frozen;
    ``taken_with`` is there where a fork begins: the options, by full key, that the state was trained with and the run's
    configuration has otherwise.
    """

    step: int
    epoch: int
    batch: int
    best: bool
    task: str
    model: str
    metrics: Mapping[str, float]
    files: Mapping[str, FileEntry]
    created: float
    aliases: Mapping[str, str] = field(default_factory=dict)
    seq: int = -1
    commands: int = 0
    settings: Mapping[str, Json] = field(default_factory=dict)
    frozen: FileEntry | None = None
    taken_with: Mapping[str, Json] | None = None
    format: int = FORMAT

    def to_dict(self) -> dict[str, object]:
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint: its folder and manifest."""

    folder: Path
    manifest: Manifest

    @property
    def step(self) -> int:
        return self.manifest.step

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(int(entry["size"]) for entry in self.manifest.files.values())

    @property
    def sha256(self) -> str:
        """Identifies the weights: the hash of model.safetensors."""
        return str(self.manifest.files[MODEL]["sha256"])

    def problems(self) -> list[str]:
        """Files that are missing, cut short or altered; reads them all."""
        found = [self._problem(name, self.name(name), entry) for name, entry in self.manifest.files.items()]
        if self.manifest.frozen:
            found.append(self._problem(FROZEN, FROZEN, self.manifest.frozen))
        return [problem for problem in found if problem]

    def name(self, file: str) -> str:
        """A file of it, as the run's folder has it (``checkpoints/step-00001200/model.safetensors``)."""
        return f"checkpoints/{self.folder.name}/{file}"

    @property
    def run(self) -> Path:
        """The run's folder."""
        return self.folder.parent.parent

    def _problem(self, file: str, inside: str, entry: FileEntry) -> str:
        import hashlib  # who lists checkpoints hashes nothing

        try:
            descriptor = opening.open_file(self.run, inside)
        except FileNotFoundError:
            return f"{file} is missing"
        except OSError as error:
            return str(error)
        with os.fdopen(descriptor, "rb") as opened:
            size = os.fstat(descriptor).st_size
            if size != entry["size"]:
                return f"{file} has {size} bytes, not {entry['size']}"
            altered = hashlib.file_digest(opened, "sha256").hexdigest() != entry["sha256"]
        return f"{file} was altered: its SHA-256 is not the manifest's" if altered else ""


class KeptApart(TypedDict, total=False):
    """What a manifest says of the frozen parts, where there are any."""

    frozen: FileEntry
    format: int


def kept_apart(frozen: FileEntry | None) -> KeptApart:
    """The fields of a manifest whose checkpoint is whole only with that file of the run."""
    return {} if frozen is None else {"frozen": frozen, "format": SPLIT_FORMAT}


def step_folder(step: int) -> str:
    return f"step-{step:08d}"


def complete(run: Path) -> list[Checkpoint]:
    """The complete checkpoints of a run, by step; unreadable ones are left out."""
    found = []
    for name in opening.names(run, "checkpoints"):
        if not name.startswith("step-"):  # one being written has a name that begins with a dot
            continue
        folder = run / "checkpoints" / name
        try:
            found.append(Checkpoint(folder, _manifest(run, folder)))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):  # whatever a damaged manifest may hold
            continue
    return sorted(found, key=lambda checkpoint: checkpoint.step)  # names sort otherwise from 100,000,000 steps on


def choose(run: Path, which: str = "best") -> Checkpoint:
    """``best`` (the last, if none was marked), ``last``, or a step; RunError or UsageError say what there is."""
    found = complete(run)
    if not found:
        raise RunError(f"{run.name} has no checkpoint yet")
    if which == "last":
        return found[-1]
    if which == "best":
        return next((c for c in reversed(found) if c.manifest.best), found[-1])
    step = which.lstrip("0") or "0"  # as text: Python reads 4 300 digits at most
    match = [c for c in found if str(c.step) == step]
    if not match:
        steps = ", ".join(str(c.step) for c in found)
        raise UsageError(f"no checkpoint {which!r} in {run.name}: give best, last or one of the steps {steps}")
    return match[0]


def _manifest(run: Path, folder: Path) -> Manifest:
    inside = f"checkpoints/{folder.name}"
    fields: dict[str, Any] = opening.read_json(run, f"{inside}/manifest.json", constants=True)
    if isinstance(fields.get("format"), int) and fields["format"] > SPLIT_FORMAT:
        raise Damaged(f"{folder}: written by a newer dlkit (format {fields['format']})")
    known = Manifest.__dataclass_fields__  # a later release may say more in the same format
    if wrong := _MANIFEST(fields, ""):
        raise Damaged(f"{folder}/manifest.json: {wrong}")
    manifest = Manifest(**{key: value for key, value in fields.items() if key in known})
    if MODEL not in manifest.files:
        raise Damaged(f"{folder}/manifest.json: files has no {MODEL}")
    if manifest.frozen and not FileEntry.__required_keys__ <= manifest.frozen.keys():
        raise Damaged(f"{folder}/manifest.json: frozen has no size or no sha256")
    if folder.name != step_folder(manifest.step):
        raise Damaged(f"{folder}: its manifest is of step {manifest.step}")
    there = opening.statuses(run, inside)
    for name, entry in manifest.files.items():
        if not FileEntry.__required_keys__ <= entry.keys():
            raise Damaged(f"{folder}/manifest.json: files.{name} has no size or no sha256")
        # Sizes alone: hashing (``problems``) would read every checkpoint of every run that somebody looks at.
        if there[name].st_size != entry["size"]:
            raise Damaged(f"{folder / name}: cut short")
    return manifest

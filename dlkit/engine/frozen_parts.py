"""What is frozen of a run's model and loss: read and written once per run, whatever the number of checkpoints.

A file ``frozen.safetensors`` in the run's folder, its names beginning with ``model/`` or ``loss/``; every manifest has
its size and hash, so that a checkpoint is whole only with it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from dlkit.engine.tensor_files import read_tensors, write_tensors
from dlkit.errors import PluginError
from dlkit.nn.frozen import frozen_names
from dlkit.runs import opening
from dlkit.runs.checkpoints import FROZEN, Checkpoint, FileEntry


class FrozenParts:
    """The frozen tensors of a run. ``check`` sees that they still are what they were; ``store`` writes them, once."""

    def __init__(self, model: nn.Module, loss: object) -> None:
        self._tensors = {
            f"{owner}/{name}": tensor
            for owner, module in (("model", model), ("loss", loss))
            if isinstance(module, nn.Module)
            for name, tensor in frozen_of(module, live=True).items()
        }
        self._entry: FileEntry | None = None
        self.settle()

    def settle(self, entry: FileEntry | None = None) -> None:
        """From here on they must not change; ``entry``: they come from this file, which is there."""
        self._entry = entry
        # A count that every change in place raises: copies of the parameters would take their memory twice. Buffers are
        # small, and several processes write rank 0's over them.
        learned = {name: t for name, t in self._tensors.items() if isinstance(t, nn.Parameter)}
        self._versions = {name: (tensor, tensor._version) for name, tensor in learned.items()}
        self._buffers = {name: (t, t.clone()) for name, t in self._tensors.items() if name not in learned}

    def check(self) -> None:
        """PluginError names one that has been changed: no checkpoint would have what it is now."""
        changed = [name for name, (tensor, version) in self._versions.items() if tensor._version != version]
        changed += [name for name, (buffer, before) in self._buffers.items() if not torch.equal(buffer, before)]
        if changed:
            raise PluginError(f"{changed[0].replace('/', ': ', 1)} is frozen, and has been changed by training")

    def store(self, run: Path) -> FileEntry | None:
        """The file's entry, the file being durable; None if nothing is frozen."""
        if self._tensors and self._entry is None:
            hidden = f".{FROZEN}.tmp"
            write_tensors({name: t.detach().cpu().contiguous() for name, t in self._tensors.items()}, run, hidden)
            self._entry = file_entry(run, hidden)
            opening.rename(run, hidden, FROZEN)
            opening.sync_folder(run, ".")
        return self._entry


def frozen_of(module: nn.Module, *, live: bool = False) -> dict[str, Tensor]:
    """The frozen tensors of a module by their state names; of tied ones, each name. ``live``: parameters as such."""
    frozen = frozen_names(module)
    return {n: t for n, t in module.state_dict(keep_vars=live).items() if n in frozen} if frozen else {}


def stored_frozen(checkpoint: Checkpoint, owner: str) -> dict[str, Tensor]:
    """What is frozen of the ``model`` or the ``loss``, as the checkpoint's run has it."""
    if not checkpoint.manifest.frozen:
        return {}
    tensors: Mapping[str, Tensor] = read_tensors(checkpoint.run, FROZEN)
    return {name.removeprefix(f"{owner}/"): t for name, t in tensors.items() if name.startswith(f"{owner}/")}


def file_entry(run: Path, name: str) -> FileEntry:
    """Size and hash of a file of a run, for a manifest."""
    with os.fdopen(opening.open_file(run, name), "rb") as file:
        return {"size": os.fstat(file.fileno()).st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}

"""What is in a checkpoint: everything a resume needs, taken apart without pickle, and put together again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from dlkit.bounded import DOCUMENT
from dlkit.engine import tree
from dlkit.engine.fitting import fitted
from dlkit.errors import RunError
from dlkit.json_types import Json, JsonObject
from dlkit.runs import opening
from dlkit.runs.checkpoints import Checkpoint
from dlkit.task import Info

MODEL, STATE, INFO = "model.safetensors", "state.safetensors", "info.safetensors"
HEADER_LIMIT = 1 << 24
"""Largest JSON header of a tensor file that is read, in bytes (safetensors itself reads 100 MB). A tensor needs 120."""


@dataclass(frozen=True)
class Snapshot:
    """What is to be stored: tensors by file, JSON by file, and the manifest's own fields.

    ``learned`` names the tensors of MODEL that must be finite: its parameters (a mask may well hold -inf).
    """

    tensors: Mapping[str, Mapping[str, Tensor]]
    documents: Mapping[str, Json]
    fields: Mapping[str, Any]
    learned: tuple[str, ...] = ()


def snapshot(model: nn.Module, state: Mapping[str, object], info: Info, fields: Mapping[str, Any]) -> Snapshot:
    """Take a run's state apart for storage. ``state`` is any tree of tensors, arrays and JSON values."""
    weights, aliases = model_state(model)
    state_skeleton, state_tensors = tree.split(state)
    info_skeleton, info_tensors = tree.split(info.model_dump())
    return Snapshot(
        {MODEL: weights, STATE: state_tensors, INFO: info_tensors},
        {"state.json": state_skeleton, "info.json": info_skeleton},
        {**fields, "aliases": aliases},
        tuple(name for name, _ in model.named_parameters() if name in weights),
    )


def model_state(model: nn.Module) -> tuple[dict[str, Tensor], dict[str, str]]:
    """State tensors, and the names that share one (tied weights), which safetensors would refuse."""
    weights: dict[str, Tensor] = {}
    aliases: dict[str, str] = {}
    seen: dict[tuple[int, tuple[int, ...], tuple[int, ...]], str] = {}
    for name, value in model.state_dict().items():
        key = (value.data_ptr(), tuple(value.shape), value.stride())
        if value.numel() and key in seen:  # empty tensors have no address of their own
            aliases[name] = seen[key]
        else:
            seen[key] = name
            weights[name] = value
    return weights, aliases


def check(checkpoint: Checkpoint, task: str, model: str) -> None:
    """RunError unless the checkpoint is whole and belongs to this task and model."""
    manifest = checkpoint.manifest
    if (manifest.task, manifest.model) != (task, model):
        raise RunError(
            f"{checkpoint.folder} belongs to task {manifest.task!r}, model {manifest.model!r}; "
            f"this run is of task {task!r}, model {model!r}"
        )
    problems = checkpoint.problems()
    if problems:
        raise RunError(f"{checkpoint.folder} cannot be used: {'; '.join(problems)}")


@fitted
def load_model(checkpoint: Checkpoint, model: nn.Module, *, averaged: bool) -> None:
    """Weights into a model, in place; with ``averaged``, the moving average where the run kept one."""
    weights = evaluated_weights(checkpoint) if averaged else tensors_of(checkpoint, MODEL)
    weights.update({name: weights[stored] for name, stored in checkpoint.manifest.aliases.items()})
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise RunError(f"{checkpoint.folder}: its weights do not fit the model as it is now: {error}") from error


@fitted
def evaluated_weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The weights that evaluation sees: the moving average where the run keeps one. Of tied ones, the one stored."""
    stored, average = tensors_of(checkpoint, MODEL), _averaged(checkpoint)
    # Older checkpoints average buffers too that are not in a model's state, and that no model would take.
    return {name: average.get(name, tensor) for name, tensor in stored.items()}


def _averaged(checkpoint: Checkpoint) -> dict[str, Tensor]:
    skeleton: Any = _document(checkpoint, "state.json").get("averaged")
    if not skeleton:
        return {}
    with _opened(checkpoint.run, checkpoint.name(STATE)) as path, safe_open(path, "pt") as file:
        return {name: file.get_tensor(leaf[tree.LEAF]) for name, leaf in skeleton.items()}


@fitted
def load_state(checkpoint: Checkpoint) -> dict[str, Any]:
    """The state tree that ``snapshot`` was given."""
    state: dict[str, Any] = tree.join(_document(checkpoint, "state.json"), tensors_of(checkpoint, STATE))
    return state


@fitted
def load_info(checkpoint: Checkpoint, cls: type[Info]) -> Info:
    """The ``info`` that the checkpoint's model was built with."""
    return cls.model_validate(tree.join(_document(checkpoint, "info.json"), tensors_of(checkpoint, INFO)))


def _document(checkpoint: Checkpoint, file: str) -> JsonObject:
    return opening.read_json(checkpoint.run, checkpoint.name(file), DOCUMENT)


def tensors_of(checkpoint: Checkpoint, file: str) -> dict[str, Tensor]:
    """A tensor file of a checkpoint, MODEL, STATE or INFO; RunError as for ``read_tensors``."""
    return read_tensors(checkpoint.run, checkpoint.name(file))


def read_tensors(run: Path, name: str) -> dict[str, Tensor]:
    """A tensor file of a run; RunError if it is damaged or its header is larger than any of ours."""
    with _opened(run, name) as path:
        return load_file(path)


@contextmanager
def _opened(run: Path, name: str) -> Iterator[str]:
    """A path for safetensors, its header looked at; what goes wrong is a RunError."""
    try:
        with opening.through_file(run, name) as path:
            with Path(path).open("rb") as file:
                size = int.from_bytes(file.read(8), "little")
            # Before safetensors reads it: a damaged or foreign file may claim any size, and would get the memory.
            if size > HEADER_LIMIT:
                raise RunError(
                    f"{run / name}: its header claims {size} bytes, more than the {HEADER_LIMIT} that are read"
                )
            yield path
    except RunError:  # it names the file
        raise
    except (OSError, SafetensorError) as error:
        raise RunError(f"{run / name}: {error}") from error

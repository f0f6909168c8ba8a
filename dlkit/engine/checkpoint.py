"""What is in a checkpoint: everything a resume needs, taken apart without pickle, and put together again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safetensors import safe_open
from torch import Tensor, nn

from dlkit.bounded import DOCUMENT
from dlkit.engine import tree
from dlkit.engine.fitting import fitted, fitting
from dlkit.engine.frozen_parts import frozen_of, stored_frozen
from dlkit.engine.tensor_files import opened_tensors, read_tensors
from dlkit.errors import RunError
from dlkit.json_types import Json, JsonObject
from dlkit.runs import opening
from dlkit.runs.checkpoints import Checkpoint
from dlkit.task import Info

MODEL, STATE, INFO = "model.safetensors", "state.safetensors", "info.safetensors"


@dataclass(frozen=True)
class Snapshot:
    """What is to be stored: tensors by file, JSON by file, and the manifest's own fields.

    ``learned`` names the tensors of MODEL that must be finite: its parameters (a mask may well hold -inf).
    """

    tensors: Mapping[str, Mapping[str, Tensor]]
    documents: Mapping[str, Json]
    fields: Mapping[str, Any]
    learned: tuple[str, ...] = ()


def snapshot(model: nn.Module, state: Mapping[str, object], info: Info, fields: Mapping[str, object]) -> Snapshot:
    """Take a run's state apart for storage. ``state`` is any tree of tensors, arrays and JSON values.

    What is frozen of the model is left out: the run has it already.
    """
    weights, aliases = model_state(model)
    for name in frozen_of(model):
        weights.pop(name, None)
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
    weights = evaluated_weights(checkpoint) if averaged else _weights(checkpoint)
    weights.update({name: weights[stored] for name, stored in checkpoint.manifest.aliases.items()})
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise RunError(f"{checkpoint.folder}: its weights do not fit the model as it is now: {error}") from error


@fitted
def evaluated_weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The weights that evaluation sees: the moving average where the run keeps one. Of tied ones, the one stored."""
    stored, average = _weights(checkpoint), _averaged(checkpoint)
    # Older checkpoints average buffers too that are not in a model's state, and that no model would take.
    return {name: average.get(name, tensor) for name, tensor in stored.items()}


def _weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    return {**tensors_of(checkpoint, MODEL), **stored_frozen(checkpoint, "model")}


def _averaged(checkpoint: Checkpoint) -> dict[str, Tensor]:
    skeleton: Any = _document(checkpoint, "state.json").get("averaged")
    if not skeleton:
        return {}
    with opened_tensors(checkpoint.run, checkpoint.name(STATE)) as path, safe_open(path, "pt") as file:
        return {name: file.get_tensor(leaf[tree.LEAF]) for name, leaf in skeleton.items()}


def loss_state(loss: object) -> dict[str, Tensor]:
    """What a loss has learned or counted; what is frozen of it is left out, as a model's is."""
    if not isinstance(loss, nn.Module):
        return {}
    frozen = frozen_of(loss)
    return {name: tensor for name, tensor in loss.state_dict().items() if name not in frozen}


def load_loss(checkpoint: Checkpoint, loss: object, saved: Mapping[str, Tensor] | None) -> None:
    """Put ``loss_state`` back; None: older checkpoints hold nothing of a loss."""
    if isinstance(loss, nn.Module) and saved is not None:
        with fitting(checkpoint):
            loss.load_state_dict({**saved, **stored_frozen(checkpoint, "loss")})


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

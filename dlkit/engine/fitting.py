"""A checkpoint's hashes say that it is whole, not that it makes sense: whoever made it, made its manifest too.

Names, shapes and types that do not fit what was built for it raise anything, in our code, in pydantic's and in torch's.
Here all of that becomes a RunError that names the checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import torch
from safetensors import SafetensorError
from torch import nn

from dlkit.errors import DAMAGE, ComponentError, DlkitError, RunError, in_words
from dlkit.runs.checkpoints import Checkpoint

SPARE = 1 << 24
"""Bytes of a model that may be in no file."""
_Options = ParamSpec("_Options")
_Made = TypeVar("_Made")


@contextmanager
def fitting(checkpoint: Checkpoint, passing: Callable[[BaseException], bool] = lambda error: False) -> Iterator[None]:
    """Make something of what a checkpoint holds: if that fails, RunError says of which. Errors that ``passing`` knows
    (memory that has run out, which a supervisor has an answer to) stay as they are."""
    try:
        yield
    except (*DAMAGE, SafetensorError) as error:
        foreseen = isinstance(error, DlkitError) and not isinstance(error, ComponentError)
        if foreseen or passing(error):
            raise
        raise RunError(f"{checkpoint.folder}: what it holds does not fit the run: {in_words(error)}") from error


def check_size(checkpoint: Checkpoint, build: Callable[[], nn.Module]) -> None:
    """RunError if the model that is about to be built is far larger than what the checkpoint has for it.

    A number in ``info`` decides, and would get the memory: built of tensors without memory, it costs nothing.
    """
    try:
        with torch.device("meta"):
            model = build()
    # The plugin boundary: what a model cannot do with such tensors, it does when it is built in earnest.
    except Exception:
        return
    wanted = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    manifest = checkpoint.manifest
    stored = manifest.files["model.safetensors"]["size"] + (manifest.frozen["size"] if manifest.frozen else 0)
    if wanted > 4 * stored + SPARE:  # stored in half precision, say, or without what its own code fills in
        raise RunError(
            f"{checkpoint.folder}: its info asks for a model of {wanted} bytes, its weights are {stored}: they do not "
            "belong together"
        )


def fitted(
    load: Callable[Concatenate[Checkpoint, _Options], _Made],
) -> Callable[Concatenate[Checkpoint, _Options], _Made]:
    """A function of a checkpoint that raises RunError for whatever that holds."""

    @wraps(load)
    def loaded(checkpoint: Checkpoint, /, *args: _Options.args, **options: _Options.kwargs) -> _Made:
        with fitting(checkpoint):
            return load(checkpoint, *args, **options)

    return loaded

"""Weights that a model starts from, out of a file of the user's: safetensors, never pickle, never downloaded.

They go into the run's checkpoints with everything else. So the file is read when training begins and never again: a
run is resumed, measured and asked after the file is deleted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from torch import Tensor, nn

from dlkit.bounded import BadFile, open_regular
from dlkit.errors import DataError

# Not an argument: every plugin's ``build(config, info)`` between here and there would have to pass it on.
_restoring: ContextVar[bool] = ContextVar("restoring", default=False)


@contextmanager
def restoring() -> Iterator[None]:
    """Around building a model whose weights come from a checkpoint right after: files of weights are not read."""
    token = _restoring.set(True)
    try:
        yield
    finally:
        _restoring.reset(token)


def is_restoring() -> bool:
    """Whether a model is being built whose weights come from a checkpoint: for readers of other forms than this."""
    return _restoring.get()


def read_weights(path: Path) -> dict[str, Tensor] | None:
    """The tensors of a safetensors file by name, in float32; None while a model is built from a checkpoint.

    DataError names a file that is missing, or is not a safetensors file.
    """
    if is_restoring():
        return None
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        os.close(open_regular(path))  # a named pipe would be waited for
        # Half-precision files are as good: training keeps its weights in float32.
        return {name: tensor.float() for name, tensor in load_file(path).items()}
    except (OSError, BadFile, SafetensorError) as error:
        raise DataError(f"{path}: not a readable .safetensors file: {error}") from error


def fill(module: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Copy weights into a module by name; more of them are left alone. DataError says what is missing or misshapen.

    A batch norm's count of batches, which matters to no result, may be missing.
    """
    own = module.state_dict()
    needed = [name for name in own if not name.endswith("num_batches_tracked")]
    unfit = [name for name in needed if name not in weights or weights[name].shape != own[name].shape]
    if unfit:
        more = f" and {len(unfit) - 3} more" if len(unfit) > 3 else ""
        raise DataError(f"{path}: holds the weights of another network: no {', '.join(unfit[:3])}{more} of that shape")
    # By the names needed alone: a classifier's head in the file is not an error where only its body is wanted.
    module.load_state_dict({name: weights[name] for name in needed}, strict=False)

"""Weights that a model starts from: out of a file, from another run, downloaded once, or those that come with dlkit.

They go into the run's checkpoints with everything else. So they are looked for when training begins and never again: a
run is resumed, measured and asked after the file or the other run is deleted.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from torch import Tensor, nn

from dlkit.bounded import BadFile, open_regular
from dlkit.data.context import Context
from dlkit.data.converting import PICKLED, converted
from dlkit.errors import DataError, UsageError

EMBEDDED = "backbone.safetensors"
"""The weights of ``dlkit.nn.backbone.embedded``, beside it."""


@dataclass(frozen=True)
class Origins:
    """Where weights come from that are named and not given as a file: the workspace's data, and its runs.

    ``of_run`` gives what ``RUN``, ``RUN@best``, ``RUN@last`` or ``RUN@STEP`` was evaluated with; UsageError where
    there is no such run.
    """

    context: Context
    of_run: Callable[[str], Mapping[str, Tensor]]


# Not arguments: every plugin's ``build(config, info)`` between here and there would have to pass them on.
_restoring: ContextVar[bool] = ContextVar("restoring", default=False)
_origins: ContextVar[Origins | None] = ContextVar("origins", default=None)


@contextmanager
def restoring() -> Iterator[None]:
    """Around building a model whose weights come from a checkpoint right after: files of weights are not read."""
    token = _restoring.set(True)
    try:
        yield
    finally:
        _restoring.reset(token)


@contextmanager
def coming_from(origins: Origins) -> Iterator[None]:
    """Around building a model: where it finds weights that its options name."""
    token = _origins.set(origins)
    try:
        yield
    finally:
        _origins.reset(token)


def is_restoring() -> bool:
    """Whether a model is being built whose weights come from a checkpoint: for readers of other forms than this."""
    return _restoring.get()


def read_weights(path: Path) -> dict[str, Tensor] | None:
    """The tensors of a .safetensors file by name, or of a .pth (converted first), in float32; None while a model is
    built from a checkpoint.

    DataError names a file that is missing, or is not what its name says.
    """
    if is_restoring():
        return None
    if path.suffix.lower() in PICKLED:
        given = _origins.get()
        with converted(path, given.context.data if given else None) as found:
            return _read(found, path)
    return _read(path, path)


def named_weights(reference: str) -> dict[str, Tensor] | None:
    """Those of a file of weights, or of a run; None while a model is built from a checkpoint.

    DataError as for ``read_weights``; UsageError: neither such a file nor such a run.
    """
    if Path(reference).suffix.lower() in (".safetensors", *PICKLED):
        return read_weights(Path(reference))
    if is_restoring():
        return None
    given = _origins.get()
    if given is None:
        raise UsageError(f"weights {reference!r}: neither a .safetensors nor a .pth file, and there are no runs here")
    return {name: tensor.float() for name, tensor in given.of_run(reference).items()}


def downloaded_weights(source: str) -> dict[str, Tensor] | None:
    """Those of a source of one file, fetched first if that is allowed; None while a model is built from a checkpoint.

    DataError: it is not there, and must not or cannot be fetched.
    """
    if is_restoring():
        return None
    given = _origins.get()
    if given is None:
        raise UsageError(f"weights of {source!r}: give a file; there is no workspace here to download into")
    folder = given.context.source(source)
    (only,) = given.context.sources[source].layout
    return read_weights(folder / only.path)


def embedded_weights() -> dict[str, Tensor] | None:
    """Those that come with dlkit, of ``dlkit.nn.backbone.embedded``; None while a model is built from a checkpoint."""
    with as_file(files("dlkit.nn") / EMBEDDED) as path:
        return read_weights(path)


def fill(module: nn.Module, weights: Mapping[str, Tensor], path: Path | str) -> None:
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


def fill_part(module: nn.Module, weights: Mapping[str, Tensor], origin: str, prefixes: tuple[str, ...] = ()) -> None:
    """The same of a network that is a whole there or a part of another (``backbone.``, say): the first of ``prefixes``
    below which all names are is taken, none of them if its names stand by themselves."""
    own = {name for name in module.state_dict() if not name.endswith("num_batches_tracked")}
    for prefix in prefixes:
        below = {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
        if own <= below.keys():
            fill(module, below, origin)
            return
    fill(module, weights, origin)


def _read(path: Path, named: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        os.close(open_regular(path))  # a named pipe would be waited for
        # Half-precision files are as good: training keeps its weights in float32.
        return {name: tensor.float() for name, tensor in load_file(path).items()}
    except (OSError, BadFile, SafetensorError) as error:
        raise DataError(f"{named}: not a readable .safetensors file: {error}") from error

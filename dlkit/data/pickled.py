"""``python -m dlkit.data.pickled IN OUT``: the tensors of a torch file (.pth, .pt) as safetensors.

Such files are pickle, and to read pickle is to run a program. Here torch reads them with ``weights_only``: an unpickler
of its own, which knows tensors and plain containers and refuses all else. It does so in this process alone, which has
no terminal, writes no file and takes no memory beyond what such tensors need, and ends with it: whatever a file does to
that reader, it does not do it to the process that trains. What comes out is read like anybody's safetensors file.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from dlkit.processes import die_with_parent

NESTED = ("state_dict", "model_state_dict", "model")
"""Keys under which people keep a network's weights, beside an epoch or an optimizer."""
BEGINNINGS = (b"PK", b"\x80")
"""Of what torch writes: a zip file, or pickle of before; of its oldest, a tar file, nobody has weights."""
ROOM = 1 << 30
"""Bytes that reading may take besides the tensors: torch itself, and what its allocator keeps."""


def main(argv: list[str]) -> str | None:
    """What went wrong, in one line; None if nothing did."""
    die_with_parent()
    source, target = map(Path, argv)
    with source.open("rb") as file:
        if not file.read(2).startswith(BEGINNINGS):  # said at once: to import torch takes 2 s
            return "it is neither a zip file nor pickle, as torch writes them"
    import torch

    _bound(source.stat().st_size)
    try:
        write(tensors_of(torch.load(source, map_location="cpu", weights_only=True)), target)
    # The process's boundary: whatever a file makes the reader throw is one line for whoever asked.
    except Exception as error:
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        return (first or type(error).__name__)[:400]
    return None


def tensors_of(loaded: object) -> Mapping[str, object]:
    """The network's state in what a file holds: itself, or below one of the usual keys; ValueError if there is none."""
    import torch

    found = loaded
    for key in NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    kept = {str(name): value for name, value in found.items() if isinstance(value, torch.Tensor)} if isinstance(
        found, Mapping) else {}  # fmt: skip
    if not kept:
        raise ValueError("holds no tensors by name: save a network's state_dict()")
    return kept


def write(tensors: Mapping[str, object], target: Path) -> None:
    """As safetensors; of tensors that share memory each gets its own."""
    import torch
    from safetensors.torch import save_file

    whole = {name: tensor.contiguous().clone() for name, tensor in tensors.items() if isinstance(tensor, torch.Tensor)}
    save_file(whole, target)


def _bound(size: int) -> None:
    """No more memory or larger files than a file of so many bytes accounts for: a view of one number may claim any
    size."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    for limit, most in (
        (resource.RLIMIT_DATA, ROOM + 4 * size),
        (resource.RLIMIT_FSIZE, (1 << 20) + 2 * size),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

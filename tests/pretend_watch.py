"""Notices what would make the host wait for a real accelerator, on tensors that lie on a pretended one.

A tensor is known by its storage: what was put on the device lies there, and so does all that is computed from it.
Tensors that the host makes (``torch.tensor``, ``from_numpy``, factories that name no device) lie on the host: on a
real accelerator an operation on both fails, or copies from memory that is not page-locked, for which the host waits.
Operations that have no deterministic kernel on CUDA are noticed too.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pytest
import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

READS = frozenset({"item", "tolist", "cpu", "numpy", "__bool__", "__float__", "__int__", "__index__", "__array__"})
"""What makes the host wait for the device, as Python says it."""
READING = frozenset({
    "_local_scalar_dense", "nonzero", "nonzero_numpy", "masked_select", "_unique2", "unique_dim",
    "unique_consecutive", "multinomial", "bincount", "equal", "is_nonzero", "_linalg_check_errors",
})  # fmt: skip
"""The same, as operations: their result's shape or the host's next move depends on values."""
CHECKS = frozenset({"one_hot"})
"""On the CPU these look at their arguments, on accelerators they do not."""
MAKES = frozenset({"tensor", "as_tensor", "from_numpy", "asarray", "frombuffer"})
"""Python's ways from the host's memory to a tensor."""
NONDETERMINISTIC = frozenset({
    "nll_loss2d_forward", "nll_loss2d_backward", "upsample_linear1d_backward", "upsample_bicubic2d_backward",
    "upsample_trilinear3d_backward", "grid_sampler_2d_backward", "grid_sampler_3d_backward",
    "_adaptive_avg_pool2d_backward", "_adaptive_avg_pool3d_backward", "adaptive_max_pool2d_backward",
    "avg_pool3d_backward", "fractional_max_pool2d_backward", "reflection_pad1d_backward",
    "reflection_pad2d_backward", "reflection_pad3d_backward", "max_unpool2d", "histc", "kthvalue", "median",
    "nanmedian", "_ctc_loss_backward", "put_",
})  # fmt: skip
"""For these ``torch.use_deterministic_algorithms`` raises on CUDA, by its documentation."""


_FROM_NUMPY = torch.from_numpy


class Watch:
    """``waits`` and ``nondeterministic`` are what has been noticed inside ``looking``."""

    def __init__(self) -> None:
        self.waits: list[str] = []
        self.nondeterministic: list[str] = []
        self.quiet = False
        # A weak reference keeps a storage's address from being used again, so that addresses are names.
        self._there: dict[int, StorageWeakRef] = {}
        self._host: dict[int, StorageWeakRef] = {}

    def mark(self, tensors: Iterable[Tensor], *, host: bool = False) -> None:
        """These lie on the device, or on the host."""
        mine, others = (self._host, self._there) if host else (self._there, self._host)
        for tensor in tensors:
            storage = StorageWeakRef(tensor.untyped_storage())  # type: ignore[no-untyped-call]
            others.pop(storage.cdata, None)
            mine[storage.cdata] = storage

    def there(self, value: object) -> bool:
        """Whether this is a tensor on the device."""
        return isinstance(value, Tensor) and value.untyped_storage()._cdata in self._there

    def on_host(self, value: object) -> bool:
        """Whether this is a tensor that the host made, and no single number, which goes along as an argument."""
        return isinstance(value, Tensor) and value.dim() > 0 and value.untyped_storage()._cdata in self._host

    def notice(self, what: str) -> None:
        """The host waits, and in which line of whose code."""
        stack = reversed(traceback.extract_stack())
        own = (__file__, *map(str, Path(torch.__file__).parent.parents[:1]))
        where = next((f for f in stack if not f.filename.startswith(own)), None)
        self.waits.append(f"{what} ({Path(where.filename).name}:{where.lineno})" if where else what)

    @contextmanager
    def looking(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch, _Calls(self), _Operations(self):
            patch.setattr(torch, "from_numpy", self._from_numpy)  # of which modes are not told
            yield

    def _from_numpy(self, array: npt.NDArray[Any]) -> Tensor:
        tensor = _FROM_NUMPY(array)
        self.mark([tensor], host=True)
        return tensor


class _Calls(TorchFunctionMode):
    """Python's calls."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        watch, name = self._watch, getattr(function, "__name__", "")
        first = args[0] if args else None
        if name in READS and watch.there(first):
            watch.notice(name)
        watch.quiet = name in CHECKS
        result = function(*args, **(kwargs or {}))
        watch.quiet = False
        if isinstance(result, Tensor):
            self._placed(name, first, args, kwargs or {}, result)
        return result

    def _placed(self, name: str, first: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Tensor) -> None:
        """Where a tensor lies that is no operation's result."""
        watch = self._watch
        if name == "new_tensor" and watch.there(first):
            watch.notice(name)
        elif name == "to" and watch.on_host(first) and _names_device([*args[1:], *kwargs.values()]):
            watch.notice("to")
            watch.mark([result])
        elif watch.there(first) or watch.there(result):
            return
        elif kwargs.get("device") is not None:
            if name in MAKES:  # the list is copied from the host's memory
                watch.notice(name)
            watch.mark([result])
        elif name in MAKES or not any(isinstance(leaf, Tensor) for leaf in tree_leaves((args, dict(kwargs)))):
            watch.mark([result], host=True)


def _names_device(values: Iterable[object]) -> bool:
    return any(isinstance(value, (torch.device, str)) for value in values)


class _Operations(TorchDispatchMode):
    """Operations, whoever starts them: autograd and optimizers too."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        watch, name = self._watch, function._schema.name.partition("::")[2]
        given = [leaf for leaf in tree_leaves((args, dict(kwargs or {}))) if isinstance(leaf, Tensor)]
        there = any(watch.there(tensor) for tensor in given)
        if there:
            self._notice(name, args, kwargs or {}, given)
        result = function(*args, **(kwargs or {}))
        if there:
            watch.mark(leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor))
        return result

    def _notice(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], given: list[Tensor]) -> None:
        watch = self._watch
        if watch.quiet:
            return
        if name in READING or _by_mask(name, args) or _by_counts(name, args, kwargs):
            watch.notice(name)
        if any(watch.on_host(tensor) for tensor in given):
            watch.notice(f"{name} of host memory")
        if name in NONDETERMINISTIC:
            watch.nondeterministic.append(name)


def _by_mask(name: str, args: tuple[Any, ...]) -> bool:
    """Indexing by truth values, which are counted first; to fill by a mask is no such thing."""
    if name not in ("index", "index_put", "index_put_"):
        return False
    masks = [index for index in args[1] if index is not None and index.dtype in (torch.bool, torch.uint8)]
    return bool(masks) and not (name != "index" and args[2].numel() == 1)


def _by_counts(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Repeating by a tensor of counts, without saying how many there will be."""
    return name == "repeat_interleave" and any(isinstance(a, Tensor) for a in args[-1:]) and not kwargs

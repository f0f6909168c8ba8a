"""Recurrent layers that are traced whole, for sequences of any length.

torch traces ``nn.LSTM``, ``nn.GRU`` and ``nn.RNN`` by taking them apart step by step, so that what it writes down holds
for the one length that it was shown. Whole, a layer is one operation, whose sizes follow from those of its inputs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torch._ops import OpOverload

_KEYS = (torch._C.DispatchKey.CompositeImplicitAutograd, torch._C.DispatchKey.Autograd)


@contextmanager
def any_length() -> Iterator[None]:
    """While an exporter runs (``torch.export``, ``torch.onnx``): sizes are traced, and no recurrent layer computes."""
    from torch._decomp import decomposition_table

    # Both are asked: the kernels in Python while a module is traced, the table where a traced one is traced again.
    before = {layer: (dict(layer.py_kernels), decomposition_table.get(layer)) for layer in _layers()}
    try:
        for layer, shapes in _layers().items():
            layer.py_kernels.update(dict.fromkeys(_KEYS, shapes))
            decomposition_table[layer] = shapes
            layer._dispatch_cache.clear()
        with warnings.catch_warnings():
            # Every recurrent layer of torch's puts its weights into such a list while it is traced.
            warnings.filterwarnings("ignore", r"The tensor attributes? .*_flat_weights", UserWarning)
            yield
    finally:
        for layer, (kernels, entry) in before.items():
            layer.py_kernels.clear()
            layer.py_kernels.update(kernels)
            decomposition_table.pop(layer, None)
            if entry is not None:
                decomposition_table[layer] = entry
            layer._dispatch_cache.clear()


def _layers() -> dict[OpOverload, Callable[..., tuple[Tensor, ...]]]:
    aten = torch.ops.aten
    return {aten.lstm.input: _lstm, aten.gru.input: _gru, aten.rnn_tanh.input: _gru, aten.rnn_relu.input: _gru}


def _gru(values: Tensor, state: Tensor, *rest: object) -> tuple[Tensor, Tensor]:
    """Of the schema of ``aten::gru.input``: outputs [N,T,…] (or [T,N,…]) and the state after, of the right sizes."""
    _weights, _biases, _layers, _dropout, _training, both_ways, _batch_first = rest
    outputs = values.new_empty((*values.shape[:2], state.shape[2] * (2 if both_ways else 1)))
    return outputs, torch.empty_like(state)


def _lstm(values: Tensor, state: Sequence[Tensor], *rest: object) -> tuple[Tensor, Tensor, Tensor]:
    """Of the schema of ``aten::lstm.input``."""
    hidden, cell = state
    outputs, after = _gru(values, hidden, *rest)
    return outputs, after, torch.empty_like(cell)

"""``nn.RNN`` as ONNX's operator: torch's exporter has those of LSTM and GRU alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

Value = Any
"""A value of the graph that is being written."""
Written = Callable[..., tuple[Value, Value]]


def plain_recurrent() -> dict[Callable[..., object], Written]:
    """What writes the operators, by torch's: for ``custom_translation_table``."""
    return {torch.ops.aten.rnn_tanh.input: _layers("Tanh"), torch.ops.aten.rnn_relu.input: _layers("Relu")}


def _layers(activation: str) -> Written:
    from onnxscript import opset18

    op: Value = opset18  # its own types know no lists of numbers, which it takes

    def write(
        values: Value,
        state: Value,
        weights: Sequence[Value],
        biases: bool,
        layers: int,
        dropout: float,
        training: bool,
        both_ways: bool,
        batch_first: bool,
    ) -> tuple[Value, Value]:
        ways, each = 2 if both_ways else 1, 4 if biases else 2
        direction = "bidirectional" if both_ways else "forward"
        found, last = op.Transpose(values, perm=[1, 0, 2]) if batch_first else values, []
        for layer in range(layers):
            first = layer * ways
            own = [weights[(first + way) * each : (first + way + 1) * each] for way in range(ways)]
            inner, again = (op.Concat(*[op.Unsqueeze(w[i], [0]) for w in own], axis=0) for i in (0, 1))
            both = [op.Unsqueeze(op.Concat(w[2], w[3], axis=0), [0]) for w in own] if biases else []
            begun = op.Slice(state, [first], [first + ways], [0])
            outputs, after = op.RNN(
                found, inner, again, op.Concat(*both, axis=0) if both else None, None, begun,
                activations=[activation] * ways, direction=direction, hidden_size=state.shape[2],
            )  # fmt: skip
            # [T, ways, N, hidden] → [T, N, ways · hidden]
            found = op.Reshape(op.Transpose(outputs, perm=[0, 2, 1, 3]), [0, 0, -1])
            last.append(after)
        ended = op.Concat(*last, axis=0) if len(last) > 1 else last[0]
        return (op.Transpose(found, perm=[1, 0, 2]) if batch_first else found), ended

    return write

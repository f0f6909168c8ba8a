"""LSTM and GRU over a text, their state going on from window to window, with attention over the past as an option."""

from __future__ import annotations

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit_textgen.info import TextInfo
from dlkit_textgen.models.pretrained import start_from
from dlkit_textgen.options import RecurrentConfig

State = dict[str, Any]
Cell = Literal["lstm", "gru"]


def lstm(config: RecurrentConfig, info: TextInfo) -> nn.Module:
    """token int64 [N,T] → logits [N,T,V]."""
    return Recurrent("lstm", config, info)


def gru(config: RecurrentConfig, info: TextInfo) -> nn.Module:
    """token int64 [N,T] → logits [N,T,V]."""
    return Recurrent("gru", config, info)


class Past(nn.Module):
    """Attention of each output over itself and the ``length`` outputs before it, as far as they are known (Luong et al.
    2015, arXiv 1508.04025, the score *general* and equation 5)."""

    def __init__(self, size: int, length: int) -> None:
        super().__init__()
        self.length = length
        self.query = nn.Linear(size, size, bias=False)
        self.join = nn.Linear(2 * size, size, bias=False)

    def forward(self, x: Tensor, past: Tensor, known: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x [N,T,size], past [N,length,size] and which of it is known, bool [N,length] → x, past and known after."""
        count = x.shape[1]
        outputs = torch.cat((past, x), 1)  # [N, length + T, size]
        seen = torch.cat((known, known.new_ones(x.shape[:2])), 1)
        place = torch.arange(count, device=x.device)[:, None]
        other = torch.arange(self.length + count, device=x.device)
        near = (other >= place) & (other <= place + self.length)  # [T, length + T]
        context = _looked_up(self.query(x), outputs, near & seen[:, None])
        joined = torch.tanh(self.join(torch.cat((context, x), 2)))
        return joined, outputs[:, count:], seen[:, count:]


def _looked_up(query: Tensor, outputs: Tensor, near: Tensor) -> Tensor:
    if torch.compiler.is_exporting():  # ONNX has attention with heads alone
        return F.scaled_dot_product_attention(query[:, None], outputs[:, None], outputs[:, None], near[:, None])[:, 0]
    return F.scaled_dot_product_attention(query, outputs, outputs, near)


class Recurrent(nn.Module):
    """Reads texts of any length; a state holds each layer's, rows first, and the outputs that attention may see."""

    carries = True
    limit = None

    def __init__(self, cell: Cell, config: RecurrentConfig, info: TextInfo) -> None:
        super().__init__()
        self.cell, self.hidden, self.depth = cell, config.hidden, config.layers
        self.embedding = nn.Embedding(info.vocabulary, config.embedding)
        start_from(self.embedding, config, info)
        kind = nn.LSTM if cell == "lstm" else nn.GRU
        between = config.dropout if config.layers > 1 else 0.0
        self.layers = kind(config.embedding, config.hidden, config.layers, batch_first=True, dropout=between)
        self.past = Past(config.hidden, info.context) if config.attention else None
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden, info.vocabulary)

    def begin(self, rows: int) -> State:
        """The state of having read nothing."""
        weight = self.head.weight
        state: State = {"hidden": weight.new_zeros(rows, self.depth, self.hidden)}
        if self.cell == "lstm":
            state["cell"] = weight.new_zeros(rows, self.depth, self.hidden)
        if self.past is not None:
            state["past"] = weight.new_zeros(rows, self.past.length, self.hidden)
            state["known"] = torch.zeros(rows, self.past.length, dtype=torch.bool, device=weight.device)
        return state

    def forward(self, token: Tensor, state: State | None = None) -> Tensor | tuple[Tensor, State]:
        """token [N,T] → logits [N,T,V]; with a state, of what came before: logits and the state after."""
        before = self.begin(token.shape[0]) if state is None else state
        x, after = self._recur(self.dropout(self.embedding(token)), before)
        if self.past is not None:
            x, after["past"], after["known"] = self.past(x, before["past"], before["known"])
        logits = self.head(self.dropout(x))
        return logits if state is None else (logits, after)

    def _recur(self, x: Tensor, before: State) -> tuple[Tensor, State]:
        hidden = _layers_first(before["hidden"])
        if self.cell == "lstm":
            x, (hidden, cell) = self.layers(x, (hidden, _layers_first(before["cell"])))
            return x, {"hidden": hidden.transpose(0, 1), "cell": cell.transpose(0, 1)}
        x, hidden = self.layers(x, hidden)
        return x, {"hidden": hidden.transpose(0, 1)}


def _layers_first(state: Tensor) -> Tensor:
    """[N,layers,hidden] → [layers,N,hidden], as torch's layers want it."""
    return state.transpose(0, 1).contiguous()

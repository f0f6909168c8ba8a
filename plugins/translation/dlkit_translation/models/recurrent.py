"""Encoder and decoder of recurrent cells with attention.

Sutskever et al. 2014 (arXiv 1409.3215) with the attention of Bahdanau et al. 2015 (arXiv 1409.0473) or Luong et al.
2015 (arXiv 1508.04025: global, "general" score, without input feeding).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dlkit.decoding import State
from dlkit.nn.attention import masked_softmax
from dlkit_translation.info import TranslationInfo
from dlkit_translation.models.common import Tokens, inside
from dlkit_translation.options import RecurrentConfig

CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}


def build(config: RecurrentConfig, info: TranslationInfo) -> nn.Module:
    return Recurrent(config, info)


class Encoder(nn.Module):
    """Each layer reads both ways, with half of its units each. Padding changes nothing that lies before it."""

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__()
        cell, half = CELLS[config.cell], config.width // 2
        widths = [config.embedding, *[config.width] * (config.layers - 1)]
        self.forwards = nn.ModuleList([cell(width, half, batch_first=True) for width in widths])
        self.backwards = nn.ModuleList([cell(width, half, batch_first=True) for width in widths])
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, embedded: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """[N,S,embedding] → its memory [N,S,width], and each layer's last vectors [N,layers,width]."""
        length = mask.sum(1, keepdim=True)  # [N,1]
        place = torch.arange(mask.shape[1], device=mask.device)[None]
        # Turned round within its length, a sentence is read backwards by a cell that reads forwards, its padding last:
        # that needs no lengths on the CPU, as packed sequences do.
        turned = torch.where(place < length, length - 1 - place, place)[:, :, None]
        found, last = embedded, []
        for ahead, back in zip(self.forwards, self.backwards, strict=True):
            one = ahead(self.dropout(found))[0]
            other = back(_rows(self.dropout(found), turned))[0]
            end = (length - 1)[:, :, None]
            last.append(torch.cat([_rows(one, end), _rows(other, end)], 2))
            found = torch.cat([one, _rows(other, turned)], 2)
        return found, torch.cat(last, 1)


def _rows(values: Tensor, index: Tensor) -> Tensor:
    """values[n, index[n, i]]: [N,S,W] and [N,I,1] → [N,I,W]."""
    return values.gather(1, index.expand(-1, -1, values.shape[2]))


class Luong(nn.Module):
    """score(h, m) = h · W m."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.key = nn.Linear(width, width, bias=False)

    def forward(self, query: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        """Queries [N,T,W] and keys [N,S,W] → weights [N,T,S]."""
        return masked_softmax(query @ keys.transpose(1, 2) * query.shape[2] ** -0.5, mask[:, None])


class Bahdanau(nn.Module):
    """score(h, m) = v · tanh(U h + W m)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.key = nn.Linear(width, width, bias=False)
        self.query = nn.Linear(width, width)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, query: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        scores = self.score(torch.tanh(self.query(query)[:, :, None] + keys[:, None]))[..., 0]
        return masked_softmax(scores, mask[:, None])


class Recurrent(nn.Module):
    """(source, previous) → logits; ``begin`` and ``step`` carry the cells' state."""

    def __init__(self, config: RecurrentConfig, info: TranslationInfo) -> None:
        super().__init__()
        width, embedding = config.width, config.embedding
        self.early = config.attention == "bahdanau"
        self.tokens = Tokens(info, embedding, config.tie)
        self.encoder = Encoder(config)
        self.bridge = nn.Linear(width, width * (2 if config.cell == "lstm" else 1))
        self.attention = Bahdanau(width) if self.early else Luong(width)
        cell, above = CELLS[config.cell], width if self.early else 0
        between = config.dropout if config.layers > 1 else 0.0
        self.decoder = cell(embedding + above, width, config.layers, batch_first=True, dropout=between)
        self.combine = nn.Linear(2 * width, embedding)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, source: Tensor, previous: Tensor) -> Tensor:
        """int64 [N,S] and [N,T] → float32 [N,T,tokens]."""
        return self._decoded(previous, self.begin(source))[0]

    def attend(self, source: Tensor, previous: Tensor) -> Tensor:
        """What each target token was read off: weights [N,T,S]."""
        return self._decoded(previous, self.begin(source))[2]

    def begin(self, source: Tensor) -> State:
        mask = inside(source)
        memory, last = self.encoder(self.dropout(self.tokens.source(source)), mask)
        hidden = torch.tanh(self.bridge(last)).chunk(2 if isinstance(self.decoder, nn.LSTM) else 1, 2)
        return {"memory": memory, "keys": self.attention.key(memory), "mask": mask, "hidden": hidden}

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        logits, following, _ = self._decoded(tokens[:, None], state)
        return logits[:, 0], following

    def _decoded(self, previous: Tensor, state: State) -> tuple[Tensor, State, Tensor]:
        embedded = self.dropout(self.tokens.target(previous))
        if self.early:
            steps = []
            hidden = state["hidden"]
            for number in range(embedded.shape[1]):
                *step, hidden = self._early(embedded[:, number : number + 1], hidden, state)
                steps.append(step)
            found, context, weights = (torch.cat(parts, 1) for parts in zip(*steps, strict=True))
        else:
            found, hidden = self._run(embedded, state["hidden"])
            weights = self.attention(found, state["keys"], state["mask"])
            context = weights @ state["memory"]
        combined = torch.tanh(self.combine(torch.cat([context, found], 2)))
        return self.tokens.logits(self.dropout(combined)), {**state, "hidden": hidden}, weights

    def _early(
        self, embedded: Tensor, hidden: tuple[Tensor, ...], state: State
    ) -> tuple[Tensor, Tensor, Tensor, tuple[Tensor, ...]]:
        """One step whose input has the context of the state before it: outputs, context, weights, the state after."""
        weights = self.attention(hidden[0][:, -1:], state["keys"], state["mask"])
        context = weights @ state["memory"]
        found, hidden = self._run(torch.cat([embedded, context], 2), hidden)
        return found, context, weights, hidden

    def _run(self, inputs: Tensor, hidden: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The decoder's cells; their state has the batch first, as beams select it."""
        turned = tuple(value.transpose(0, 1).contiguous() for value in hidden)
        found, after = self.decoder(inputs, turned if len(turned) == 2 else turned[0])
        states = after if isinstance(after, tuple) else (after,)
        return found, tuple(value.transpose(0, 1) for value in states)

"""The transformer (Vaswani et al. 2017, arXiv 1706.03762), normalised before each part (Xiong et al. 2020)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit.decoding import State
from dlkit.nn.attention import causal_mask, join_heads, masked_softmax, split_heads
from dlkit_translation.info import TranslationInfo
from dlkit_translation.models.common import Tokens, inside
from dlkit_translation.options import TransformerConfig

Pair = tuple[Tensor, Tensor]
"""Keys and values, each [N,heads,L,width/heads]."""


def build(config: TransformerConfig, info: TranslationInfo) -> nn.Module:
    return Transformer(config, info)


SHORT = 64
"""Up to so many keys, a CPU is faster without the fused kernel: its backward pass in bf16 took eight times as long for
512 sentences of 11 tokens."""


def attend(query: Tensor, memory: Pair, mask: Tensor | None, *, causal: bool) -> Tensor:
    """What the queries [N,heads,T,width/heads] find among keys and values; ``mask`` as in ``Attention.forward``."""
    keys, contents = memory
    # Exported, it is one graph for every length.
    if not torch.compiler.is_exporting() and (query.device.type != "cpu" or keys.shape[2] > SHORT):
        return F.scaled_dot_product_attention(query, keys, contents, mask, is_causal=causal)
    scores = (query / math.sqrt(query.shape[3])) @ keys.transpose(2, 3)
    if causal:
        mask = causal_mask(scores.shape[2], scores.shape[3], scores.device)
    return (scores.softmax(-1) if mask is None else masked_softmax(scores, mask)) @ contents


class Attention(nn.Module):
    """Several heads of scaled dot products; keys and values are made apart, so that they can be kept."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.memory = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def remembered(self, values: Tensor) -> Pair:
        """[N,L,width] → its keys and values."""
        keys, contents = self.memory(values).chunk(2, 2)
        return self._split(keys), self._split(contents)

    def forward(self, values: Tensor, memory: Pair, mask: Tensor | None = None, *, causal: bool = False) -> Tensor:
        """``mask``: bool, true where one may look, of a shape that broadcasts to [N,heads,T,L]."""
        found = attend(self._split(self.query(values)), memory, mask, causal=causal)
        out: Tensor = self.out(join_heads(found))
        return out

    def weights(self, values: Tensor, memory: Pair, mask: Tensor) -> Tensor:
        """The attention weights, the mean over heads: [N,T,L]."""
        query = self._split(self.query(values))
        return masked_softmax(query @ memory[0].transpose(2, 3) / math.sqrt(query.shape[3]), mask).mean(1)

    def _split(self, values: Tensor) -> Tensor:
        return split_heads(values, self.heads)[0]


class Feed(nn.Sequential):
    """The part that looks at one place alone."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__(nn.Linear(width, inner), nn.ReLU(), nn.Linear(inner, width))


class EncoderLayer(nn.Module):
    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.width
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(2)])
        self.attention = Attention(width, config.heads)
        self.feed = Feed(width, max(1, round(config.inner * width)))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        normed = self.norms[0](values)
        values = values + self.dropout(self.attention(normed, self.attention.remembered(normed), mask))
        out: Tensor = values + self.dropout(self.feed(self.norms[1](values)))
        return out


class DecoderLayer(nn.Module):
    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.width
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(3)])
        self.own = Attention(width, config.heads)
        self.cross = Attention(width, config.heads)
        self.feed = Feed(width, max(1, round(config.inner * width)))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, values: Tensor, past: Pair | None, source: Pair, mask: Tensor) -> tuple[Tensor, Pair, Tensor]:
        """→ values, the past with these, and what the cross attention was asked with."""
        normed = self.norms[0](values)
        now = self.own.remembered(normed)
        if past is not None:
            now = torch.cat([past[0], now[0]], 2), torch.cat([past[1], now[1]], 2)
        values = values + self.dropout(self.own(normed, now, _unseen(values, past), causal=past is None))
        asked = self.norms[1](values)
        values = values + self.dropout(self.cross(asked, source, mask))
        return values + self.dropout(self.feed(self.norms[2](values))), now, asked


def _unseen(values: Tensor, past: Pair | None) -> Tensor | None:
    """The causal mask of several tokens that follow a past; none is needed for one token, or without a past."""
    count = values.shape[1]
    if past is None or count == 1:
        return None
    return causal_mask(count, past[0].shape[2] + count, values.device)


class Transformer(nn.Module):
    """(source, previous) → logits; ``begin`` and ``step`` keep keys and values."""

    def __init__(self, config: TransformerConfig, info: TranslationInfo) -> None:
        super().__init__()
        self.width = config.width
        # Below that the casts cost more than the products gain (on a CPU with AVX512-BF16: 128 slower, 256 faster).
        self.gains_from_bf16 = config.width >= 256
        self.tokens = Tokens(info, config.width, config.tie)
        self.encoder = nn.ModuleList([EncoderLayer(config) for _ in range(config.layers)])
        self.decoder = nn.ModuleList([DecoderLayer(config) for _ in range(config.decoder_layers)])
        self.norms = nn.ModuleList([nn.LayerNorm(config.width) for _ in range(2)])
        self.dropout = nn.Dropout(config.dropout)

    @property
    def _cross(self) -> list[Attention]:
        return [layer.cross for layer in self.decoder if isinstance(layer, DecoderLayer)]

    def forward(self, source: Tensor, previous: Tensor) -> Tensor:
        """int64 [N,S] and [N,T] → float32 [N,T,tokens]."""
        return self._decoded(previous, self.begin(source))[0]

    def attend(self, source: Tensor, previous: Tensor) -> Tensor:
        """What each target token was read off in the last layer: weights [N,T,S], the heads' mean."""
        return self._decoded(previous, self.begin(source), look=True)[2]

    def hidden_matrices(self) -> list[nn.Parameter]:
        """What Muon updates: all matrices but the embeddings and the output."""
        return [p for part in (self.encoder, self.decoder) for p in part.parameters() if p.dim() == 2]

    def begin(self, source: Tensor) -> State:
        mask = inside(source)[:, None, None]
        values = self._placed(self.tokens.source(source), 0)
        for layer in self.encoder:
            values = layer(values, mask)
        memory = self.norms[0](values)
        sources = [cross.remembered(memory) for cross in self._cross]
        return {"mask": mask, "source": sources, "past": [None] * len(sources)}

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        logits, following, _ = self._decoded(tokens[:, None], state)
        return logits[:, 0], following

    def _decoded(self, previous: Tensor, state: State, *, look: bool = False) -> tuple[Tensor, State, Tensor]:
        first = state["past"][0]
        values = self._placed(self.tokens.target(previous), first[0].shape[2] if first is not None else 0)
        pasts, asked = [], values
        for layer, past, source in zip(self.decoder, state["past"], state["source"], strict=True):
            values, now, asked = layer(values, past, source, state["mask"])
            pasts.append(now)
        seen: Tensor = self._cross[-1].weights(asked, state["source"][-1], state["mask"]) if look else asked
        return self.tokens.logits(self.norms[1](values)), {**state, "past": pasts}, seen

    def _placed(self, embedded: Tensor, first: int) -> Tensor:
        """Embeddings [N,L,width] with their places, which count from ``first``."""
        found: Tensor = self.dropout(embedded * math.sqrt(self.width) + places(first, embedded))
        return found


def places(first: int, like: Tensor) -> Tensor:
    """Sines and cosines of the places [L,width] (the paper's section 3.5)."""
    length, width = like.shape[1:]
    half = torch.arange(0, width, 2, device=like.device, dtype=torch.float32)
    rate = torch.exp(half * (-math.log(1e4) / width))
    angle = torch.arange(first, first + length, device=like.device)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], 2).flatten(1).to(like.dtype)

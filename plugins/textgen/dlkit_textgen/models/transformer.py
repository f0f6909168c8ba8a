"""A small GPT-style transformer: causal attention with rotary positions, RMS norm before each part, tied weights."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit.nn.attention import causal_mask, join_heads, split_heads
from dlkit_textgen.info import TextInfo
from dlkit_textgen.options import TransformerConfig

State = dict[str, Any]
_DEVIATION = 0.02
"""Of the first weights (Radford et al. 2019)."""
_EPSILON = 1e-6
_SMALL = 256
"""Places up to which a window's weights are worth the memory that they take at once."""


def build(config: TransformerConfig, info: TextInfo) -> nn.Module:
    """token int64 [N,T] → logits [N,T,V]."""
    return Transformer(config, info.vocabulary, info.context)


class Rotary(nn.Module):
    """Queries and keys turned by their positions, so that products depend on distances alone (Su et al. 2021, arXiv
    2104.09864)."""

    def __init__(self, size: int, positions: int, base: float) -> None:
        super().__init__()
        rates = base ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
        angles = torch.outer(torch.arange(positions, dtype=torch.float64), rates)  # [P, size / 2]
        self.register_buffer("cosine", angles.cos().float(), persistent=False)
        self.register_buffer("sine", angles.sin().float(), persistent=False)

    def forward(self, x: Tensor, first: int) -> Tensor:
        """x […,T,size] at the positions from ``first`` on."""
        last = first + x.shape[-2]
        places: slice | Tensor = slice(first, last)
        if torch.compiler.is_exporting():
            # A slice would bound what may come before by the two tokens and more that an exporter is shown.
            places = torch.arange(first, last, device=x.device)
        cosine, sine = self.cosine[places].to(x.dtype), self.sine[places].to(x.dtype)  # type: ignore[index]
        a, b = x.chunk(2, -1)
        return torch.cat((a * cosine - b * sine, a * sine + b * cosine), -1)


class Attention(nn.Module):
    """Each token looks at itself and those before it, in several heads; queries and keys are normalised."""

    def __init__(self, config: TransformerConfig, rotary: Rotary) -> None:
        super().__init__()
        self.heads = config.heads
        self.size = config.width // config.heads
        self.project = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)
        self.rotary = rotary

    def forward(self, x: Tensor, before: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x [N,T,width] and the keys and values [N,H,L,size] of what came before → the same, longer by T."""
        shaped = split_heads(self.project(x), self.heads, parts=3)
        past = 0 if before is None else before[0].shape[2]
        (query, key), value = self.rotary(_unit(shaped[:2]), past), shaped[2]
        if before is not None:
            key, value = torch.cat((before[0], key), 2), torch.cat((before[1], value), 2)
        return self.out(join_heads(causal(query, key, value))), (key, value)


def causal(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Scaled dot-product attention of the last T of L places, each over itself and those before it: query [N,H,T,size],
    key and value [N,H,L,size] → [N,H,T,size].

    On the CPU, windows are two batched products: torch's fused kernel took 48 ms, forwards and backwards, where these
    take 18 (N 32, H 4, T 128, size 32, bf16; in float32 19 and 23).
    """
    length, whole = query.shape[2], key.shape[2]
    if torch.compiler.is_exporting():  # one graph for every length: none of the choices below
        return F.scaled_dot_product_attention(query, key, value, causal_mask(length, whole, query.device))
    if query.device.type == "cpu" and 1 < length == whole <= _SMALL:
        return _products(query, key, value)
    mask = causal_mask(length, whole, query.device) if 1 < length < whole else None
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=1 < length == whole)


def _products(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    rows, heads, length, size = query.shape
    later = torch.full((length, length), -torch.inf, dtype=query.dtype).triu(1)
    query, key, value = (x.reshape(rows * heads, length, size) for x in (query, key, value))
    weights = torch.baddbmm(later, query, key.transpose(1, 2), alpha=size**-0.5).softmax(-1)
    return torch.bmm(weights, value).view(rows, heads, length, size)


def _unit(x: Tensor) -> Tensor:
    """Queries and keys of root mean square 1: attention cannot grow sharp without bound (Dehghani et al. 2023).

    Written out, since on the CPU attention with torch's own rms_norm took 27 ms in bf16 and takes 18 with this.
    """
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + _EPSILON)


class Layer(nn.Module):
    """Attention and a perceptron with squared ReLU (So et al. 2021, arXiv 2109.08668), each beside a shortcut."""

    def __init__(self, config: TransformerConfig, rotary: Rotary) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(config.width)
        self.attention = Attention(config, rotary)
        self.norm2 = nn.RMSNorm(config.width)
        self.wide = nn.Linear(config.width, config.expansion * config.width, bias=False)
        self.narrow = nn.Linear(config.expansion * config.width, config.width, bias=False)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, before: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        seen, after = self.attention(self.norm(x), before)
        x = x + self.dropout(seen)
        return x + self.dropout(self.narrow(F.relu(self.wide(self.norm2(x))).square())), after


class Transformer(nn.Module):
    """Reads up to ``limit`` tokens; a state holds the keys and values of those read so far."""

    gains_from_bf16 = True
    carries = False

    def __init__(self, config: TransformerConfig, vocabulary: int, context: int) -> None:
        super().__init__()
        self.limit = context
        rotary = Rotary(config.width // config.heads, context, config.rotary_base)
        self.embedding = nn.Embedding(vocabulary, config.width)
        self.layers = nn.ModuleList(Layer(config, rotary) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width)
        self.head = nn.Linear(config.width, vocabulary, bias=False)
        self._begin_small()
        if config.tied:
            self.head.weight = self.embedding.weight

    def begin(self, rows: int) -> State:
        """The state of having read nothing."""
        first: Any = self.layers[0]
        shape = (rows, first.attention.heads, 0, first.attention.size)
        empty = self.embedding.weight.new_zeros(shape)
        return {"keys": [empty for _ in self.layers], "values": [empty for _ in self.layers]}

    def forward(self, token: Tensor, state: State | None = None) -> Tensor | tuple[Tensor, State]:
        """token [N,T] → logits [N,T,V]; with a state, of what came before: logits and the state after."""
        x = self.embedding(token)
        keys, values = [], []
        for number, layer in enumerate(self.layers):
            before = None if state is None else (state["keys"][number], state["values"][number])
            x, (key, value) = layer(x, before)
            keys.append(key)
            values.append(value)
        logits = self.head(self.norm(x))
        return logits if state is None else (logits, {"keys": keys, "values": values})

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Those that Muon is for: not the embedding, nor the logits'."""
        return [p for layer in self.layers for p in layer.parameters() if p.dim() > 1]

    def _begin_small(self) -> None:
        """What is added to a shortcut begins at nothing, so that a deep network begins as a shallow one."""
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=_DEVIATION)
        for module in self.modules():
            if isinstance(module, Layer):
                nn.init.zeros_(module.attention.out.weight)
                nn.init.zeros_(module.narrow.weight)

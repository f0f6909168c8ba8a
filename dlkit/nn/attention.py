"""What attention is made of (Vaswani et al. 2017, arXiv 1706.03762): heads, masks, and weights where a mask allows."""

from __future__ import annotations

import torch
from torch import Tensor


def split_heads(values: Tensor, heads: int, parts: int = 1) -> Tensor:
    """[N,T,parts·width] → [parts,N,heads,T,width/heads]: queries, keys and values that one product made."""
    rows, length, width = values.shape
    return values.view(rows, length, parts, heads, width // (parts * heads)).permute(2, 0, 3, 1, 4)


def join_heads(values: Tensor) -> Tensor:
    """[N,heads,T,size] → [N,T,heads·size]."""
    return values.transpose(1, 2).flatten(2)


def causal_mask(count: int, whole: int, device: torch.device) -> Tensor:
    """bool [count,whole]: each of the last ``count`` of ``whole`` places sees itself and those before it."""
    return torch.ones(count, whole, dtype=torch.bool, device=device).tril(whole - count)


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Over the last axis, where ``mask`` (of a shape that broadcasts) is true."""
    return scores.masked_fill(~mask, -torch.inf).softmax(-1)

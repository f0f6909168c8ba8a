"""What people see of a text before any training: its commonest tokens, and how it begins."""

from __future__ import annotations

import torch

from dlkit.data.splits import Split
from dlkit.data.text.tokenizers import restore
from dlkit.samples import Table, Text
from dlkit.task import first_batch
from dlkit_textgen.info import TextInfo
from dlkit_textgen.splits import TextWindows

_ROWS = 12
_WINDOWS = 8
"""Windows' worth of text that a preview shows at most."""


def commonest(info: TextInfo, split: Split) -> Table:
    """The commonest tokens, and their share."""
    tokenizer = restore(info.tokenizer)
    ids = split.ids() if isinstance(split, TextWindows) else first_batch(split, 1000)["token"].flatten()
    counts = torch.bincount(ids.long().cpu(), minlength=info.vocabulary)
    order = counts.argsort(descending=True, stable=True)[: min(_ROWS, int((counts > 0).sum()))].tolist()
    rows: list[list[str | int]] = [
        [_visible(tokenizer.token(i)), int(counts[i]), f"{int(counts[i]) / len(ids):.1%}"] for i in order
    ]
    title = f"The commonest of {info.vocabulary:,} tokens"
    return Table(name="tokens", title=title, headers=["token", "times", "share"], rows=rows)


def opening(info: TextInfo, split: Split, count: int) -> Text:
    """How the text begins: ``count`` windows of it."""
    windows = min(count, _WINDOWS)
    if isinstance(split, TextWindows):
        ids = split.ids()[: windows * info.context]
    else:
        ids = first_batch(split, windows)["token"].flatten()
    return Text(name="text", title="How it begins", text=restore(info.tokenizer).decode(ids.tolist()))


def _visible(token: str) -> str:
    return {"\n": "⏎", " ": "␣", "\t": "⇥"}.get(token, token)

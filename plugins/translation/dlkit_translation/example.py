"""Sentences of the vocabulary's words in no order."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from dlkit.data.text.pieces import BOS, EOS
from dlkit.example_batch import free_sizes
from dlkit.task import AnyTask
from dlkit_translation.info import TranslationInfo


def drawn_sentences(
    task: AnyTask, info: TranslationInfo, count: int, sizes: Mapping[str, int], seed: int
) -> dict[str, Tensor]:
    """A batch of the task: ``source`` and ``target`` end with the end token, ``previous`` begins with the begin one."""
    axes, generator = (
        {**task.axes(info), **free_sizes(task.free, sizes, f"task {task.name!r}")},
        torch.Generator().manual_seed(seed),
    )

    def words(length: int, known: int) -> Tensor:
        return torch.randint(min(EOS + 1, known - 1), known, (count, length - 1), generator=generator)

    source, target = words(axes["S"], info.sizes[0]), words(axes["T"], info.sizes[1])
    begin, end = torch.full((count, 1), BOS), torch.full((count, 1), EOS)
    return {
        "source": torch.cat((source, end), 1),
        "previous": torch.cat((begin, target), 1),
        "target": torch.cat((target, end), 1),
    }

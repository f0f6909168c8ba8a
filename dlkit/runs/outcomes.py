"""What runs came to, to be set against each other: their final metrics, and which value is the best."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from dlkit.errors import listed
from dlkit.runs.contents import latest_evaluations
from dlkit.runs.folder import RunFolder, Summary

_MINIMISED = frozenset(
    ("loss", "error", "mse", "rmse", "mae", "perplexity", "frechet", "fid", "cer", "wer", "seconds", "latency",
     "bits_per_character", "bits_per_byte")
)  # fmt: skip
_MAXIMISED = frozenset(
    ("accuracy", "precision", "recall", "f1", "iou", "map", "map50", "map75", "auc", "ap", "r2", "psnr", "ssim",
     "bleu", "chrf", "rouge", "top5", "exact")
)  # fmt: skip
"""What is better of the field's own metrics, by their name or the last word of it: ``token_accuracy``, ``mean_iou``."""
_NEITHER = frozenset(["d_accuracy"])
"""A judge of two that should not win: half is best."""


def finals(run: RunFolder, summary: Summary) -> dict[str, float]:
    """Metrics of the best evaluation, and the last ones on record of other splits; details too."""
    found = {**summary.metrics, **latest_evaluations(run)}
    return {name: value for name, value in found.items() if isinstance(value, (int, float))}


def other_data(runs: Mapping[RunFolder, Mapping[str, object]]) -> list[str]:
    """A remark where runs whose data set has equal options (of their flat configurations) were trained on different
    data: a file was changed between them, so that their metrics are not of the same thing."""
    found: dict[str, dict[str, list[str]]] = {}
    for run, settings in runs.items():
        chosen = sorted((key, repr(value)) for key, value in settings.items() if key.startswith("dataset."))
        with suppress(OSError, ValueError):
            fingerprint = run.read().get("fingerprint")
            if fingerprint and chosen:
                found.setdefault(repr((settings.get("task"), chosen)), {}).setdefault(fingerprint, []).append(run.id)
    mixed = [", ".join(ids) for prints in found.values() if len(prints) > 1 for ids in prints.values()]
    head = "the data changed between runs (same options, other fingerprints), so that their metrics cannot be compared"
    return [listed(head, [f"  on one: {ids}" for ids in mixed])] if mixed else []


def direction(name: str, summaries: Iterable[Summary]) -> str:
    """``min``, ``max`` or nothing: of the primary metric (on any split), and of what the field knows by name."""
    bare = name.rpartition("/")[2]
    known = {s.direction for s in summaries if s.metric.rpartition("/")[2] == bare and s.direction}
    if len(known) == 1:
        return known.pop()
    if known or bare in _NEITHER:
        return ""
    names = {bare, bare.rpartition("_")[2]}
    return "min" if names & _MINIMISED else "max" if names & _MAXIMISED else ""


def best(values: Sequence[float | None], direction: str) -> int | None:
    """The index of the best finite value, the first of equals."""
    usable = [(value, i) for i, value in enumerate(values) if value is not None and math.isfinite(value)]
    if not usable or not direction:
        return None
    return (min if direction == "min" else max)(usable, key=lambda pair: pair[0])[1]

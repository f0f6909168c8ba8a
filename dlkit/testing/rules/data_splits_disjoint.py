"""What is validated on has not been trained on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

import torch

from dlkit.data.splits import Batch, Split
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject

MOST, AT_ONCE = 5000, 50
"""Samples of a split that are looked at, and how many are made at once."""


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    if len(job.data.train) < 2:
        raise Skipped("one sample cannot be divided")
    hashes = {name: _hashes(split, job.task.inputs) for name, split in job.data.splits.items()}
    names = list(hashes)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            # Samples of few values come again by chance, within a split as between two: that much is no leak.
            expected = _repeated(hashes[one])
            shared = [n for n, key in enumerate(hashes[other]) if key in set(hashes[one])]
            share = len(shared) / len(hashes[other])
            if len(shared) > 1 and share > 2 * expected + 0.01:
                first = hashes[one].index(hashes[other][shared[0]])
                seen = f"{len(shared)} of {len(hashes[other])} inputs of {other!r} are in {one!r} too, sample"
                right = f"none (within {one!r}, {expected:.1%} come twice)"
                yield Finding(f"{seen} {shared[0]} as its sample {first}", right, f"splits {one!r} and {other!r}")


def _hashes(split: Split, inputs: Sequence[str]) -> list[str]:
    found: list[str] = []
    count = min(MOST, len(split))
    for first in range(0, count, AT_ONCE):
        batch = split.take(torch.arange(first, min(first + AT_ONCE, count)))
        found += [_hash({name: batch[name] for name in inputs}, row) for row in range(len(next(iter(batch.values()))))]
    return found


def _hash(batch: Batch, row: int) -> str:
    """Of a sample's inputs, whatever they are padded to: with 0 or -1."""
    digest = hashlib.sha256()
    for name, column in sorted(batch.items()):
        digest.update(name.encode())
        digest.update(column[row].contiguous().cpu().numpy().tobytes().rstrip(b"\x00\xff"))
    return digest.hexdigest()


def _repeated(hashes: list[str]) -> float:
    """The share of samples that another of the same split equals."""
    return sum(count - 1 for count in Counter(hashes).values()) / max(1, len(hashes))


RULE = Rule(
    name="data-splits-disjoint",
    tier="silver",
    kinds=("dataset",),
    title="No sample is in two splits",
    why="What was trained on is known by heart: the validation metric then tells nothing, and the best checkpoint is "
    "the one that has memorised most.",
    mend="Divide the samples once, by a permutation of their indices (dlkit.data.division), before anything is "
    "repeated or augmented; keep what belongs together (frames of a film, pages of a person) in one split.",
    buggy="train, val = images[:900], images[800:]",
    corrected="train, val = images[:900], images[900:]",
    check=check,
)

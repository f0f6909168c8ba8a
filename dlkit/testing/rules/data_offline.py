"""No data set looks for the net by itself."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from dlkit.engine.build import build_data
from dlkit.testing.finding import Finding
from dlkit.testing.offline import offline_data
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.watched import watched

CONNECTING = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request")


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    with watched(CONNECTING) as heard, offline_data(subject.catalog, subject.scratch) as context:
        data = build_data(subject.catalog, job.resolved, job.task, context)[0]
        for split in data.splits.values():
            split.take(torch.arange(1))
    if heard:
        seen = f"built offline, it uses the network: {heard[0][0]} {heard[0][1]!r}"[:300]
        yield Finding(seen, "no connection: what is needed comes from context.source(NAME)")


RULE = Rule(
    name="data-offline",
    tier="silver",
    kinds=("dataset",),
    title="Built offline, a data set connects to nothing",
    why="--offline is a promise; machines of a cluster have no net, and a download that nobody checks may be anything.",
    mend="Declare a SourceSpec with address, size and SHA-256, and ask for its folder with context.source(NAME): it is "
    "downloaded once, checked, and shared.",
    buggy='urllib.request.urlretrieve("https://…/data.zip", folder / "data.zip")',
    corrected='folder = context.source("my-data")',
    check=check,
)

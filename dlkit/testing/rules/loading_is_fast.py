"""Every command waits for every plugin."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.loading.loader import SLOW_SECONDS
from dlkit.testing.finding import Finding
from dlkit.testing.loading import sound
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    for plugin, loaded, _ in sound(subject):
        if loaded["seconds"] > SLOW_SECONDS:
            yield Finding(
                f"{loaded['seconds']:.2f} s without what it waited for a core",
                f"at most {SLOW_SECONDS:g} s; dlkit's own take some milliseconds",
                f"entry point {plugin}",
            )


RULE = Rule(
    name="loading-is-fast",
    tier="silver",
    title="The entry point's module loads in half a second.",
    why=("`dlkit runs`, shell completion and the interface load every plugin each time they start."),
    mend=("Import what takes long where it is used: specs name their code as strings, so that nobody else needs it."),
    buggy="""
import torch                      # in the entry point's module
from my_plugin.models import build
""",
    corrected="""
ModelSpec(name="my-mlp", target="my_plugin.models:build", …)   # imported when a run uses it
""",
    check=check,
)

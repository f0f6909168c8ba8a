"""The launch form shows options in a process that never imports torch."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.loading import sound
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    for plugin, loaded, _ in sound(subject):
        for component, heavy in loaded["heavy_options"].items():
            yield Finding(
                f"its options, or its contract, come with {', '.join(heavy)}",
                "their modules import pydantic and dlkit.config at most",
                f"{component} of {plugin}",
            )


RULE = Rule(
    name="loading-options-without-torch",
    tier="silver",
    title="Options and a task's contract are in modules that need no torch.",
    why=("The interface and `--help` read them in processes that must start at once, and never import torch."),
    mend=(
        "Put options in a module of their own, `options.py`; in a task's module import torch where `metrics` "
        "and `preview` are called."
    ),
    buggy="""
from torch import Tensor, nn

class Options(Config): …
class MyNetwork(nn.Module): …      # in the same module
""",
    corrected="""
# options.py
from dlkit.config import Config

class Options(Config): …
""",
    check=check,
)

"""People look for plugins by name."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    name = subject.package.distribution
    if not name.lower().replace("_", "-").startswith("dlkit-"):
        yield Finding(
            f"the distribution is called {name!r}",
            "a name that begins with dlkit-, as dlkit-signals",
            "pyproject.toml: name",
        )


RULE = Rule(
    name="package-found-by-name",
    tier="gold",
    title="The distribution is called dlkit-SOMETHING.",
    why="So an index finds it, and a list of what is installed shows what it is for.",
    mend="Rename it; the name of the plugin, its entry point, need not change.",
    check=check,
)

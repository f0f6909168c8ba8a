"""A plugin that does not load offers nothing."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.loading import loadings
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    for loading in loadings(subject):
        where = f"entry point {loading.plugin}"
        if loading.loaded is None:
            said = loading.said.strip()[-500:]
            yield Finding(
                loading.ended + (f"; it said: {said}" if said else ""), "it loads, and the process goes on", where
            )
        elif loading.loaded["state"] not in ("ready", "slow"):
            yield Finding(loading.loaded["reason"] or loading.loaded["state"], "it loads without an error", where)
        elif not loading.loaded["components"] and not _observes(loading.plugin, subject):
            yield Finding("it offers nothing", "it implements one of dlkit's hooks, marked @hookimpl", where)


def _observes(plugin: str, subject: Subject) -> bool:
    """Whether its entry point says dlkit_event: an observer has no components."""
    module = subject.package.entry_points[plugin].replace(".", "/")
    files = subject.package.modules
    file = files.get(f"{module}.py") or files.get(f"{module}/__init__.py")
    return file is not None and "dlkit_event" in file.read_text(encoding="utf-8", errors="replace")


RULE = Rule(
    name="loading-works",
    tier="bronze",
    title="The entry point's module is imported, and its hooks return sound declarations.",
    why="A plugin that fails here is shown as broken, and offers nothing.",
    mend=(
        "The text is what Python or the declaration's own check says. `dlkit plugins --verbose` shows the traceback."
    ),
    buggy="""
def dlkit_models():
    return ModelSpec(name="My MLP", summary="", target="models.build")
""",
    corrected="""
@hookimpl
def dlkit_models():
    return [ModelSpec(name="my-mlp", task="regression", summary="…", target="my_plugin.models:build")]
""",
    check=check,
)

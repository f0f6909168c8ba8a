"""An entry point names a module that is there."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.components import NAME
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    files = subject.package.modules
    for name, module in subject.package.entry_points.items():
        where = f"entry point {name}"
        if not NAME.match(name):
            yield Finding(f"the name {name!r}", "lower-case letters, digits, '.', '_' and '-'", where)
        path = module.partition(":")[0].replace(".", "/")
        if ":" in module:
            yield Finding(f"{module!r}", "a module, without ':': its functions marked @hookimpl are the plugin", where)
        elif f"{path}.py" not in files and f"{path}/__init__.py" not in files:
            yield Finding(
                f"there is no module {module}", f"one of: {', '.join(sorted(files)[:8]) or 'no files found'}", where
            )


RULE = Rule(
    name="package-entry-points-found",
    tier="bronze",
    title="Entry points name modules that the package has.",
    why="Otherwise it is installed, and shown as broken.",
    mend=(
        "Compare [project.entry-points.dlkit] with the files; a build that packs only some of them leaves others out."
    ),
    corrected="""
[project.entry-points.dlkit]
signals = "dlkit_signals.plugin"
""",
    check=check,
)

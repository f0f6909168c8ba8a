"""What is private may be gone tomorrow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from dlkit.catalog import GROUP
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    own = set(subject.package.roots)
    for name, path in subject.package.modules.items():
        for line, module, names in _imports(path):
            top = module.partition(".")[0]
            where = f"{name}:{line}"
            if top.startswith(f"{GROUP}_") and top not in own:
                yield Finding(
                    f"imports another plugin, {module}", "what both need lies in dlkit, or in one of them", where
                )
            if top == GROUP and (private := [one for one in (*module.split("."), *names) if _is_private(one)]):
                yield Finding(
                    f"imports {private[0]} of {module}", "what dlkit offers has no underscore before it", where
                )


def _imports(path: Path) -> Iterator[tuple[int, str, list[str]]]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):  # loading-works says it
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module, [alias.name for alias in node.names]


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


RULE = Rule(
    name="package-uses-the-public",
    tier="gold",
    title="It imports nothing private of dlkit, and no other plugin.",
    why=("Names with an underscore change without notice; a plugin that imports another breaks with it."),
    mend="Use what the reference documents; if something is missing there, ask for it.",
    check=check,
)

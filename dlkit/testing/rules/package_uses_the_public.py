"""What is private may be gone tomorrow."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from dlkit.catalog import GROUP
from dlkit.testing.finding import Finding
from dlkit.testing.package import Package
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    known = {*subject.package.roots, *_depended_on(subject.package)}
    for name, path in subject.package.modules.items():
        for line, module, names in _imports(path):
            top = module.partition(".")[0]
            where = f"{name}:{line}"
            if top.startswith(f"{GROUP}_") and top not in known:
                yield Finding(
                    f"imports {module}, another plugin's, which pyproject.toml does not depend on",
                    "what both need lies in dlkit; whoever builds on a plugin's task names it among the dependencies",
                    where,
                )
            if top == GROUP and (private := [one for one in (*module.split("."), *names) if _is_private(one)]):
                yield Finding(
                    f"imports {private[0]} of {module}", "what dlkit offers has no underscore before it", where
                )


def _depended_on(package: Package) -> set[str]:
    """The packages of the distributions that it needs."""
    needs = package.metadata.get("Requires-Dist", [])
    return {re.split(r"[^\w.-]", need)[0].replace("-", "_") for need in ([needs] if isinstance(needs, str) else needs)}


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
    title="It imports nothing private of dlkit, and no plugin that it does not depend on.",
    why=(
        "Names with an underscore change without notice; a plugin that imports another is broken where that one is not."
    ),
    mend="Use what the reference documents; if something is missing there, ask for it.",
    check=check,
)

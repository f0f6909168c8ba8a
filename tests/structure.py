"""Measures the tree: ``python tests/structure.py [FOLDER …]`` prints it, test_structure.py holds the limits.

Functions count from ``def`` to their last line, without decorators; the lines of a module are those of its file. A
comment is a line that has one. ``Any`` counts once for every mention in a parameter's or a return value's annotation.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Function:
    path: Path
    name: str
    line: int
    lines: int
    any_mentions: int


@dataclass(frozen=True)
class Module:
    path: Path
    lines: int
    comments: int
    functions: tuple[Function, ...]

    @property
    def any_mentions(self) -> int:
        return sum(function.any_mentions for function in self.functions)


def product() -> list[Path]:
    """Every module that users get: dlkit and the plugins' packages."""
    return sorted([*(ROOT / "dlkit").rglob("*.py"), *(ROOT / "plugins").glob("*/dlkit_*/**/*.py")])


@cache
def measure(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = {t.start[0] for t in tokens if t.type == tokenize.COMMENT and not _is_pragma(t.string)}
    return Module(path, text.count("\n"), len(comments), tuple(_functions(path, ast.parse(text))))


def _is_pragma(comment: str) -> bool:
    """Whether it speaks to a tool and not to a reader."""
    return comment.startswith(("# type:", "# noqa", "# pragma", "#!"))


def _functions(path: Path, tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            mentions = sum(_mentions_any(annotation) for annotation in _annotations(node))
            yield Function(path, node.name, node.lineno, node.end_lineno - node.lineno + 1, mentions)


def _annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    args = node.args
    for argument in [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]:
        if argument is not None and argument.annotation is not None:
            yield argument.annotation
    if node.returns is not None:
        yield node.returns


def _mentions_any(annotation: ast.expr) -> int:
    return sum(isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(annotation))


def summary(modules: list[Module]) -> str:
    lengths = sorted(function.lines for module in modules for function in module.functions)
    lines = sum(module.lines for module in modules)
    comments = sum(module.comments for module in modules)
    longest = max(modules, key=lambda module: module.lines)
    percentile = lengths[int(0.9 * (len(lengths) - 1))]
    return (
        f"{len(modules)} modules, {lines} lines; functions median {statistics.median(lengths):g}, p90 {percentile}, "
        f"max {lengths[-1]}; longest module {longest.lines} ({longest.path.relative_to(ROOT)}); "
        f"comments {100 * comments / lines:.1f} per 100 lines; Any in signatures "
        f"{sum(module.any_mentions for module in modules)}"
    )


def main(words: list[str]) -> None:
    if not words:
        print("all:", summary([measure(path) for path in product()]))
    groups = [Path(word).resolve() for word in words] or [
        *(path for path in sorted((ROOT / "dlkit").iterdir()) if path.is_dir() and path.name != "__pycache__"),
        *sorted(path for path in (ROOT / "plugins").iterdir() if path.is_dir()),
    ]
    for group in groups:
        found = [measure(path) for path in product() if path == group or group in path.parents]
        if found and any(module.functions for module in found):
            print(f"{group.relative_to(ROOT)}: {summary(found)}")


if __name__ == "__main__":
    main(sys.argv[1:])

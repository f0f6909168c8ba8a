"""What to type next, as this command was typed: through ``uv run`` or not, in the same workspace."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from dlkit.runs import mirrors
from dlkit.runs.folder import RunFolder
from dlkit.runs.workspace import usual


def tool() -> str:
    """What to type for dlkit itself."""
    return "uv run dlkit" if "UV_RUN_RECURSION_DEPTH" in os.environ else "dlkit"


def to_type(run: RunFolder, words: str) -> str:
    """A whole command for a run: the tool, the words, which name it by its id, and where it is, if not in the usual
    workspace."""
    if (named := mirrors.called(run.path)) != run.id:
        return f"{tool()} {words.replace(run.id, named)}"
    if run.path.parent.name != "runs":  # a copy, in no workspace: its folder names it wherever one is
        return f"{tool()} {words.replace(run.id, shlex.quote(str(run.path)))}"
    return in_workspace(run.path.parent.parent, words)


def in_workspace(workspace: Path, words: str) -> str:
    """A whole command for what is in a workspace: the tool, the words, and where it is, if not in the usual one."""
    return f"{tool()} {words}{_where(workspace)}"


def _where(workspace: Path) -> str:
    same = workspace.resolve() == usual().resolve()
    return "" if same else f" --workspace {shlex.quote(str(workspace))}"

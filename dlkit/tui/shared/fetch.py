"""Getting data: ``dlkit data get`` in a process of its own, its talk shown line by line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlkit.present.numbers import size
from dlkit.tui.shared.command_dialog import CommandDialog


class FetchDialog(CommandDialog):
    """Fetches sources one after the other. Closing it ends the download, which goes on from there the next time."""

    hint = "escape: stop (goes on from there the next time)"
    failed = "failed; nothing is lost; escape: close"

    def __init__(self, sources: Sequence[str], total: int, workspace: Path, *, stays: bool = True) -> None:
        amount = f" ({size(total)})" if total else ""
        commands = [("data", "get", name, "--workspace", str(workspace)) for name in sources]
        super().__init__(f"Fetching {', '.join(sources)}{amount}", commands, stays=stays)

"""A window to look for a file in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import DirectoryTree, Label


class Files(DirectoryTree):
    """Folders, and files with one of these suffixes (all, if there are none); hidden ones left out."""

    def __init__(self, folder: Path, suffixes: frozenset[str]) -> None:
        super().__init__(folder)
        self._suffixes = suffixes

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        return [p for p in paths if not p.name.startswith(".") and (self._fits(p) or p.is_dir())]

    def _fits(self, path: Path) -> bool:
        return not self._suffixes or path.suffix.lower() in self._suffixes


class OpenFile(ModalScreen[Path | None]):
    """Dismissed with the file, the folder under the cursor (o), or None."""

    DEFAULT_CSS = """
    OpenFile { align: center middle; }
    OpenFile > Vertical {
        width: 76; max-width: 95%; height: 80%; border: round $primary; padding: 0 1; background: $surface;
    }
    OpenFile DirectoryTree { height: 1fr; background: $surface; }
    OpenFile Label { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="file.cancel"),
        Binding("backspace", "parent", "Folder above", id="file.parent"),
        Binding("o", "folder", "Take folder", id="file.folder"),
        Binding("j", "down", "down", show=False, id="file.down"),
        Binding("k", "up", "up", show=False, id="file.up"),
    ]

    def __init__(self, folder: Path, suffixes: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self._folder, self._suffixes = folder.absolute(), suffixes

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Open"
            yield Files(self._folder, self._suffixes)
            yield Label("enter: open   o: take the folder   backspace: folder above   escape: cancel")

    @property
    def _tree(self) -> Files:
        return self.query_one(Files)

    def on_mount(self) -> None:
        self._tree.focus()

    def on_directory_tree_file_selected(self, event: DirectoryTree.FileSelected) -> None:
        self.dismiss(event.path)

    def action_folder(self) -> None:
        node = self._tree.cursor_node
        path = node.data.path if node is not None and node.data is not None else self._folder
        self.dismiss(path if path.is_dir() else path.parent)

    def action_parent(self) -> None:
        self._folder = self._folder.parent
        self._tree.path = self._folder

    def action_down(self) -> None:
        self._tree.action_cursor_down()

    def action_up(self) -> None:
        self._tree.action_cursor_up()

    def action_cancel(self) -> None:
        self.dismiss(None)

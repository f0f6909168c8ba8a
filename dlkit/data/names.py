"""Names in one normal form, and files found by names that somebody wrote on another machine."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from dlkit.data.files import is_file


def composed(text: str) -> str:
    """Unicode's NFC: what looks the same and means the same is the same. A Mac's files are named decomposed."""
    return unicodedata.normalize("NFC", text)


def shown(name: str) -> str:
    """A file's name as text: composed, and ``�`` for each byte that is not UTF-8, which no text can hold."""
    return composed(name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def shown_path(path: str | Path) -> str:
    """A path as text, ``�`` for each byte that is not UTF-8."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class Lookup:
    """Finds files below folders by their written names: as they are, composed, or in other capitals.

    Folders are listed once each, and only where a name is not found as it stands.
    """

    def __init__(self) -> None:
        self._listed: dict[Path, dict[str, list[str]]] = {}

    def find(self, folder: Path, name: str) -> Path | None:
        """The file, or None; a name that fits several files in other capitals stands for none."""
        path = folder / name
        if is_file(path):
            return path
        place = folder
        for part in Path(name).parts:
            there = part if part in (".", "..") or _exists(place / part) else self._spelled(place, part)
            if there is None:
                return None
            place = place / there
        return place if is_file(place) else None

    def _spelled(self, folder: Path, name: str) -> str | None:
        names = self._names(folder)
        # Composed first: capitals count where two files differ in them alone.
        for key in (composed(name), composed(name).casefold()):
            if len(found := names.get(key, [])) == 1:
                return found[0]
        return None

    def _names(self, folder: Path) -> dict[str, list[str]]:
        if folder not in self._listed:
            names: dict[str, list[str]] = {}
            try:
                listed = [entry.name for entry in folder.iterdir()]
            except OSError:
                listed = []
            for name in listed:
                for key in {composed(name), composed(name).casefold()}:
                    names.setdefault(key, []).append(name)
            self._listed[folder] = names
        return self._listed[folder]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # longer than a name may be
        return False

"""What somebody has set for the interface: the theme, and keys of their own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from dlkit.bounded import BadFile, read_toml

DARK, LIGHT = "textual-dark", "textual-light"


# A person's and never a workspace's: others may work in that.
def folder() -> Path:
    """$DLKIT_CONFIG, else ``dlkit`` in $XDG_CONFIG_HOME or ~/.config."""
    chosen = os.environ.get("DLKIT_CONFIG")
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "dlkit"


def keys_file() -> Path:
    """``[keys]`` with binding ids and keys: ``"run.stop" = "ctrl+x"``."""
    return folder() / "keys.toml"


def keymap() -> tuple[dict[str, str], list[str]]:
    """Keys by binding id, and what is wrong with the file."""
    path = keys_file()
    try:
        found = read_toml(path).get("keys", {})
    except FileNotFoundError:
        return {}, []
    except BadFile as error:
        return {}, [str(error)]
    except OSError as error:
        return {}, [f"{path}: {error}"]
    if not isinstance(found, dict):
        return {}, [f"{path}: [keys] must be a table of binding ids and keys"]
    wrong = [f"{path}: {key} = {value!r} must be a text" for key, value in found.items() if not isinstance(value, str)]
    return {key: value for key, value in found.items() if isinstance(value, str)}, wrong


def theme(environment: Mapping[str, str]) -> str:
    """The one kept; else by $TEXTUAL_THEME; else by what the terminal says of its background (COLORFGBG)."""
    with suppress(OSError, ValueError):
        kept = read_toml(folder() / "tui.toml").get("theme")
        if isinstance(kept, str):
            return kept
    if environment.get("TEXTUAL_THEME"):
        return environment["TEXTUAL_THEME"]
    return LIGHT if environment.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15") else DARK


def keep_theme(name: str) -> None:
    """Have the next start look the same; where nothing can be written, it does not."""
    with suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        (folder() / "tui.toml").write_text(f'theme = "{name}"\n', encoding="utf-8")

"""What somebody has set for the interface: the theme, and keys of their own."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from dlkit.bounded import BadFile, read_toml
from dlkit.folders import settings as folder

T = TypeVar("T")
DARK, LIGHT = "textual-dark", "textual-light"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")


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
    chosen = kept("theme", "")
    if chosen or environment.get("TEXTUAL_THEME"):
        return chosen or environment["TEXTUAL_THEME"]
    return LIGHT if environment.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15") else DARK


def kept(name: str, default: T) -> T:
    """What was last chosen; ``default`` if nothing was, or something of another type stands there."""
    found = _all_kept().get(name, default)
    return found if isinstance(found, type(default)) else default


def keep(name: str, value: str | bool | int | float | Sequence[object]) -> None:
    """Have the next start find it again; where nothing can be written, it does not. ``value`` may be a list, of lists
    too; finite numbers."""
    there = {**_all_kept(), name: value}
    path = folder() / "tui.toml"
    lines = [f"{key} = {written}" for key, one in there.items() if (written := _written(one))]
    with suppress(OSError, ValueError):
        folder().mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
        beside.replace(path)  # another interface may be reading it


def _written(value: object) -> str:
    """As TOML; empty for what is no string, number or list of such."""
    if isinstance(value, dict):
        return ""
    try:  # JSON is TOML but for tables, NaN, and this one letter, which must be escaped
        return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("\x7f", r"\u007f")
    except (TypeError, ValueError):
        return ""


def _all_kept() -> dict[str, object]:
    """By plain names: what else stands in the file is none of ours."""
    with suppress(OSError, ValueError):
        return {name: value for name, value in read_toml(folder() / "tui.toml").items() if _NAME.fullmatch(name)}
    return {}

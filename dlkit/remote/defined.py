"""Which other machines there are: ``remotes.toml`` in the person's own configuration folder.

Never in a workspace: that may come from anybody, and what stands here is connected to and run.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dlkit.bounded import BadFile, read_toml
from dlkit.errors import UsageError, nearest
from dlkit.folders import remove_tree, settings
from dlkit.runs import mirrors
from dlkit.runs.opening import replace

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

COMMAND = "dlkit"
"""What is run there, unless something else is said: it must be on the PATH of a shell that nobody logs in to."""
# No part may begin with a dash: ssh would take it for an option, and -oProxyCommand=… runs a program here.
_HOST = re.compile(r"(?:[A-Za-z0-9_][\w.+-]*@)?(?:[A-Za-z0-9_][\w.-]*|\[[0-9A-Fa-f:.]+\])", re.ASCII)
FORM = "USER@HOST:WORKSPACE, for example me@box.example:work/workspace"
_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Remote(NamedTuple):
    """Another machine: ``host`` is ``user@host`` or a name of ssh's own configuration, ``workspace`` a folder there
    (from the home folder on, unless it begins with a slash), ``command`` the words that run dlkit there."""

    name: str
    host: str
    workspace: str
    command: str = COMMAND
    port: int | None = None

    @property
    def address(self) -> str:
        return f"{self.host}:{self.workspace}"


def path() -> Path:
    """The file that names them."""
    return settings() / "remotes.toml"


def remotes() -> dict[str, Remote]:
    """By name, in the file's order. UsageError names what is wrong in it."""
    try:
        found = read_toml(path())
    except FileNotFoundError:
        return {}
    except (BadFile, OSError) as error:
        raise UsageError(f"{path()}: {getattr(error, 'strerror', None) or error}") from error
    return {name: _understood(name, fields) for name, fields in found.items()}


def remote(name: str) -> Remote:
    """The machine of that name; UsageError names those that there are."""
    found = remotes()
    if name not in found:
        raise UsageError(f"no remote {name!r}: {nearest(name, found)}; dlkit remote add NAME {FORM}")
    return found[name]


def _understood(name: str, fields: object) -> Remote:
    where = f"{path()}: [{name}]"
    if not isinstance(fields, Mapping):
        raise UsageError(f"{where}: must be a table with host and workspace")
    if unknown := sorted(fields.keys() - {"host", "workspace", "command", "port"}):
        raise UsageError(f"{where}: {unknown[0]}: {nearest(unknown[0], ('host', 'workspace', 'command', 'port'))}")
    host, workspace, command = (fields.get(key, "") for key in ("host", "workspace", "command"))
    port = fields.get("port")
    if not all(isinstance(text, str) for text in (host, workspace, command)):
        raise UsageError(f"{where}: host, workspace and command must be text")
    try:
        return checked(Remote(name, str(host), str(workspace), str(command) or COMMAND, port))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def checked(remote: Remote) -> Remote:
    """UsageError for what cannot be given to ssh, or would mean something else to it."""
    if not mirrors.NAME.fullmatch(remote.name):
        raise UsageError(f"name {remote.name!r}: letters, digits, - and _, at most 31 of them, not a dash first")
    if not _HOST.fullmatch(remote.host):
        raise UsageError(f"host {remote.host!r}: must be HOST or USER@HOST, neither beginning with a dash")
    if not remote.workspace or _STEERING.search(remote.workspace):
        raise UsageError(f"workspace {remote.workspace!r}: must be a folder over there: {FORM}")
    _words(remote.command)
    if remote.port is not None and (type(remote.port) is not int or not 0 < remote.port < 1 << 16):
        raise UsageError(f"port {remote.port!r}: must be a whole number from 1 to 65535")
    return remote


def parsed(name: str, address: str, command: str, port: int | None) -> Remote:
    """A machine as somebody types it; UsageError says what is wrong."""
    host, colon, workspace = address.partition("]:") if address.rpartition("@")[2].startswith("[") else (
        address.partition(":"))  # fmt: skip
    if colon == "]:":
        host += "]"
    if not colon or not workspace:
        raise UsageError(f"{address!r}: must be {FORM}")
    return checked(Remote(name, host, workspace.rstrip("/") or "/", command, port))


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"command {command!r}: {error}") from error
    if not words or _STEERING.search(command):
        raise UsageError(f"command {command!r}: must be what runs dlkit over there")
    return words


def line(remote: Remote) -> str:
    """What the shell over there is given: its words alone are the person's own, each of them quoted."""
    return " ".join([*map(_quoted, _words(remote.command)), "remote", "serve"])


def _quoted(word: str) -> str:
    """A word for a shell; ``~/`` at its beginning is the home folder over there."""
    return f'"$HOME"/{shlex.quote(word[2:])}' if word.startswith("~/") else shlex.quote(word)


def add(remote: Remote) -> None:
    """Write a machine down; UsageError if there is one of that name already."""
    there = remotes()
    if remote.name in there:
        old = there[remote.name].address
        raise UsageError(f"there is a remote {remote.name!r} already: {old}; dlkit remote remove {remote.name}")
    document = _document()
    document[remote.name] = {
        key: value
        for key, value in remote._asdict().items()
        if key != "name" and value is not None and (key, value) != ("command", COMMAND)
    }
    _write(document)


def remove(name: str) -> Remote:
    """Forget a machine, and the copies of its runs; nothing happens over there."""
    found = remote(name)
    document = _document()
    del document[name]
    _write(document)
    if mirrors.place(name).is_dir():
        remove_tree(mirrors.place(name))
    return found


def _document() -> TOMLDocument:
    """As people wrote it: tomlkit keeps what stands between the lines."""
    import tomlkit

    try:
        return tomlkit.parse(path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return tomlkit.document()


def _write(document: TOMLDocument) -> None:
    import tomlkit

    settings().mkdir(parents=True, exist_ok=True)
    replace(path(), tomlkit.dumps(document).encode())

"""One ssh process: how it is started, and what its end means. It asks nobody anything, and waits for no password."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import IO

from dlkit.errors import RunError
from dlkit.folders import cache
from dlkit.remote.defined import Remote, line

PROGRAM = "DLKIT_SSH"
"""The environment variable with the words that run ssh, where these are others: ``ssh -F FILE``."""
PERSIST_SECONDS = 120
"""So long ssh keeps its connection after the last who used it: the next command need not greet again."""
CONNECT_SECONDS = 10
_LONGEST = 104 - 1 - 40 - 18
"""Bytes of a folder for sockets, whose paths a system bounds: with ssh's hash, and what it writes behind it first."""
_FAILED = 255
"""ssh's own exit code where it is ssh that failed."""


class Unreachable(RunError):
    """No connection to another machine, or no longer."""

    kind = "remote"


def started(remote: Remote, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """ssh, with dlkit at its other end. What both say of errors goes into a file: ssh's own process that keeps the
    connection would hold a pipe open."""
    try:
        return subprocess.Popen(
            words(remote),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # Ctrl-C is for this process, which then takes leave
        )
    except OSError as error:
        raise Unreachable(f"{remote.name}: ssh cannot be started: {error.strerror or error}") from error


def words(remote: Remote) -> list[str]:
    """ssh's command line: options, ``--``, the host, and one word for the shell over there."""
    options = {
        "BatchMode": "yes",
        "ConnectTimeout": CONNECT_SECONDS,
        "ServerAliveInterval": 5,
        "ServerAliveCountMax": 3,
        "ControlMaster": "auto",
        "ControlPersist": PERSIST_SECONDS,
        "ControlPath": _sockets() / "%C",
        "ClearAllForwardings": "yes",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "PermitLocalCommand": "no",
        "RequestTTY": "no",
    }
    settings = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    port = ["-p", str(remote.port)] if remote.port is not None else []
    return [*shlex.split(os.environ.get(PROGRAM) or "ssh"), *settings, *port, "--", remote.host, line(remote)]


def _sockets() -> Path:
    """A folder that is this person's alone: whoever can open a socket in it is logged in over there."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    places = [cache() / "ssh", *([Path(runtime) / "dlkit-ssh"] if runtime else [])]
    places.append(Path(tempfile.gettempdir()) / f"dlkit-ssh-{os.getuid()}")
    place = next((place for place in places if len(os.fsencode(place.absolute())) <= _LONGEST), places[-1]).absolute()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise Unreachable(
            f"{place}: must be a folder that nobody but you may enter (chmod 700): ssh's sockets lie there"
        )
    return place


def left(remote: Remote) -> None:
    """Have ssh close the connection that it keeps; nothing if it keeps none."""
    *front, host, _ = words(remote)
    subprocess.run(
        [*front[:-1], "-O", "exit", "--", host],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


_SAYS = (
    ("host key verification failed", "its host key is unknown here, or has changed: look at it once with ssh {}"),
    ("permission denied", "it lets nobody in without a password: ssh-copy-id {}, or have ssh-agent hold the key"),
    ("connection refused", "nobody answers there: no sshd, or another port (--port)"),
    ("could not resolve hostname", "there is no such host"),
    ("timed out", "it does not answer"),
    ("no route to host", "it cannot be reached from here"),
    ("network is unreachable", "it cannot be reached from here"),
)  # fmt: skip
"""What ssh says, in small letters, and what that means."""


def explained(remote: Remote, code: int | None, errors: str, noise: str = "") -> Unreachable:
    """Why there is no dlkit at the other end."""
    said = "\n".join(text for text in (errors.strip(), noise.strip()) if text)
    last = said.splitlines()[-1].strip()[:300] if said else ""
    if code == _FAILED:
        for words_, meaning in _SAYS:
            if words_ in said.lower():
                return Unreachable(f"{remote.name}: {meaning.format(remote.host)} ({last})")
        return Unreachable(f"{remote.name}: ssh {remote.host}: {last or 'ended without a word'}")
    if "no command 'remote'" in said or "invalid choice" in said:
        return Unreachable(f"{remote.name}: the dlkit there is too old to be asked from elsewhere: install a newer one")
    if code in (126, 127) or "not found" in said.lower() or "no module named" in said.lower():
        hint = f"dlkit remote add {remote.name} … --command PATH/TO/dlkit"
        what = f"{remote.name}: no dlkit there: {remote.command!r} cannot be run ({last})"
        return Unreachable(f"{what}: {hint}").hinting(hint)
    if code is None:
        return Unreachable(f"{remote.name}: what answers is no dlkit: {last or 'nothing that can be understood'}")
    return Unreachable(f"{remote.name}: {remote.command!r} ended with code {code}: {last or 'without a word'}")

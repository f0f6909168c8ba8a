"""Orders for what lies on another machine: dlkit's own command, carried out over there, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dlkit.bounded import SETTINGS, parse_json, read_bytes
from dlkit.errors import RunError, UsageError
from dlkit.remote.connection import Connection
from dlkit.remote.defined import Remote, remote
from dlkit.runs import mirrors
from dlkit.runs.folder import RunFolder

FOR_EVER = 10 * 365 * 86400.0
"""A command over there may wait for a run's end; that the connection is alive is ssh's affair."""
MOST = 1 << 24
"""Bytes of a document that are kept."""


def carry_out(
    there: Remote,
    words: Sequence[str],
    out: Callable[[bytes], object],
    err: Callable[[bytes], object],
    texts: Mapping[int, str] | None = None,
) -> int:
    """``dlkit WORDS`` over there, its words as they come; its exit code. ``texts``: files in the places of words.

    Unreachable. KeyboardInterrupt takes leave, at which the command over there is interrupted too.
    """
    code = 1
    with Connection(there) as connection:
        told = {str(place): text for place, text in (texts or {}).items()}
        for frame in connection.ask("run", patience=FOR_EVER, words=list(words), texts=told, called=there.name):
            if frame.data:
                (out if frame.told.get("stream") == "out" else err)(frame.data)
            found = frame.told.get("code")
            code = found if isinstance(found, int) and 0 <= found < 256 else 1
    return code


def document(there: Remote, words: Sequence[str], texts: Mapping[int, str] | None = None) -> dict[str, object]:
    """The document that ``dlkit WORDS --json`` prints over there. RunError in its words, if it fails."""
    out, err = bytearray(), bytearray()

    def keep(parts: bytearray) -> Callable[[bytes], None]:
        return lambda data: parts.extend(data[: MOST - len(parts)])

    code = carry_out(there, [*words, "--json"], keep(out), keep(err), texts)
    found: object = None
    for line in (bytes(out), *reversed(bytes(out).strip().splitlines())):
        try:
            found = parse_json(line)
            break
        except ValueError:  # a failure is the last line, after what came before it
            continue
    told = found if isinstance(found, dict) else {}
    if code:
        raise RunError(_failure(there, told, bytes(err), code))
    return told


def _failure(there: Remote, told: Mapping[str, object], err: bytes, code: int) -> str:
    error = told.get("error")
    if isinstance(error, dict) and error.get("message"):
        words = (str(error.get("message")), str(error.get("hint") or ""))
        return f"{there.name}: {': '.join(word for word in words if word)}"[:2000]
    lines = err.decode("utf-8", "replace").strip().splitlines()
    return f"{there.name}: {lines[-1][:500] if lines else f'ended with code {code}'}"


def order(run: RunFolder, command: str, *words: str) -> dict[str, object]:
    """One command about a mirrored run; the document that came of it. RunError says why not."""
    return document(remote(mirrors.name_of(run.path)), [*command.split(), run.id, *words])


def sent_along(words: Sequence[str]) -> dict[int, str]:
    """The configuration that ``--config FILE`` names here, by the place of its word. UsageError: it cannot be read."""
    found = {}
    for place, word in enumerate(words[:-1]):
        if word == "--config":
            try:
                found[place + 1] = read_bytes(Path(words[place + 1]).expanduser(), SETTINGS).decode()
            except (OSError, ValueError) as error:
                raise UsageError(f"--config {words[place + 1]}: {error}") from error
    return found


def value_word(value: object) -> str:
    """A value as a word of a command line."""
    return value if isinstance(value, str) else json.dumps(value)

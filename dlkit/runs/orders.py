"""What a run's stored configuration asks of the machine that it is resumed on, and what of it holds.

Of a run that its workspace has made, all of it. Of a foreign one (``runs.own``) not what a stranger could mean harm
with: an address that is told of its end, a launcher of a plugin's, numbers of processes and threads that bring a
machine down. It is dropped, announced, and holds again where whoever resumes the run says it again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dlkit.config import Layer
from dlkit.errors import UsageError, nearest
from dlkit.interpreter import A_CORE
from dlkit.runs.contents import stored_sections
from dlkit.runs.own import is_own

if TYPE_CHECKING:
    from dlkit.json_types import Settings
    from dlkit.runs.folder import RunFolder
    from dlkit.runs.run_record import RunRecord

FLAGS = {
    "notify": ("job", "notify"),
    "launcher": ("launcher", "name"),
    "nproc": ("job", "nproc"),
    "workers": ("engine", "workers"),
    "threads": ("engine", "threads"),
}
"""What may be said again, each by a flag of its name."""
OUR_LAUNCHERS = ("local", "torchrun")


class Orders(NamedTuple):
    """``layers`` belong over the stored configuration, below other changes; ``dropped`` are lines for people."""

    layers: Sequence[Layer] = ()
    dropped: Sequence[str] = ()


def given_orders(values: Mapping[str, object]) -> Layer | None:
    """What somebody says again, by the names of FLAGS; None: nothing. UsageError for another name."""
    tables: dict[str, dict[str, object]] = {}
    for name, value in values.items():
        if name not in FLAGS:
            raise UsageError(f"orders: unknown {name!r}; {nearest(name, FLAGS)}")
        section, key = FLAGS[name]
        tables.setdefault(section, {})[key] = value
    return Layer("flag", tables) if tables else None


def orders_of(run: RunFolder, record: RunRecord, given: Layer | None = None) -> Orders:
    """What holds of a run's orders when somebody resumes it and says some of them, or others, again."""
    said = [given] if given is not None else []
    if is_own(run.path, record):  # a key that may not be read proves nothing either
        return Orders(said)
    stored = stored_sections(run)
    excess = _excess(stored)
    tables: dict[str, dict[str, object]] = {}
    for section, key in excess:
        tables.setdefault(section, {})[key] = None if key == "notify" else 0 if section == "engine" else 1
    if ("launcher", "name") in excess or ("job", "nproc") in excess:
        several = stored.get("job", {}).get("nproc", 1) != 1 and ("job", "nproc") not in excess
        tables["launcher"] = {"name": "torchrun" if several else "local"}
    if not tables:
        return Orders(said)
    repeated = {(section, key) for layer in said for section in layer.values for key in layer.table(section)}
    lines = [_line(place, excess[place]) for place in excess if place not in repeated]
    if lines:
        lines.insert(
            0, f"{run.id} was not made in this workspace, or has been changed: not all that it asks for is done"
        )
    return Orders([Layer("dropped", tables), *said], lines)


def _excess(stored: Mapping[str, Settings]) -> dict[tuple[str, str], object]:
    """What a stranger's configuration says that is not done because of it alone."""
    found: dict[tuple[str, str], object] = {}
    if notify := stored.get("job", {}).get("notify"):
        found["job", "notify"] = notify
    launcher = stored.get("launcher", {}).get("name", OUR_LAUNCHERS[0])
    if launcher not in OUR_LAUNCHERS:
        found["launcher", "name"] = launcher
    most = A_CORE * (os.cpu_count() or 1)
    for section, key in (FLAGS["nproc"], FLAGS["workers"], FLAGS["threads"]):
        count = stored.get(section, {}).get(key, 0)
        if isinstance(count, int) and count > most:
            found[section, key] = count
    return found


def _line(place: tuple[str, str], value: object) -> str:
    flag = next(name for name, where in FLAGS.items() if where == place)
    return f"  dropped: {flag} = {value!r}; --{flag} {value} would keep it"

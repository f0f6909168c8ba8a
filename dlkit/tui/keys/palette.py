"""What ctrl+p offers: every action that has a key here, every task, the newest runs, themes, and the keys file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from textual.app import SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

from dlkit.runs.folder import Summary, folder_of
from dlkit.steering import one_line
from dlkit.tui.shared.host import Host

RUNS = 20
"""The newest runs that are offered."""
NAMED = 200
"""Of the older ones, so many with a name: each letter that is typed is compared with all of them."""


class Key(NamedTuple):
    """A binding as people see it; ``here``: of the screen or the widget with the focus, not of the whole app;
    ``main``: named in the line at the bottom where there is room."""

    id: str
    keys: str
    title: str
    detail: str
    action: str
    namespace: DOMNode
    here: bool
    main: bool


def keys_here(app: Host, screen: Screen[Any]) -> list[Key]:
    """The bindings that work on a screen now, each once, with all its keys."""
    found: dict[tuple[str, str], list[tuple[Binding, DOMNode]]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if active.enabled and binding.id and binding.description:
            found.setdefault((binding.action, binding.description), []).append((binding, active.node))
    return [_key(app, several) for several in found.values()]


def _key(app: Host, several: list[tuple[Binding, DOMNode]]) -> Key:
    binding, node = several[0]
    keys = " ".join(dict.fromkeys(app.get_key_display(one) for one, _ in several))
    title = binding.description[:1].upper() + binding.description[1:]
    detail = binding.tooltip or ""
    return Key(binding.id or "", keys, title, detail, binding.action, node, node is not app, binding.show)


def commands(app: Host, screen: Screen[Any]) -> Iterable[SystemCommand]:
    for key in keys_here(app, screen):
        if not key.id.startswith("table."):
            detail = f"{key.detail} (key: {key.keys})" if key.detail else f"key: {key.keys}"
            yield SystemCommand(key.title, detail, _runner(app, key))
    if app.catalog is not None:
        for spec in app.catalog.specs("task"):
            yield SystemCommand(
                f"Train {spec.name}", f"{spec.title}: the launch form", partial(app.open_launch, spec.name)
            )
    for run in _offered(app.summaries):
        folder = folder_of(app.workspace, run.id)
        yield SystemCommand(one_line(f"Open run {_both(run)}"), run.state, partial(app.open_run, folder))
    yield SystemCommand("Theme", "Choose among light and dark themes; kept for the next start", app.action_change_theme)
    yield SystemCommand("Write keys file", "All keys with their ids, to be changed as you like", app.write_keys)
    yield SystemCommand("Save screenshot", "This screen as an SVG picture", app.save_picture)


def _offered(runs: Sequence[Summary]) -> Iterable[Summary]:
    """The newest, and of the older those that somebody has given a name."""
    named = (run for run in runs[RUNS:] if run.name)
    return [*runs[:RUNS], *islice(named, NAMED)]


def _both(run: Summary) -> str:
    """The name first: it is what people type; then the id, by its end too."""
    return f"{run.name}  {run.id}" if run.name else run.id


def _runner(app: Host, key: Key) -> Callable[[], Awaitable[bool]]:
    return partial(app.run_action, key.action, key.namespace)

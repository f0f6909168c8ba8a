"""What the screen of a run is put together from."""

from __future__ import annotations

from textual.widget import Widget

from dlkit.monitor.view import RunView


class Pane(Widget):
    """One aspect of a run. ``show`` is called in the interface's thread when the pane appears, and whenever the view
    has changed while it is visible; it must be quick (5 ms) and leave alone what has not changed."""

    DEFAULT_CSS = "Pane { height: 1fr; }"

    def show(self, view: RunView) -> None:
        raise NotImplementedError

"""What the screen of a run is put together from."""

from __future__ import annotations

from collections.abc import Callable

from textual.message_pump import MessagePump
from textual.widget import Widget

from dlkit.monitor.view import RunView


class Shield(MessagePump):
    """The boundary to whatever a run's folder holds: what cannot be shown is said, and takes nothing else with it."""

    _complaint = ""

    def shield(self, draw: Callable[[], object]) -> None:
        """Draw; an error is a notice, once."""
        try:
            draw()
        # A folder may hold anything, so that anything may come of it.
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            if text != self._complaint:
                self._complaint = text
                self.app.notify(text, title="cannot be shown", severity="error", markup=False)


class Pane(Shield, Widget):
    """One aspect of a run. ``show`` is called in the interface's thread when the pane appears, and whenever the view
    has changed while it is visible; it must be quick (5 ms) and leave alone what has not changed."""

    DEFAULT_CSS = "Pane { height: 1fr; }"

    def show(self, view: RunView) -> None:
        raise NotImplementedError

"""The keys of charts, for whatever shows some: they turn one look into another."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from textual.binding import Binding
from textual.widget import Widget

from dlkit.tui.chart.chart import Chart
from dlkit.tui.chart.look import Extent, Look
from dlkit.tui.chart.units import STEP, UNITS

CHART_KEYS = (
    Binding("left", "chart_cursor(-1)", "Cursor left", show=False, id="chart.left"),
    Binding("right", "chart_cursor(1)", "Cursor right", show=False, id="chart.right"),
    Binding("ctrl+left", "chart_cursor(-10)", "Cursor far left", show=False, id="chart.far-left"),
    Binding("ctrl+right", "chart_cursor(10)", "Cursor far right", show=False, id="chart.far-right"),
    Binding("shift+left,H", "chart_pan(-0.25)", "Pan left", show=False, id="chart.pan-left"),
    Binding("shift+right,L", "chart_pan(0.25)", "Pan right", show=False, id="chart.pan-right"),
    Binding("plus,equals_sign", "chart_zoom(0.5)", "Zoom in", key_display="+", show=False, id="chart.in",
            tooltip="Around the cursor"),
    Binding("minus", "chart_zoom(2)", "Zoom out", key_display="-", show=False, id="chart.out"),
    Binding("0,backspace", "chart_whole", "Whole curve", show=False, id="chart.whole",
            tooltip="All steps again, and no cursor"),
    Binding("y", "chart_log", "Log scale", id="chart.log", tooltip="Logarithmic values, of this chart"),
    Binding("Y", "chart_log_steps", "Log steps", show=False, id="chart.log-steps"),
    Binding("z", "chart_smooth(1)", "Smooth", id="chart.smooth", tooltip="0, 0.6, 0.9, 0.99"),
    Binding("Z", "chart_smooth(-1)", "Less smooth", show=False, id="chart.less-smooth"),
    Binding("t", "chart_unit", "Steps, epochs or time", show=False, id="chart.epochs",
            tooltip="What the x axis counts"),
)  # fmt: skip
"""For the BINDINGS of a class that is a ``ChartKeys``."""


class ChartKeys:
    """What the keys do, for one look shared by several charts."""

    look: Look = Look()
    unit: str = STEP
    """What x counts."""
    logarithmic: frozenset[str] = frozenset()
    """Keys of the charts whose values are shown so."""

    @property
    def chart(self) -> Chart | None:
        """The one that keys mean."""
        raise NotImplementedError

    def looked(self) -> None:
        """``look``, ``unit`` or ``logarithmic`` is another now."""
        raise NotImplementedError

    def no_unit(self, unit: str) -> str:
        """Why x cannot count so; empty if it can."""
        return ""

    @property
    def axis(self) -> str:
        """What x counts here: ``unit``, if that can be counted."""
        return STEP if self.no_unit(self.unit) else self.unit

    @property
    def chart_key(self) -> str:
        """What the chart that keys mean is known by."""
        return self.chart.title if self.chart is not None else ""

    @property
    def _extent(self) -> Extent:
        return self.chart.extent if self.chart is not None else Extent()

    def _take(self, look: Look) -> None:
        if look != self.look:
            self.look = look
            self.looked()

    def action_chart_cursor(self, by: int) -> None:
        if self.chart is not None:
            self._take(self.chart.moved(by))

    def action_chart_pan(self, share: float) -> None:
        self._take(self.look.panned(self._extent, share))

    def action_chart_zoom(self, times: float) -> None:
        self._take(self.look.zoomed(self._extent, times))

    def action_chart_whole(self) -> None:
        self._take(replace(self.look, window=None, follows=False, cursor=None))

    def action_chart_smooth(self, by: int) -> None:
        self._take(self.look.smoother(by))

    def action_chart_log(self) -> None:
        if self.chart is not None:
            self.logarithmic ^= {self.chart_key}
            self.looked()

    def action_chart_log_steps(self) -> None:
        self._take(replace(self.look, log_x=not self.look.log_x, window=None, follows=False))

    def action_chart_unit(self) -> None:
        """The next one that there is; why one is passed over is said."""
        place = UNITS.index(self.axis)
        for unit in (*UNITS[place + 1 :], *UNITS[:place]):
            why = self.no_unit(unit)
            if not why:
                break
            cast(Widget, self).notify(why, severity="warning", markup=False)
        self.unit = unit
        self.look = replace(self.look, window=None, follows=False, cursor=None)
        self.looked()

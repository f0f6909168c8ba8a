"""The options of a question, a line each: those that matter to most questions, and on demand all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.containers import Horizontal, ItemGrid
from textual.widgets import Label

from dlkit.monitor.model_process import Option
from dlkit.tui.shared.prompt import Prompt


class OptionInput(Prompt):
    """An option of the question, by its name."""

    def __init__(self, option: Option) -> None:
        self.option = option
        super().__init__(written(option.value), tooltip=f"{option.description} ({option.allowed})")


class OptionGrid(ItemGrid):
    """All of them; not to be seen where there are none."""

    DEFAULT_CSS = """
    OptionGrid { height: auto; max-height: 4; padding: 0 1; grid-gutter: 0 2; display: none; }
    OptionGrid Horizontal { height: 1; }
    OptionGrid Label { padding-right: 1; }
    OptionGrid Input { width: 1fr; background: $boost; }
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id, min_column_width=24)
        self._all = False

    def show(self, options: Sequence[Option], kept: Mapping[str, str]) -> None:
        """These, with the values ``kept`` of before."""
        self.remove_children()
        for option in options:
            line = OptionInput(option)
            line.value = kept.get(option.name, line.value)
            self.mount(Horizontal(Label(option.name, markup=False), line))
        self._arrange([option.seldom for option in options])

    @property
    def has_more(self) -> bool:
        """Whether there are options that are shown on demand alone."""
        return any(line.option.seldom for line in self.query(OptionInput))

    def toggle(self) -> None:
        """Show all of them, or no longer."""
        self._all = not self._all
        self._arrange([line.option.seldom for line in self.query(OptionInput)])

    def _arrange(self, seldom: Sequence[bool]) -> None:
        for place, is_seldom in zip(self.query(Horizontal), seldom, strict=False):
            place.display = self._all or not is_seldom
        self.display = bool(seldom) and (self._all or not all(seldom))

    def changed(self) -> dict[str, str]:
        """What differs from what holds if nothing is said."""
        lines = self.query(OptionInput)
        return {line.option.name: line.value for line in lines if line.value != written(line.option.value)}

    def fill(self, values: Mapping[str, str]) -> None:
        """These values; of the others, what holds if nothing is said."""
        for line in self.query(OptionInput):
            line.value = values.get(line.option.name, written(line.option.value))


def written(value: object) -> str:
    """An option's value as it is typed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(written, value)) if isinstance(value, (list, tuple)) else str(value)

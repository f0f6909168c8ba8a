"""A question that is a table's row: one field a column."""

from __future__ import annotations

from textual.containers import Horizontal, ItemGrid
from textual.message import Message
from textual.widgets import Input, Label

from dlkit.monitor.row_words import Fields
from dlkit.steering import one_line
from dlkit.tui.shared.prompt import Prompt


class RowGrid(ItemGrid):
    """Its fields; not to be seen where the question is none. ``Edited`` when somebody has typed in one of them."""

    DEFAULT_CSS = """
    RowGrid { height: auto; max-height: 6; padding: 0 1; grid-gutter: 0 2; display: none; overflow-y: auto; }
    RowGrid Horizontal { height: 1; }
    RowGrid Label { padding-right: 1; max-width: 50%; color: $text-muted; }
    RowGrid Input { width: 1fr; background: $boost; }
    """

    class Edited(Message):
        def __init__(self, fields: Fields) -> None:
            self.fields = fields
            super().__init__()

    def __init__(self) -> None:
        super().__init__(min_column_width=26)
        self._names: list[str] = []

    def show(self, fields: Fields) -> None:
        """These; fields of the same names stay where they are, and so does who types in one."""
        self.display = bool(fields)
        names = [name for name, _ in fields]
        if names == self._names:
            for (_, value), prompt in zip(fields, self.query(Prompt), strict=True):
                if prompt.value != value and not prompt.has_focus:
                    with prompt.prevent(Input.Changed):
                        prompt.value = value
            return
        self._names = names
        self.remove_children()
        self.mount(*(Horizontal(Label(one_line(name), markup=False), Prompt(value)) for name, value in fields))

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        values = [prompt.value for prompt in self.query(Prompt)]
        if len(values) == len(self._names) and message.input.has_focus:
            self.post_message(self.Edited(tuple(zip(self._names, values, strict=True))))

"""The prediction of a row, of an exported model: NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlkit.answering import Answered, Answering, Given, RunGraph
from dlkit.data.tables import Reading
from dlkit_regression.columns import Target, column_of
from dlkit_regression.rows import Rows


class RowAnswering(Answering):
    """``given``: ``columns``, ``target``, ``reading`` and ``missing_words`` of the run's ``info``."""

    usage = 'a CSV file with a header, or rows: name=value,name=value or {"name": value}'
    asks = "row"

    def __init__(self, given: Given, run: RunGraph) -> None:
        super().__init__(given, run)
        columns = [column_of(fields) for fields in given["columns"]]
        self._rows = Rows(columns, given["missing_words"], Reading(**given["reading"]))
        self._target = Target(**given["target"])

    def read(self, words: Sequence[str]) -> list[object]:
        return self._rows.read(words)

    def accept(self, value: object) -> object:
        return self._rows.accept(value)

    def notes(self) -> list[str]:
        return self._rows.notes()

    def predict(self, inputs: Sequence[object]) -> list[Answered]:
        """``prediction`` in the target's ``unit``, as ``Regressor.predict``."""
        if not inputs:
            return []
        outputs = self.run("model", features=self._rows.features(inputs))["outputs"]
        values = outputs[:, 0].astype(np.float64) * self._target.std + self._target.mean
        return [{"prediction": value, "unit": self._target.unit} for value in values.tolist()]

"""The toy's answers with NumPy alone, and what no export can take along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlkit.answering import Answered, Answering
from dlkit.errors import DataError


class ValuesAnswering(Answering):
    """Rows of three numbers → y, as ``ValuesPredictor``."""

    usage = "rows of three numbers: 1,2,3"

    def read(self, words: Sequence[str]) -> list[Any]:
        return [self.accept([float(cell) for cell in word.split(",")]) for word in words]

    def accept(self, value: object) -> Any:
        if not isinstance(value, list) or len(value) != self.given["features"]:
            raise DataError(f"{value} is not a row of {self.given['features']} numbers")
        return value

    def predict(self, inputs: Sequence[Any]) -> list[Answered]:
        found = self.run("model", x=np.array(inputs, np.float32))["outputs"]
        return [{"y": float(value)} for value in found]

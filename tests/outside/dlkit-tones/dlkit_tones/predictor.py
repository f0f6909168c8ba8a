"""How the trained model is asked, and what people see of it while it trains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from dlkit.data.splits import Split
from dlkit.errors import DataError
from dlkit.predictor import Answer, Predictor
from dlkit.question_schema import NUMBER, SHARE, Schema, by_name, choice, fields, several, told
from dlkit.samples import Sample, Table

from dlkit_tones.task import ListenerOptions, TonesInfo, curve, named


class Listener(Predictor[TonesInfo, ListenerOptions]):
    """Signals as lists of numbers, or as the lines of text files → which tones sound in them."""

    usage = "files of signals, a line each, numbers with commas between"
    asks, label, placeholder = "row", "signal", "a file of signals"

    def accept(self, value: object) -> list[float]:
        if not isinstance(value, list) or any(isinstance(cell, (bool, str)) for cell in value):
            raise DataError(f"a signal is a list of {self.info.samples} numbers, not {told(value)}")
        return self._checked(value, "a signal")

    def read(self, arguments: Sequence[str]) -> list[list[float]]:
        signals = []
        for name in arguments:
            try:
                lines = Path(name).read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError, ValueError) as error:
                raise DataError(f"{name} is no file of signals: {error}") from error
            rows = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
            if not rows:
                raise DataError(f"{name} has no line with a signal")
            signals += [self._checked(line.split(","), f"{name}, line {number}") for number, line in rows]
        return signals

    def _checked(self, cells: Sequence[object], what: str) -> list[float]:
        try:
            signal = np.array(cells, np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(f"{what} is not made of numbers: {error}") from error
        if signal.shape != (self.info.samples,) or not (np.abs(signal) <= 1e6).all():
            raise DataError(f"{what}: {len(cells)} numbers, where {self.info.samples} from -1e6 to 1e6 are a signal")
        return [float(number) for number in signal]

    def schema(self) -> Schema:
        count = self.info.samples
        number = {**NUMBER, "minimum": -1e6, "maximum": 1e6}
        question = {**several(number), "minItems": count, "maxItems": count}
        answer = fields({"tones": several(choice(self.info.tones)), "probabilities": by_name(SHARE)})
        return Schema(question=question, answer=answer, example=[0.0] * count)

    def predict(self, inputs: Sequence[list[float]]) -> list[Answer]:
        """``tones`` that are heard, and the ``probabilities`` of all."""
        if not inputs:
            return []
        answers: list[Answer] = []
        for row in self.forward(torch.tensor(inputs, dtype=torch.float32)).sigmoid().tolist():
            shares = dict(zip(self.info.tones, row, strict=True))
            heard = [tone for tone, share in shares.items() if share >= self.config.threshold]
            answers.append({"tones": heard, "probabilities": shares})
        return answers

    def show(self, inputs: Sequence[list[float]], answers: Sequence[Answer]) -> Sequence[Sample]:
        rows = [[", ".join(a["tones"]) or "none", *(round(p, 3) for p in a["probabilities"].values())] for a in answers]
        return [Table(name="predictions", headers=["heard", *self.info.tones], rows=rows)]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        if examples is None:  # a checkpoint without its data
            return ()
        batch = examples.take(torch.from_numpy(rng.permutation(len(examples))[: max(1, count)]))
        found = self.forward(batch["signal"]).sigmoid().tolist()
        pairs = zip(batch["sounding"].tolist(), found, strict=True)
        rows = [[named(self.info, true), named(self.info, shares, self.config.threshold)] for true, shares in pairs]
        first = f"one signal: {rows[0][0]} (heard: {rows[0][1]})"
        return [
            curve(self.info, "signal", batch["signal"][0].tolist(), first),
            Table(name="heard", headers=["sounding", "heard"], rows=rows),
        ]

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        if examples is None:
            return []
        place = folder / "signal.csv"
        (signal,) = examples.take(torch.from_numpy(rng.integers(len(examples), size=1)))["signal"].tolist()
        place.write_text(",".join(f"{number:.5g}" for number in signal), encoding="utf-8")
        return [str(place)]

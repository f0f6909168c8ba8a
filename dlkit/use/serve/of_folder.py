"""An exported folder, served: it answers as it was exported, without torch and pydantic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from dlkit.answering import Answered, Input
from dlkit.catalog import Catalog
from dlkit.errors import UsageError
from dlkit.json_types import Settings
from dlkit.samples import Images, Sample
from dlkit.use.export.exported import load_exported
from dlkit.use.serve.frames import Told


class ServedFolder:
    """Raises as ``load_exported``."""

    def __init__(self, folder: Path) -> None:
        self._exported = load_exported(folder, Catalog.load_everything())

    def hello(self) -> Told:
        """What it is; the networks are opened, by a question of its own, so that nobody waits for that."""
        with suppress(Exception):  # the plugin boundary: whoever asks is told what fails
            self._exported.predict([self._exported.accept(self._exported.schema()["example"])])
        self._exported.notes()
        exported, record = self._exported, self._exported.record
        return {
            "asks": exported.asks,
            "label": "question",
            "placeholder": "",
            "usage": exported.usage,
            "streams": exported.streams,
            "task": record.task,
            "inference": record.inference,
            "step": record.step,
            "schema": dict(exported.schema()),
            "options": [],
        }

    def asked_with(self, options: Settings) -> ServedFolder:
        if options:
            named = ", ".join(f"inference.{name}" for name in sorted(options))
            raise UsageError(f"{named}: an exported model answers as it was exported; serve the run for other options")
        return self

    def accept(self, value: object) -> Input:
        return self._exported.accept(value)

    def predict(self, inputs: Sequence[Input]) -> list[Answered]:
        return self._exported.predict(inputs)

    def show(self, inputs: Sequence[Input], answers: Sequence[Answered]) -> Sequence[Sample]:
        """Pictures, where the answering draws them; else a table."""
        exported = self._exported
        if not exported.draws:
            return exported.show(inputs, answers)
        pictures = (exported.draw(value, answer) for value, answer in zip(inputs, answers, strict=True))
        return [Images(name="answer", images=np.asarray(one.convert("RGB"))[None], columns=1) for one in pictures]

    def stream(self, value: Input) -> Iterator[str]:
        return self._exported.stream(value)

    def notes(self) -> list[str]:
        return self._exported.notes()

"""A run's predictor, served: asked with options that clients give."""

from __future__ import annotations

import io
from functools import lru_cache

from dlkit.catalog import Catalog
from dlkit.config import config_class, fields_of
from dlkit.errors import UsageError
from dlkit.json_types import Settings
from dlkit.predictor import AnyPredictor
from dlkit.runs.finding import find_run
from dlkit.runs.workspace import locate
from dlkit.use.load import Question, asked_otherwise, load_predictor
from dlkit.use.serve.frames import Told, packed, read_frame

KEPT = 8
"""Predictors with other options that are kept: they share the model."""
REFUSED = frozenset({"max_megapixels"})
"""Options that are the server's to say."""


class ServedRun:
    """A checkpoint of a run. Raises as ``load_predictor``; ``tokens``: that an answer may be asked to have."""

    def __init__(self, run: str, checkpoint: str, device: str, inference: str, tokens: int) -> None:
        self._catalog, self._tokens = Catalog.load_everything(), tokens
        found = find_run(locate(), run)
        self._loaded = load_predictor(self._catalog, found, checkpoint, device, Question(inference))
        self._made = lru_cache(KEPT)(self._otherwise)

    def hello(self) -> Told:
        predictor, resolved = self._loaded.predictor, self._loaded.resolved
        told = {key: getattr(predictor, key) for key in ("asks", "label", "placeholder", "usage", "streams")}
        return {
            **told,
            "task": resolved.task.name,
            "inference": resolved.specs["inference"].name,
            "step": self._loaded.checkpoint.step,
            "schema": dict(predictor.schema()),
            "options": self._options(),
        }

    def asked_with(self, options: Settings) -> AnyPredictor:
        if refused := sorted(REFUSED & options.keys()):
            raise UsageError(f"inference.{refused[0]} is the server's to say")
        tokens = options.get("tokens")
        if isinstance(tokens, (int, float)) and tokens > self._tokens:
            raise UsageError(f"inference.tokens = {tokens}: this server writes {self._tokens} at most")
        return self._made(packed(options)) if options else self._loaded.predictor

    def _options(self) -> list[Told]:
        resolved = self._loaded.resolved
        present = resolved.sections["inference"].model_dump(mode="json")
        fields = fields_of(config_class(self._catalog, resolved.specs["inference"]))
        return [
            {"name": f.name, "description": f.description, "value": present[f.name], "schema": dict(f.schema),
             "seldom": f.name in self._loaded.predictor.seldom}
            for f in fields if f.name not in REFUSED
        ]  # fmt: skip

    def _otherwise(self, key: bytes) -> AnyPredictor:
        frame = read_frame(io.BytesIO(key))
        assert frame is not None
        return asked_otherwise(self._catalog, self._loaded, Question(options=frame.told)).predictor

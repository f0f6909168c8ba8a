"""What needs torch: the data, the network, what it minimises, what is measured, how it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from dlkit.config import NoOptions
from dlkit.data.context import Context
from dlkit.data.randomness import rng
from dlkit.data.splits import Data, Split, TensorSplit
from dlkit.errors import DataError
from dlkit.json_types import Json, JsonObject
from dlkit.metrics.total import Total, exact
from dlkit.predictor import Answer, Predictor
from dlkit.question_schema import NUMBER, Schema, fields, several
from dlkit.samples import Curve, Sample, Table
from dlkit.task import Loss, SumOverRanks
from torch import Tensor, nn

from dlkit_my_plugin.task import DrawnOptions, FlightInfo, LayersOptions

NAMES, LOW, HIGH = ["angle", "speed", "gravity"], [10.0, 5.0, 3.0], [80.0, 20.0, 25.0]  # degrees; m/s; m/s²
SECONDS = [round(0.1 * instant, 1) for instant in range(1, 41)]
METRES = 10.0
Numbers = npt.NDArray[np.float64]


def throws(config: DrawnOptions, context: Context) -> Data:
    """Throws drawn by seeded generators, and their flights; those held out are measured without noise."""

    def split(part: str, count: int, noise: float) -> TensorSplit:
        generator = rng(0, "throws", part)
        scaled = generator.uniform(-1, 1, size=(count, len(NAMES)))
        height = flights(LOW + (scaled + 1) / 2 * (np.array(HIGH) - LOW))
        columns = {"throw": scaled, "height": (height + noise * generator.normal(size=height.shape)) / METRES}
        return TensorSplit({name: torch.from_numpy(column.astype(np.float32)) for name, column in columns.items()})

    val, test = split("val", config.held_out, 0.0), split("test", config.held_out, 0.0)
    info = {"names": NAMES, "low": LOW, "high": HIGH, "seconds": SECONDS, "metres": METRES}
    return Data(train=split("train", config.train, config.noise), val=val, test=test, info=info)


def flights(throw: Numbers) -> Numbers:
    """Throws [N,3] → metres [N,40]; 0 once the ball has landed."""
    angle, speed, gravity = throw.T[:, :, None]
    metres: Numbers = speed * np.sin(np.radians(angle)) * SECONDS - gravity / 2 * np.square(SECONDS)
    return metres.clip(min=0)


def layers(config: LayersOptions, info: FlightInfo) -> nn.Module:
    """throw [N,3] → height [N,40]."""
    sizes = [len(info.names), *[config.width] * config.depth]
    hidden = [layer for ins, outs in pairwise(sizes) for layer in (nn.Linear(ins, outs), nn.GELU())]
    return nn.Sequential(*hidden, nn.Linear(sizes[-1], len(info.seconds)))


def mse(config: NoOptions, info: FlightInfo) -> Loss[Tensor]:
    return lambda outputs, batch: {"loss": nn.functional.mse_loss(outputs, batch["height"])}


class Distance:
    """``metres``: how far predicted heights are from true ones, on average."""

    def __init__(self, metres: float) -> None:
        self._metres, self._sums = metres, Total()  # [2]: distances, how many

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        distance = (exact(outputs) - exact(batch["height"])).abs()
        self._sums.add(torch.stack([distance.sum(), torch.ones_like(distance).sum()]))

    def reduce(self, over_ranks: SumOverRanks) -> None:
        self._sums.reduce(over_ranks)

    def compute(self) -> Mapping[str, float]:
        sums = self._sums.numbers()
        return {"metres": sums[0] / sums[1] * self._metres} if sums else {}


class Flights(Predictor[FlightInfo, NoOptions]):
    """A throw, as ``45,15,9.81`` or ``[45, 15, 9.81]`` → its flight."""

    placeholder = ",".join(NAMES)
    usage = f"throws as {placeholder}"
    asks, label = "row", "throw"

    def accept(self, value: object) -> list[float]:
        low, high = self.info.low, self.info.high
        try:
            throw = np.array(value.split(",") if isinstance(value, str) else value, np.float64)
        except (TypeError, ValueError, OverflowError):
            throw = np.zeros(0)
        if throw.shape != (len(low),) or not ((low <= throw) & (throw <= high)).all():
            allowed = zip(self.info.names, low, high, strict=True)
            ranges = ", ".join(f"{name} from {least:g} to {most:g}" for name, least, most in allowed)
            raise DataError(f"a throw is {ranges}; not {value!r}")
        return [float(number) for number in throw]

    def schema(self) -> Schema:
        limits = list(zip(self.info.low, self.info.high, strict=True))
        numbers: list[Json] = [{**NUMBER, "minimum": low, "maximum": high} for low, high in limits]
        count, middle = len(limits), [(low + high) / 2 for low, high in limits]
        question: JsonObject = {"type": "array", "prefixItems": numbers, "minItems": count, "maxItems": count}
        return Schema(question=question, answer=fields({"height": several(NUMBER)}), example=[*middle])

    def predict(self, inputs: Sequence[list[float]]) -> list[Answer]:
        low, high = torch.tensor(self.info.low), torch.tensor(self.info.high)
        heights = self.forward((torch.tensor(inputs) - low) / (high - low) * 2 - 1) * self.info.metres
        return [{"height": height} for height in heights.clamp(min=0).tolist()]

    def show(self, inputs: Sequence[list[float]], answers: Sequence[Answer]) -> Sequence[Sample]:
        named = zip(inputs, answers, strict=True)
        return [self._curve("flights", {", ".join(map(str, throw)): answer["height"] for throw, answer in named})]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        if examples is None:
            raise DataError("samples of this task need the validation split")
        batch = examples.take(torch.from_numpy(rng.permutation(len(examples))[:count]))
        found, true = self.forward(batch["throw"]) * self.info.metres, batch["height"] * self.info.metres
        rows = [[round(value, 2) for value in row] for row in torch.stack([true.amax(1), found.amax(1)], 1).tolist()]
        highest = Table(name="highest", title="highest point (m)", headers=["true", "predicted"], rows=rows)
        return [self._curve("flight", {"true": true[0].tolist(), "predicted": found[0].tolist()}), highest]

    def _curve(self, name: str, lines: Mapping[str, list[float]]) -> Curve:
        return Curve(name=name, x=self.info.seconds, lines=lines, x_label="seconds", y_label="metres")

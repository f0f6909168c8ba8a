"""A small plugin that keeps every rule: three kinds of spots, told by four measures. Mutants are small changes of this
file's text; it is written out, changed, under a name of its own, and imported from there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field, field_validator, model_validator  # noqa: F401  # for mutants
from torch import Tensor, nn

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, Suggest, TaskSpec, TrainerSpec, hookimpl
from dlkit.config import Config
from dlkit.data.context import Context
from dlkit.data.example import Example
from dlkit.data.options import Location
from dlkit.data.plans import Plan, Planner
from dlkit.data.randomness import rng as numbers
from dlkit.data.splits import Augment, Batch, Data, MapSplit, Split, TensorSplit
from dlkit.engine.supervised import SupervisedTrainer
from dlkit.errors import DataError
from dlkit.json_types import JsonObject
from dlkit.question_schema import SHARE, Schema, by_name, choice, fields, several, told
from dlkit.samples import Curve, Images, Sample, Table
from dlkit.task import Column, Info, OverRanks, Task, first_batch
from dlkit.use import Answer, Predictor

NAMES = ("dark", "bright", "ringed")
HERE: dict[str, Any] = {}


class SpotsConfig(Config):
    """How many spots."""

    table: Location | None = Field(None, description="A table of spots to train on; none: they are drawn")
    points: int = Field(96, ge=12, le=1000, description="Spots to train on")
    spread: float = Field(0.3, ge=0, le=2, description="Standard deviation within a kind")
    seed: int = Field(0, ge=0, le=1000, description="Which spots are drawn")


class NetConfig(Config):
    """The network."""

    hidden: int = Field(12, ge=1, le=64, description="Units of the hidden layer")
    dropout: float = Field(0.1, ge=0, lt=1, description="Share of units left out at a step")


class SpotsInfo(Info):
    """What spots are like."""

    classes: list[str] = Field(description="names of the kinds, by label")
    measures: int = Field(description="numbers of a spot")
    mean: float = Field(0.0, description="what is subtracted of every measure")


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    defaults = {"dataset": "drawn", "model": "net", "loss": "entropy", "trainer": "taught", "inference": "kind"}
    return [
        TaskSpec(name="spots", title="Spots", summary="Tells three kinds of spots", target=f"{__name__}:Spots",
                 defaults=defaults, metric="val/accuracy", direction="max",
                 suggest=(Suggest(settings={"trainer.lr": 0.02, "trainer.optimizer": "adam"}),))
    ]  # fmt: skip


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [DatasetSpec(name="drawn", task="spots", summary="Drawn spots", target=f"{__name__}:build_spots",
                        config=f"{__name__}:SpotsConfig", example=f"{__name__}:write_spots")]  # fmt: skip


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [ModelSpec(name="net", task="spots", summary="Two layers", target=f"{__name__}:build_net",
                      config=f"{__name__}:NetConfig")]  # fmt: skip


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [LossSpec(name="entropy", task="spots", summary="Cross-entropy", target=f"{__name__}:build_entropy")]


@hookimpl
def dlkit_trainers() -> list[TrainerSpec]:
    return [TrainerSpec(name="taught", task="spots", summary="Gradients", target=f"{__name__}:Taught",
                        config="dlkit.engine.options:SupervisedConfig")]  # fmt: skip


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [InferenceSpec(name="kind", task="spots", summary="Names kinds", target=f"{__name__}:KindPredictor")]


class Spots(Task[SpotsInfo]):
    """x [N,D] → logits [N,K]."""

    Info = SpotsInfo
    batch = {"x": Column("float32[N,D]"), "label": Column("int64[N]")}
    inputs = ("x",)
    outputs = Column("float32[N,classes]")

    def axes(self, info: SpotsInfo) -> Mapping[str, int]:
        return {"D": info.measures, "classes": len(info.classes)}

    def ranges(self, info: SpotsInfo) -> Mapping[str, tuple[float, float]]:
        return {"label": (0, len(info.classes))}

    def metrics(self, info: SpotsInfo) -> Accuracy:
        return Accuracy()

    def preview(self, info: SpotsInfo, split: Split, count: int) -> Sequence[Sample]:
        batch = first_batch(split, count)
        rows = [[*x, info.classes[y]] for x, y in zip(batch["x"].tolist(), batch["label"].tolist(), strict=True)]
        return [Table(name="spots", headers=["a", "b", "c", "d", "kind"], rows=rows)]


def drawn(config: SpotsConfig, what: str, count: int) -> tuple[Tensor, Tensor]:
    draws = numbers(config.seed, what)
    label = np.arange(count) % len(NAMES)
    centres = np.array([[-1, 0, 1, 0], [1, 1, 0, 0], [0, -1, -1, 1]], np.float32)
    x = centres[label] + config.spread * draws.normal(size=(count, 4))
    order = draws.permutation(count)
    return torch.from_numpy(x.astype(np.float32)[order]), torch.from_numpy(label[order])


def read_spots(path: Path) -> tuple[Tensor, Tensor]:
    try:
        rows = np.loadtxt(path, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
    return torch.from_numpy(rows[:, :4].astype(np.float32)), torch.from_numpy(rows[:, 4].astype(np.int64))


def write_spots(folder: Path) -> Example:
    rows = [[*numbers(0, "example", index).normal(size=4).round(3), index % 3] for index in range(24)]
    (folder / "spots.csv").write_text("".join(f"{','.join(map(str, row))}\n" for row in rows))
    return Example({"table": str(folder / "spots.csv")}, {"spots.csv": "a row a spot: four measures, and which kind"})


def build_spots(config: SpotsConfig, context: Context) -> Data:
    x, label = read_spots(Path(config.table)) if config.table else drawn(config, "train", config.points)
    val_x, val_label = drawn(config, "val", 30)
    train = Noisy(x, label, Ordered())
    val = TensorSplit({"x": val_x, "label": val_label})
    test_x, test_label = drawn(config, "test", 20)
    test = TensorSplit({"x": test_x, "label": test_label})
    info = {"classes": list(NAMES), "measures": x.shape[1], "mean": float(x.mean())}
    return Data(train=train, val=val, test=test, info=info, augment=Shifted())


class Ordered(Planner):
    """Another permutation in every epoch."""

    def plan(self, size: int, seed: int, epoch: int, batch_size: int) -> Plan:
        order = numbers(seed, "order", epoch).permutation(size)
        ends = np.arange(self.length(size, seed, epoch, batch_size) + 1) * batch_size
        return Plan(order[: ends[-1]], np.minimum(ends, size))

    def length(self, size: int, seed: int, epoch: int, batch_size: int) -> int:
        return max(1, size // batch_size)


class Noisy(MapSplit):
    """Spots made one by one, in training with noise."""

    def __init__(self, x: Tensor, label: Tensor, planner: Planner) -> None:
        super().__init__(planner=planner)
        self.x, self.label = x, label
        self.own = np.random.default_rng(3)

    def __len__(self) -> int:
        return len(self.x)

    def sample(self, index: int, rng: np.random.Generator | None) -> Mapping[str, Any]:
        x = self.x[index]
        if rng is not None:
            x = x + torch.from_numpy(rng.normal(0, 0.05, 4).astype(np.float32))
        return {"x": x, "label": self.label[index]}

    def fingerprint(self) -> str:
        return hashlib.sha256(self.x.numpy().tobytes() + self.label.numpy().tobytes()).hexdigest()


class Shifted(Augment):
    """Moves every spot a little."""

    def draw(self, rng: np.random.Generator, count: int) -> Mapping[str, Any]:
        return {"shift": rng.normal(0, 0.02, (count, 1)).astype(np.float32)}

    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        return {**batch, "x": batch["x"] + drawn["shift"]}


class Net(nn.Module):
    """x [N,D] → logits [N,K]."""

    def __init__(self, config: NetConfig, info: SpotsInfo) -> None:
        super().__init__()
        self.mean = info.mean
        self.first = nn.Linear(info.measures, config.hidden)
        self.norm = nn.BatchNorm1d(config.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.second = nn.Linear(config.hidden, len(info.classes))
        self.seen: Tensor
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.seen += 1
        hidden = torch.relu(self.norm(self.first(x - self.mean)))
        return self.second(self.dropout(hidden))  # type: ignore[no-any-return]


def build_net(config: NetConfig, info: SpotsInfo) -> nn.Module:
    return Net(config, info)


def build_entropy(config: Config, info: SpotsInfo) -> Any:
    return Entropy()


class Entropy:
    """Cross-entropy, and the share that is wrong."""

    def __call__(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        label = batch["label"]
        loss = F.cross_entropy(outputs, label)
        return {"loss": loss}


class Taught(SupervisedTrainer):
    """As the supervised one."""

    def step(self, batches: Sequence[Batch], step: int) -> dict[str, Any]:
        return super().step(batches, step)

    def change(self, config: Config) -> None:
        super().change(config)


class Accuracy:
    """The share that is right, and the mean probability of what is true."""

    def __init__(self) -> None:
        self.right: Tensor | None = None
        self.surety: Tensor | None = None
        self.count: Tensor | None = None

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        label = batch["label"]
        right = (outputs.argmax(1) == label).sum()
        surety = outputs.softmax(1).gather(1, label[:, None]).double().sum()
        self.right = right if self.right is None else self.right + right
        self.surety = surety if self.surety is None else self.surety + surety
        count = torch.tensor(len(label))
        self.count = count if self.count is None else self.count + count

    def reduce(self, over_ranks: OverRanks) -> None:
        self.right = over_ranks(self.right)
        self.surety = over_ranks(self.surety)
        self.count = over_ranks(self.count)

    def compute(self) -> Mapping[str, float]:
        if self.right is None or self.surety is None or self.count is None:
            return {}
        return {"accuracy": float(self.right) / int(self.count), "surety": float(self.surety) / int(self.count)}


class KindPredictor(Predictor[SpotsInfo, Config]):
    """Rows of four measures → kinds."""

    usage = "rows of four numbers: 1,2,3,4"

    def accept(self, value: object) -> list[float]:
        cells = value.split(",") if isinstance(value, str) else value
        if not isinstance(cells, list):
            raise DataError(f"a spot is a list of numbers, not {told(value)}")
        try:
            row = [float(cell) for cell in cells]
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(f"not a spot: {error}") from error
        if len(row) != self.info.measures or not all(abs(cell) < 1e6 for cell in row):
            raise DataError(f"a spot has {self.info.measures} numbers below a million, not {row}")
        return row

    def schema(self) -> Schema:
        number: JsonObject = {"type": "number", "minimum": -1e6, "maximum": 1e6}
        question = {**several(number), "minItems": self.info.measures, "maxItems": self.info.measures}
        answer = fields({"kind": choice(self.info.classes), "scores": by_name(SHARE)})
        return Schema(question=question, answer=answer, example=[0.5] * self.info.measures)

    def predict(self, inputs: Sequence[Any]) -> list[Answer]:
        rows = torch.tensor(inputs, dtype=torch.float32)
        scores = self.forward(rows).softmax(1)
        return [self.answer(row) for row in scores.tolist()]

    def answer(self, row: Sequence[float]) -> Answer:
        named = dict(zip(self.info.classes, row, strict=True))
        return {"kind": max(named, key=lambda name: named[name]), "scores": named}

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        if examples is None:
            return []
        chosen = examples.take(torch.from_numpy(rng.integers(len(examples), size=3)))["x"]
        return [",".join(map(str, row)) for row in chosen.tolist()]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        if examples is None:
            raise DataError("samples of spots need the validation split")
        index = torch.from_numpy(rng.permutation(len(examples))[:count])
        batch = examples.take(index)
        scores = self.forward(batch["x"]).softmax(1)
        rows = [[self.info.classes[y], self.info.classes[z]] for y, z in
                zip(batch["label"].tolist(), scores.argmax(1).tolist(), strict=True)]  # fmt: skip
        shades = (scores * 255).round().byte().numpy().reshape(len(rows), 1, len(self.info.classes))
        line = scores[0].tolist()
        return [
            Table(name="kinds", headers=["true", "found"], rows=rows),
            Images(name="scores", images=shades, captions=[row[1] for row in rows]),
            Curve(name="first", x=list(range(len(line))), lines={"score": line}),
        ]

"""The contract of this task, and its components' options: pydantic, no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dlkit.config import Config
from dlkit.samples import Curve, Sample
from dlkit.task import Column, Info, Metrics, Task, first_batch
from pydantic import Field

if TYPE_CHECKING:
    from dlkit.data.splits import Split
    from torch import Tensor


class ChordsOptions(Config):
    """Which signals are drawn."""

    train: int = Field(1500, ge=8, le=1_000_000, description="Signals to train on")
    held_out: int = Field(300, ge=8, le=100_000, description="Signals to validate on, and as many to test on")
    noise: float = Field(0.5, ge=0, le=10, description="Deviation of the noise; a tone has an amplitude of 0.5 to 1.5")


class FiltersOptions(Config):
    """The network's options."""

    filters: int = Field(24, ge=1, le=512, description="Filters of the first layer")
    length: int = Field(31, ge=3, le=101, description="Samples that one of them looks at")


class ListenerOptions(Config):
    """When a tone counts as heard."""

    threshold: float = Field(0.5, ge=0, le=1, description="Probability from which on a tone is heard")


class TonesInfo(Info):
    """What a checkpoint must know to answer without the data set."""

    tones: list[str] = Field(min_length=1, description="what may sound")
    samples: int = Field(ge=8, description="numbers of a signal")
    rate: float = Field(gt=0, description="of them in a second")


class Tones(Task[TonesInfo]):
    """``signal``: as it was measured. ``sounding``: 1 for each tone that is in it, else 0. Outputs are logits."""

    Info = TonesInfo
    batch = {"signal": Column("float32[N,samples]"), "sounding": Column("float32[N,tones]")}
    inputs = ("signal",)
    outputs = Column("float32[N,tones]")

    def ranges(self, info: TonesInfo) -> Mapping[str, tuple[float, float]]:
        return {"sounding": (0, 1)}

    def metrics(self, info: TonesInfo) -> Metrics[Tensor]:
        from dlkit_tones.model import Heard

        return Heard()

    def scores(self, outputs: Tensor, info: TonesInfo) -> Mapping[str, Tensor]:
        """The logit of each tone."""
        return dict(zip(info.tones, outputs.unbind(1), strict=True))

    def preview(self, info: TonesInfo, split: Split, count: int) -> Sequence[Sample]:
        batch = first_batch(split, min(count, 3))
        rows = zip(batch["signal"].tolist(), batch["sounding"].tolist(), strict=True)
        return [
            curve(info, f"signal-{at}", signal, f"signal {at}: {named(info, sounding)}")
            for at, (signal, sounding) in enumerate(rows, 1)
        ]


def named(info: TonesInfo, sounding: Sequence[float], threshold: float = 0.5) -> str:
    return ", ".join(tone for tone, value in zip(info.tones, sounding, strict=True) if value >= threshold) or "none"


def curve(info: TonesInfo, name: str, signal: Sequence[float], title: str) -> Curve:
    """A signal over its time."""
    seconds = [at / info.rate for at in range(info.samples)]
    return Curve(name=name, title=title, x=seconds, lines={"signal": signal}, x_label="seconds")

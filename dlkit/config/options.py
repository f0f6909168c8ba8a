"""One declaration of every option: from it come the flag, the form field, the JSON schema and the error."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dlkit.catalog import Catalog, load_config
from dlkit.components import PARTS, Spec
from dlkit.durations import seconds
from dlkit.errors import PluginError
from dlkit.interpreter import MOST_PROCESSES
from dlkit.openmp import MOST_THREADS
from dlkit.sizes import byte_count

CHOICES = (*PARTS, "launcher")
"""What is chosen by name: the components of a run, and what starts its processes."""
SECTIONS = ("engine", "job", *CHOICES)
Cadence = str
CHANGEABLE: dict[str, Any] = {"changeable": True}
"""Marks an option, as its ``json_schema_extra``, that ``dlkit set`` may change while a run is going."""
DURATION: dict[str, Any] = {"format": "duration"}
"""Marks an option, as its ``json_schema_extra``, that is a number of seconds and may be written as 9m or 1h30m."""
Fit = Literal["exact", "inexact", "never"]
"""How a changed option fits the state of a checkpoint that a fork goes on from. ``exact``: as if it had been changed in
that step of a run that goes on. ``inexact``: something of the state fits no more, and begins afresh, or the numbers are
computed otherwise. ``never``: nothing of the state fits."""
FITS: dict[str, Fit] = {
    "engine": "exact", "job": "exact", "launcher": "exact", "trainer": "exact", "loss": "exact", "inference": "exact",
    "dataset": "inexact", "model": "never",
}  # fmt: skip
"""By section, where an option says nothing else."""
NAMES_FIT: dict[str, Fit] = {"loss": "inexact", "dataset": "inexact", "model": "never", "trainer": "never"}
"""Of another component in its place, by section; of what is not here, as of its options."""


def at_fork(fit: Fit) -> dict[str, Any]:
    """Marks an option, as its ``json_schema_extra``, that fits a fork otherwise than its section does (``FITS``)."""
    return {"at_fork": fit}


Seconds = Annotated[
    float, Field(gt=0), BeforeValidator(lambda value: seconds(value) if isinstance(value, str) else value)
]
SIZE = r"^\d+(\.\d+)? ?(kB|[KMGT]i?B|B)?$"
SIZE_OR_AUTO = r"^(auto|\d+(\.\d+)? ?(kB|[KMGT]i?B|B)?)$"
"""Bytes as people write them (``dlkit.sizes``), kept as they are written."""
Bytes = Annotated[str, Field(pattern=SIZE), BeforeValidator(lambda value: str(value) if type(value) is int else value)]
BytesOrAuto = Annotated[
    str, Field(pattern=SIZE_OR_AUTO), BeforeValidator(lambda value: str(value) if type(value) is int else value)
]
Gibibytes = Annotated[float, BeforeValidator(lambda value: _gibibytes(value) if isinstance(value, str) else value)]
"""A number of GiB, which may be written as 500MB too."""
MOST_EPOCHS = 1_000_000
"""The ends of all epochs are known before the first step: so many are computed in a second, and take 50 MB."""
CADENCE = r"^(never|end|[1-9]\d* (step|steps|epoch|epochs))$"


class Config(BaseModel):
    """Base of every component's options: frozen, unknown keys refused, every field described and bounded.

    Give each field a ``description`` and its bounds; ``json_schema_extra={"changeable": True}`` marks what may be set
    while a run is going.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


class NoOptions(Config):
    """The options of a component that has none."""


class EngineConfig(Config):
    """What every run has, whatever its task."""

    epochs: int | None = Field(10, ge=1, le=MOST_EPOCHS, description="Passes over the training split; or give steps")
    steps: int | None = Field(
        None, ge=0, description="Optimizer steps in all, or give epochs; 0: no training, but evaluation and samples"
    )
    batch_size: int = Field(
        64, ge=1, description="Samples a batch, over all processes together", json_schema_extra=at_fork("inexact")
    )
    eval_batch_size: int = Field(500, ge=1, description="Samples a batch in evaluation")
    seed: int = Field(
        0, ge=0, lt=2**63, description="Everything random is a function of it", json_schema_extra=at_fork("inexact")
    )
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
        description="auto, cpu, mps, cuda or cuda:N",
        json_schema_extra=at_fork("inexact"),
    )
    # No float16: bf16 covers the hardware that gains from lower precision, without the state of a gradient scaler.
    precision: Literal["auto", "float32", "bf16"] = Field(
        "auto",
        description="auto: bf16 autocast where device and model gain from it, float32 elsewhere",
        json_schema_extra=at_fork("inexact"),
    )
    eval_every: Cadence = Field("1 epoch", pattern=CADENCE, description="'N steps', 'N epochs', 'end' or 'never'")
    eval_first: bool = Field(False, description="Evaluate before the first step too: the baseline of what is learnt")
    sample_every: Cadence = Field("5 epochs", pattern=CADENCE, description="'N steps', 'N epochs', 'end' or 'never'")
    checkpoint_every: Seconds = Field(
        30.0, description="Seconds between checkpoints, besides best and last", json_schema_extra=CHANGEABLE | DURATION
    )
    keep: int = Field(2, ge=1, description="Newest checkpoints to keep, besides the best", json_schema_extra=CHANGEABLE)
    # It counts loader batches: a step sees batch_size × accumulate samples.
    accumulate: int = Field(
        1,
        ge=1,
        description="Batches whose gradients are averaged into one optimizer step",
        json_schema_extra=at_fork("inexact"),
    )
    clip: float = Field(0.0, ge=0, description="Largest gradient norm; 0: no clipping")
    ema: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Decay of the weights' moving average, evaluated instead; 0: none",
        json_schema_extra=at_fork("inexact"),
    )
    ema_ramp: bool = Field(
        True,
        description="After t steps the average's decay is (1 + t) / (10 + t) at most, so that it forgets the start",
    )
    early_stopping: int = Field(
        0, ge=0, description="Evaluations without a better primary metric to stop after; 0: off"
    )
    compile: bool = Field(
        False, description="Run the model through torch.compile", json_schema_extra=at_fork("inexact")
    )
    max_time: Seconds | None = Field(
        None,
        description="Seconds after which the run ends, completed; or as 9m, 1h30m",
        json_schema_extra=CHANGEABLE | DURATION,
    )
    limit_batches: int | None = Field(
        None, ge=1, description="Batches an epoch and an evaluation at most", json_schema_extra=at_fork("inexact")
    )
    overfit_batches: int | None = Field(
        None,
        ge=1,
        description="Train and evaluate on these first batches only, not shuffled, not augmented",
        json_schema_extra=at_fork("inexact"),
    )
    # Not at every step: the norm of all gradients would cost more than the engine itself does.
    probe_every: int = Field(20, ge=0, description="Steps between records of gradient norm and learning rate; 0: never")
    layers: bool = Field(
        False,
        description="With each sample: activations, gradients, dead units and size of the update, layer by layer",
    )
    # Operators are all kept until the last step; of a hundred the trace of a large network has some 100 MB already.
    profile: int = Field(
        0, ge=0, le=100, description="Steps to record operator by operator with torch.profiler, after a few; 0: none"
    )
    data_on: Literal["auto", "device", "host"] = Field(
        "auto", description="Where data in memory lie; auto: on the device, if half its memory holds them"
    )
    # Each is a process: no machine has the cores for more, and the system ends what starts them without bound.
    workers: int = Field(0, ge=0, le=256, description="Loader processes, for data that does not fit in memory")
    threads: int = Field(
        0,
        ge=0,
        le=MOST_THREADS,
        description="CPU threads of a step; 0: all free cores, of a small step one",
        json_schema_extra=at_fork("inexact"),
    )
    deterministic: bool = Field(
        False,
        description="Only deterministic kernels: bit-exact resume on CUDA too",
        json_schema_extra=at_fork("inexact"),
    )
    init_from: str | None = Field(
        None,
        description="Run whose best weights to start from: id, prefix, last or folder",
        json_schema_extra=at_fork("never"),
    )


# Priority, what to wait for, and CPU slots are not options: they say when a run is trained, not what it computes.
class JobConfig(Config):
    """How a run's processes are started and looked after; no part of what is computed, but for ``nproc``."""

    nproc: int = Field(
        1,
        ge=1,
        le=MOST_PROCESSES,
        description="Processes that share every batch, each on a device of its own",
        json_schema_extra=at_fork("never"),
    )
    max_restarts: int = Field(
        0, ge=0, le=1000, description="Times to go on from the last checkpoint when a process dies"
    )
    on_oom: Literal["fail", "halve"] = Field(
        "fail", description="Out of memory: fail, or go on with half the batch and twice the accumulation"
    )
    gpu_memory: BytesOrAuto | None = Field(
        None,
        description="GPU memory that the run needs on each GPU, which it may then share: 4GiB; auto: what its first "
        "steps take, tried before it is handed over; none: a GPU to itself",
    )
    notify: str | None = Field(
        None, pattern=r"^https?://[^\s]+$", description="Address to POST the finished event to, as JSON"
    )
    nice: int = Field(
        0, ge=0, le=19, description="Niceness of the run's processes: the higher, the more they leave to others (nice)"
    )

    @property
    def supervised(self) -> bool:
        """Whether more is asked for than one process can do by itself."""
        return self.nproc > 1 or self.max_restarts > 0 or self.on_oom != "fail" or self.nice > 0


OWN: dict[str, type[Config]] = {"engine": EngineConfig, "job": JobConfig}
"""The sections that are dlkit's own, the same for all components."""

EXCLUSIVE = (("epochs", "steps"),)
"""Engine options of which a higher layer's one displaces a lower layer's other."""

SHORT_FLAGS = {
    "epochs": "engine.epochs",
    "steps": "engine.steps",
    "batch_size": "engine.batch_size",
    "seed": "engine.seed",
    "device": "engine.device",
    "precision": "engine.precision",
    "max_time": "engine.max_time",
    "limit_batches": "engine.limit_batches",
    "overfit_batches": "engine.overfit_batches",
    "accumulate": "engine.accumulate",
    "clip": "engine.clip",
    "ema": "engine.ema",
    "early_stopping": "engine.early_stopping",
    "init_from": "engine.init_from",
    "profile": "engine.profile",
    "nproc": "job.nproc",
    "max_restarts": "job.max_restarts",
    "on_oom": "job.on_oom",
    "gpu_memory": "job.gpu_memory",
    "notify": "job.notify",
    "nice": "job.nice",
    "lr": "trainer.lr",
}


def _gibibytes(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return byte_count(text) / (1 << 30)


def config_class(catalog: Catalog, spec: Spec) -> type[Config]:
    """The options of a component."""
    found = load_config(spec, catalog) or NoOptions
    if not (isinstance(found, type) and issubclass(found, Config)):
        raise PluginError(f"{spec.kind} {spec.name!r}: {spec.config} is not a subclass of dlkit.config.Config")
    return found


def changeable(model: type[BaseModel]) -> list[str]:
    """The options of a config class that declare themselves changeable while a run is going."""
    marks = {name: found.json_schema_extra for name, found in model.model_fields.items()}
    return [name for name, extra in marks.items() if isinstance(extra, dict) and extra.get("changeable")]

"""``Predictor``: how a trained model is queried, and what its samples look like.

It is given the model, the checkpoint's ``info`` and its own options, and nothing else: raw input is answered with the
data set's files and code gone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from dlkit.answering import in_short
from dlkit.config import Config, EngineConfig
from dlkit.data.splits import Batch, Split
from dlkit.data.trees import map_tensors
from dlkit.errors import UsageError
from dlkit.portable import Portable, whole_model
from dlkit.question_schema import TEXT, Schema
from dlkit.samples import Sample, Table
from dlkit.task import AnyTask, Info

if TYPE_CHECKING:
    from PIL.Image import Image

Answer = Mapping[str, Any]
"""One prediction in JSON values, by name."""
ASKS = ("row", "text", "image", "prompt", "seed")
"""What a question may be: a row of a table, a sentence, an image file, text to go on from, a number to draw from."""


KnownT = TypeVar("KnownT")
"""The task's ``info``, or what a predictor of several tasks needs of it."""
ConfigT = TypeVar("ConfigT", bound=Config)


class Steps(Protocol):
    """What makes one optimizer step after the other (``dlkit.engine.trainer.Trainer`` does)."""

    def step(self, batches: Sequence[Batch], step: int) -> Mapping[str, Tensor | float]:
        """Step number ``step``, from 0; metrics by full name."""


@dataclass(frozen=True)
class Recipe:
    """How a run was trained, for predictors whose answers are themselves trained: another picture's pixels, say.

    ``trainer(model, info, steps)`` is a new one, of the run's own kind, loss and options, for a model that lies where
    it is to be trained; ``engine`` the run's settings. Nothing of the run is changed by it.
    """

    engine: EngineConfig
    trainer: Callable[[nn.Module, Info, int], Steps]


class Predictor(ABC, Generic[KnownT, ConfigT]):
    """Base of all predictors, as ``Predictor[DigitsInfo, NamerConfig]``; of one without options the second is
    ``NoOptions``.

    ``usage`` says in one line what INPUT of ``dlkit predict RUN INPUT …`` may be. A form asks for one INPUT: ``asks``
    is its kind, one of ``ASKS`` (of an image, a form offers to look for a file), ``label`` what stands before it,
    ``placeholder`` what stands in it while it is empty. The options of ``config`` may differ from one question to the
    next; a form then makes a new predictor of the same model. It shows those that are ``seldom`` wanted, of samples
    alone, or for unusual inputs, on demand. ``draws``: whether ``draw`` makes pictures, which ``dlkit predict`` then
    writes as PNG files. ``streams``: whether ``stream`` gives an answer piece by piece, which ``dlkit predict`` then
    shows as it comes. ``batch``: inputs that are best answered together. ``exports`` are the formats that ``export``
    writes, each with a line that says what it is, the usual one first.

    A run may be asked by any that fits: ``dlkit predict|sample RUN --inference NAME``. One that is declared for several
    tasks, or for any, knows the run's by ``task`` (``task.inputs``, ``task.outputs``), and says in ``lacks`` what it
    needs of a model. Its options have defaults, if a form is to offer it: there it is chosen before they are typed.
    """

    usage: str = "INPUT"
    asks: str = "text"
    label: str = "input"
    placeholder: str = ""
    seldom: frozenset[str] = frozenset()
    draws: bool = False
    streams: bool = False
    batch: int = 64
    exports: Mapping[str, str] = {}
    task: AnyTask | None = None
    """What the model was made for: whoever builds a run's predictor says so, when it has been made."""
    recipe: Recipe | None = None
    """How the run was trained, likewise; None where a predictor was made by hand."""

    @classmethod
    def lacks(cls, task: AnyTask, model: nn.Module, info: Info) -> str:
        """What this component needs and such a model lacks, as the end of a sentence (``it needs a convolution, and the
        model has none``); empty: it can ask it. Asked before one is made. Default: whatever is of its task will do."""
        return ""

    def __init__(self, model: nn.Module, info: KnownT, config: ConfigT) -> None:
        self.model = model
        self.info = info
        self.config = config

    def __call__(self, *values: object) -> list[Answer]:
        """Ask from Python: ``(answer,) = run.predictor()(image)``.

        A text is what INPUT of the command line may be (a file's name, a row, a sentence; of a file with several inputs
        each is answered); anything else is one input as ``predict`` takes it: a PIL image, an array, a mapping or a
        sequence of a row's values, a seed.
        """
        inputs: list[object] = []
        for value in values:
            inputs += self.read([value]) if isinstance(value, str) else [value]
        return self.predict(inputs)

    def accept(self, value: object) -> object:
        """One input from somebody far away: a JSON value, or the bytes of a file that was uploaded.

        Never a path: nothing is opened that a stranger names. DataError (UsageError of options) says what is wrong with
        it, before any other question is answered together with it.
        """
        raise UsageError(f"{type(self).__name__} takes no questions but those of a command line: it has no accept()")

    def schema(self) -> Schema:
        """What ``accept`` takes and ``predict`` returns, with an example: forms, pages and OpenAPI are made of it."""
        return Schema(question={**TEXT, "description": self.usage}, answer={"type": "object"}, example=self.placeholder)

    def read(self, arguments: Sequence[str]) -> list[Any]:
        """Inputs from the command line's words (file names, rows, sentences). DataError names what cannot be read.
        Default: ``accept`` of each."""
        return [self.accept(word) for word in arguments]

    @abstractmethod
    def predict(self, inputs: Sequence[Any]) -> list[Answer]:
        """One answer an input, in order. Inputs are what ``read`` returns, or plain Python values of that form."""

    def notes(self) -> list[str]:
        """What is to be said of the inputs since this was last asked: what was guessed, converted, left out, how many,
        the first of them, the option that says otherwise. Default: nothing."""
        return []

    def show(self, inputs: Sequence[Any], answers: Sequence[Answer]) -> Sequence[Sample]:
        """The answers as samples, for people to look at. Default: a table."""
        headers = list(answers[0]) if answers else []
        rows = [[in_short(answer.get(header)) for header in headers] for answer in answers]
        return [Table(name="predictions", headers=headers, rows=rows)]

    def draw(self, value: Any, answer: Answer) -> Image:
        """One input as a picture at its own size, its answer drawn into it; for predictors that say ``draws``."""
        raise NotImplementedError(f"{type(self).__name__} draws no pictures")

    def files(self, value: Any, answer: Answer) -> Mapping[str, bytes]:
        """What belongs beside that picture, by suffix: ``{".code": …}``; for predictors that say ``draws``."""
        return {}

    def stem(self, value: Any) -> str:
        """What the files of an input's answer are called, without suffix; empty: they are numbered."""
        return Path(value).stem if isinstance(value, (str, Path)) else ""

    def stream(self, value: Any) -> Iterator[str]:
        """One input's answer as text for people, in pieces, each as soon as it is known; for predictors that say
        ``streams``. Joined, they begin with the input where the answer goes on from it."""
        raise NotImplementedError(f"{type(self).__name__} does not answer piece by piece")

    def portable(self) -> Portable:
        """What leaves dlkit with an exported model: its networks, and what the answering that ``InferenceSpec.answers``
        names must know of the run and the options. UsageError says why it cannot leave. Default: the model as one
        network, whose answering is given nothing."""
        assert self.task is not None
        return Portable((whole_model(self.task, self.model, self.info),), {})

    def export(self, form: str, folder: Path) -> list[Path]:
        """Write what the model knows into files in an empty folder, in one of the formats of ``exports``; the files."""
        raise NotImplementedError(f"{type(self).__name__} has no format {form!r} to export")

    @abstractmethod
    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """What the model does now, for a person to judge: about ``count`` items.

        ``examples`` is the validation split (``take`` it), or None where only a checkpoint is at hand; ``rng`` is the
        one source of randomness besides torch's generator, which is forked around this call. While a run trains, both
        draw the same at every sampling time, so that one can see what has become of the same noise or the same image.
        """

    def verdict(self) -> list[str]:
        """What a completed run has come to, a sentence each, where more is to be said than figures say: that no line
        divides the points, say. Asked once, at the end, of the model as it is then. Default: nothing."""
        return []

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        """Inputs worth trying, each a word that ``read`` accepts, the first one best. Default: none.

        ``examples`` is the validation split, or None where the data is gone; files may be written into ``folder``.
        """
        return []

    def forward(self, *inputs: Tensor) -> Any:
        """The model's outputs in evaluation mode, without gradients, on the CPU; inputs as the task declares them."""
        parameter = next(self.model.parameters(), None)
        device = parameter.device if parameter is not None else torch.device("cpu")
        self.model.eval()
        with torch.no_grad():
            return map_tensors(_on_host, self.model(*[value.to(device) for value in inputs]))


AnyPredictor = Predictor[Any, Any]
"""One that nothing is known of but that it is a predictor."""


def _on_host(tensor: Tensor) -> Tensor:
    return tensor.float().cpu() if tensor.is_floating_point() else tensor.cpu()
